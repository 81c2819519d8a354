"""Forms: from Excel to live, by clicks (:mod:`dashboard.pages.workshop`)."""

from __future__ import annotations

from dashboard.pages.workshop.form_callbacks import PAGE, layout

__all__ = ["PAGE", "layout"]
