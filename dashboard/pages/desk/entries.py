"""Entries to other platforms: one place to go from, signed in where the platform takes that."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from dash import html

from dashboard.connections.entries import entries
from dashboard.pages.frame import Page, Visit

PAGE = Page(path="/entries", zh="应用入口", en="Entries", order=66)


def layout(visit: Visit) -> Any:
    """The entries by group, each a link that opens beside this page."""
    t = visit.t
    found = entries(visit.services, visit.principal)
    groups = [
        html.Section([html.H2(group or t("entry.others")), html.Ul([_link(visit, e) for e in some], className="plain")])
        for group, some in groupby(found, key=lambda e: e["group"])
    ]
    empty = html.P(t("entry.none"), className="quiet")
    return html.Div([html.H1(t("page.entries")), html.P(t("entry.help"), className="quiet"), *(groups or [empty])])


def _link(visit: Visit, entry: dict[str, Any]) -> Any:
    there = html.A(entry["title"], href=entry["path"], target="_blank", rel="noopener noreferrer", className="button")
    return html.Li([there, html.Span(visit.t(f"entry.sign_on.{entry['sign_on']}"), className="quiet")])
