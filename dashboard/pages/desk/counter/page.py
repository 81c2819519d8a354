"""The page of the counter: who may open it."""

from __future__ import annotations

from dashboard.items.counter import ROLES
from dashboard.pages.frame import Page

PAGE = Page(path="/counter", zh="综合窗口", en="Counter", order=62, roles=ROLES)
