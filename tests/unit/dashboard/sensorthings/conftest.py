"""An office whose devices reported."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from core.clock import ManualClock
from core.records import Quality, Reading
from core.settings import Settings
from storage.readings import store_readings
from storage.session import session_scope
from storage.tables.registry import Device
from tests.unit.dashboard.sensorthings.kit import NOW
from tests.unit.dashboard.web import Office, make_office


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    office = make_office(settings, ManualClock(NOW))
    with session_scope(office.engine) as session:
        device = session.get_one(Device, "gb26875:889")
        device.lon, device.lat = 125.4, 43.88
        store_readings(
            session,
            [
                Reading(
                    reading_id=f"r{n}",
                    source="gb26875",
                    device_id="gb26875:889",
                    quantity="pressure_mpa",
                    channel="11/1/91/1-1",
                    unit="MPa",
                    value=0.3 + n / 100,
                    observed_at=NOW - timedelta(minutes=n),
                    received_at=NOW,
                    quality=Quality.GOOD if n != 3 else Quality.MAINTENANCE,
                )
                for n in range(5)
            ],
        )
    yield office
    office.engine.dispose()
