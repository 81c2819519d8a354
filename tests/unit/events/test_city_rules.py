"""What a city puts into its data folder: taken up without a restart, versioned; a broken file changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine

from core.clock import ManualClock
from events.cases import kinds_in_force
from events.cases.definition_check import shipped_definitions
from events.cases.kinds_in_force import definitions_in_force
from events.cases.service import CaseService
from events.dispatching import routing_in_force as routing
from events.dispatching.routing import RoutingFacts, default_routing, route
from events.runtime.city_rules import CityRules
from storage.session import session_scope
from storage.tables.registry import Department
from tests.unit.events.casework import FRIDAY, Town

TABLE = "fallback: fire\narbiter: fire\nrules: [{rule_id: all, lead: water}]\n"


@pytest.fixture
def rules(engine: Engine, tmp_path: Path) -> Iterator[CityRules]:
    with session_scope(engine) as session:
        session.add_all([Department(department_id=name, name=name) for name in ("fire", "water", "old")])
    (tmp_path / "definitions").mkdir()
    yield CityRules(engine, tmp_path)
    kinds_in_force._InForce.added = {}
    routing._InForce.table = None


def _kind(name: str = "tree_care", version: int = 1, **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(shipped_definitions()["city_management"]))
    return body | {"definition_id": name, "version": version, "name": {"zh": "树木养护", "en": "Tree care"}} | more


def _write(rules: CityRules, name: str, body: Any) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    (rules.kinds.folder / name).write_text(text, encoding="utf-8")
    rules.look()


def test_a_kind_of_case_is_taken_up_while_everything_runs(rules: CityRules, engine: Engine) -> None:
    service = CaseService(engine, ManualClock(FRIDAY))
    assert "tree_care" not in service.definitions
    _write(rules, "tree.json", _kind())
    assert service.definitions["tree_care"].version == 1 and rules.problems == []
    _write(rules, "tree.json", _kind(version=2, bounce_limit=7))
    assert service.definitions["tree_care"].bounce_limit == 7
    (rules.kinds.folder / "tree.json").unlink()
    rules.look()
    assert service.definitions["tree_care"].version == 2  # cases run by it


def test_people_at_work_act_on_files_of_a_kind_that_came_later(engine: Engine, tmp_path: Path) -> None:
    """Who may see a confidential file is asked of the kinds in force now, not of those when a person first acted."""
    town = Town(engine)
    (tmp_path / "definitions").mkdir()
    rules = CityRules(engine, tmp_path)
    try:
        before = town.open("water")
        town.do(before.case_id, "accept", "water")
        _write(rules, "tree.json", _kind())
        later = town.open("water", definition_id="tree_care", confidential=True)
        assert town.detail(later.case_id, "water").case["state"] == "dispatched"
        assert town.do(later.case_id, "accept", "water").version > later.version
    finally:
        kinds_in_force._InForce.added = {}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{", "tree.json"),
        ("[]", "no object"),
        (_kind(version=3, initial="nowhere"), "'nowhere' does not exist"),
        (_kind(version=1, bounce_limit=9), "write version: 3"),
        (_kind(version=2, bounce_limit=9), "write version: 3"),
        (_kind("city_management", version=1), "ships — write version"),
        ("&a {definition_id: x, stages: [*a]}", "tree.json"),
    ],
)
def test_a_broken_kind_is_told_and_changes_nothing(rules: CityRules, body: Any, said: str) -> None:
    _write(rules, "tree.json", _kind(version=1))
    _write(rules, "tree.json", _kind(version=2))
    _write(rules, "tree.json", body)
    ((name, error),) = rules.problems
    assert name == "definitions/tree.json" and said in str(error) and error.as_dict()["remedy"]
    assert definitions_in_force()["tree_care"].version == 2
    _write(rules, "other.json", _kind("lamp_care"))
    assert "lamp_care" in definitions_in_force()


def test_an_edited_shipped_kind_and_a_process_begun_later(rules: CityRules, engine: Engine, tmp_path: Path) -> None:
    newer = shipped_definitions()["city_management"].version + 1
    _write(rules, "own.json", _kind("city_management", version=newer, bounce_limit=8))
    assert definitions_in_force()["city_management"].bounce_limit == 8
    kinds_in_force._InForce.added = {}
    (rules.kinds.folder / "own.json").write_text("{", encoding="utf-8")
    CityRules(engine, tmp_path).look()
    assert definitions_in_force()["city_management"].bounce_limit == 8


def test_a_routing_table_is_taken_up_kept_and_given_back(rules: CityRules, engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "routing.yaml"
    file.write_text(TABLE, encoding="utf-8")
    rules.look()
    assert routing.routing_in_force().fallback == "fire"
    file.write_text(TABLE + "handed_over: {old: water}\n", encoding="utf-8")
    rules.look()
    assert len(list((tmp_path / "routing").glob("*.yaml"))) == 2
    file.write_text("rules: 5", encoding="utf-8")
    rules.look()
    assert routing.routing_in_force().handed_over == {"old": "water"}
    assert [name for name, _ in rules.problems] == ["routing.yaml"]
    routing._InForce.table = None
    CityRules(engine, tmp_path).look()  # a restart with the broken file
    assert routing.routing_in_force().handed_over == {"old": "water"}
    file.unlink()
    rules.look()
    assert routing.routing_in_force() == default_routing() and rules.problems == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("handed_over: {old: water, water: old}", "old → water → old"),
        ("handed_over: {old: old}", "old → old"),
        ("extra: &a [*a]", "contains itself"),
        ("handed_over: &a {old: *a}", "contains itself"),
        ("street: x", "'street' is unknown"),
        ("handed_over: {old: nobody}", "'nobody' does not exist"),
        ("rules: [{rule_id: a, lead: fire}, {rule_id: a, lead: fire}]", "twice"),
        ("rules: [{rule_id: a, lead: fire, hours: late}]", "no span"),
        ("rules: [{rule_id: a, leed: fire}]", "'leed' is unknown"),
        (": [", "routing.yaml"),
    ],
)
def test_a_broken_routing_table_is_told_and_changes_nothing(
    rules: CityRules, tmp_path: Path, more: str, said: str
) -> None:
    (tmp_path / "routing.yaml").write_text(TABLE, encoding="utf-8")
    rules.look()
    text = TABLE.replace("rules:", "# ") if more.startswith("rules") else TABLE
    (tmp_path / "routing.yaml").write_text(f"{text}{more}\n", encoding="utf-8")
    rules.look()
    ((name, error),) = rules.problems
    assert name == "routing.yaml" and said in str(error) and "docs/routing.md" in str(error)
    assert routing.routing_in_force().rules[0].lead == "water"


def test_duties_that_were_handed_over_follow_the_chain() -> None:
    table = msgspec.structs.replace(
        default_routing(), handed_over={"dept-fire": "a", "a": "b"}, fallback="b", arbiter="b"
    )
    found = route(RoutingFacts(happening="fire", severity=1), table, {"b"})
    assert found.lead.department_id == "b"
    assert [s["handed_over"] for s in found.steps if "handed_over" in s][:2] == ["a", "b"]
