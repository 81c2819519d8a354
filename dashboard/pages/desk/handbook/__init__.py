"""The handbook: a page a role and job, in both languages; opened by the help of every page."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from dashboard.pages.frame import Page, Visit
from dashboard.training.guides import handbook_page, handbook_pages, own_pages

PAGE = Page(path="/handbook", zh="手册", en="Handbook", order=95, below=True)


def layout(visit: Visit, below: list[str]) -> Any:
    """The page that is asked for (else the first of one's own roles), the others beside it."""
    own = own_pages(visit.principal.actor)
    known = handbook_pages()
    wanted = below[0] if below and below[0] in known else next(iter(own), known[0])
    page = handbook_page(wanted, visit.language)
    links = [*own, *(name for name in known if name not in own)]
    return html.Div([
        html.Nav([
            html.A(handbook_page(name, visit.language)["title"], href=f"/handbook/{name}",
                   className="button" + (" primary" if name == wanted else ""),
                   **({"aria-current": "page"} if name == wanted else {}))
            for name in links
        ], style={"display": "flex", "flexWrap": "wrap", "gap": "6px", "marginBottom": "14px"},
            **{"aria-label": visit.t("guide.handbook")}),
        html.Div(dcc.Markdown(page["text"], link_target="_self"), className="handbook"),
    ])  # fmt: skip
