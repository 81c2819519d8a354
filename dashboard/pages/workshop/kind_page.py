"""The page ``/kinds`` itself; its parts are ``kind_list``, ``kind_view``, ``kind_editor`` and ``kind_trial``."""

from __future__ import annotations

from dashboard.pages.frame import Page

PAGE = Page(path="/kinds", zh="案卷类型", en="Kinds of case", roles=("admin", "manager"), order=72, below=True)
EDIT_ROLES = ("admin",)
