"""``python -m app try``: scripts are played to the letter of their shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.cli import main
from events.cases.definition_check import FOLDER

HEAD: dict[str, Any] = {
    "start": "2026-06-05T09:00:00+08:00",
    "departments": ["justice", "street"],
    "people": {
        "zhang": {"roles": ["staff"], "department": "street"},
        "li": {"roles": ["staff"], "department": "justice"},
        "wang": {"roles": ["viewer"]},
        "op": {"roles": ["operator"]},
    },
}
APPLY = {"as": "zhang", "do": "report", "data": {"title": "邻里纠纷", "department_id": "justice", "parties": ["wang"]}}


def played(tmp_path: Path, capsys: Any, *steps: Any, definition: str = "dispute_mediation", **head: Any) -> Any:
    path = tmp_path / "script.yaml"
    path.write_text(yaml.safe_dump({**HEAD, **head, "steps": list(steps)}, allow_unicode=True), "utf-8")
    status = main(["try", definition, "--script", str(path), "--json"])
    return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_each_step_is_a_line_of_the_promised_shape(tmp_path: Path, capsys: Any) -> None:
    status, lines = played(tmp_path, capsys, APPLY, {"as": "li", "do": "accept"}, {"wait": "1 work_day"})
    assert status == 0
    assert [line["step"] for line in lines] == [1, 2, 3]
    keys = {"step", "as", "do", "state", "stage", "turn", "allowed", "clocks", "shown_clock", "notices", "children"}
    assert all(keys | {"error"} <= line.keys() for line in lines)
    first, second, _ = lines
    assert (first["as"], first["do"], first["state"], first["stage"]) == ("zhang", "report", "assigned", "apply")
    assert "li" in first["turn"] and "op" not in first["turn"]
    assert "accept" in first["allowed"]["li"] and first["allowed"]["op"] == []
    assert {"kind": "acceptance", "part": None, "deadline": "2026-06-10T09:00:00+08:00"} in first["clocks"]
    assert first["shown_clock"] == "acceptance" and second["shown_clock"] == "handling"


def test_only_wait_and_at_move_the_clock(tmp_path: Path, capsys: Any) -> None:
    _, lines = played(
        tmp_path,
        capsys,
        APPLY,
        {"as": "li", "do": "accept"},
        {"wait": "3 work_day"},
        {"as": "li", "do": "comment", "data": {"comment": "?"}},
        {"at": "2026-06-12T08:00:00+08:00"},
    )
    first, last = "2026-06-05T01:00:00+00:00", "2026-06-10T01:00:00+00:00"
    assert [line["now"] for line in lines] == [first, first, last, last, "2026-06-12T00:00:00+00:00"]


def test_a_refused_command_is_an_answer_and_the_script_goes_on(tmp_path: Path, capsys: Any) -> None:
    status, lines = played(
        tmp_path,
        capsys,
        {"as": "li", "do": "accept"},
        APPLY,
        {"as": "wang", "do": "accept"},
        {"as": "li", "do": "agree", "data": {"agreement": "x"}},
        {"as": "li", "do": "dance"},
        {"as": "op", "do": "accept"},
        {"as": "li", "do": "accept"},
        {"as": "li", "do": "accept"},
    )
    codes = [line["error"] and line["error"]["code"] for line in lines]
    refused = ["forbidden", "move_illegal", "command_unknown", "not_found"]
    assert codes == ["not_found", None, *refused, None, "move_illegal"]
    assert [line["state"] for line in lines] == [None, *["assigned"] * 5, "mediating", "mediating"]
    assert status == 0 and all(line["error"]["message"] for line in lines if line["error"])


@pytest.mark.parametrize(
    "wanted",
    [
        {"state": "assigned", "stage": "apply", "open": True, "error": None},
        {"turn": ["li"], "allowed": {"li": ["accept", "reject"], "op": []}},
        {"clocks": [{"kind": "whole"}, {"kind": "acceptance", "deadline": "2026-06-10T09:00:00+08:00"}]},
        {"shown_clock": "acceptance", "children": [], "notices": [{"to": "li", "text": "待受理"}]},
    ],
)
def test_an_expectation_that_holds(tmp_path: Path, capsys: Any, wanted: dict[str, Any]) -> None:
    status, lines = played(tmp_path, capsys, APPLY, {"expect": wanted})
    assert (status, lines[-1]["error"]) == (0, None)


@pytest.mark.parametrize(
    "wanted",
    [
        {"state": "mediating"},
        {"turn": ["li", "zhang"]},
        {"turn": []},
        {"allowed": {"li": ["agree"]}},
        {"allowed": {"li": []}},
        {"clocks": [{"kind": "handling"}]},
        {"clocks": []},
        {"shown_clock": "whole"},
        {"error": "forbidden"},
        {"children": 1},
        {"notices": [{"to": "wang"}]},
    ],
)
def test_an_expectation_that_does_not_hold_gives_status_1(tmp_path: Path, capsys: Any, wanted: dict[str, Any]) -> None:
    status, lines = played(tmp_path, capsys, APPLY, {"expect": wanted}, {"as": "li", "do": "accept"})
    assert status == 1 and lines[1]["error"]["code"] == "expect_failed"
    assert lines[2]["state"] == "mediating"


@pytest.mark.parametrize(
    ("field", "step"),
    [
        ("steps[1].as", {"as": "nobody", "do": "accept"}),
        ("steps[1].as", {"do": "accept"}),
        ("steps[1].do", {"as": "li", "do": 3}),
        ("steps[1].wait", {"wait": "3 moons"}),
        ("steps[1].at", {"at": "tomorrow"}),
        ("steps[1].at", {"at": "2020-01-01"}),
        ("steps[1].expect.turn", {"expect": {"turn": ["nobody"]}}),
        ("steps[1].expect.mood", {"expect": {"mood": "good"}}),
        ("steps[1].case", {"as": "li", "do": "accept", "case": 9}),
        ("steps[1]", {"wait": "1 day", "at": "2026-06-08"}),
        ("steps[1]", ["accept"]),
        ("steps[1].data", {"as": "li", "do": "accept", "data": "x"}),
    ],
)
def test_a_script_that_cannot_be_played_names_the_field(tmp_path: Path, capsys: Any, field: str, step: Any) -> None:
    status, lines = played(tmp_path, capsys, APPLY, step)
    assert status == 2
    assert (lines[-1]["error"]["code"], lines[-1]["error"]["field"]) == ("script_invalid", field)


@pytest.mark.parametrize(
    ("field", "head"),
    [
        ("start", {"start": "soon"}),
        ("people.li.department", {"people": {"li": {"roles": ["staff"], "department": "moon"}}}),
        ("people.li.roles", {"people": {"li": {"roles": ["king"]}}}),
        ("people", {"people": ["li"]}),
        ("weather", {"weather": "fine"}),
    ],
)
def test_a_bad_head_is_refused_before_anything_is_played(tmp_path: Path, capsys: Any, field: str, head: Any) -> None:
    status, lines = played(tmp_path, capsys, **head)
    assert (status, len(lines), lines[0]["error"]["field"]) == (2, 1, field)


def test_a_definition_may_be_a_file(tmp_path: Path, capsys: Any) -> None:
    body = json.loads((Path("events/definitions/dispute_mediation.json")).read_text("utf-8"))
    body["clocks"]["acceptance"]["limit"]["value"] = 1
    (tmp_path / "mine.json").write_text(json.dumps(body), "utf-8")
    _, lines = played(tmp_path, capsys, APPLY, definition=str(tmp_path / "mine.json"))
    assert {"kind": "acceptance", "part": None, "deadline": "2026-06-08T09:00:00+08:00"} in lines[0]["clocks"]
    (tmp_path / "broken.json").write_text("{", "utf-8")
    status, lines = played(tmp_path, capsys, APPLY, definition=str(tmp_path / "broken.json"))
    assert (status, lines[0]["error"]["code"]) == (2, "definition_invalid")
    assert played(tmp_path, capsys, APPLY, definition="nothing")[0] == 2


def test_reminders_come_at_their_own_instants(tmp_path: Path, capsys: Any) -> None:
    _, lines = played(tmp_path, capsys, APPLY, {"as": "li", "do": "accept"}, {"wait": "40 urgent_day"})
    assert len([n for n in lines[-1]["notices"] if n["to"] == "li"]) >= 3


def test_a_file_of_a_shipped_kind_s_id_and_version_is_played_as_it_stands(tmp_path: Path, capsys: Any) -> None:
    body = json.loads((FOLDER / "business_flow.json").read_text("utf-8"))
    body["notify"] = [{"on": ["send"], "to": ["lead_department"], "text": {"zh": "自己的话", "en": "Own words"}}]
    path = tmp_path / "own.json"
    path.write_text(json.dumps(body), "utf-8")
    report = {"as": "zhang", "do": "report", "data": {"title": "核实", "department_id": "justice"}}
    status, (line,) = played(tmp_path, capsys, report, definition=str(path))
    assert status == 0 and line["notices"] == [{"to": "li", "text": "自己的话 / Own words: 核实"}]


def test_a_key_written_twice_is_told(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "script.yaml"
    path.write_text("start: 2026-06-05\nsteps: []\nstart: 2026-06-06\n", "utf-8")
    assert main(["try", "business_flow", "--script", str(path), "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "script_invalid" and error["field"] == "start" and "line 3" in error["message"]
