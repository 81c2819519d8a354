"""A controller over the server's own port: it enters by HTTP and hears of other aircraft on its WebSocket (TSA)."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from core.settings import Settings
from tests.integration.dashboard.test_sockets import Guarded
from tests.unit.dashboard.web import make_office

LON, LAT = 125.3712, 43.8708


def said(socket: Any) -> dict[str, Any]:
    return dict(json.loads(socket.recv(timeout=60)))


@pytest.mark.long
def test_a_controller_hears_who_comes_flies_and_goes(settings: Settings) -> None:
    office = make_office(settings)
    server = Guarded(office)
    address = f"ws://127.0.0.1:{server.port}/manage/api/v1/ws?x-auth-token="
    aircraft = office.app.state.services.hub.aircraft
    try:
        boss, pilot = server.client("boss"), server.client("operator")
        with closing(boss), closing(pilot):
            assert boss.post("/api/drone/controllers", json={"sn": "RC0001"}).status_code == 201
            entered = pilot.post("/api/drone/pilot/enter", json={"sn": "RC0001"})
            assert entered.status_code == 200, entered.text
            head = {"X-Auth-Token": entered.json()["token"]}
            listed = pilot.get("/manage/api/v1/workspaces/w/devices/topologies", headers=head)
            assert listed.json()["code"] == 0
        with connect(address + entered.json()["token"], proxy=None) as socket:
            aircraft["UAV1"] = {"sn": "UAV1", "lon": LON, "lat": LAT, "heading": 199.7, "height_m": 61.2}
            assert [said(socket)["biz_code"] for _ in range(2)] == ["device_online", "device_update_topo"]
            seen = said(socket)
            assert (seen["biz_code"], seen["data"]["host"]["longitude"]) == ("device_osd", LON)
            aircraft.pop("UAV1")
            assert said(socket)["biz_code"] == "device_offline"
        with connect(address + "nonsense", proxy=None) as socket:
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(timeout=60)
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 4401
    finally:
        aircraft.clear()
        server.stop()
        office.engine.dispose()
