"""Forms over the API: import, draft, trial, live side by side, files of the city, refusals."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from core.forms.model import form_hash
from core.forms.xlsform.importing import import_xlsform
from core.settings import Settings
from tests.unit.dashboard.web import Office, make_office
from tests.unit.forms.sample_forms import sample_workbook, workbook_of


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    office = make_office(settings)
    yield office
    office.engine.dispose()


def _imported(client: Any, name: str = "population") -> dict[str, Any]:
    answer = client.post(f"/api/import/form?name={name}.xlsx", content=sample_workbook(name))
    assert answer.status_code == 201, answer.text
    return answer.json()["draft"]


def _move(client: Any, form: dict[str, Any], state: str, **change: Any) -> Any:
    path = f"/api/forms/{form['form_id']}/versions/{form['version']}/state"
    return client.post(path, json={"state": state, "revision": form["revision"], **change})


def test_from_excel_to_live_beside_an_older_live_version(office: Office) -> None:
    boss, fireman = office.client("boss"), office.client("fireman")
    first = _imported(boss)
    assert (first["state"], first["version"], first["title"]) == ("draft", 1, {"zh": "population表"})
    assert fireman.get("/api/forms").json()["items"] == []
    assert fireman.get("/api/forms/population/versions/1/fill").status_code == 403
    trial = _move(boss, first, "trial").json()
    assert fireman.get("/api/forms/population/versions/1/fill").json()["state"] == "trial"
    assert fireman.get("/api/forms/population").status_code == 404
    assert _move(boss, trial, "live").status_code == 200
    second = boss.post("/api/forms", json={"form_id": "population", "base": 1}).json()
    assert (second["version"], second["hash"], second["state"]) == (2, first["hash"], "draft")
    assert _move(boss, second, "live").status_code == 200
    assert fireman.get("/api/forms/population").json()["version"] == 2
    live = fireman.get("/api/forms?live=1").json()["items"]
    assert [(v["version"], v["state"]) for v in live] == [(2, "live"), (1, "live")]
    assert fireman.get("/api/forms/population/versions/1/fill").json()["version"] == 1


def test_an_import_with_problems_names_them_and_keeps_nothing(office: Office) -> None:
    boss = office.client("boss")
    broken = workbook_of([["type", "name", "label", "relevant"], ["text", "a", "x", "${zz} = 1"]], [])
    answer = boss.post("/api/import/form?name=broken.xlsx", content=broken)
    assert answer.status_code == 200 and answer.json()["draft"] is None
    assert [(p["row"], p["column"], p["code"]) for p in answer.json()["problems"]] == [
        (2, "relevant", "unknown-reference")
    ]
    assert boss.get("/api/forms").json()["items"] == []
    dry = boss.post("/api/import/form?name=w.xlsx&dry_run=1", content=sample_workbook("water")).json()
    assert dry["draft"] is None and dry["form"]["form_id"] == "water"
    for garbage in (b"", b"not a workbook", sample_workbook("water")[:700]):
        assert (
            boss.post("/api/import/form?name=x.xlsx", content=garbage).json()["problems"][0]["code"] == "not-a-workbook"
        )


def test_two_editors_cannot_overwrite_each_other(office: Office) -> None:
    boss = office.client("boss")
    draft = _imported(boss, "water")
    path = "/api/forms/water/versions/1"
    body = boss.get(path).json()["body"]
    body["questions"][0]["label"]["en"] = "When"
    changed = boss.put(path, json={"revision": draft["revision"], "body": body})
    assert changed.status_code == 200 and changed.json()["revision"] == 2
    late = boss.put(path, json={"revision": draft["revision"], "body": body})
    assert late.status_code == 409 and late.json()["error"] == "form_changed"
    assert (
        boss.put(path, json={"revision": 2, "body": {"questions": [{"type": "text", "nmae": "x"}]}}).status_code == 422
    )
    assert boss.get(path).json()["revision"] == 2


def test_a_form_with_problems_stays_a_draft(office: Office) -> None:
    boss = office.client("boss")
    circle = {
        "questions": [
            {"type": "calculate", "name": "a", "calculation": "${b} + 1"},
            {"type": "calculate", "name": "b", "calculation": "${a} + 1"},
        ]
    }
    draft = boss.post("/api/forms", json={"form_id": "circle", "body": circle}).json()
    assert [p["code"] for p in boss.get("/api/forms/circle/versions/1").json()["problems"]] == ["cycle", "cycle"]
    refused = _move(boss, draft, "live")
    assert refused.status_code == 409 and refused.json()["error"] == "form_blocked"
    assert _move(boss, draft, "retired").json()["error"] == "form_state_wrong"
    assert boss.delete("/api/forms/circle/versions/1?revision=1").status_code == 200
    assert boss.get("/api/forms").json()["items"] == []


def test_only_a_draft_can_be_edited(office: Office) -> None:
    boss = office.client("boss")
    live = _move(boss, _imported(boss, "water"), "live").json()
    body = boss.get("/api/forms/water/versions/1").json()["body"]
    put = boss.put("/api/forms/water/versions/1", json={"revision": live["revision"], "body": body})
    assert put.status_code == 409 and put.json()["error"] == "form_state_wrong"
    retired = _move(boss, live, "retired").json()
    assert boss.get("/api/forms/water").status_code == 404
    assert _move(boss, retired, "live").status_code == 200


def test_export_differences_and_evaluation(office: Office) -> None:
    boss = office.client("boss")
    draft = _imported(boss, "population")
    exported = boss.get("/api/forms/population/versions/1/xlsx")
    assert form_hash(import_xlsform(exported.content).form) == draft["hash"]
    second = boss.post("/api/forms", json={"form_id": "population", "base": 1}).json()
    body = boss.get("/api/forms/population/versions/2").json()["body"]
    body["questions"][1]["label"]["zh"] = "就读学校"
    body["questions"].append({"type": "text", "name": "note2", "label": {"zh": "备注"}})
    boss.put("/api/forms/population/versions/2", json={"revision": second["revision"], "body": body})
    found = boss.get("/api/forms/population/diff?from=1&to=2").json()["items"]
    assert [(d["change"], d["where"], d["word"]) for d in found] == [
        ("changed", "school", "label"),
        ("added", "note2", "type"),
    ]
    state = boss.post("/api/forms/population/versions/1/evaluate", json={"answers": {"xm": "张三", "age": 3}}).json()
    assert ["sfz", "required"] in state["errors"] and state["replaced"] == ["age"]


def test_rights(office: Office) -> None:
    fireman = office.client("fireman")
    for method, path in (
        ("POST", "/api/forms"), ("POST", "/api/import/form"), ("PUT", "/api/forms/a/versions/1"),
        ("POST", "/api/forms/a/versions/1/state"), ("DELETE", "/api/forms/a/versions/1"), ("POST", "/api/forms/check"),
    ):  # fmt: skip
        assert fireman.request(method, path, json={}).status_code == 403, path
    assert office.client().get("/api/forms").status_code == 401


def test_a_file_in_the_forms_folder_becomes_a_live_version(office: Office) -> None:
    folder = office.settings.data_dir / "forms"
    folder.mkdir(parents=True)
    watch = office.app.state.services.forms.folder
    now = office.app.state.services.clock.now()
    (folder / "water.xlsx").write_bytes(sample_workbook("water"))
    (folder / "bad.xlsx").write_bytes(b"garbage")
    (folder / "own.json").write_text(json.dumps({"questions": [{"type": "text", "name": "a", "label": "甲"}]}))
    assert sorted(watch.look(now)) == [("own", 1), ("water", 1)]
    assert list(watch.problems) == ["bad.xlsx"]
    assert watch.look(now) == []
    os.utime(folder / "water.xlsx", (1, 1))
    assert watch.look(now) == [], "touched, but it asks the same"
    (folder / "own.json").write_text(json.dumps({"questions": [{"type": "text", "name": "a", "label": "乙"}]}))
    assert watch.look(now) == [("own", 2)]
    (folder / "bad.xlsx").unlink()
    watch.look(now)
    assert watch.problems == {}
    boss = office.client("boss")
    assert [(v["form_id"], v["version"], v["source"]) for v in boss.get("/api/forms?live=1").json()["items"]] == [
        ("own", 2, "file:own.json"), ("own", 1, "file:own.json"), ("water", 1, "file:water.xlsx"),
    ]  # fmt: skip


def test_a_question_that_a_register_answers_is_named(office: Office) -> None:
    boss = office.client("boss")
    asked = [
        {"type": "text", "name": "a", "label": {"zh": "统一社会信用代码"}},
        {"type": "text", "name": "b", "label": {"zh": "统一社会信用代码"}, "prefill": "register:enterprise.code"},
        {"type": "group", "name": "g", "label": {"zh": "组"}, "children": [
            {"type": "text", "name": "c", "label": {"en": "Date of birth", "zh": "出生日期"}}]},
        {"type": "text", "name": "d", "label": {"zh": "今天天气"}},
    ]  # fmt: skip
    answer = boss.post("/api/forms", json={"form_id": "asks", "body": {"questions": asked}})
    assert answer.status_code == 201, answer.text
    found = boss.get("/api/forms/asks/versions/1").json()["answered"]
    assert [(f["question"], f["answered_by"].split(".")[0]) for f in found] == [
        ("a", "register enterprise"), ("c", "register person")
    ]  # fmt: skip
