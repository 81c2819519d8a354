"""The page of the filings: its address and who may open it."""

from __future__ import annotations

from dashboard.pages.frame import Page

PAGE = Page(
    path="/filing", zh="数据填报", en="Filing", order=65, roles=("admin", "manager", "staff", "grid_worker")
)  # fmt: skip
