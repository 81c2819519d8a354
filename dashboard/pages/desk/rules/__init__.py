"""Rules: what opens a case, changed in the browser, tried on a past period before it is saved."""

from __future__ import annotations

from dashboard.pages.desk.rules.page import PAGE, layout

__all__ = ["PAGE", "layout"]
