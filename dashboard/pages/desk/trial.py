"""A version of a form filled in to try it: the link for testers, for everybody signed in."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.components import FormFill
from dashboard.pages.frame import Page, Visit

PAGE = Page(path="/trial", zh="试填表单", en="Try a form", below=True)


def layout(visit: Visit, below: list[str]) -> Any:
    """``/trial/{form_id}/{version}``: nothing is stored; the API judges who may see the version."""
    if len(below) != 2 or not below[1].isdigit():
        return html.H1(visit.t("page.missing"))
    lead = html.P(visit.t("forms.try.lead"), className="quiet")
    return html.Div([lead, FormFill(id="form-try", form_id=below[0], version=int(below[1]))], className="workshop")
