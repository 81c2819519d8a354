"""The page of the campaigns: its address and who may open it."""

from __future__ import annotations

from dashboard.pages.frame import Page

PAGE = Page(path="/campaigns", zh="专项督查", en="Campaigns", order=66, roles=("admin", "manager", "staff", "operator",
            "dispatcher", "inspector"))  # fmt: skip
