"""What a page says when it cannot show all: a refusal in place of the page, files of the city that were not taken."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from core.errors import YiwangError
from dashboard.desk.city_files import at_fault
from dashboard.pages.frame import Visit, explained


def refusal(visit: Visit, error: YiwangError) -> Any:
    """The page's place when what its address names is not there, or not for this person."""
    back = html.A(visit.t("page.home"), href="/", className="button")
    return html.Div([dmc.Alert(explained(visit, error), color="orange", mb="md"), back], role="alert")


def files_at_fault(visit: Visit, *folders: str) -> Any:
    """Files in these folders of the data folder that were not taken, for the administrator who put them there."""
    if not visit.principal.has("admin"):
        return None
    found = at_fault(visit.services.settings, visit.services.engine, *folders, language=visit.language)
    if not found:
        return None
    lines = [html.Li(file.line()) for file in found]
    way = dcc.Link(visit.t("files.all"), href="/city-files")
    return dmc.Alert([html.Ul(lines), way], title=visit.t("files.not_taken", n=len(found)), color="orange", mb="md")
