"""Cameras as administrators set them: zones, algorithms, calibration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from core import plugins
from core.addresses import check_camera, read_networks
from core.errors import InputInvalid, NotFound
from core.geo.homography import GroundPoint, calibration_of
from core.late import Late
from core.records import AlgorithmConfig, Zone
from dashboard import queries
from dashboard.api.deps import audit, must_be
from dashboard.api.params import fields
from dashboard.auth import Principal
from dashboard.services import Services
from storage.registry import grid_cell_at
from storage.session import read_scope, session_scope
from storage.tables.registry import Camera, Department, Site
from vision.judging.arm_schedule import check_schedule

if TYPE_CHECKING:
    import shapely
else:
    shapely = Late("shapely")

MAX_ZONES = 32
MAX_VERTICES = 64


class Calibration(msgspec.Struct, forbid_unknown_fields=True):
    """Points clicked on picture (shares) and map (degrees); empty takes the calibration away."""

    points: list[GroundPoint]


class CameraEdit(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``PATCH /api/cameras/{id}``: only what shall change."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    enabled: bool | msgspec.UnsetType = msgspec.UNSET
    analysis_fps: float | msgspec.UnsetType = msgspec.UNSET
    priority: int | msgspec.UnsetType = msgspec.UNSET
    risk: float | msgspec.UnsetType = msgspec.UNSET
    url: str | msgspec.UnsetType = msgspec.UNSET
    sub_url: str | msgspec.UnsetType = msgspec.UNSET
    zones: list[Zone] | msgspec.UnsetType = msgspec.UNSET
    algorithms: list[AlgorithmConfig] | msgspec.UnsetType = msgspec.UNSET
    calibration: Calibration | msgspec.UnsetType = msgspec.UNSET
    ptz: bool | msgspec.UnsetType = msgspec.UNSET
    onvif: str | msgspec.UnsetType = msgspec.UNSET
    gateway_id: str | msgspec.UnsetType = msgspec.UNSET
    expected_revision: int | msgspec.UnsetType = msgspec.UNSET


def algorithm_kinds(use: Services) -> list[dict[str, Any]]:
    """Every algorithm: ``{"kind", "title", "params"}``, the parameters as JSON Schema of an object."""
    known: list[dict[str, Any]]
    mark, known = use.counters.get("algorithms") or (None, [])
    if mark != (now := plugins.city_mark()):
        known = [_described(kind) for kind in plugins.usable("algorithm")]
        use.counters["algorithms"] = now, known
    return list(known)


def _described(kind: str) -> dict[str, Any]:
    module = plugins.load("algorithm", kind)
    schema = msgspec.json.schema(module.Params)
    reference = schema.get("$ref", "").rsplit("/", 1)[-1]
    title = (module.__doc__ or kind).strip().split("\n")[0].split(":")[0].rstrip(".")
    return {"kind": kind, "title": title, "params": schema.get("$defs", {}).get(reference, schema)}


class NewCamera(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/cameras``; zones, algorithms and calibration follow with ``PATCH``."""

    camera_id: str
    name: str
    url: str = ""
    sub_url: str = ""
    category: str = "general"
    site_id: str | None = None
    department_id: str | None = None
    lon: float | None = None
    lat: float | None = None
    enabled: bool = False


_CAMERA_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


def create_camera(use: Services, who: Principal, sent: NewCamera) -> dict[str, Any]:
    """A new camera; community and grid cell are found from its place."""
    must_be(who, "admin")
    if not _CAMERA_ID.fullmatch(sent.camera_id):
        raise InputInvalid(field="camera_id", detail=f"{sent.camera_id!r} cannot be an id", how="use A-Z, 0-9, - and _")
    _check({"name": sent.name}, [])
    _check_addresses(use, {"url": sent.url, "sub_url": sent.sub_url}, {})
    if (sent.lon is None) != (sent.lat is None) or abs(sent.lon or 0) > 180 or abs(sent.lat or 0) > 90:
        raise InputInvalid(field="lon", detail="is no place", how="send lon and lat in degrees, or neither")
    with session_scope(use.engine) as session:
        if session.get(Camera, sent.camera_id) is not None:
            raise InputInvalid(field="camera_id", detail=f"{sent.camera_id!r} is taken", how="choose another id")
        for name, model, key in (("site", Site, sent.site_id), ("department", Department, sent.department_id)):
            if key and session.get(model, key) is None:
                raise NotFound(what=name, key=key)
        cell = grid_cell_at(session, sent.lon, sent.lat) if sent.lon is not None and sent.lat is not None else None
        row = Camera(**msgspec.to_builtins(sent), source="browser")
        row.url, row.sub_url = (use.camera_seal.seal(sent.camera_id, url) for url in (sent.url, sent.sub_url))
        if cell is not None:
            row.grid_code, row.division_code = cell.code, cell.community_code
        session.add(row)
        note = msgspec.to_builtins(sent) | {
            "url": queries.without_password(sent.url), "sub_url": queries.without_password(sent.sub_url),
        }  # fmt: skip
        audit(session, use, who, "camera_create", note)
    with read_scope(use.engine) as session:
        return queries.camera_detail(session, who.actor, use.hub.states, sent.camera_id, use.camera_seal)


