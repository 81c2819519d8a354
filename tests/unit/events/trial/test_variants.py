"""Scripts of courses that are not the straight one, and of mistakes: ``scripts/variants``.

The first line of a script says what comes of it: ``# wrong: FIELD`` it cannot be played, ``# fails: 2`` the
expectation of that step does not hold, anything else: all holds.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.errors import YiwangError
from core.records import Actor, Command
from events.cases.course.relations import CaseState
from events.cases.definition_check import shipped_definitions
from events.cases.lifecycle import advance
from events.trial.play import play
from events.trial.script import ScriptInvalid, parse_script, read_script

VARIANTS = sorted((Path(__file__).parent / "scripts" / "variants").glob("*.yaml"))
HAN, ENGLISH = re.compile(r"[\u3400-\u9fff]"), re.compile(r"[a-z]{3,} [a-z]{2,}")


@pytest.mark.parametrize("path", VARIANTS, ids=lambda path: path.stem)
def test_a_variant_comes_out_as_it_says(path: Path) -> None:
    said = path.read_text("utf-8").splitlines()[0]
    definition = shipped_definitions()[yaml.safe_load(path.read_text("utf-8"))["definition"]]
    if said.startswith("# wrong: "):
        with pytest.raises(ScriptInvalid) as caught:
            list(play(read_script(path), definition))
        assert caught.value.data["field"] == said.removeprefix("# wrong: ")
        told = caught.value.as_dict("zh")
        assert HAN.search(told["message"]) and HAN.search(told["remedy"])
        return
    lines = list(play(read_script(path), definition, "zh"))
    missed = [(line["step"], line["error"]["message"]) for line in lines if not line.get("held", True)]
    wanted = [int(said.removeprefix("# fails: "))] if said.startswith("# fails: ") else []
    assert [step for step, _ in missed] == wanted, missed
    for line in lines:
        if line["error"]:
            assert HAN.search(line["error"]["message"]) and HAN.search(line["error"]["remedy"]), line["error"]


HEAD: dict[str, Any] = {
    "start": "2026-06-05T09:00:00+08:00", "departments": ["a"],
    "people": {"li": {"roles": ["staff"], "department": "a"}}, "steps": [],
}  # fmt: skip


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("foo", {"foo": 1}),
        ("start", {"start": "2026-13-01"}),
        ("departments[0]", {"departments": [{}]}),
        ("departments", {"departments": "a"}),
        ("people", {"people": ["li"]}),
        ("people.system", {"people": {"system": {}}}),
        ("people.li.department", {"people": {"li": {"department": "b"}}}),
        ("people.li.division", {"people": {"li": {"division": "220105"}}}),
        ("people.li.roles", {"people": {"li": {"roles": 3}}}),
        ("steps", {"steps": {}}),
        ("steps", {"steps": [{}] * 2001}),
        ("steps[0]", {"steps": [{}]}),
        ("steps[0]", {"steps": [{"wait": "1 day", "at": "2026-06-08"}]}),
        ("steps[0].as", {"steps": [{"do": "report"}]}),
        ("steps[0].do", {"steps": [{"as": "li", "do": ["report"]}]}),
        ("steps[0].foo", {"steps": [{"as": "li", "do": "report", "foo": 1}]}),
        ("steps[0].case", {"steps": [{"wait": "1 day", "case": True}]}),
        ("steps[0].wait", {"steps": [{"wait": "-3 work_day"}]}),
        ("steps[0].wait", {"steps": [{"wait": "999999999999999 second"}]}),
        ("steps[0].expect", {"steps": [{"expect": ["state"]}]}),
        ("steps[0].expect.turn", {"steps": [{"expect": {"turn": 5}}]}),
        ("steps[0].expect.allowed", {"steps": [{"expect": {"allowed": ["li"]}}]}),
        ("steps[0].expect.allowed", {"steps": [{"expect": {"allowed": {"li": 3}}}]}),
        ("steps[0].expect.allowed", {"steps": [{"expect": {"allowed": {"zhao": []}}}]}),
        ("steps[0].expect.clocks", {"steps": [{"expect": {"clocks": True}}]}),
        ("steps[0].expect.children", {"steps": [{"expect": {"children": 1.5}}]}),
    ],
)
def test_a_mistake_is_told_in_both_languages_and_names_its_field(field: str, change: dict[str, Any]) -> None:
    with pytest.raises(ScriptInvalid) as caught:
        parse_script({**HEAD, **change})
    english, chinese = caught.value.as_dict("en"), caught.value.as_dict("zh")
    assert english["field"] == chinese["field"] == field
    assert not HAN.search(english["message"] + english["remedy"])
    for text in (chinese["message"].split("：", 1)[1], chinese["remedy"]):
        assert not ENGLISH.search(text.replace("work_day", "")), text


WATER = CaseState(state="handling", now=datetime(2026, 6, 5, tzinfo=UTC), department_id="water")


@pytest.mark.parametrize(
    ("department", "command", "told"),
    [
        ("fire", "reply", "您不能对本案执行 '答复'：您的角色或部门不允许 — 可执行的是：主办部门的处置员、负责人"),
        ("water", "reply", "'答复' 的 '答复'：必须填写 — 必填：答复；可填："),
        ("water", "confirm", "案卷处于 '办理中' 状态，不能执行 '确认归档' — 现在可以：申请延期、退回、答复"),
        ("water", "dance", "business_flow 类案卷没有命令 'dance' — 请用其中之一：提交申请、"),
    ],
)
def test_a_refusal_speaks_the_kind_s_own_words(department: str, command: str, told: str) -> None:
    who = Actor(user_id="li", name="li", roles=("staff",), department_id=department)
    with pytest.raises(YiwangError) as caught:
        advance(WATER, Command(name=command, case_id="", actor_id="li"), who, shipped_definitions()["business_flow"])
    assert told in caught.value.told("zh"), caught.value.told("zh")
    assert not HAN.search(caught.value.told("en")) and caught.value.data["command"] == command
