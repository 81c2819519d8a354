"""Reminders come in the time that the limit is counted in; hand-over of a shift reaches somebody."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from core.clock import BEIJING
from core.errors import InputInvalid
from core.legal_time.calendar import statutory_calendar
from core.legal_time.limits import Limit
from core.legal_time.shift import shifted
from core.legal_time.workclock import deadline
from events.dispatching.duty_roster import add_shift, hand_over, shifts_ahead
from events.notify.phases import NATURAL, WORKING, parse_phase, phases_of
from storage.session import session_scope
from storage.tables.people import User
from tests.unit.events.casework import FRIDAY, Town, actor

CALENDAR = statutory_calendar()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


def test_an_hour_before_a_working_deadline_is_an_hour_of_work() -> None:
    assert shifted(at("2026-06-08T08:20"), Limit(value=1, unit="work_hour"), CALENDAR, back=True) == at(
        "2026-06-05T17:20"
    )
    assert shifted(at("2026-06-05T17:50"), Limit(value=1, unit="work_day"), CALENDAR) == at("2026-06-08T17:50")
    natural = shifted(at("2026-06-08T08:20"), Limit(value=1, unit="urgent_hour"), CALENDAR, back=True)
    assert natural == at("2026-06-08T07:20")


@given(
    minutes=st.integers(0, 60 * 24 * 300),
    value=st.sampled_from([0.25, 1, 2.5, 8, 40]),
    unit=st.sampled_from(["work_hour", "work_day", "urgent_hour", "urgent_day"]),
)
def test_back_is_the_mirror_of_on(minutes: int, value: float, unit: str) -> None:
    moment = at("2026-02-01T00:00") + timedelta(minutes=minutes)
    limit = Limit(value=value, unit=unit)  # type: ignore[arg-type]
    begin = shifted(moment, limit, CALENDAR, back=True)
    assert begin < moment
    end = deadline(begin, limit, CALENDAR).at
    assert end is not None and end <= moment
    later = deadline(begin + timedelta(seconds=1), limit, CALENDAR).at
    assert later is not None and (later > end or unit.startswith("work"))


def test_words_of_reminders() -> None:
    assert (parse_phase("-3 work_day").sign, parse_phase("-3 work_day").by.value) == (-1, 3)
    assert parse_phase("-1", "urgent_day").by.unit == "urgent_day"
    assert parse_phase("0").sign == 0 and parse_phase("+2 工作日").sign == 1
    with pytest.raises(InputInvalid):
        parse_phase("soon")
    assert phases_of(None, "handling", "work_hour") == WORKING and phases_of(None, "x", "") == NATURAL


def test_a_shift_is_handed_to_somebody_who_can_be_reached(engine: Engine) -> None:
    town = Town(engine)
    with session_scope(engine) as session:
        shift_id = add_shift(session, actor("admin"), "fire", "fire", FRIDAY, FRIDAY + timedelta(hours=8))
        session.get_one(User, "water").active = False
        assert [s.shift_id for s in shifts_ahead(session, "fire", FRIDAY)] == [shift_id]
    for to_user, now in (("water", FRIDAY), ("fire", FRIDAY), ("fire2", FRIDAY + timedelta(hours=9))):
        with session_scope(engine) as session, pytest.raises(InputInvalid):
            hand_over(session, actor("fire"), shift_id, to_user, "all quiet", now)
    with session_scope(engine) as session:
        hand_over(session, actor("fire"), shift_id, "fire2", "all quiet", FRIDAY + timedelta(hours=1))
        assert [s.shift_id for s in shifts_ahead(session, "fire2", FRIDAY)] == [shift_id]
        assert shifts_ahead(session, "fire", FRIDAY) == []
    assert town.clock.now() == FRIDAY
