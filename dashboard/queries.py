"""Read-only queries of the registry: what a person may see of cameras, devices, sites."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from sqlalchemy import ColumnElement, exists, false, func, or_, select, true
from sqlalchemy.orm import Session

from core.camera_secrets import CameraSeal
from core.errors import NotFound
from core.language.reading import own_or_none
from core.late import Late
from core.records import Actor
from dashboard.refusals import device_refusals
from events.cases.access import SEE_ALL, visible_cases
from storage.registry import registry_key
from storage.tables.cases import Case
from storage.tables.registry import Camera, Department, Device, Division, Site

if TYPE_CHECKING:
    import shapely
else:
    shapely = Late("shapely")

States = Mapping[str, dict[str, Any]]
Row = dict[str, Any]
Box = tuple[float, float, float, float]


def sees_all(actor: Actor) -> bool:
    """The command centre sees every camera and device."""
    return bool(SEE_ALL & set(actor.roles))


def _own(actor: Actor, model: type[Camera] | type[Device], key: Any) -> ColumnElement[bool]:
    """What belongs to the person's department, division, or to a case he may see."""
    if sees_all(actor):
        return true()
    lines: list[ColumnElement[bool]] = [false()]
    if actor.department_id:
        lines.append(model.department_id == actor.department_id)
    if {"inspector", "grid_worker"} & set(actor.roles) and actor.division_code and model is Camera:
        lines.append(Camera.division_code.startswith(actor.division_code, autoescape=True))
    theirs = exists().where(
        Case.open.is_(True), visible_cases(actor), or_(Case.source_id == key, Case.site_id == model.site_id)
    )
    lines.append(theirs)
    return or_(*lines)


def visible_cameras(actor: Actor) -> ColumnElement[bool]:
    """The condition on ``camera``."""
    return _own(actor, Camera, Camera.camera_id)


def visible_devices(actor: Actor) -> ColumnElement[bool]:
    """The condition on ``device``."""
    return _own(actor, Device, Device.device_id)


def state_of(states: States, group: str, identifier: str) -> Row:
    """The newest live state, an empty dict when nothing was heard."""
    return states.get(registry_key(group, identifier), {})


# cameras -----------------------------------------------------------------------
def camera_page(
    session: Session, actor: Actor, states: States, wanted: Row, limit: int, offset: int
) -> tuple[list[Row], int]:
    """Cameras by filter (category, site, department, enabled, q, bbox) and how many there are."""
    conditions = [visible_cameras(actor)]
    pairs = (("category", Camera.category), ("site", Camera.site_id), ("department", Camera.department_id))
    conditions += [column == wanted[name] for name, column in pairs if wanted.get(name)]
    if wanted.get("enabled") is not None:
        conditions.append(Camera.enabled.is_(wanted["enabled"]))
    if wanted.get("q"):
        conditions.append(or_(*[c.contains(wanted["q"], autoescape=True) for c in (Camera.name, Camera.camera_id)]))
    conditions += _in_box(Camera, wanted.get("bbox"))
    total = session.scalar(select(func.count()).select_from(Camera).where(*conditions)) or 0
    query = _cameras().where(*conditions).order_by(Camera.priority, Camera.camera_id).limit(limit).offset(offset)
    return [camera_row(c, *_owners(names), states) for c, *names in session.execute(query)], total


def _cameras() -> Any:
    return (
        select(Camera, Site.name, Site.name_en, Department.name, Department.name_en)
        .outerjoin(Site, Site.site_id == Camera.site_id)
        .outerjoin(Department, Department.department_id == Camera.department_id)
    )


def _in_box(model: type[Camera] | type[Device] | type[Site], box: Box | None) -> list[ColumnElement[bool]]:
    if box is None:
        return []
    return [model.lon.between(box[0], box[2]), model.lat.between(box[1], box[3])]


