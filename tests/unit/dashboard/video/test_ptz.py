"""Turning cameras: by right, one person at a time, with an entry of the audit chain, never for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from core.clock import ManualClock
from core.settings import Settings
from dashboard.videowall import control, ptz
from dashboard.videowall.ptz import CameraMovedByOther, CameraNotMovable, OnvifMover, Steering, WvpMover, mover_of
from ingest.gateways.contract import GatewayUnreachable, Move
from ingest.gateways.onvif_ptz import Preset
from storage.session import read_scope, session_scope
from storage.tables.cases import AuditEntry
from storage.tables.registry import Camera
from tests.unit.dashboard.web import Office, make_office

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


class FakeMover:
    def __init__(self) -> None:
        self.did: list[str] = []
        self.closed = 0
        self.fails = 0

    async def begin(self, way: Move, speed: float) -> None:
        if way == "stop" and self.fails:
            self.fails -= 1
            raise GatewayUnreachable(url="x", detail="cut")
        self.did.append(f"{way} {speed:g}")

    async def presets(self) -> list[Preset]:
        return [Preset("p1", "大门")]

    async def go_to(self, preset: str) -> None:
        self.did.append(f"to {preset}")

    async def close(self) -> None:
        self.closed += 1


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    office = make_office(settings)
    yield office
    office.engine.dispose()


def test_moves_by_right_and_every_one_is_in_the_chain(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    mover = FakeMover()
    monkeypatch.setattr(control, "mover_of", lambda *_: mover)
    operator = office.client("operator")
    assert operator.post("/api/cameras/c-fire/ptz", json={"move": "left", "speed": 0.5}).json() == {"ok": True}
    assert operator.post("/api/cameras/c-fire/ptz", json={"move": "stop"}).is_success
    assert operator.get("/api/cameras/c-fire/presets").json() == {"items": [{"preset": "p1", "name": "大门"}]}
    assert operator.post("/api/cameras/c-fire/presets/p1").is_success
    assert mover.did == ["left 0.5", "stop 0.4", "to p1"]
    for wrong in ({"move": "sideways"}, {"move": "left", "speed": 0}, {"move": "left", "speed": 9}, {}):
        assert operator.post("/api/cameras/c-fire/ptz", json=wrong).status_code in (400, 422)
    assert operator.post("/api/cameras/none/ptz", json={"move": "left"}).status_code == 404
    assert office.client("fireman").post("/api/cameras/c-fire/ptz", json={"move": "left"}).status_code == 403
    with read_scope(office.engine) as session:
        notes = list(session.scalars(select(AuditEntry.body).where(AuditEntry.action == "camera_move")))
    assert notes == [{"camera_id": "c-fire", "move": "left", "speed": 0.5}, {"camera_id": "c-fire", "preset": "p1"}]
    taken = office.client("boss").post("/api/cameras/c-fire/ptz", json={"move": "right"})
    assert taken.status_code == 409 and taken.json()["error"] == "camera_moved_by_other"


def test_a_camera_that_cannot_be_moved_says_so(office: Office) -> None:
    answer = office.client("operator").post("/api/cameras/c-fire/ptz", json={"move": "left"})
    assert answer.status_code == 409 and answer.json()["error"] == "camera_not_movable"
    assert office.client("operator").get("/api/cameras/c-fire").json()["movable"] is False
    with session_scope(office.engine) as session:
        session.get_one(Camera, "c-fire").attributes = {"ptz": True}
    assert office.client("operator").get("/api/cameras/c-fire").json()["movable"] is True


def test_which_way_a_camera_is_moved(settings: Settings) -> None:
    clock = ManualClock(NOW)
    camera = Camera(camera_id="c", name="c", category="road", attributes={"ptz": True, "gateway_id": "D1/C1"})
    over_wvp = settings.with_(wvp_url="http://10.0.0.5:18080")
    assert isinstance(mover_of(over_wvp, clock, camera, ""), WvpMover)
    assert isinstance(mover_of(settings, clock, camera, "rtsp://u:p@10.0.0.8/main"), OnvifMover)
    with pytest.raises(CameraNotMovable):
        mover_of(settings, clock, camera, "/films/a.mp4")
    camera.attributes = {"onvif": "http://169.254.169.254/latest"}
    with pytest.raises(Exception, match="YIWANG_CAMERA_NETWORKS"):
        mover_of(settings, clock, camera, "rtsp://10.0.0.8/main")


def test_a_movement_ends_by_itself_also_over_a_bad_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ptz, "LONGEST_S", 0.01)

    async def scene() -> None:
        mover, clock = FakeMover(), ManualClock(NOW)
        mover.fails = 1
        held = Steering(clock)
        waits = []
        real = asyncio.sleep

        async def soon(seconds: float) -> None:
            waits.append(seconds)
            await real(0)

        monkeypatch.setattr("dashboard.videowall.ptz.asyncio.sleep", soon)
        await held.begin("c", ("u1", "张三"), mover, "left", 0.3)
        ending = held.held["c"].ending
        assert ending is not None
        await ending
        assert mover.did == ["left 0.3", "stop 0"] and waits == [0.01, 1.0]

    asyncio.run(scene())


def test_one_person_at_a_time_and_the_next_when_he_is_done() -> None:
    async def scene() -> None:
        clock, held = ManualClock(NOW), Steering(ManualClock(NOW))
        held.clock = clock
        one, two, three = FakeMover(), FakeMover(), FakeMover()
        await held.begin("c", ("u1", "张三"), one, "stop", 0.3)
        with pytest.raises(CameraMovedByOther, match="张三"):
            await held.begin("c", ("u2", "李四"), two, "left", 0.3)
        assert two.closed == 1 and two.did == []
        clock.set(NOW + timedelta(seconds=ptz.HELD_S + 1))
        await held.begin("c", ("u2", "李四"), three, "stop", 0.3)
        assert one.closed == 1 and three.did == ["stop 0.3"] and list(held.held) == ["c"]

    asyncio.run(scene())
