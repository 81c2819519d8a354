"""Every mistake in a definition is told once, with its path and remedy, in both languages, wherever it is met."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from app.commands.workshop import try_case
from core.settings import load_settings
from dashboard.desk.city_files import city_files
from events.cases.definition_check import (
    FOLDER,
    body_of_text,
    body_problems,
    parse_definition,
    read_body,
    read_stored,
    shipped_definitions,
)
from events.cases.definition_problems import DefinitionProblem
from events.cases.errors import DefinitionInvalid
from events.cases.kinds_in_force import definitions_in_force
from events.cases.soundness.words import TEXTS
from events.workshop.drafts import problems_of
from storage.schema import create_all
from tests.unit.events.definitions.broken import ADVICE, BLOCKING, Broken
from tests.unit.events.definitions.sound import sound

IDS = [each[0] for each in BLOCKING]


def changed(broken: Broken) -> Any:
    body = sound()
    other = broken[1](body)
    return other if isinstance(other, list) else body


def test_the_sound_one_has_no_problem() -> None:
    assert body_problems(sound(), definitions_in_force()) == []


@pytest.mark.parametrize("broken", BLOCKING, ids=IDS)
def test_each_mistake_is_one_typed_message(broken: Broken) -> None:
    _, _, where, code = broken
    found = [each for each in problems_of(changed(broken)) if not each.advice]
    assert {each.code for each in found} == {code} and found[0].where == where
    with pytest.raises(DefinitionInvalid) as told:
        parse_definition(changed(broken), definitions_in_force())
    english, chinese = told.value.as_dict("en"), told.value.as_dict("zh")
    assert english["field"] == where and english["problem"] == code
    assert where in english["message"] and where in chinese["message"]
    assert english["remedy"] and chinese["remedy"] and english["remedy"] != chinese["remedy"]
    assert chinese["message"] != english["message"]


@pytest.mark.parametrize("broken", ADVICE, ids=[each[0] for each in ADVICE])
def test_advice_is_told_and_keeps_nothing_from_running(broken: Broken) -> None:
    body = changed(broken)
    assert parse_definition(body, definitions_in_force()).definition_id == "own_kind"
    assert [(each.where, each.code) for each in problems_of(body) if each.advice] == [(broken[2], broken[3])]


def test_shipped_kinds_have_neither_mistakes_nor_advice() -> None:
    kinds = shipped_definitions()
    for path in sorted(FOLDER.glob("*.json")):
        assert body_problems(read_body(path), kinds) == []


def test_every_fault_is_tried_and_worded_in_both_languages() -> None:
    tried = {code for *_, code in (*BLOCKING, *ADVICE)}
    assert set(TEXTS) - tried == {"not_readable", "name_wrong", "key_twice"}  # below, and cells of the editor
    for code in TEXTS:
        one = DefinitionProblem(where="a/b/c", code=code)
        english, chinese = one.said("en"), one.said("zh")
        assert all(english) and all(chinese) and english != chinese
        assert any("一" <= sign <= "鿿" for sign in "".join(chinese))


@pytest.fixture
def run_try(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    script = tmp_path / "script.yaml"
    script.write_text("{start: 2026-06-05T09:00:00, steps: [{wait: 1 work_day}]}", "utf-8")

    def run(text: str, language: str, name: str = "own.json") -> tuple[int, dict[str, Any]]:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        parser = try_case.argparse.ArgumentParser()
        try_case.configure(parser)
        given = [str(path), "--script", str(script), "--json", "--language", language]
        status = try_case.run(parser.parse_args(given))
        return status, json.loads(capsys.readouterr().out.splitlines()[0])

    yield run


@pytest.mark.parametrize("broken", BLOCKING[::4], ids=IDS[::4])
def test_app_try_tells_it_and_plays_nothing(run_try: Any, broken: Broken) -> None:
    for language in ("en", "zh"):
        status, line = run_try(json.dumps(changed(broken)), language)
        assert status == 2 and line["step"] is None
        assert line["error"]["code"] == "definition_invalid" and line["error"]["field"] == broken[2]
        assert broken[2] in line["error"]["message"] and line["error"]["remedy"]


def test_app_check_tells_every_file_by_name_path_and_remedy(tmp_path: Path, engine: Engine) -> None:
    create_all(engine)
    folder = tmp_path / "definitions"
    folder.mkdir()
    some = BLOCKING[1::7]
    for n, broken in enumerate(some):
        (folder / f"{n:03}.json").write_text(json.dumps(changed(broken)), "utf-8")
    (folder / "advice.json").write_text(json.dumps(changed(ADVICE[0])), "utf-8")
    settings = load_settings({"YIWANG_DATA_DIR": str(tmp_path)})
    for language in ("en", "zh"):
        files = {file.name: file for file in city_files(settings, engine, language) if file.folder == "definitions"}
        for n, (_, _, where, _code) in enumerate(some):
            file = files[f"{n:03}.json"]
            assert not file.ok and where in file.message and file.remedy
        assert files["advice.json"].ok and ADVICE[0][2] in files["advice.json"].advice[0]


TWICE = """
states:
  sent: {stage: open}
  done: {stage: end}
  sent: {stage: end}
"""


def test_a_name_that_is_written_twice_is_told_with_its_line(run_try: Any) -> None:
    with pytest.raises(DefinitionInvalid) as told:
        body_of_text(TWICE, yaml_too=True)
    assert told.value.data["problem"] == "key_twice" and told.value.data["field"] == "states/sent"
    assert "line 5" in str(told.value)
    text = json.dumps(sound()).replace('"accept": {', '"answer": {}, "accept": {', 1)
    status, line = run_try(text, "en")
    assert status == 2 and line["error"]["problem"] == "key_twice" and "'answer'" in line["error"]["message"]


@pytest.mark.parametrize(
    "text", ["", "[", "nul", "[1, 2]", "{a: [}", "\ufeff{}", "a: &x [*x]", "1", "'text'", "? [a]\n: b", "--- 1\n--- 2"]
)
def test_what_is_no_definition_is_told(run_try: Any, text: str) -> None:
    for name in ("own.json", "own.yaml"):
        status, line = run_try(text, "en", name)
        assert status == 2 and line["error"]["code"] == "definition_invalid" and line["error"]["remedy"]


def test_versions_that_cases_run_by_are_read_as_they_were_kept() -> None:
    body = changed(next(each for each in BLOCKING if each[0] == "limit-negative"))
    assert read_stored(body).definition_id == "own_kind"
    with pytest.raises(DefinitionInvalid):
        read_stored(changed(next(each for each in BLOCKING if each[0] == "effect")))


def test_short_forms_are_read() -> None:
    body = sound() | {"numbering": "ZD"}
    body["clocks"]["reply"] = {"limit": "3 工作日", "remind": [-1, 0]}
    body["commands"]["answer"] |= {"effects": [{"issue": "permit"}], "guards": [{"form_complete": "answer"}]}
    body |= {"description": "annotations are for people", "x_author": "王"}
    read = parse_definition(body)
    assert read.clocks["reply"].limit.value == 3 and read.numbering.prefix == "ZD"
    assert read.commands["answer"].guards[0]["fields"] == ["answer"]
