"""Findings of drones: looked for apart, placed, the same thing once, told by the rules, judged by people, exported."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from core.clock import ManualClock
from core.media import MediaStore
from core.records import ModelRef, Observation
from core.settings import Settings
from dashboard.drones.looking import FlightLook
from dashboard.drones.reporting import due, observation
from dashboard.drones.work import AerialWork
from events.rules.findings import Context, DictMemory
from events.rules.rulebook import default_rulebook
from storage.aerial import AerialStore, FindingView
from storage.drones import DroneStore
from tests.unit.dashboard.drones.test_drone_files import send
from tests.unit.dashboard.web import Office, make_office
from tests.unit.ingest.drones.cards import DJI, LAT, LON, photo, xmp
from vision.aerial.sights import AerialEyes, AerialSight
from vision.evaluate.dataset import read_set

NOW = datetime(2026, 11, 28, 2, 0, tzinfo=UTC)
MODEL = ModelRef(name="made-up", sha256="1" * 64)


class Says(AerialEyes):
    """Says the same of every picture; a name of ``boom`` breaks."""

    def __init__(self, *sights: tuple[str, float]) -> None:
        super().__init__()
        self.sights, self.asked = sights, list[float | None]()

    def look(self, image: Any, metres_per_pixel: float | None, pitch: float | None) -> list[AerialSight]:
        self.asked.append(metres_per_pixel)
        if self.sights and self.sights[0][0] == "boom":
            raise RuntimeError("the run-time broke")
        height, width = image.height, image.width
        box = (width * 0.45, height * 0.45, width * 0.55, height * 0.55)
        return [AerialSight(name, box, sure, MODEL) for name, sure in self.sights]


class Heard:
    """A bus that keeps what it was told."""

    def __init__(self) -> None:
        self.said: list[Observation] = []

    async def observe(self, seen: Observation) -> None:
        self.said.append(seen)


@pytest.fixture
def office(settings: Settings) -> Office:
    return make_office(settings)


def looked(office: Office, eyes: AerialEyes, *names: str) -> tuple[AerialStore, list[FindingView], TestClient]:
    """Photos sent as one flight, and looked at."""
    client = office.client("operator")
    for number, name in enumerate(names):
        assert send(client, photo(xmp(DJI), (640 + number, 480)), name).status_code == 201
    store, drones = AerialStore(office.engine), DroneStore(office.engine)
    looker = FlightLook(store, drones, MediaStore(office.settings.media_url), ManualClock(NOW), eyes)
    for flight in drones.flights():
        looker.flight(flight.flight_id)
    return store, store.findings(), client


def test_a_flight_waits_until_its_files_have_arrived_and_is_looked_at_once(office: Office) -> None:
    eyes = Says(("car", 0.8))
    client = office.client("operator")
    send(client, photo(xmp(DJI), (640, 480)), "a.JPG")
    store, drones = AerialStore(office.engine), DroneStore(office.engine)
    flight = drones.flights()[0].flight_id
    long_ago, soon = datetime(2020, 1, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(days=4000)
    assert store.waiting(long_ago) == []
    assert store.waiting(soon) == [flight]
    looker = FlightLook(store, drones, MediaStore(office.settings.media_url), ManualClock(NOW), eyes)
    assert looker.flight(flight) == 1
    assert looker.flight(flight) == 0
    assert store.waiting(soon) == []
    assert len(eyes.asked) == 1 and eyes.asked[0] is not None and 0 < eyes.asked[0] < 1


def test_what_arrives_is_looked_at_before_the_flight_is_whole(office: Office) -> None:
    client = office.client("operator")
    for number, name in enumerate(("a.JPG", "b.JPG", "c.JPG")):
        send(client, photo(xmp(DJI), (640 + number, 480)), name)
    store, drones, eyes = AerialStore(office.engine), DroneStore(office.engine), Says(("fire", 0.5))
    flight = drones.flights()[0].flight_id
    assert (store.arriving(3), store.arriving(4)) == ([flight], [])
    looker = FlightLook(store, drones, MediaStore(office.settings.media_url), ManualClock(NOW), eyes)
    assert looker.early(flight) == 2
    assert store.arriving(1) == [flight], "the newest waits: the flight is not whole"
    moved = {f.finding_id: (1.0, 2.0, 900.0) for f in store.findings()}
    store.put_spots(moved)
    assert looker.early(flight) == 0 and looker.flight(flight) == 1
    found = store.findings()
    assert len(found) == len(eyes.asked) == 3
    assert len({f.thing_id for f in found}) == 1
    assert all(f.lon == pytest.approx(LON, abs=0.01) for f in found), "the whole flight places them anew"


def test_findings_have_a_place_on_the_ground_and_are_one_thing_in_two_pictures(office: Office) -> None:
    _, found, client = looked(office, Says(("car", 0.8), ("fire", 0.5)), "a.JPG", "b.JPG")
    assert len(found) == 4
    assert len({f.thing_id for f in found}) == 2
    for finding in found:
        assert finding.lon == pytest.approx(LON, abs=0.01)
        assert finding.lat == pytest.approx(LAT, abs=0.01)
        assert finding.uncertainty_m and finding.uncertainty_m > 0
    shown = client.get("/api/drone/findings", params={"things": "true"}).json()["features"]
    assert [f["properties"]["name"] for f in shown] == ["fire", "car"]
    assert "drone-findings" in [entry["name"] for entry in client.get("/api/layers").json()["items"]]
    assert office.client("fireman").get("/api/drone/findings").status_code == 403
    assert "drone-findings" not in [e["name"] for e in office.client("fireman").get("/api/layers").json()["items"]]


def test_a_broken_look_is_kept_with_its_reason_and_the_next_picture_is_looked_at(office: Office) -> None:
    store, found, _ = looked(office, Says(("boom", 1.0)), "a.JPG", "b.JPG")
    assert found == []
    flight = DroneStore(office.engine).flights()[0].flight_id
    assert [look.problem for look in store.looks(flight).values()] == ["RuntimeError: the run-time broke"] * 2


def finding(name: str, thing: str, file: str = "f1", confidence: float = 0.5, **more: Any) -> FindingView:
    base: dict[str, Any] = {
        "finding_id": f"{name}{thing}{file}", "flight_id": "fl", "file_id": file, "thing_id": thing, "name": name,
        "box": [0.1, 0.1, 0.2, 0.2], "confidence": confidence, "model": "m", "model_sha256": "", "lon": LON, "lat": LAT,
        "uncertainty_m": 3.0, "state": "found", "judged_by": "", "judged_at": None, "reported_at": None,
        "created_at": NOW,
    }  # fmt: skip
    return FindingView(**{**base, **more})


@pytest.mark.parametrize(
    ("findings", "told"),
    [
        ([finding("fire", "t")], False),
        ([finding("fire", "t", confidence=0.9)], True),
        ([finding("fire", "t"), finding("fire", "t", "f2")], True),
        ([finding("fire", "t"), finding("fire", "t", "f2", state="rejected")], False),
        ([finding("fire", "t", lon=None)], False),
        ([finding("fire", "t", state="confirmed", reported_at=NOW)], False),
        ([finding("garbage", "t", confidence=0.99), finding("garbage", "t", "f2", 0.99)], False),
        ([finding("garbage", "t", state="confirmed")], True),
        ([finding("overflow", "t", state="added")], True),
        ([finding("car", "t", state="confirmed", confidence=1.0)], False),
    ],
)
def test_what_is_told(findings: Sequence[FindingView], told: bool) -> None:
    assert bool(due(findings)) is told


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("fire", "flame-smoke"), ("smoke", "flame-smoke"), ("garbage", "rubbish"), ("overflow", "bins-overflow"),
        ("construction_waste", "construction-waste"), ("blocked_lane", "blocked-lane"),
        ("water", "waterlogging-camera"),
    ],
)
def test_the_same_rules_judge_it(office: Office, name: str, rule: str) -> None:
    _, _, _ = looked(office, Says(), "a.JPG")
    file = DroneStore(office.engine).files()[0]
    said = observation([finding(name, "t", confidence=0.9, state="confirmed")], file, "", NOW)
    assert (said.source_type, said.state, said.evidence[0].sha256) == ("drone", "open", file.sha256)
    found = [
        made for one in default_rulebook().rules_for(said.kind)
        if (made := one.evaluate(said, Context(now=NOW, memory=DictMemory()))) is not None
    ]  # fmt: skip
    assert [made.rule.rule_id for made in found] == [rule]


def test_a_confirmed_finding_is_told_once(office: Office) -> None:
    _, found, client = looked(office, Says(("garbage", 0.9), ("fire", 0.5)), "a.JPG")
    heard = Heard()
    work = AerialWork(heard, office.engine, ManualClock(NOW), lambda _flight: ["true"])  # type: ignore[arg-type]
    assert asyncio.run(work.tell()) == 0
    rubbish = next(f for f in found if f.name == "garbage")
    sent = client.post(f"/api/drone/findings/{rubbish.finding_id}/judge", json={"state": "confirmed"})
    assert sent.status_code == 200
    assert sent.json()["judged_by"].startswith("user:")
    assert asyncio.run(work.tell()) == 1
    assert asyncio.run(work.tell()) == 0
    assert [(o.kind, o.attributes["found"]) for o in heard.said] == [("tidiness", "garbage")]


def test_a_look_that_dies_is_tried_again_and_then_left(office: Office) -> None:
    client = office.client("operator")
    send(client, photo(xmp(DJI), (640, 480)), "a.JPG")
    work = AerialWork(Heard(), office.engine, ManualClock(NOW), lambda _flight: ["false"])  # type: ignore[arg-type]
    assert not asyncio.run(work._look("any"))
    work.command = lambda _flight: ["true"]
    assert asyncio.run(work._look("any"))


def test_people_correct_add_and_reject_and_the_set_measures_a_model(office: Office, tmp_path: Path) -> None:
    store, found, client = looked(
        office, Says(("car", 0.8), ("large_vehicle", 0.6), ("cyclist", 0.3)), "a.JPG", "b.JPG"
    )
    first = [f for f in found if f.file_id == found[0].file_id]
    by_name = {f.name: f for f in first}
    judge = "/api/drone/findings/{}/judge"
    box = [0.4, 0.4, 0.5, 0.5]
    for name, said in (
        ("large_vehicle", {"state": "confirmed", "name": "truck", "box": box}), ("cyclist", {"state": "rejected"}),
    ):  # fmt: skip
        assert client.post(judge.format(by_name[name].finding_id), json=said).status_code == 200
    file_id = first[0].file_id
    made = client.post(f"/api/drone/files/{file_id}/findings", json={"name": "bus", "box": [0.9, 0.9, 0.7, 0.8]})
    assert made.status_code == 201
    assert made.json()["box"] == [0.7, 0.8, 0.9, 0.9]
    assert made.json()["lon"] == pytest.approx(LON, abs=0.01)
    assert client.post(f"/api/drone/files/{file_id}/review").status_code == 200
    answer = client.get("/api/drone/evaluation", params={"model": "aerial_vehicles"})
    zipfile.ZipFile(io.BytesIO(answer.content)).extractall(tmp_path)
    data = read_set(tmp_path / "data.yaml")
    assert data.split == "val"
    assert [image.path.stem for image in data.images] == [file_id], "only what somebody has seen whole"
    assert sorted(data.names[int(row[0])] for row in data.images[0].boxes) == ["bus", "car", "truck"]
    truck = next(row for row in data.images[0].boxes if data.names[int(row[0])] == "truck")
    assert np.allclose(truck[1:], [0.45, 0.45, 0.1, 0.1], atol=1e-5)
    assert store.reviewed()[0].reviewed_by.startswith("user:")


NONSENSE: list[tuple[str, Mapping[str, Any]]] = [
    ("findings/{finding}/judge", {"state": "perhaps"}),
    ("findings/{finding}/judge", {"state": "confirmed", "name": "ufo"}),
    ("findings/{finding}/judge", {"state": "confirmed", "box": [0, 0, 2, 1]}),
    ("files/{file}/findings", {"name": "car", "box": [0.5, 0.5, 0.5, 0.9]}),
    ("files/{file}/findings", {"name": "car", "box": [0.5]}),
]


def test_nonsense_is_refused_by_name(office: Office) -> None:
    _, found, client = looked(office, Says(("car", 0.8)), "a.JPG")
    for path, sent in NONSENSE:
        address = "/api/drone/" + path.format(finding=found[0].finding_id, file=found[0].file_id)
        assert client.post(address, json=sent).status_code in (400, 422), sent
    assert client.get("/api/drone/evaluation", params={"model": "nothing"}).status_code == 422
    assert client.post("/api/drone/findings/none/judge", json={"state": "confirmed"}).status_code == 404
    assert client.post("/api/drone/files/none/review").status_code == 404
