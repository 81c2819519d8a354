"""Survey-grade products by a node that speaks NodeODM over a socket: sent, followed, taken up, cancelled, refused."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import rasterio

from core.settings import Settings
from dashboard.drones.surveying import SurveyRun
from dashboard.drones.surveys import keep, product_file, survey, waiting
from ingest.drones.photogrammetry import (
    ORTHOPHOTO,
    NodeAddressWrong,
    NodeRefused,
    NodeSilent,
    PhotogrammetryNode,
)
from layers.catalogue.record import layer
from storage.drones import DroneStore
from tests.conftest import free_port
from tests.unit.dashboard.drones.nodes import SimulatedNode, node
from tests.unit.dashboard.drones.test_drone_files import send
from tests.unit.dashboard.web import Office, make_office
from tests.unit.ingest.drones.cards import DJI, LAT, LON, photo, xmp
from tests.unit.layers.rasters.test_change import ground, written


def orthophoto(folder: Path) -> bytes:
    """A georeferenced colour picture as a node makes it."""
    path = folder / "made.tif"
    written(path, ground())
    return path.read_bytes()


def office_of(settings: Settings, url: str, token: str = "") -> tuple[Office, str]:
    """An office with a flight of three photos whose node is at ``url``."""
    office = make_office(settings.with_(nodeodm_url=url, nodeodm_token=token))
    client = office.client("operator")
    for number in range(3):
        there = {"GpsLatitude": str(LAT + number * 2e-4), "GpsLongitude": str(LON)}
        assert send(client, photo(xmp(DJI | there)), f"DJI_000{number}.JPG").status_code == 201
    return office, DroneStore(office.engine).flights()[0].flight_id


def run(office: Office, flight_id: str) -> Any:
    use = office.app.state.services
    return SurveyRun(use.settings, DroneStore(office.engine), use.media, flight_id, poll_s=0.01).run()


def test_a_survey_is_sent_followed_and_taken_up(settings: Settings, tmp_path: Path) -> None:
    product = {f"deep/{ORTHOPHOTO}": orthophoto(tmp_path), "../../evil.txt": b"x"}
    with node(token="t0", product=product, drops=1) as there:
        office, flight = office_of(settings, there.url, "t0")
        client, path = office.client("operator"), f"/api/drone/flights/{flight}/survey"
        assert client.get(path).status_code == 404 and office.client("fireman").post(path).status_code == 403
        assert client.post(path).json()["state"] == "asked"
        assert client.post(path).json()["error"] == "survey_running"
        use = office.app.state.services
        assert waiting(use.settings) == [flight]
        done = run(office, flight)
        assert (done.state, done.problem, done.engine) == ("done", "", "odx 3.6.1")
        (sent,) = there.photos.values()
        assert sorted(sent) == ["DJI_0000.JPG", "DJI_0001.JPG", "DJI_0002.JPG"]
        assert {o["name"] for o in there.options} <= {"orthophoto-resolution", "dsm", "cog"}
        assert there.asked[-1] == "POST /task/remove"
    with rasterio.open(product_file(use.settings, flight)) as picture:
        assert picture.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
    record = layer(use.settings, f"survey-{flight}")
    assert record.kind == "orthophoto" and record.date == "2026-11-27" and "drone" in record.roles
    told = client.get(f"/api/drone/flights/{flight}").json()
    assert told["survey"]["date"] == "2026-11-27" and told["survey_state"]["state"] == "done"
    part = client.get(told["survey"]["download"], headers={"Range": "bytes=0-3"})
    assert part.status_code == 206 and part.content[:2] == b"II"
    assert office.client("fireman").get(told["survey"]["download"]).status_code == 403
    assert waiting(use.settings) == [] and run(office, flight) is None
    assert not list(tmp_path.rglob("evil.txt"))


def test_a_survey_is_cancelled_on_the_node(settings: Settings) -> None:
    with node(holds=True) as there:
        office, flight = office_of(settings, there.url)
        client, path = office.client("operator"), f"/api/drone/flights/{flight}/survey"
        client.post(path)
        ended: list[Any] = []
        thread = threading.Thread(target=lambda: ended.append(run(office, flight)))
        thread.start()
        wait = threading.Event()
        while not there.polls:
            wait.wait(0.01)
        assert client.delete(path).status_code == 200
        thread.join(60)
        assert ended[0].state == "cancelled" and list(there.states.values()) == [50]
        assert client.post(path).status_code == 201, "it may be asked for again"


def test_a_survey_that_was_running_goes_on_after_a_restart(settings: Settings, tmp_path: Path) -> None:
    with node(product={ORTHOPHOTO: orthophoto(tmp_path)}) as there:
        office, flight = office_of(settings, there.url)
        office.client("operator").post(f"/api/drone/flights/{flight}/survey")
        use = office.app.state.services
        there.states["u1"] = 20
        import msgspec

        before = survey(use.settings, flight)
        assert before is not None
        keep(use.settings, msgspec.structs.replace(before, state="running", task="u1", engine="odm 3"))
        assert run(office, flight).state == "done" and there.photos == {}


@pytest.mark.parametrize(
    ("made", "problem", "said"),
    [
        ({"fails": "Not enough images"}, "photogrammetry_result", "Not enough images"),
        ({"error": "queue is full"}, "photogrammetry_refused", "queue is full"),
        ({"product": {"other.txt": b"x"}}, "photogrammetry_result", "holds no"),
        ({"product": {ORTHOPHOTO: bytes(4_000_000)}}, "photogrammetry_result", "unfold too far"),
        ({"product": {ORTHOPHOTO: b"no picture"}}, "photogrammetry_result", "cannot be read"),
        ({"product": {ORTHOPHOTO: b"x"}, "broken": True}, "photogrammetry_result", "damaged"),
        ({"token": "other"}, "photogrammetry_refused", "Unauthorized"),
    ],
)
def test_failures_are_told(settings: Settings, made: dict[str, Any], problem: str, said: str) -> None:
    with node(**made) as there:
        office, flight = office_of(settings, there.url)
        office.client("operator").post(f"/api/drone/flights/{flight}/survey")
        state = run(office, flight)
        assert (state.state, state.problem) == ("failed", problem) and said in state.message
        assert office.client("operator").get(f"/api/drone/flights/{flight}/survey").json()["problem"] == problem


def test_a_node_that_is_away_and_addresses_that_are_none(settings: Settings) -> None:
    with pytest.raises(NodeSilent):
        PhotogrammetryNode(f"http://127.0.0.1:{free_port()}").engine()
    for wrong in ("", "host:3000", "ftp://host", "https://host:8443", "http://user:word@host", "http://h/?token=t"):
        with pytest.raises(NodeAddressWrong):
            PhotogrammetryNode(wrong)
    office, flight = office_of(settings, "")
    answer = office.client("operator").post(f"/api/drone/flights/{flight}/survey")
    assert answer.status_code == 400 and answer.json()["error"] == "photogrammetry_none"
    assert office.client("operator").post("/api/drone/flights/none/survey").status_code == 404


def test_a_token_stays_with_its_node() -> None:
    with node(token="secret") as one, node() as two:
        PhotogrammetryNode(one.url, "secret").engine()
        seen: list[Any] = []
        two.answer = lambda *given: (seen.append(given[2]), SimulatedNode.answer(two, *given))[1]  # type: ignore[method-assign]
        PhotogrammetryNode(two.url).engine()
        assert seen == [{}]


def test_what_is_no_node_is_told() -> None:
    with node() as there:
        there.answer = lambda *given: (200, b"<html>")  # type: ignore[method-assign]
        with pytest.raises(NodeRefused):
            PhotogrammetryNode(there.url).engine()
