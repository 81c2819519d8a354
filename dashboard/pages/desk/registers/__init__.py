"""Registers (登记簿): find records, on a map too, see them masked with their history, keep views of a list."""

from __future__ import annotations

from dashboard.pages.desk.registers import map_filter, saved_views
from dashboard.pages.desk.registers.base import PAGE
from dashboard.pages.desk.registers.page import layout

__all__ = ["PAGE", "layout", "map_filter", "saved_views"]
