"""Normalising: calibration, ranges, quarantine; alarms that stand, repeat, get lost, are reset at the panel."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from core.records import DeviceConfig, GeoPoint, Observation, Quality, Reading
from ingest.normalise import StandingAlarm, cleared_by, normalise_observation, normalise_reading, state_observation
from ingest.outlet import NotDurable

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 7, 1, tzinfo=UTC)
DEVICE = DeviceConfig(
    device_id="mqtt:g1",
    source="mqtt",
    address="g1",
    status="accepted",
    site_id="s1",
    location=GeoPoint(lon=125.4, lat=43.9),
    calibration={"level_m": {"scale": 2.0, "offset": -1.0}},
    ranges={"level_m": (0.0, 3.0)},
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def reading(value: Any, quality: Quality = Quality.GOOD) -> Reading:
    return Reading(
        reading_id="r", source="mqtt", device_id="mqtt:g1", quantity="level_m", value=value,
        observed_at=NOW, received_at=NOW, quality=quality, channel="1/1/40/1-2",
    )  # fmt: skip


def observation(kind: str, state: str, channel: str = "1/1/40/1-2", **attributes: Any) -> Observation:
    return Observation(
        observation_id=f"{kind}{state}{channel}", kind=kind, state=state, source_type="device", source_id="gb26875:1",
        observed_at=NOW, received_at=NOW, attributes={"channel": channel, **attributes},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("value", "quality", "expected"),
    [
        (1.0, Quality.GOOD, (1.0, Quality.GOOD)),
        (2.5, Quality.GOOD, (4.0, Quality.OUT_OF_RANGE)),
        (2.5, Quality.MAINTENANCE, (4.0, Quality.MAINTENANCE)),
        ("text", Quality.GOOD, ("text", Quality.GOOD)),
        (None, Quality.MISSING, (None, Quality.MISSING)),
    ],
)
def test_calibration_then_range(value: Any, quality: Quality, expected: tuple[Any, Quality]) -> None:
    got = normalise_reading(reading(value, quality), DEVICE)
    assert ((got.value, got.quality), got.site_id, got.attributes) == (expected, "s1", {})


def test_strangers_are_flagged_but_another_platforms_events_are_not() -> None:
    assert normalise_reading(reading(1.0), None).attributes == {"quarantine": True}
    assert normalise_observation(observation("fire_alarm", "open"), None).attributes["quarantine"] is True
    import msgspec

    event = msgspec.structs.replace(observation("crowding", "open"), source_type="platform")
    assert "quarantine" not in normalise_observation(event, None).attributes
    assert normalise_observation(observation("fire_alarm", "open"), DEVICE).location == DEVICE.location


def test_a_truth_value_is_a_state_with_its_component() -> None:
    opened, closed = state_observation(reading(True)), state_observation(reading(False))
    assert [(o.kind, o.state, o.zone) for o in (opened, closed)] == [
        ("level_m", "open", "1/1/40/1-2"), ("level_m", "clear", "1/1/40/1-2"),
    ]  # fmt: skip


async def told(standing: StandingAlarm, seen: Observation, error: Exception | None = None) -> bool:
    """Whether ``seen`` is news; if so it is announced, with success unless ``error``."""
    if standing.repeats(seen) is not None:
        return False
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    standing.announce(seen, future)
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
    await asyncio.sleep(0)
    return True


async def test_an_alarm_is_told_once_until_it_changes_or_was_lost() -> None:
    standing = StandingAlarm()
    fire, clear = observation("fire_alarm", "open"), observation("fire_alarm", "clear")
    assert [await told(standing, o) for o in (fire, fire, clear, clear, fire)] == [True, False, True, False, True]
    assert await told(standing, observation("fire_alarm", "open", channel="1/1/40/1-3"))
    assert standing.open_of("gb26875:1") == ["fire_alarm:1/1/40/1-2", "fire_alarm:1/1/40/1-3"]
    fault = observation("device_fault", "open")
    assert await told(standing, fault, NotDurable(subject="x", detail="full"))
    assert await told(standing, fault)
    assert not await told(standing, fault)


async def test_a_reset_clears_what_stood_even_before_a_restart_but_never_hides_an_alarm() -> None:
    standing = StandingAlarm()
    names = ("fire_alarm:1/1/40/1-2", "device_fault:1/1/40/1-2", "fire_alarm:2/1/40/1-1")
    standing.hint("gb26875:1", dict.fromkeys(names, ("open", NOW)))
    assert await told(standing, observation("fire_alarm", "open"))  # a hint holds no alarm back
    reset = observation("panel_operation", "measure", channel="1/1", operations=["reset"])
    assert [(o.kind, o.state, o.attributes["channel"]) for o in cleared_by(reset, standing)] == [
        ("fire_alarm", "clear", "1/1/40/1-2")
    ]
    whole = observation("panel_operation", "measure", channel="", operations=["alarm_cleared"])
    cleared = cleared_by(whole, standing)
    assert {o.attributes["channel"] for o in cleared} == {"1/1/40/1-2", "2/1/40/1-1"}
    for o in cleared:
        await told(standing, o)
    assert cleared_by(whole, standing) == []
    assert cleared_by(observation("panel_operation", "measure", operations=["mute"]), standing) == []
