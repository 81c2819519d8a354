"""The shipped kinds to their end by clicks, on desk and phone, from the scripts that the engine is tested with."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from core.settings import Settings
from tests.acceptance.kindplay import kind_play

pytestmark = [pytest.mark.browser, pytest.mark.slow]
QUICK = ("help_request",)
LONG = (
    "credit_repair",
    "project_approval",
    "inspection_filing",
    "hotline_complaint",
    "information_request",
    "supervision_visit",
)


@pytest.mark.parametrize("kind", [*QUICK, *(pytest.param(name, marks=pytest.mark.long) for name in LONG)])
def test_a_kind_is_played_to_its_end_by_clicks(settings: Settings, chromium: Browser, kind: str) -> None:
    with kind_play(settings, chromium, kind) as play:
        play.run()
        first = play.cases()[0]
        assert not first.open, first.state
        assert {device for device, _ in play.clicked} == {"desk", "phone"}
