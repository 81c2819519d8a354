"""Filters of case lists: what the page offers, periods by Beijing days, filters that a person keeps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from core.clock import ManualClock
from core.errors import InputInvalid
from core.records import Actor
from core.settings import Settings
from dashboard.auth import Principal
from dashboard.desk.case_filters import MOST_KEPT, PERIODS, Chosen, chosen_of, conditions, drop, keep, kept
from storage.session import read_scope
from storage.tables.people import User
from tests.unit.dashboard.web import Office, make_office

NOW = datetime(2026, 3, 1, 1, 30, tzinfo=UTC)  # 09:30 on the 1st in Beijing


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    office = make_office(settings, ManualClock(NOW))
    yield office
    office.engine.dispose()


def principal(office: Office, login: str, roles: tuple[str, ...] = ()) -> Principal:
    with read_scope(office.engine) as session:
        user_id = session.scalars(select(User.user_id).where(User.login == login)).one()
    return Principal(Actor(user_id=user_id, name=login, roles=roles), login, "", "", "zh", "", False)


@pytest.mark.parametrize(
    ("period", "begin", "end"),
    [
        ("today", datetime(2026, 2, 28, 16), None),
        ("yesterday", datetime(2026, 2, 27, 16), datetime(2026, 2, 28, 16)),
        ("week", datetime(2026, 2, 22, 16), None),
        ("30_days", datetime(2026, 1, 30, 16), None),
        ("month", datetime(2026, 2, 28, 16), None),
        ("last_month", datetime(2026, 1, 31, 16), datetime(2026, 2, 28, 16)),
        ("year", datetime(2025, 12, 31, 16), None),
    ],
)
def test_a_period_is_made_of_beijing_days(period: str, begin: datetime, end: datetime | None) -> None:
    found = conditions(Chosen(period=period), NOW)
    assert period in PERIODS
    assert found.opened_from == begin.replace(tzinfo=UTC)
    assert found.opened_to == (end and end.replace(tzinfo=UTC))


def test_late_ones_are_open_and_past_their_deadline() -> None:
    found = conditions(Chosen(late=True, state="closed", severity="3"), NOW)
    assert (found.open, found.overdue_at, found.severity) == (True, NOW, 3)


@pytest.mark.parametrize("wrong", [{"state": "maybe"}, {"severity": "9"}, {"period": "ever"}, {"late": "y"}])
def test_what_the_page_does_not_offer_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputInvalid):
        chosen_of(wrong)


def test_a_filter_is_kept_for_its_owner_alone(office: Office) -> None:
    use = office.app.state.services
    mine, other = (principal(office, login) for login in ("operator", "fireman"))
    keep(use, mine, "  夜班  超时 ", Chosen(late=True))
    keep(use, mine, "夜班 超时", Chosen(late=True, severity="3"))
    assert kept(use, mine) == {"夜班 超时": Chosen(late=True, severity="3")} and kept(use, other) == {}
    drop(use, other, "夜班 超时")
    assert list(kept(use, mine)) == ["夜班 超时"]
    drop(use, mine, "夜班 超时")
    assert kept(use, mine) == {}


def test_names_and_number_are_bounded(office: Office) -> None:
    use, mine = office.app.state.services, principal(office, "operator")
    for wrong in ("", "  ", "x" * 61):
        with pytest.raises(InputInvalid):
            keep(use, mine, wrong, Chosen())
    for n in range(MOST_KEPT):
        keep(use, mine, f"f{n}", Chosen())
    with pytest.raises(InputInvalid, match="50 filters"):
        keep(use, mine, "one more", Chosen())
