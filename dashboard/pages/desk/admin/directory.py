"""The district's directory: what its last run did, every row that was not taken over, a trial and a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import html

from core.errors import NotFound
from dashboard.desk import directory
from dashboard.pages.desk.admin.parts import Action, Row, Tab, Values, facts, number, text
from dashboard.pages.frame import Visit
from dashboard.pages.moments import shown
from dashboard.pages.tables import column


def columns(visit: Visit) -> list[Row]:
    t = visit.t
    return [column("at", t("directory.at"), width=140), column("problem", t("directory.problem"), minWidth=320)]


def told(visit: Visit, problem: Mapping[str, Any]) -> str:
    """A problem in the reader's words."""
    values = {key: str(value) for key, value in problem["values"].items()}
    return visit.t(f"directory.{problem['code']}", **values)


def rows(visit: Visit) -> list[Row]:
    last = directory.state(visit.services, visit.principal)["last"] or {"problems": []}
    return [{"n": str(n), "at": p["at"], "problem": told(visit, p)} for n, p in enumerate(last["problems"])]


def panel(visit: Visit, key: str) -> Any:
    found = [row for row in rows(visit) if row["n"] == key]
    if not found:
        raise NotFound(what="problem", key=key)
    return [html.H2(found[0]["at"] or visit.t("directory.title")), html.P(found[0]["problem"])]


def note(visit: Visit) -> Any:
    """Where it is, and the figures of the last run."""
    t, state = visit.t, directory.state(visit.services, visit.principal)
    if state["url"] is None:
        return html.P(t("directory.none"), className="quiet")
    last, failed = state["last"], state["failed"]
    following = shown(state["next_at"]) if state["next_at"] else t("directory.soon")
    every = t("directory.every", hours=f"{state['every_hours']:g}", next=following)
    plan = html.P(every if state["every_hours"] else t("directory.every_off"), className="quiet")
    away = [] if failed is None else [
        html.P(t("directory.failed", when=shown(failed["at"]), detail=failed["detail"]), className="form-error")
    ]  # fmt: skip
    if last is None:
        return html.Div([*away, html.P(t("directory.never", url=state["url"]), className="quiet"), plan])
    when = t("directory.last", when=shown(last["at"]), people=last["people"], unchanged=last["unchanged"])
    return html.Div([*away, html.P([when, " · ", counted(visit, last["counts"])], className="quiet"), plan])


def counted(visit: Visit, counts: Mapping[str, int]) -> str:
    return "，".join(f"{visit.t(f'directory.step.{kind}')} {n}" for kind, n in sorted(counts.items())) or "—"


async def trial(visit: Visit, _key: str, _values: Values) -> Any:
    """What a run would change."""
    return summary(visit, await directory.run(visit.services, visit.principal, dry_run=True))


async def run(visit: Visit, _key: str, _values: Values) -> Any:
    """Take it over."""
    return summary(visit, await directory.run(visit.services, visit.principal, dry_run=False))


def ask_schedule(visit: Visit, _key: str) -> Any:
    now = directory.state(visit.services, visit.principal)["every_hours"]
    return [text("every_hours", visit.t("directory.schedule_hours"), f"{now:g}")]


def schedule(visit: Visit, _key: str, values: Values) -> None:
    directory.schedule(visit.services, visit.principal, number(values, "every_hours"))


def summary(visit: Visit, report: Any) -> Any:
    t = visit.t
    problems = [{"at": p.at, "code": p.code, "values": p.values} for p in report.problems[:100]]
    said = html.Ul([html.Li(f"{p['at']} {told(visit, p)}") for p in problems], className="plain")
    kinds = [(t(f"directory.step.{kind}"), n) for kind, n in sorted(report.counts.items())]
    return [html.H2(t("directory.title")), facts([(t("directory.people"), report.people), *kinds]), said]


def asked(word: str) -> Any:
    return lambda visit, _key: [html.P(visit.t(word))]


DIRECTORY = Tab(
    title="directory.title", key="n", columns=columns, rows=rows, panel=panel, note=note,
    new=("trial", "run", "schedule"),
    actions={
        "trial": Action("directory.trial", trial, asked("directory.trial_about")),
        "run": Action("directory.run", run, asked("directory.run_about")),
        "schedule": Action("directory.schedule", schedule, ask_schedule),
    },
    role="security",
)  # fmt: skip
