"""Every shipped kind of case as tables and drawing."""

from __future__ import annotations

import msgspec
import pytest

from dashboard.pages.workshop import kind_tables as kt
from events.cases.definition_check import shipped_definitions


@pytest.mark.parametrize("name", sorted(shipped_definitions()))
def test_nothing_of_a_definition_is_left_out(name: str) -> None:
    d = shipped_definitions()[name]
    states = kt.state_rows(d, "zh")
    assert [row["id"] for row in states] == list(d.states)
    assert [row["id"] for row in kt.command_rows(d, "en")] == list(d.commands)
    assert len(kt.clock_rows(d, "zh")) == len(d.clocks) and len(kt.notice_rows(d, "zh")) == len(d.notify)
    for row in states:
        assert not row["open"] or row["next"], f"{row['id']} leads nowhere"
    at = kt.places(d)
    assert set(d.states) < set(at) and len(set(at.values())) == len(at)
    reached = {to for _, to, _ in kt.edges(d)}
    assert set(d.states) <= reached | {d.initial}
    kt.drawing(d, "zh")


def test_differences_name_the_path() -> None:
    d = shipped_definitions()["business_flow"]
    old = msgspec.to_builtins(d)
    assert kt.difference_rows(old, old) == []
    changed = {**old, "bounce_limit": 9, "states": {**old["states"], "extra": {"stage": "x"}}}
    found = kt.difference_rows(old, changed)
    assert [(row["where"], row["change"]) for row in found] == [("states/extra", "added"), ("bounce_limit", "changed")]
