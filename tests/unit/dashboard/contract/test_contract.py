"""No request that the description allows, and none of many that it does not, is answered with 500 or undeclared."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case
from schemathesis.generation import GenerationMode

from core.settings import Settings
from tests.unit.dashboard.contract.fuzz import Fuzz, fuzz_of
from tests.unit.dashboard.web import make_office

LONG_S = 180.0  # the long run begins no further round after this


@pytest.fixture
def fuzz(settings: Settings) -> Fuzz:
    return fuzz_of(make_office(settings))


def _round(fuzz: Fuzz, number: int, examples: int, modes: list[GenerationMode]) -> int:
    """Every operation, some requests each; how many operations there are."""
    count = 0
    for result in fuzz.schema.get_all_operations():
        operation = result.ok()
        count += 1
        for mode in modes:
            _tried(fuzz.try_one, operation.as_strategy(generation_mode=mode), examples, number)
    return count


def _tried(try_one: Callable[[Case], None], cases: Any, examples: int, number: int) -> None:
    @seed(number)
    @settings(
        max_examples=examples, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=cases)
    def once(case: Case) -> None:
        try_one(case)

    try:
        once()
    except Unsatisfiable:  # a route that takes nothing has no wrong request
        return


@pytest.mark.slow
def test_a_few_requests_to_every_route(fuzz: Fuzz) -> None:
    assert _round(fuzz, 0, 2, [GenerationMode.POSITIVE]) > 170


@pytest.mark.long
def test_many_right_and_wrong_requests_to_every_route(fuzz: Fuzz) -> None:
    until = time.monotonic() + LONG_S
    rounds = 0
    while time.monotonic() < until:
        rounds += 1
        _round(fuzz, rounds, 8, [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
    assert rounds >= 1