def camera_row(camera: Camera, site_name: str | None, department_name: str | None, states: States) -> Row:
    """What lists show; the stream's address is not in it."""
    live = state_of(states, "camera", camera.camera_id)
    return {
        "camera_id": camera.camera_id,
        "name": camera.name,
        "name_en": camera.name_en or "",
        "category": camera.category,
        "site_id": camera.site_id,
        "site_name": site_name,
        "lon": camera.lon,
        "lat": camera.lat,
        "division_code": camera.division_code,
        "department_id": camera.department_id,
        "department_name": department_name,
        "enabled": camera.enabled,
        "has_video": bool(camera.url or camera.sub_url),
        "movable": movable(camera),
        "algorithms": [a.get("kind") for a in camera.algorithms or []],
        "priority": camera.priority,
        "state": live.get("state") or ("unknown" if camera.enabled else "never"),
        "seen_at": live.get("at"),
        "reason": live.get("reason", ""),
        "faults": live.get("faults", []),
        "problems": live.get("problems", []),
        "fps": live.get("fps"),
        "wanted_fps": live.get("wanted_fps"),
    }


def movable(camera: Camera) -> bool:
    """Whether the camera's attributes say that it can be turned (dashboard/videowall/ptz.py)."""
    about = camera.attributes or {}
    return about.get("ptz") in (True, "true", "True", 1) or bool(about.get("onvif"))


def one_camera(session: Session, actor: Actor, camera_id: str) -> tuple[Camera, str | None, str | None]:
    """The row, site and department names; ``NotFound`` also when the person may not see it."""
    found = session.execute(_cameras().where(Camera.camera_id == camera_id, visible_cameras(actor))).first()
    if found is None:
        raise NotFound(what="camera", key=camera_id)
    camera, *names = found
    return (camera, *_owners(names))


def _owners(names: Sequence[str | None]) -> tuple[str | None, str | None]:
    """Site and department in the reader's language, of their names in both."""
    site, site_en, department, department_en = names
    return own_or_none(site, site_en), own_or_none(department, department_en)


def camera_detail(session: Session, actor: Actor, states: States, camera_id: str, seal: CameraSeal) -> Row:
    """One camera with zones, algorithms, live state; its address only for administrators, without its password."""
    camera, site_name, department_name = one_camera(session, actor, camera_id)
    shown = camera_row(camera, site_name, department_name, states) | {
        "zones": camera.zones,
        "algorithms": [a.get("kind") for a in camera.algorithms or []],
        "algorithm_configs": camera.algorithms,
        "analysis_fps": camera.analysis_fps,
        "calibration": camera.calibration,
        "risk": camera.risk,
        "revision": camera.revision,
        "grid_code": camera.grid_code,
        "attributes": camera.attributes,
        "live": state_of(states, "camera", camera_id),
    }
    if "admin" in actor.roles:
        addresses = {"url": camera.url, "sub_url": camera.sub_url}
        shown |= {name: without_password(seal.open(camera_id, kept)) for name, kept in addresses.items()}
    return shown


def view_features(session: Session, actor: Actor) -> list[Row]:
    """The ground that every calibrated camera sees, as polygons."""
    query = select(Camera.camera_id, Camera.name, Camera.calibration).where(visible_cameras(actor))
    return [
        {
            "type": "Feature",
            "geometry": calibration["field_of_view"],
            "properties": {"camera_id": camera_id, "name": name, "error_m": calibration.get("error_m")},
        }
        for camera_id, name, calibration in session.execute(query)
        if calibration and calibration.get("field_of_view")
    ]


_VALUE = re.compile(r"=[^&]*")


def without_password(url: str) -> str:
    """The address with its password and the values of its query masked."""
    parts = urlsplit(url)
    if parts.scheme and parts.netloc and parts.query:
        parts = parts._replace(query=_VALUE.sub("=***", parts.query))
    if not parts.password:
        return urlunsplit(parts)
    host = parts.hostname or ""
    if parts.port:
        host = f"{host}:{parts.port}"
    return urlunsplit(parts._replace(netloc=f"{parts.username}:***@{host}"))


# devices -----------------------------------------------------------------------
def device_page(
    session: Session, actor: Actor, states: States, wanted: Row, limit: int, offset: int
) -> tuple[list[Row], int]:
    """Devices by filter (source, status, type, site, department, q, state, bbox) and how many there are."""
    conditions = [visible_devices(actor)]
    pairs = (
        ("source", Device.source),
        ("status", Device.status),
        ("type", Device.device_type),
        ("site", Device.site_id),
        ("department", Device.department_id),
    )
    conditions += [column == wanted[name] for name, column in pairs if wanted.get(name)]
    if wanted.get("q"):
        columns = (Device.name, Device.device_id, Device.address)
        conditions.append(or_(*[c.contains(wanted["q"], autoescape=True) for c in columns]))
    conditions += _in_box(Device, wanted.get("bbox"))
    if wanted.get("state"):
        heard = [s["device_id"] for k, s in states.items() if k.startswith("device.") and _health(s) == wanted["state"]]
        conditions.append(Device.device_id.in_(heard[:5000]))
    total = session.scalar(select(func.count()).select_from(Device).where(*conditions)) or 0
    query = _devices().where(*conditions).order_by(Device.status, Device.device_id).limit(limit).offset(offset)
    return [device_row(d, *_owners(names), states) for d, *names in session.execute(query)], total


