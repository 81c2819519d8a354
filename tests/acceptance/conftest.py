"""Fixtures that several acceptance tests share."""

from __future__ import annotations

from tests.acceptance.browserkit import chromium, fake

__all__ = ["chromium", "fake"]
