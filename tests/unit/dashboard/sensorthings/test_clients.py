"""The clients that people use: frost-sta-client creates and reads, QGIS' and GDAL's query forms are answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import frost_sta_client as fsc
import pytest
import uvicorn
from frost_sta_client.model.ext.unitofmeasurement import UnitOfMeasurement
from requests.exceptions import HTTPError

from tests.unit.dashboard.sensorthings.kit import ROOT, STREAM, StoringBus, key
from tests.unit.dashboard.web import Office

POINT = {"type": "Point", "coordinates": [125.41, 43.87]}
MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"


@pytest.fixture
def service(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[fsc.SensorThingsService]:
    monkeypatch.setattr(office.app.state.services.hub, "bus", StoringBus(office.engine))
    server = uvicorn.Server(uvicorn.Config(office.app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    password = key(office, "sensorthings_write")["X-API-Key"]
    who = fsc.AuthHandler(username="partner", password=password)
    try:
        yield fsc.SensorThingsService(f"http://127.0.0.1:{port}{ROOT}", auth_handler=who)
    finally:
        server.should_exit = True
        thread.join(20)


def test_frost_sta_client(service: fsc.SensorThingsService) -> None:
    place = fsc.Location(name="桥下", description="最低点", encoding_type="application/geo+json", location=POINT)
    thing = fsc.Thing(name="积水点", description="下穿", locations=[place], properties={"pole": 7})
    service.create(thing)
    found = service.things().find(thing.id)
    assert (found.name, found.properties) == ("积水点", {"pole": 7})
    places = found.get_locations().query().list().entities
    assert [p.location["coordinates"] for p in places] == [POINT["coordinates"]]
    stream = fsc.Datastream(
        name="depth", description="of water", observation_type=MEASUREMENT, unit_of_measurement=UnitOfMeasurement(
            name="metre", symbol="m", definition="ucum:m"),
        thing=thing, sensor=fsc.Sensor(name="radar", description="26 GHz", encoding_type="application/pdf",
                                       metadata="https://example.org/radar.pdf"),
        observed_property=fsc.ObservedProperty(name="Depth", definition="https://example.org/d", description="-"),
    )  # fmt: skip
    service.create(stream)
    again = service.datastreams().find(stream.id)
    assert again.name == "depth" and again.unit_of_measurement.symbol == "m"
    for k in range(5):
        at = datetime(2024, 7, 22, 1, k, tzinfo=UTC)
        value = fsc.Observation(result=k / 10, phenomenon_time=at, datastream=fsc.Datastream(id=stream.id))
        service.create(value)
        assert service.observations().find(value.id).result == k / 10
    pages = again.get_observations().query().filter("result gt 0.05").orderby("phenomenonTime", "ASC").top(2).list()
    assert [o.result for o in pages] == [0.1, 0.2, 0.3, 0.4], "page by page over absolute links"
    counted = service.things().query().count().expand("Datastreams").filter(f"id eq '{thing.id}'").list()
    assert counted.count == 1 and counted.entities[0].datastreams.entities[0].id == stream.id
    assert service.datastreams().find(STREAM).name.startswith("pressure_mpa")
    assert {p.name for p in service.observed_properties().query().select("name").list()} == {"Depth", "pressure_mpa"}
    with pytest.raises(HTTPError) as refused:
        service.create(fsc.Datastream(name="x", description="y"))
    assert refused.value.response.status_code == 400 and "is missing" in refused.value.response.text


KINDS = {
    "Things": "", "Locations": "location", "HistoricalLocations": "", "Datastreams": "observedArea", "Sensors": "",
    "ObservedProperties": "", "Observations": "", "FeaturesOfInterest": "feature",
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_qgis_and_gdal_query_forms(office: Office, kind: str) -> None:
    """What QGIS 3.36+ sends of a layer of each entity type: extent, counts, pages by @iot.nextLink, nested expands."""
    client = office.client("boss")
    path = f"{ROOT}/{kind}"
    total = client.get(path, params={"$top": "0", "$count": "true"}).json()
    assert total["value"] == []
    seen: list[str] = []
    url, params = path, {"$top": "1", "$count": "false", "$orderby": "id"}
    for _ in range(20):
        page = client.get(url, params=params).json()
        seen += [e["@iot.id"] for e in page["value"]]
        if "@iot.nextLink" not in page:
            break
        url, params = page["@iot.nextLink"], None  # type: ignore[assignment]
    assert len(seen) == len(set(seen)) == total["@iot.count"]
    shape = KINDS[kind]
    if shape:
        box = f"geo.intersects({shape}, geography'POLYGON ((125 43, 126 43, 126 44, 125 44, 125 43))')"
        point = f"({shape}/type eq 'Point' or {shape}/geometry/type eq 'Point')"
        found = client.get(path, params={"$filter": f"({point}) and ({box})", "$count": "true"})
        assert found.status_code == 200 and found.json()["@iot.count"] == total["@iot.count"]
    links = [n.partition("@")[0] for n in page["value"][0] if n.endswith("@iot.navigationLink")] if seen else []
    for name in links:
        found = client.get(path, params={"$top": "2", "$expand": f"{name}($orderby=id;$top=1)"})
        assert found.status_code == 200 and all(name in e for e in found.json()["value"]), name
