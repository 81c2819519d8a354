"""The editor of boards: YAML with a check that names what is wrong, versions, the measures and fields there are."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, ctx, dcc, html, no_update

from core.errors import InputInvalid
from dashboard.boards.access import in_force
from dashboard.pages.frame import Page, Visit, in_thread, tell
from dashboard.pages.tables import column, table
from measures.definition import Board
from measures.evaluation import all_fields
from measures.library import examine, save, version_of, versions
from storage.session import read_scope, session_scope

PAGE = Page(path="/board-editor", zh="看板编辑", en="Board editor", roles=("admin", "manager"), below=True)


def layout(visit: Visit, below: list[str]) -> Any:
    """The text of a board beside the measures and fields that it may use."""
    t = visit.t
    with read_scope(visit.services.engine) as session:
        found = in_force(session, visit.services)
        boards = found.of(visit.principal.actor)
        board_id = below[0] if below else boards[0].id if boards else ""
        seen, kept = version_of(session, board_id), versions(session, board_id)
        fields = all_fields(session, visit.services.clock.now())
    known = [{"id": m.id, "name": m.name(visit.language), "source": m.source} for m in found.measures.values()]
    rows = [{"id": f"{s}.{n}", "field": n, "source": s, "name": zh if visit.language == "zh" else en, "kind": kind}
            for s, listed in fields.items() for n, kind, zh, en in listed]  # fmt: skip
    text = dmc.Textarea(
        id="edit-text", value=found.texts.get(board_id, ""), autosize=True, minRows=20, maxRows=34,
        label=t("boards.text"),
        styles={"input": {"fontFamily": "monospace", "fontSize": "13px"}}, spellCheck=False,
    )  # fmt: skip
    older = [
        {"value": str(v.version), "label": f"{v.version} · {v.saved_at:%Y-%m-%d %H:%M} · {v.saved_by}"} for v in kept
    ]
    actions = [
        dmc.Button(t("boards.check"), id="edit-check", variant="light"), dmc.Button(t("boards.save"), id="edit-save"),
        dmc.Select(id="edit-version", data=older, placeholder=t("boards.versions"), w=280, clearable=True),
        dcc.Link(t("boards.back"), href=f"/boards/{board_id}", className="button"),
    ]  # fmt: skip
    heads = [
        column("id", "measure"),
        column("name", t("boards.measures")),
        column("source", t("fact.source"), width=110),
    ]
    field_heads = [column("field", t("boards.fields")), column("name", ""),
                   column("source", t("fact.source"), width=110),
                   column("kind", "", width=90)]  # fmt: skip
    return html.Div(
        [
            html.H1(t("boards.edit")), _choice(visit, boards, board_id), html.P(t("boards.help"), className="quiet"),
            dmc.Group(actions, mb="sm"), html.P(id="edit-told", **{"aria-live": "polite"}),
            html.Div(
                [html.Div(text),
                 html.Div([table(visit, "edit-measures", heads, known, key="id", height="36vh"),
                           table(visit, "edit-fields", field_heads, rows, key="id", height="36vh")])],
                className="board-editor",
            ),
            dcc.Store(id="edit-board", data=board_id), dcc.Store(id="edit-seen", data=seen),
        ]
    )  # fmt: skip


def _choice(visit: Visit, boards: list[Board], chosen: str) -> Any:
    """A way to the text of every board that this person may open."""
    links = [
        dcc.Link(b.name(visit.language), href=f"{PAGE.path}/{b.id}",
                 className="board-tab here" if b.id == chosen else "board-tab")
        for b in boards
    ]  # fmt: skip
    return html.Nav(
        links, className="board-tabs", style={"marginBottom": "10px"}, **{"aria-label": visit.t("boards.edit")}
    )


@PAGE.callback(
    Output("edit-told", "children"), Output("edit-seen", "data"), Input("edit-check", "n_clicks"),
    Input("edit-save", "n_clicks"), State("edit-text", "value"), State("edit-seen", "data"), True,
)  # fmt: skip
async def judge(visit: Visit, _check: int | None, _save: int | None, text: str, seen: int) -> Any:
    """What is wrong with the text, or its next version."""
    try:
        if ctx.triggered_id == "edit-save":
            version = await in_thread(_save_text, visit, text, seen)
            tell(visit.t("boards.saved", n=version))
            return visit.t("boards.saved", n=version), version
        board = await in_thread(_examined, visit, text)
        return visit.t("boards.good", n=len(board.tiles)), no_update
    except InputInvalid as error:
        return html.Span(error.told(visit.language), className="board-broken"), no_update


@PAGE.callback(
    Output("edit-text", "value"), Input("edit-version", "value"), State("edit-board", "data"), True,
)  # fmt: skip
async def older(visit: Visit, version: str | None, board_id: str) -> Any:
    """An older version's text, to be looked at or saved again."""
    kept = await in_thread(_kept, visit, board_id)
    return kept.get(str(version), no_update)


def _kept(visit: Visit, board_id: str) -> dict[str, str]:
    with read_scope(visit.services.engine) as session:
        return {str(v.version): v.text for v in versions(session, board_id)}


def _examined(visit: Visit, text: str) -> Any:
    services = visit.services
    with read_scope(services.engine) as session:
        return examine(session, services.settings.data_dir / "boards", text or "", services.clock)


def _save_text(visit: Visit, text: str, seen: int) -> int:
    services, actor = visit.services, visit.principal.actor
    with session_scope(services.engine) as session:
        return save(session, services.settings.data_dir / "boards", text or "", actor, services.clock, seen=seen)
