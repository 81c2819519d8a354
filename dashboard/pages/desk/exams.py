"""Exams: what one may take, the attempt, the marks; for examiners the results and taking an exam in."""

from __future__ import annotations

import base64
from typing import Any

import dash_mantine_components as dmc
import yaml
from dash import ALL, Input, Output, State, ctx, dcc, html, no_update

from core.errors import InputInvalid
from dashboard.components import ExamPaper
from dashboard.pages.frame import Page, Visit, in_thread, tell
from dashboard.pages.moments import shown
from dashboard.pages.presses import pressed
from dashboard.pages.tables import chip, column, parts, table
from dashboard.training.bank import version_of
from dashboard.training.exams import EXAMINERS, ExamDesk
from dashboard.training.results import results
from storage.session import read_scope

PAGE = Page(path="/exams", zh="培训考试", en="Exams", order=90)
TONES = {"passed": "good", "failed": "bad", "running": "warn", "open": ""}
MOST_BYTES = 4 << 20


def layout(visit: Visit) -> Any:
    """The exams above; what was picked below: begin, the paper, the results."""
    t, examines = visit.t, visit.principal.has(*EXAMINERS)
    columns = [
        column("name", t("exam.name"), minWidth=220), column("questions", t("exam.questions"), width=100),
        column("minutes", t("exam.minutes"), width=110), column("passing", t("exam.passing"), width=110),
        column("made", t("exam.made"), width=110), column("best", t("exam.best"), width=110),
        column("state", t("exam.state"), cellRenderer="Parts", minWidth=140),
    ]  # fmt: skip
    file = dcc.Upload(html.Button(t("exam.take"), className="button"), id="exam-file", accept=".yaml,.yml,.json",
                      max_size=MOST_BYTES)  # fmt: skip
    return html.Div([
        html.H1(t("page.exams")), html.P(t("exam.help"), className="quiet"),
        html.Div([file, html.Div(id="exam-problems", **{"aria-live": "polite"})],
                 style={} if examines else {"display": "none"}),
        table(visit, "exam-list", columns, [], key="id", height="240px", options={"pagination": False}),
        html.Div(id="exam-one"), html.Div(id="exam-work"),
        dcc.Store(id="exam-picked"), dcc.Store(id="exam-ended"), dcc.Store(id="exam-changed", data=0),
        dcc.Download(id="exam-download"),
    ])  # fmt: skip


@PAGE.callback(
    Output("exam-list", "rowData"), Output("exam-problems", "children"), Input("exam-changed", "data"),
    Input("exam-ended", "data"),
)  # fmt: skip
async def exams(visit: Visit, _changed: int | None, _ended: Any) -> Any:
    """The exams now, and files that were not taken."""
    rows = [exam_row(visit, one) for one in await in_thread(_desk(visit).listed)]
    refused = visit.services.exams.problems if visit.principal.has(*EXAMINERS) else {}
    return rows, [html.P(f"{name}: {why}", className="error") for name, why in sorted(refused.items())]


def exam_row(visit: Visit, one: dict[str, Any]) -> dict[str, Any]:
    """An exam's line."""
    t = visit.t
    state = "closed" if one["closed"] else "passed" if one["passed"] else "running" if one["running"] else (
        "failed" if one["made"] else "open")  # fmt: skip
    return {
        "id": one["exam_id"], "name": one["en"] if visit.language == "en" else one["zh"],
        "questions": one["questions"], "minutes": one["minutes"] or "—", "passing": f"{one['passing']:g} %",
        "made": f"{one['made']}/{one['attempts']}" if one["attempts"] else str(one["made"]),
        "best": "—" if one["best"] is None else f"{one['best']:g} %",
        **parts("state", chip(t(f"exam.state_{state}"), TONES.get(state, ""))),
    }  # fmt: skip


@PAGE.callback(
    Output("exam-picked", "data"), Output("exam-one", "children"), Input("exam-list", "cellClicked"),
    Input("exam-ended", "data"), Input("exam-changed", "data"), State("exam-picked", "data"), True,
)  # fmt: skip
async def picked(visit: Visit, cell: dict[str, Any] | None, _ended: Any, _changed: Any, kept: str | None) -> Any:
    """The exam that was clicked: what may be done, and for examiners its results."""
    wanted = str(cell["rowId"]) if ctx.triggered_id == "exam-list" and cell and cell.get("rowId") else kept
    if not wanted:
        return no_update, no_update
    desk = _desk(visit)
    one = next((row for row in await in_thread(desk.listed) if row["exam_id"] == wanted), None)
    if one is None:
        return no_update, no_update
    found = await in_thread(results, desk, wanted) if visit.principal.has(*EXAMINERS) else None
    return wanted, detail(visit, one, found)


