"""Scripts of courses that are not the straight one, and of mistakes: ``scripts/variants``.

The first line of a script says what comes of it: ``# wrong: FIELD`` it cannot be played, ``# fails: 2`` the
expectation of that step does not hold, anything else: all holds.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from events.cases.definition_check import shipped_definitions
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