def _devices() -> Any:
    return (
        select(Device, Site.name, Site.name_en, Department.name, Department.name_en)
        .outerjoin(Site, Site.site_id == Device.site_id)
        .outerjoin(Department, Department.department_id == Device.department_id)
    )


def _health(state: Row) -> str:
    return str((state.get("health") or {}).get("state") or "online")


def device_row(device: Device, site_name: str | None, department_name: str | None, states: States) -> Row:
    """What lists show."""
    live = state_of(states, "device", device.device_id)
    health = live.get("health") or {}
    return {
        "device_id": device.device_id,
        "source": device.source,
        "address": device.address,
        "name": device.name,
        "name_en": device.name_en or "",
        "device_type": device.device_type,
        "status": device.status,
        "site_id": device.site_id,
        "site_name": site_name,
        "lon": device.lon,
        "lat": device.lat,
        "department_id": device.department_id,
        "department_name": department_name,
        "expected_interval_s": device.expected_interval_s,
        "first_seen_at": device.first_seen_at,
        "state": _health(live) if live.get("heard_at") or health else "never",
        "reason": health.get("reason", ""),
        "since": health.get("since"),
        "heard_at": live.get("heard_at"),
        "values": live.get("values", {}),
        "standing": live.get("standing", []),
        "refused_count": (live.get("refused") or {}).get("count", 0),
        "location": live.get("location"),  # where a vehicle says it is now
        "revision": device.revision,
    }


def device_detail(session: Session, actor: Actor, states: States, device_id: str) -> Row:
    """One device with calibration, ranges, attributes."""
    found = session.execute(_devices().where(Device.device_id == device_id, visible_devices(actor))).first()
    if found is None:
        raise NotFound(what="device", key=device_id)
    device, *names = found
    return device_row(device, *_owners(names), states) | {
        "calibration": device.calibration,
        "ranges": device.ranges,
        "attributes": {name: value for name, value in device.attributes.items() if name != "token_sha256"},
        "own_credential": "token_sha256" in device.attributes,
        "refused": device_refusals(states, device.device_id),
        "coord_sys": device.coord_sys,
        "accepted_by": device.accepted_by,
        "accepted_at": device.accepted_at,
    }


# places ------------------------------------------------------------------------
def site_rows(session: Session, kind: str | None = None) -> list[Row]:
    """All sites."""
    query = select(Site).order_by(Site.site_id)
    if kind:
        query = query.where(Site.kind == kind)
    names = ("site_id", "name", "name_en", "kind", "address", "department_id", "division_code", "lon", "lat", "source")
    return [{n: getattr(s, n) for n in names} for s in session.scalars(query)]


def feature(lon: float | None, lat: float | None, properties: Row) -> Row:
    """A GeoJSON point."""
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [lon, lat]} if lon is not None and lat is not None else None,
        "properties": properties,
    }


def collection(features: list[Row]) -> Row:
    """A GeoJSON feature collection."""
    return {"type": "FeatureCollection", "features": features}


def division_features(session: Session, level: str | None) -> list[Row]:
    """Division outlines, simplified to about 20 m."""
    query = select(Division).where(Division.geometry.is_not(None)).order_by(Division.code)
    query = query.where(Division.level == level) if level else query.where(Division.level != "community")
    features = []
    for row in session.scalars(query):
        shape = shapely.simplify(shapely.from_wkb(row.geometry), 0.0002)
        properties = {
            "code": row.code,
            "name": row.name,
            "name_en": row.name_en,
            "level": row.level,
            "parent_code": row.parent_code,
        }
        features.append(
            {"type": "Feature", "geometry": shapely.geometry.mapping(shape), "properties": properties, "id": row.code}
        )
    return features
