"""OGC SensorThings out: what another department's client sees, and what it must not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from core.clock import ManualClock
from core.records import Quality, Reading
from core.settings import Settings
from storage.readings import store_readings
from storage.session import session_scope
from tests.unit.dashboard.web import Office, make_office

NOW = datetime(2024, 7, 22, 2, 30, 0, tzinfo=UTC)
ROOT = "/api/sensorthings/v1.1"
STREAM = "gb26875:889|pressure_mpa|11~1~91~1-1"


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    office = make_office(settings, ManualClock(NOW))
    with session_scope(office.engine) as session:
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


def test_from_thing_to_observation(office: Office) -> None:
    client = office.client("boss")
    things = client.get(f"{ROOT}/Things?$count=true").json()
    assert things["@iot.count"] == 2 and things["value"][0]["@iot.id"] == "gb26875:889"
    streams = client.get(things["value"][0]["Datastreams@iot.navigationLink"]).json()["value"]
    assert [s["@iot.id"] for s in streams] == [STREAM]
    assert streams[0]["unitOfMeasurement"]["symbol"] == "MPa"
    assert client.get(streams[0]["@iot.selfLink"]).json()["@iot.id"] == STREAM
    found = client.get(streams[0]["Observations@iot.navigationLink"]).json()["value"]
    assert [round(o["result"], 2) for o in found] == [0.3, 0.31, 0.32, 0.34], "the newest first, only good ones"
    assert found[0]["phenomenonTime"] == "2024-07-22T02:30:00Z"


def test_pages_order_and_filter(office: Office) -> None:
    client = office.client("boss")
    path = f"{ROOT}/Datastreams('{STREAM}')/Observations"
    page = client.get(f"{path}?$top=3&$orderby=phenomenonTime asc").json()
    assert [round(o["result"], 2) for o in page["value"]] == [0.34, 0.32, 0.31]
    rest = client.get(page["@iot.nextLink"]).json()
    assert [round(o["result"], 2) for o in rest["value"]] == [0.3] and "@iot.nextLink" not in rest
    wanted = "phenomenonTime ge 2024-07-22T02:28:00Z and phenomenonTime lt 2024-07-22T02:30:00Z"
    found = client.get(path, params={"$filter": wanted}).json()["value"]
    assert [round(o["result"], 2) for o in found] == [0.31, 0.32]


@pytest.mark.parametrize(
    "query", ["$expand=Things", "$top=0", "$orderby=result", "$filter=result gt 3", "$filter=phenomenonTime ge never"]
)
def test_what_is_not_understood_is_said(office: Office, query: str) -> None:
    answer = office.client("boss").get(f"{ROOT}/Datastreams('{STREAM}')/Observations?{query}")
    assert answer.status_code in (400, 422) and answer.json()["error"] == "input_invalid"


def test_another_departments_device_is_not_there(office: Office) -> None:
    client = office.client("drainer")
    assert client.get(f"{ROOT}/Things").json()["value"] == []
    for path in ("Things('gb26875:889')", f"Datastreams('{STREAM}')", f"Datastreams('{STREAM}')/Observations"):
        assert client.get(f"{ROOT}/{path}").status_code == 404
    assert office.client("boss").get(f"{ROOT}/Datastreams('gb26875:889|x|')").status_code == 404
    assert office.client("boss").get(f"{ROOT}/Datastreams('nonsense')").status_code == 404