def change_camera(use: Services, who: Principal, camera_id: str, edit: CameraEdit) -> dict[str, Any]:
    """Change a camera; the vision worker that holds it follows within seconds, nothing is restarted."""
    must_be(who, "admin")
    changes = fields(edit)
    expected = changes.pop("expected_revision", None)
    with session_scope(use.engine) as session:
        row = session.get(Camera, camera_id, with_for_update=True)
        if row is None:
            raise NotFound(what="camera", key=camera_id)
        if expected is not None and expected != row.revision:
            raise InputInvalid(
                field="expected_revision", detail=f"the camera is at revision {row.revision} now", how="load it again"
            )
        before = [msgspec.convert(z, Zone) for z in row.zones or []]
        if "zones" in changes:
            changes["zones"] = _signed(changes["zones"], before, who)
        _check(changes, before)
        _check_addresses(use, changes, _addresses(use, row))
        stored = _stored(changes, row.attributes)
        kept = {name: getattr(row, name) for name in stored if name not in _ADDRESSES}
        for name, value in stored.items():
            setattr(row, name, use.camera_seal.seal(camera_id, value) if name in _ADDRESSES else value)
        if stored:
            row.revision += 1
            note = {k: queries.without_password(v) if k in {"url", "sub_url"} else v for k, v in stored.items()}
            note |= {"camera_id": camera_id, "revision": row.revision, "before": kept}
            audit(session, use, who, "camera_change", note)
    with read_scope(use.engine) as session:
        return queries.camera_detail(session, who.actor, use.hub.states, camera_id, use.camera_seal)


_ADDRESSES = ("url", "sub_url")
_TURNING = ("ptz", "onvif", "gateway_id")  # how it is turned: dashboard/videowall/ptz.py


def _addresses(use: Services, row: Camera) -> dict[str, str]:
    return {name: use.camera_seal.open(row.camera_id, getattr(row, name)) for name in _ADDRESSES}


def _stored(changes: dict[str, Any], attributes: dict[str, Any]) -> dict[str, Any]:
    stored = dict(changes)
    turning = {name: stored.pop(name) for name in _TURNING if name in stored}
    if turning:
        stored["attributes"] = {k: v for k, v in {**attributes, **turning}.items() if v not in ("", False)}
    for name in ("zones", "algorithms"):
        if name in stored:
            stored[name] = msgspec.to_builtins(stored[name])
    if "calibration" in stored:
        points = stored["calibration"].points
        stored["calibration"] = calibration_of(points) if points else {}
    return stored


def _check(changes: dict[str, Any], zones: list[Zone]) -> None:
    """Every zone a polygon, every algorithm buildable, every zone it names there."""
    for name, low, high in (("analysis_fps", 0.01, 30), ("priority", 1, 9), ("risk", 0, 1)):
        if name in changes and not low <= changes[name] <= high:
            raise InputInvalid(field=name, detail=f"{changes[name]} is out of range", how=f"give {low} … {high}")
    if "name" in changes and not 0 < len(changes["name"].strip()) <= 120:
        raise InputInvalid(field="name", detail="is empty or too long", how="give 1 … 120 characters")
    zones = changes.get("zones", zones)
    _check_zones(zones)
    known = {z.zone_id for z in zones}
    for config in changes.get("algorithms", []):
        params = dict(config.params)
        check_schedule(params.pop("schedule", {}))  # any algorithm may have one, see vision/judging/arm_schedule.py
        plugins.parse_params("algorithm", config.kind, params)
        missing = sorted(set(config.zones) - known)
        if missing:
            raise InputInvalid(field="algorithms", detail=f"{config.kind} names the zone {missing[0]!r}", how="draw it")


def _check_addresses(use: Services, changes: dict[str, Any], before: dict[str, Any]) -> None:
    """Addresses that are new; what stands there already (an imported film) may stay."""
    networks = read_networks("YIWANG_CAMERA_NETWORKS", use.settings.camera_networks)
    for name in (*_ADDRESSES, "onvif"):
        if name in changes and changes[name] != before.get(name):
            check_camera(name, changes[name], networks, use.settings.data_dir)


def _check_zones(zones: list[Zone]) -> None:
    if len(zones) > MAX_ZONES or len({z.zone_id for z in zones}) != len(zones):
        raise InputInvalid(field="zones", detail="too many, or an id twice", how=f"draw at most {MAX_ZONES} zones")
    for zone in zones:
        inside = all(0 <= x <= 1 and 0 <= y <= 1 for x, y in zone.polygon)
        if not (3 <= len(zone.polygon) <= MAX_VERTICES and inside and shapely.Polygon(zone.polygon).is_valid):
            raise InputInvalid(
                field="zones",
                detail=f"{zone.zone_id!r} is no simple polygon inside the picture",
                how=f"draw 3 … {MAX_VERTICES} corners (shares 0 … 1) whose sides do not cross",
            )
        check_schedule(zone.schedule)
        for window in zone.schedule.get("suppress", []):
            if not str(window.get("reason", "")).strip():
                raise InputInvalid(field="schedule", detail="a suppression window has no reason", how="say why")


def _signed(zones: list[Zone], before: list[Zone], who: Principal) -> list[Zone]:
    """``zones`` with the person who saves as the author of every suppression window that is new or changed."""
    known = [w for z in before for w in z.schedule.get("suppress", [])]
    signed = []
    for zone in zones:
        windows = zone.schedule.get("suppress")
        if isinstance(windows, list) and all(isinstance(w, dict) for w in windows):
            mine = [w if w in known else w | {"author": who.actor.name or who.login} for w in windows]
            zone = msgspec.structs.replace(zone, schedule=zone.schedule | {"suppress": mine})
        signed.append(zone)
    return signed
