"""Devices: live state, readings as a chart, quarantine, what was refused, own credentials, commands, sources."""

from __future__ import annotations

from dashboard.pages.desk.devices import acting, cameras, listing, single, sources
from dashboard.pages.desk.devices.page import PAGE, layout

__all__ = ["PAGE", "acting", "cameras", "layout", "listing", "single", "sources"]
