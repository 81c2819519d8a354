"""Guard ``record_valid``, a place that is wanted, and registering a case with its own limit, class and severity."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine

from core.clock import ManualClock
from core.errors import InputInvalid
from core.records import Actor, Command
from events.cases.definition import Definition
from events.cases.definition_check import parse_definition, problems, shipped_definitions
from events.cases.errors import GuardFailed
from events.cases.service import CaseService
from events.runtime.wiring import case_service
from events.workshop.starter import STATES, new_kind, state_lines
from events.workshop.trying import TrialPerson, script_of, try_out
from storage.session import session_scope
from storage.tables.records import RegisterRecord
from storage.tables.registry import Department
from tests.unit.events.casework import FRIDAY

CLERK = Actor(user_id="li", name="李", roles=("staff",), department_id="green")
LICENCE = {"type": "string", "maxLength": 40, "title": {"zh": "许可证"}}


def licensed(**more: Any) -> Definition:
    body = new_kind({"zh": "占道"}, state_lines(STATES)) | {"definition_id": "own", "version": 1} | more
    body["fields"] = {**body["fields"], "licence": LICENCE}
    body["commands"]["to_handled"] |= {
        "required": ["licence"], "guards": [{"guard": "record_valid", "field": "licence", "register": "licence"}],
    }  # fmt: skip
    return parse_definition(body)


@pytest.fixture
def service(engine: Engine) -> Callable[[Definition], CaseService]:
    with session_scope(engine) as session:
        session.add(Department(department_id="green", name="园林局"))
        day = date(2026, 6, 5)
        spans: dict[str, dict[str, Any]] = {
            "good": {"valid_from": day, "valid_to": day}, "over": {"valid_to": day - timedelta(1)},
            "later": {"valid_from": day + timedelta(1)}, "ended": {"state": "ended"},
            "other": {"register_id": "person"}, "moved": {"state": "merged", "merged_into": "good"},
            "circle": {"state": "merged", "merged_into": "circle"},
        }  # fmt: skip
        for key, more in spans.items():
            fields = {"register_id": "licence", "name": key, "data": {}, "created_at": FRIDAY, "updated_at": FRIDAY}
            fields |= more
            session.add(RegisterRecord(record_id=key, **fields))

    def make(definition: Definition) -> CaseService:
        return case_service(engine, ManualClock(FRIDAY), definitions={"own": definition})

    return make


def reported(service: CaseService, **data: Any) -> str:
    body = {"definition_id": "own", "title": "占道", "department_id": "green", **data}
    return service.execute(Command(name="report", case_id="", actor_id="li", data=body), CLERK).case_id


def take_on(service: CaseService, case_id: str, licence: str) -> str:
    command = Command(name="to_handled", case_id=case_id, actor_id="li", data={"licence": licence})
    return service.execute(command, CLERK).state


@pytest.mark.parametrize("licence", ["good", "moved"])
def test_a_record_in_force_lets_the_case_go_on(service: Callable[[Definition], CaseService], licence: str) -> None:
    cases = service(licensed())
    assert take_on(cases, reported(cases), licence) == "handled"


@pytest.mark.parametrize("licence", ["over", "later", "ended", "other", "circle", "nowhere"])
def test_another_one_holds_it_with_a_reason(service: Callable[[Definition], CaseService], licence: str) -> None:
    cases = service(licensed())
    with pytest.raises(GuardFailed) as told:
        take_on(cases, reported(cases), licence)
    assert told.value.as_dict()["field"] == "licence"


def test_a_kind_may_want_a_place(service: Callable[[Definition], CaseService]) -> None:
    cases = service(licensed(sites="required"))
    with pytest.raises(InputInvalid) as told:
        reported(cases)
    assert told.value.as_dict()["field"] == "location"
    assert reported(cases, location={"lon": 125.4, "lat": 43.9})


def test_a_case_is_registered_with_limit_severity_and_remark() -> None:
    kind = shipped_definitions()["city_management"]
    departments = {"command": "指挥中心", "fire": "消防"}
    people = [TrialPerson("op", "op", ("operator", "dispatcher"), "command"), TrialPerson("s", "s", ("staff",), "fire")]
    steps: list[dict[str, Any]] = [
        {"as": "op", "do": "report", "data": {"title": "通道堵塞"}}, {"as": "op", "do": "verify"},
        {"as": "op", "do": "register", "data": {"severity": 3, "limit": {"value": 2, "unit": "work_day"}}},
        {"as": "op", "do": "dispatch", "data": {"department_id": "fire"}},
        {"as": "op", "do": "comment", "data": {"comment": "催"}},
    ]  # fmt: skip
    lines = try_out(kind, script_of(FRIDAY, people, departments, steps))
    assert [line["error"] for line in lines if line["do"] in ("register", "dispatch")] == [None, None]
    handling = {clock["kind"]: clock["deadline"] for clock in lines[3]["clocks"]}["handling"]
    assert handling.startswith("2026-06-09T09:00")  # two work days over the week-end


def test_the_form_of_registering_asks_with_choices_and_a_search() -> None:
    asked = {q["name"]: q for q in shipped_definitions()["city_management"].ask("register")["questions"]}
    assert asked["class_code"]["type"] == "record" and asked["class_code"]["list"] == "class"
    assert asked["severity"]["type"] == "select_one"
    children = {q["name"]: q["type"] for q in asked["limit"]["children"]}
    assert children == {"limit.value": "decimal", "limit.unit": "select_one"}


def test_a_guard_whose_expression_has_a_type_error_does_not_load() -> None:
    kind = shipped_definitions()["business_flow"]
    for expr, wrong in (("1 + 'a' > 2", True), ("'x' * 2 = 1", True), ("${reason} != ''", False)):
        accept = msgspec.structs.replace(kind.commands["accept"], guards=({"guard": "holds", "expr": expr},))
        held = msgspec.structs.replace(kind, commands={**kind.commands, "accept": accept})
        assert any(each.code == "guard_expression" for each in problems(held)) is wrong, expr
