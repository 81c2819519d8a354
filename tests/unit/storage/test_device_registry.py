"""The device registry: lists, acceptance, health history, command log, import with a dry run."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import Engine

from core.errors import InputInvalid, NotFound
from core.records import DeviceCommand, DeviceCommandResult, Observation
from storage import devices
from storage.device_import import import_devices, read_table
from storage.session import read_scope, session_scope
from storage.tables.registry import Device, Site

NOW = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture
def city(engine: Engine) -> Engine:
    with session_scope(engine) as session:
        session.add(Site(site_id="fire-01", name="百货大楼", kind="key_fire", lon=125.37, lat=43.86))
    with session_scope(engine) as session:
        session.add(Device(device_id="gb26875:889", source="gb26875", address="889", name="主机", site_id="fire-01"))
        session.add(Device(device_id="mqtt:g1", source="mqtt", address="g1", status="accepted"))
    return engine


def health(device_id: str, state: str, minutes: int) -> Observation:
    at = NOW + timedelta(minutes=minutes)
    return Observation(
        observation_id=f"{device_id}{minutes}",
        kind="device_health",
        state="open",
        source_type="device",
        source_id=device_id,
        observed_at=at,
        received_at=at,
        attributes={"state": state, "reason": f"because {state}"},
    )


def test_list_filters_and_newest_health(city: Engine) -> None:
    with session_scope(city) as session:
        written = [health("mqtt:g1", "silent", 0), health("mqtt:g1", "online", 5), health("gb26875:889", "silent", 1)]
        devices.record_health(session, written)
        devices.record_health(session, written)
    with read_scope(city) as session:
        assert [d.device.device_id for d in devices.list_devices(session)] == ["gb26875:889", "mqtt:g1"]
        assert [d.device.device_id for d in devices.list_devices(session, health="silent")] == ["gb26875:889"]
        assert [d.site_name for d in devices.list_devices(session, query="百货")] == ["百货大楼"]
        assert [d.device.device_id for d in devices.list_devices(session, after="gb26875:889")] == ["mqtt:g1"]
        assert devices.show_device(session, "mqtt:g1").health == "online"
        assert [s.state for s in devices.health_history(session, "mqtt:g1")] == ["online", "silent"]


def test_acceptance_is_recorded_and_raises_the_revision_once(city: Engine) -> None:
    for _ in range(2):
        with session_scope(city) as session:
            device = devices.set_status(session, "gb26875:889", "accepted", "u1", NOW)
    assert (device.status, device.revision) == ("accepted", 2)
    with read_scope(city) as session:
        assert devices.show_device(session, "gb26875:889").accepted_by == "u1"
    with pytest.raises(NotFound), session_scope(city) as session:
        devices.set_status(session, "mqtt:nobody", "accepted", "u1", NOW)


def test_commands_are_logged_with_their_result(city: Engine) -> None:
    command = DeviceCommand(
        command_id="c1", device_id="gb26875:889", name="duty_check", requested_by="u1", requested_at=NOW
    )
    with session_scope(city) as session:
        devices.log_command(session, command)
    with session_scope(city) as session:
        result = DeviceCommandResult(command_id="c1", ok=False, detail="not connected", finished_at=NOW)
        devices.finish_command(session, result)
    with read_scope(city) as session:
        entry = devices.commands_of(session, "gb26875:889")[0]
    assert (entry.ok, entry.detail, entry.requested_by) == (False, "not connected", "u1")


def table(kind: str, tmp_path: Path) -> Path:
    header = ["设备编号", "name", "site_id", "lon", "lat", "coord_sys", "ranges", "颜色"]
    spans = '{"water_level_m": [0, 3]}'
    rows = [
        ["mqtt:new-1", "积水", "fire-01", 125.40665902986822, 43.882517783234384, "gcj02", spans, ""],
        ["mqtt:new-1", "again", "", "", "", "", "", ""],
        ["mqtt:g1", "水位计", "nowhere", "", "", "", "", ""],
        ["", "no id", "", "", "", "", "", ""],
        ["mqtt:new-2", "half a place", "", 125.4, "", "", "", ""],
        ["mqtt:new-3", "bad range", "", "", "", "", '{"x": [3, 1]}', ""],
        ["gb26875:889", "主机二", "", "", "", "", "", ""],
    ]  # fmt: skip
    path = tmp_path / f"devices.{kind}"
    if kind == "xlsx":
        book = openpyxl.Workbook()
        for row in [header, *rows]:
            book.active.append([None if c == "" else c for c in row])
        buffer = io.BytesIO()
        book.save(buffer)
        path.write_bytes(buffer.getvalue())
    else:
        import csv

        with path.open("w", encoding="gb18030", newline="") as file:
            csv.writer(file).writerows([header, *rows])
    return path


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_dry_run_lists_every_problem_and_changes_nothing(city: Engine, tmp_path: Path, kind: str) -> None:
    rows = read_table(table(kind, tmp_path))
    with session_scope(city) as session:
        trial = import_devices(session, rows, actor_id="u1", now=NOW, dry_run=True)
    with read_scope(city) as session:
        assert len(devices.list_devices(session)) == 2
    assert [(row, column) for row, column, _ in trial.problems] == [
        (1, "颜色"), (3, "device_id"), (4, "site_id"), (5, "device_id"), (6, "lon"), (7, "ranges"),
    ]  # fmt: skip
    with session_scope(city) as session:
        real = import_devices(session, rows, actor_id="u1", now=NOW, dry_run=False)
    assert (real.new, real.changed) == (trial.new, trial.changed) == (["mqtt:new-1"], ["gb26875:889"])
    with read_scope(city) as session:
        new = devices.show_device(session, "mqtt:new-1").device
    assert new.status == "quarantine"
    assert new.location is not None
    assert (new.location.lon, new.location.lat) == (pytest.approx(125.4), pytest.approx(43.88))
    assert new.ranges == {"water_level_m": (0, 3)}


def test_geopackage_points_come_in_wgs84(city: Engine, tmp_path: Path) -> None:
    geopandas = pytest.importorskip("geopandas")
    frame = geopandas.GeoDataFrame(
        {"device_id": ["mqtt:n1"], "name": ["n"]},
        geometry=geopandas.points_from_xy([451779.36], [4860664.05]),
        crs="EPSG:4551",
    )
    frame.to_file(tmp_path / "d.gpkg", driver="GPKG")
    with session_scope(city) as session:
        rows = read_table(tmp_path / "d.gpkg")
        assert import_devices(session, rows, actor_id="u", now=NOW, dry_run=False).new == ["mqtt:n1"]
    with read_scope(city) as session:
        place = devices.show_device(session, "mqtt:n1").device.location
    assert place is not None
    assert (place.lon, place.lat) == (pytest.approx(125.4, abs=1e-6), pytest.approx(43.88, abs=1e-6))


@pytest.mark.parametrize("name", ["devices.xlsx", "devices.gpkg", "devices.txt"])
def test_what_is_no_table_is_a_typed_error(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x00garbage")
    with pytest.raises(InputInvalid):
        read_table(tmp_path / name)
