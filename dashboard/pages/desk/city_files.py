"""Files that a city puts into its data folder: which were taken, and what is wrong with the others."""

from __future__ import annotations

from typing import Any

from dash import Input, Output, html

from dashboard.desk.city_files import CityFile, city_files
from dashboard.pages.frame import Page, Visit, in_thread
from dashboard.pages.tables import column, table

PAGE = Page(path="/city-files", zh="本地文件", en="Files of the city", roles=("admin",), order=79)


def layout(visit: Visit) -> Any:
    columns = [
        column("file", visit.t("files.file"), width=320),
        column("state", visit.t("files.state"), width=140),
        column("message", visit.t("files.message"), flex=2, wrapText=True, autoHeight=True),
        column("remedy", visit.t("files.remedy"), flex=1, wrapText=True, autoHeight=True),
    ]
    return html.Div(
        [
            html.H1(visit.t("files.title")),
            html.P(visit.t("files.lead"), className="quiet"),
            html.Button(visit.t("act.refresh"), id="files-again"),
            table(visit, "files-table", columns, [], key="file"),
        ]
    )


@PAGE.callback(Output("files-table", "rowData"), Input("files-again", "n_clicks"))
async def rows(visit: Visit, _clicks: int | None) -> list[dict[str, Any]]:
    found = await in_thread(city_files, visit.services.settings, visit.services.engine, visit.language)
    return [shown(visit, file) for file in found]


def shown(visit: Visit, file: CityFile) -> dict[str, Any]:
    """A row of the table."""
    state = visit.t("files.taken" if file.ok else "files.wrong")
    name = f"{file.folder}/{file.name}".lstrip("/")
    return {"file": name, "state": state, "message": file.message or "; ".join(file.advice), "remedy": file.remedy}
