"""Plans and duty: the roster of a week, emergency plans, what is in force and its tasks."""

from __future__ import annotations

from dashboard.pages.desk.plans import duty, emergency
from dashboard.pages.desk.plans.page import PAGE, layout

__all__ = ["PAGE", "duty", "emergency", "layout"]
