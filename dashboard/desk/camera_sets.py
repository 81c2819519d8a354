"""Algorithms for many cameras at once: those of a pattern camera, or of a named template; taken back by one entry."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import InputInvalid, NotFound
from dashboard.api.deps import audit, must_be
from dashboard.auth import Principal
from dashboard.services import Services
from storage.session import session_scope
from storage.tables.registry import Camera, Site

MOST = 10_000
CHOICES = ("category", "site_id", "department_id")  # columns of a camera that a choice may name


class Spread(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/cameras/{id}/spread`` and ``…/camera-templates/{id}/apply``: to whom, and what goes.

    Cameras of a ``category``, a ``site_id``, a kind of site and a department (all that are given must hold), or those
    of ``camera_ids``.  ``replace`` false: algorithms that a camera has already stay as they are, missing ones are
    added.  ``enable``: the cameras are analysed from now on.  ``preview``: only count.
    """

    category: str = ""
    site_id: str = ""
    site_kind: str = ""
    department_id: str = ""
    camera_ids: list[str] = []
    replace: bool = False
    enable: bool = True
    preview: bool = False


def spread(use: Services, who: Principal, camera_id: str, wish: Spread) -> dict[str, Any]:
    """Give the algorithms of ``camera_id`` to others; one audit entry keeps what every changed camera had before.

    An algorithm's zones are the pattern camera's own picture: it keeps those that the other camera has by the same
    name, and looks at the whole picture where it has none of them.

    Raises:
        NotFound: there is no such camera.
        InputInvalid: no choice of cameras, or the pattern has no algorithm.
    """
    must_be(who, "admin")
    with session_scope(use.engine) as session:
        pattern = session.get(Camera, camera_id)
        if pattern is None:
            raise NotFound(what="camera", key=camera_id)
        if not pattern.algorithms:
            raise InputInvalid(field="camera_id", detail="this camera has no algorithm", how="choose one that has")
        told, note = given(session, pattern.algorithms, wish, but=camera_id)
        if note is not None:
            audit(session, use, who, "camera_spread", {"camera_id": camera_id, **note})
    return told


def given(
    session: Session, algorithms: list[Any], wish: Spread, but: str = ""
) -> tuple[dict[str, int], dict[str, Any] | None]:
    """Give ``algorithms`` to the chosen cameras; what came of it, and what the audit keeps (None: nothing changed).

    Raises:
        InputInvalid: no choice of cameras.
    """
    found = _chosen(session, but, wish)
    changes = {row.camera_id: after for row in found if (after := _after(algorithms, row, wish)) is not None}
    told = {"cameras": len(found), "changed": len(changes)}
    if wish.preview or not changes:
        return told, None
    before = [_kept(row) for row in found if row.camera_id in changes]
    for row in found:
        if row.camera_id in changes:
            row.algorithms, row.enabled = changes[row.camera_id]
            row.revision += 1
    wanted = {name: value for name in (*CHOICES, "site_kind") if (value := getattr(wish, name))}
    return told, {"algorithms": [config["kind"] for config in algorithms], **wanted, **told, "before": before}


def _chosen(session: Session, but: str, wish: Spread) -> list[Camera]:
    if not (wish.camera_ids or wish.site_kind or any(getattr(wish, name) for name in CHOICES)):
        raise InputInvalid(field="category", detail="no choice of cameras", how="name a category or a site")
    if len(wish.camera_ids) > MOST:
        raise InputInvalid(field="camera_ids", detail=f"more than {MOST}", how="send them in parts")
    query = select(Camera).where(Camera.camera_id != but).order_by(Camera.camera_id).limit(MOST).with_for_update()
    for name in CHOICES:
        if value := getattr(wish, name):
            query = query.where(getattr(Camera, name) == value)
    if wish.site_kind:
        query = query.where(Camera.site_id.in_(select(Site.site_id).where(Site.kind == wish.site_kind)))
    if wish.camera_ids:
        query = query.where(Camera.camera_id.in_(wish.camera_ids))
    return list(session.scalars(query))


def _kept(row: Camera) -> dict[str, Any]:
    return {"camera_id": row.camera_id, "algorithms": row.algorithms, "enabled": row.enabled}


def _after(algorithms: list[Any], row: Camera, wish: Spread) -> tuple[list[Any], bool] | None:
    """Algorithms and whether it is analysed, or None where nothing changes."""
    zones = {zone.get("zone_id") for zone in row.zones or []}
    fitted = [c | {"zones": [z for z in c.get("zones") or [] if z in zones]} for c in algorithms]
    own = list(row.algorithms or [])
    has = {config.get("kind") for config in own}
    after = fitted if wish.replace else own + [config for config in fitted if config["kind"] not in has]
    enabled = True if wish.enable else row.enabled
    return None if (after, enabled) == (own, row.enabled) else (after, enabled)


def put_back(use: Services, who: Principal, before: list[dict[str, Any]]) -> None:
    """What a spread changed becomes as it was; a camera that is gone by now is left out."""
    must_be(who, "admin")
    with session_scope(use.engine) as session:
        for kept in before:
            row = session.get(Camera, kept["camera_id"], with_for_update=True)
            if row is not None:
                row.algorithms, row.enabled, row.revision = kept["algorithms"], kept["enabled"], row.revision + 1
