"""Dead letters, and the audit: who changed what, taken back where the entry allows it."""

from __future__ import annotations

import json
from typing import Any

import dash_mantine_components as dmc
from dash import html

from core.errors import NotFound
from dashboard.desk import letters
from dashboard.desk.chain import entries
from dashboard.desk.undo import allowed, undo
from dashboard.pages.choices import word
from dashboard.pages.desk.admin.parts import Action, Row, Tab, Values, button, facts
from dashboard.pages.frame import Visit
from dashboard.pages.moments import shown
from dashboard.pages.tables import chip, column, parts

MOST = 1000


def dead_columns(visit: Visit) -> list[Row]:
    t = visit.t
    return [
        column("at", t("admin.when"), width=170), column("subject", t("admin.subject"), minWidth=150),
        column("error", t("admin.error"), minWidth=200),
        column("tries", t("admin.tries"), width=90, type="rightAligned"),
        column("state", t("fact.state"), cellRenderer="Parts", width=120),
    ]  # fmt: skip


def _letters(visit: Visit) -> list[Row]:
    """Those that wait, then the settled ones."""
    use, who = visit.services, visit.principal
    return [d for settled in (False, True) for d in letters.dead_letters(use, who, resolved=settled, limit=MOST)]


def dead_rows(visit: Visit) -> list[Row]:
    t = visit.t
    return [
        {"id": d["dead_letter_id"], "at": shown(d["happened_at"]), "subject": d["subject"], "error": d["error"],
         "tries": d["deliveries"],
         **parts("state", chip(t("admin.resolved"), "good") if d["resolved_at"] else chip(t("admin.unresolved"),
                                                                                        "warn"))}
        for d in _letters(visit)
    ]  # fmt: skip


def dead_panel(visit: Visit, key: str) -> Any:
    d = next((d for d in _letters(visit) if d["dead_letter_id"] == key), None)
    if d is None:
        raise NotFound(what="dead letter", key=key)
    tools = [] if d["resolved_at"] else [button(visit, "dead", n, key, f"admin.{n}") for n in ("redeliver", "resolve")]
    return [html.H2(d["subject"]), html.P(d["error"], className="warn-text"), dmc.Group(tools, gap=6),
            html.Pre(d["payload"])]  # fmt: skip


def resolve(visit: Visit, key: str, _values: Values) -> None:
    letters.settle(visit.services, visit.principal, key)


async def redeliver(visit: Visit, key: str, _values: Values) -> None:
    await letters.redeliver(visit.services, visit.principal, key)


def audit_columns(visit: Visit) -> list[Row]:
    t = visit.t
    return [
        column("at", t("admin.when"), width=170), column("who", t("admin.who"), width=140),
        column("what", t("admin.what"), minWidth=150), column("about", t("admin.payload"), minWidth=220),
        column("back", "", cellRenderer="Parts", width=110),
    ]  # fmt: skip


def audit_rows(visit: Visit) -> list[Row]:
    t = visit.t
    return [
        {"seq": str(e["seq"]), "at": shown(e["at"]), "who": actor(visit, e), "what": word(visit, "audit", e["action"]),
         "about": json.dumps(e["body"], ensure_ascii=False)[:200],
         **parts("back", *([chip(t("admin.undoable"))] if allowed(e["action"], e["body"]) else []))}
        for e in entries(visit.services, visit.principal, MOST)
    ]  # fmt: skip


def actor(visit: Visit, e: Row) -> str:
    """Who did it."""
    return visit.t("actor.system") if e["actor_id"] == "system" else str(e["actor_name"])


def audit_panel(visit: Visit, key: str) -> Any:
    t = visit.t
    e = next((e for e in entries(visit.services, visit.principal, MOST) if str(e["seq"]) == key), None)
    if e is None:
        raise NotFound(what="audit entry", key=key)
    back = button(visit, "audit", "undo", key, "admin.undo") if allowed(e["action"], e["body"]) else None
    pairs = [(t("admin.when"), shown(e["at"])), (t("admin.who"), actor(visit, e)), ("SHA-256", html.Code(e["hash"]))]
    return [html.H2(word(visit, "audit", e["action"])), back, facts(pairs),
            html.Pre(json.dumps(e["body"], ensure_ascii=False, indent=1))]  # fmt: skip


def take_back(visit: Visit, key: str, _values: Values) -> None:
    undo(visit.services, visit.principal, int(key))


def ask_undo(visit: Visit, _key: str) -> Any:
    return [html.P(visit.t("admin.really_undo"))]


DEAD = Tab(
    "admin.dead", "id", dead_columns, dead_rows, dead_panel,
    {"resolve": Action("admin.resolve", resolve), "redeliver": Action("admin.redeliver", redeliver)},
)  # fmt: skip
AUDIT = Tab(
    "admin.audit", "seq", audit_columns, audit_rows, audit_panel,
    {"undo": Action("admin.undo", take_back, ask_undo)}, role="auditor",
)  # fmt: skip
