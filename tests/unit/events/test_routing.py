"""Routing: class × place → departments, with steps that can be recomputed."""

from __future__ import annotations

import pytest

from events.dispatching.routing import (
    RoutingFacts,
    RoutingInvalid,
    check_routing,
    default_routing,
    parse_routing,
    route,
)

DEPARTMENTS = {
    "dept-command", "dept-fire", "dept-drainage", "dept-emergency", "dept-urban", "dept-traffic", "dept-gas",
    "dept-environment", "dept-it", "street-220105001",
}  # fmt: skip


def test_a_fire_goes_to_the_brigade_with_the_street_and_the_site_assisting() -> None:
    facts = RoutingFacts(happening="fire", severity=3, division_code="220105001002", site_department="dept-urban")
    found = route(facts, default_routing(), DEPARTMENTS)
    assert found.lead.department_id == "dept-fire"
    assert [p.department_id for p in found.assisting] == ["dept-emergency", "street-220105001", "dept-urban"]
    assert found.steps[0]["step"] == "facts"
    assert found.steps[1]["rule_id"] == "fire"


def test_a_department_assists_only_from_its_severity_on_and_never_beside_itself() -> None:
    low = route(RoutingFacts(happening="waterlogging", severity=2), default_routing(), DEPARTMENTS)
    assert low.assisting == ()
    high = route(
        RoutingFacts(happening="waterlogging", severity=4, site_department="dept-drainage"),
        default_routing(),
        DEPARTMENTS,
    )
    assert [p.department_id for p in high.assisting] == ["dept-traffic", "dept-emergency"]


def test_the_steps_recompute() -> None:
    facts = RoutingFacts(happening="duty", severity=2, division_code="220105001", local_time="03:00")
    assert route(facts, default_routing(), DEPARTMENTS) == route(facts, default_routing(), DEPARTMENTS)


def test_unknown_departments_are_passed_over_and_named() -> None:
    found = route(RoutingFacts(happening="fire"), default_routing(), {"dept-command"})
    assert found.lead.department_id == "dept-command"
    assert any("passed_over" in step for step in found.steps)
    problems = check_routing(default_routing(), {"dept-command"})
    assert any("dept-fire" in str(p) for p in problems)
    assert check_routing(default_routing(), DEPARTMENTS) == []


def test_an_absent_department_is_stood_in_for() -> None:
    facts = RoutingFacts(happening="fire", absent={"dept-fire": "dept-emergency"})
    found = route(facts, default_routing(), DEPARTMENTS)
    assert found.lead.department_id == "dept-emergency"
    assert any(step.get("stands_in_for") == "dept-fire" for step in found.steps)


def test_hours_over_midnight() -> None:
    table = parse_routing(
        "fallback: dept-command\narbiter: dept-command\nrules:\n"
        "  - {rule_id: night, lead: dept-fire, hours: '18:00-08:00'}\n  - {rule_id: day, lead: dept-urban}\n"
    )
    leads = [
        route(RoutingFacts(local_time=t), table, DEPARTMENTS).lead.department_id for t in ("03:00", "12:00", "18:00")
    ]
    assert leads == ["dept-fire", "dept-urban", "dept-fire"]


def test_a_table_without_fallback_is_refused() -> None:
    with pytest.raises(RoutingInvalid, match="fallback"):
        parse_routing("rules: []\narbiter: x\n")
