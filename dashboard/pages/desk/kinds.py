"""Kinds of case: looked at, written, tried and published by clicks (:mod:`dashboard.pages.workshop`)."""

from __future__ import annotations

from dashboard.pages.workshop.kind_callbacks import PAGE, layout

__all__ = ["PAGE", "layout"]