def detail(visit: Visit, one: dict[str, Any], found: dict[str, Any] | None) -> Any:
    """Begin or why not; the examiner's tools and results."""
    t = visit.t
    why = t(f"exam.why_{one['why']}", at=shown(one["again_at"])) if one["why"] else ""
    begin = dmc.Button(t("exam.go_on" if one["running"] else "exam.begin"), id={"exam": "begin"}, n_clicks=0,
                       disabled=not (one["may_begin"] or one["running"]))  # fmt: skip
    tools = dmc.Group([
        dmc.Button(t("exam.reopen" if one["closed"] else "exam.close"), id={"exam": "close"}, size="xs", n_clicks=0,
                   variant="outline"),
        dmc.Button(t("exam.download"), id={"exam": "save"}, size="xs", n_clicks=0, variant="light"),
    ], style={} if found else {"display": "none"})  # fmt: skip
    name = one["en"] if visit.language == "en" else one["zh"]
    return html.Div([
        html.H2(name), dmc.Group([begin, html.Span(why, className="quiet")]), tools,
        _results(visit, found) if found else None,
    ])  # fmt: skip


def _results(visit: Visit, found: dict[str, Any]) -> Any:
    t = visit.t
    rate = "—" if found["pass_rate"] is None else f"{found['pass_rate']:g} %"
    people = [
        column("name", t("exam.person"), minWidth=140), column("department", t("exam.department"), minWidth=160),
        column("attempts", t("exam.made"), width=100), column("best", t("exam.best"), width=110),
        column("state", t("exam.state"), cellRenderer="Parts", width=130), column("last", t("exam.last"), width=170),
    ]  # fmt: skip
    questions = [
        column("title", t("exam.question"), minWidth=320), column("topic", t("exam.topic"), width=140),
        column("asked", t("exam.asked"), width=110), column("right", t("exam.right_rate"), width=130),
    ]  # fmt: skip
    rows = [
        {"id": p["user_id"], "name": p["name"], "department": p["department"], "attempts": p["attempts"],
         "best": _percent(p["best"]), "last": shown(p["last"]),
         **parts("state", chip(t(f"exam.state_{p['state']}"), TONES[p["state"]]))} for p in found["people"]
    ]  # fmt: skip
    asked = [
        {"id": q["question"], "title": q["en"] if visit.language == "en" else q["zh"], "topic": q["topic"],
         "asked": q["asked"], "right": _percent(q["right_rate"])} for q in found["questions"]
    ]  # fmt: skip
    return html.Div([
        html.H3(t("exam.results")),
        html.P(t("exam.told", expected=found["expected"], begun=found["begun"], passed=found["passed"], rate=rate)),
        table(visit, "exam-people", people, rows, key="id", height="34vh"),
        html.H3(t("exam.by_question")), table(visit, "exam-asked", questions, asked, key="id", height="30vh"),
    ])  # fmt: skip


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{value:g} %"


@PAGE.callback(
    Output("exam-work", "children"), Input({"exam": ALL}, "n_clicks"), Input("exam-list", "cellClicked"),
    State("exam-picked", "data"), True,
)  # fmt: skip
async def begin(visit: Visit, _clicks: list[Any], _cell: Any, wanted: str | None) -> Any:
    """The paper of a new attempt, or of the one that runs; another exam that is clicked takes it away."""
    button, _ = pressed()
    if button == "exam-list":
        return None
    if button != {"exam": "begin"} or not wanted:
        return no_update
    whole = await in_thread(_desk(visit).begin, wanted)
    attempt = {**whole, "until": None}
    return html.Div(ExamPaper(id="exam-paper", attempt=attempt, target="exam-ended"), key=whole["attempt_id"])


@PAGE.callback(
    Output("exam-changed", "data"), Input("exam-file", "contents"), Input({"exam": ALL}, "n_clicks"),
    State("exam-picked", "data"), State("exam-changed", "data"), True,
)  # fmt: skip
async def change(visit: Visit, file: str | None, _clicks: list[Any], wanted: str | None, changed: int | None) -> Any:
    """A file taken in as an exam's new version, or an exam ended or opened again."""
    desk, (button, _) = _desk(visit), pressed()
    if button == "exam-file" and file:
        made = await in_thread(desk.take, _body(file))
        tell(visit.t("exam.taken", name=made["exam_id"], version=made["version"]))
    elif button == {"exam": "close"} and wanted:
        one = next(row for row in await in_thread(desk.listed) if row["exam_id"] == wanted)
        await in_thread(desk.close, wanted, not one["closed"])
        tell(visit.t("exam.done"))
    else:
        return no_update
    return (changed or 0) + 1


def _body(file: str) -> Any:
    """The data of an uploaded file; :class:`InputInvalid` when it is no YAML."""
    try:
        return yaml.safe_load(base64.b64decode(file.partition(",")[2], validate=True).decode())
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise InputInvalid(field="file", detail=str(error)[:200], how="send YAML as docs/training.md shows") from error


@PAGE.callback(
    Output("exam-download", "data"), Input({"exam": ALL}, "n_clicks"), State("exam-picked", "data"), True,
)  # fmt: skip
async def download(visit: Visit, _clicks: list[Any], wanted: str | None) -> Any:
    """The exam as a file, to be changed and taken in again."""
    button, _ = pressed()
    if button != {"exam": "save"} or not wanted:
        return no_update
    _desk(visit).must_examine()

    def read() -> str:
        with read_scope(visit.services.engine) as session:
            return yaml.safe_dump(version_of(session, wanted)[0].body, allow_unicode=True, sort_keys=False)

    return {"content": await in_thread(read), "filename": f"{wanted}.yaml"}


def _desk(visit: Visit) -> ExamDesk:
    return ExamDesk(visit.services, visit.principal.actor)
