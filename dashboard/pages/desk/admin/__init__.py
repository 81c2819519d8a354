"""Administration: accounts, departments, sites, cameras, interfaces, calendars, dead letters, audit; no restart."""

from __future__ import annotations

from dashboard.pages.desk.admin import importing
from dashboard.pages.desk.admin.page import PAGE, layout

__all__ = ["PAGE", "importing", "layout"]
