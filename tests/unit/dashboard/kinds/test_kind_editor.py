"""The editor's page without a browser: rights, saving tables, trying, publishing by another administrator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import Forbidden
from core.records import Actor
from core.settings import load_settings
from dashboard.auth import Principal
from dashboard.pages import frame
from dashboard.pages.frame import Visit
from dashboard.pages.workshop import kind_actions as act
from dashboard.pages.workshop import kind_callbacks, kind_editor, kind_list, kind_trial
from events.cases import kinds_in_force
from events.workshop.drafts import DraftView
from events.workshop.starter import STATES
from events.workshop.tables import settings_of, tables_of
from tests.unit.dashboard.web import make_office


def person(visit: Visit, user_id: str, *roles: str) -> Visit:
    actor = Actor(user_id=user_id, name=user_id, roles=roles or ("admin",))
    principal = Principal(
        actor=actor, login=user_id, csrf_token="", session_hash="", language="zh", department_name="",
        must_change_password=False,
    )  # fmt: skip
    return Visit(principal, visit.services, visit.language)


@pytest.fixture
def boss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visit]:
    office = make_office(load_settings({"YIWANG_DATA_DIR": str(tmp_path / "data")}))
    monkeypatch.setattr(frame, "set_props", lambda *_: None)  # notices need a browser's request
    empty = Visit(None, office.app.state.services, "zh")  # type: ignore[arg-type]
    yield person(empty, "ann")
    kinds_in_force._InForce.added = {}
    office.engine.dispose()


def begun(visit: Visit) -> DraftView:
    return act.begin_new(visit.services, visit.principal, "tree_care", {"zh": "树木养护"}, STATES, "")


def kept(visit: Visit, draft: DraftView, **cells: Any) -> Any:
    tables = tables_of(draft.body)
    for key, text in cells.items():
        table, column = key.split("__")
        tables[table][0][column] = text
    at = {"draft_id": draft.draft_id}
    return kind_callbacks.keep(visit, at, draft.revision, tables, settings_of(draft.body))


def words(shown: Any) -> str:
    return str(shown.to_plotly_json() if hasattr(shown, "to_plotly_json") else shown)


def test_what_cannot_be_read_is_told_and_not_saved(boss: Visit) -> None:
    draft = begun(boss)
    revision, problems, said, *_ = kept(boss, draft, clocks__limit="three days")
    assert "1 个单元格" in words(said) and "clocks" not in words(revision) and "limit" not in words(said)
    assert problems.rowData[0]["table"] == "时限" and problems.rowData[0]["field"] == "期限"
    revision, problems, said, *_ = kept(boss, draft, states__turn="@neighbour", clocks__limit="3 工作日")
    assert revision == 2 and problems.rowData[0]["text"].startswith("没有关系“neighbour”")
    assert problems.rowData[0]["table"] == "状态" and "有 1 个问题" in words(said)


def test_only_administrators_write_kinds(boss: Visit) -> None:
    draft = begun(boss)
    clerk = person(boss, "cid", "manager")
    for press in (
        lambda: act.begin(clerk.services, clerk.principal, "business_flow"),
        lambda: act.save(clerk.services, clerk.principal, draft.draft_id, draft.body, 1),
        lambda: act.move(clerk.services, clerk.principal, draft.draft_id, "propose", 1),
        lambda: act.discard(clerk.services, clerk.principal, draft.draft_id, 1),
        lambda: kept(clerk, draft),
    ):
        with pytest.raises(Forbidden):
            press()
    assert "kind-drafts" not in str(kind_list.layout(clerk)) and "kind-drafts" in str(kind_list.layout(boss))


def test_it_is_tried_with_what_people_see(boss: Visit) -> None:
    draft = begun(boss)
    report = {"as": "staff-1", "do": "report", "data": {"title": "枯树", "department_id": "dept-drainage"}}
    steps = [report, {"wait": "6 work_day"}, {"as": "staff-1", "do": "to_handled"}]
    seen, people, actor, last, after = kind_trial.played(boss, draft.draft_id, steps, [], None)
    assert after == steps and actor == "staff-2" and {p["value"] for p in people} >= {"staff-1", "staff-2"}
    assert [one["name"] for one in last["may"]["staff-2"]][0] == "to_handled"  # the main button comes first
    rows = {row["step"]: row for row in seen.children[0].rowData}
    assert rows[1]["state"] == "待受理" and "枯树" in rows[1]["notices"] and "● 全程" in rows[1]["clocks"]
    assert rows[2]["notices"] and rows[3]["error"].startswith("forbidden")
    undone = kind_trial.stepped("trial-undo", after, None, None, "")
    *_, fewer = kind_trial.played(boss, draft.draft_id, undone, [], None)
    assert fewer == steps[:2]


def test_the_other_administrator_publishes_and_it_is_in_force_at_once(boss: Visit) -> None:
    draft = begun(boss)
    proposed = act.move(boss.services, boss.principal, draft.draft_id, "propose", draft.revision)
    shown = str(kind_editor.editor(boss, draft.draft_id))
    assert "须由另一位管理员" in shown
    other = person(boss, "bob")
    assert "须由另一位管理员" not in str(kind_editor.editor(other, draft.draft_id))
    with pytest.raises(Forbidden):
        act.move(boss.services, boss.principal, draft.draft_id, "publish", proposed.revision)
    act.move(other.services, other.principal, draft.draft_id, "publish", proposed.revision)
    assert boss.services.cases.definitions["tree_care"].version == 1
