"""What one camera has, for many: the algorithms of a pattern camera given to every camera of a category or a site."""

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
from storage.tables.registry import Camera

MOST = 10_000


class Spread(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/cameras/{id}/spread``: to whom, and whether what they have goes.

    ``replace`` false: algorithms that a camera has already stay as they are, missing ones are added.  ``enable``: the
    cameras are analysed from now on.  ``preview``: only count.
    """

    category: str = ""
    site_id: str = ""
    department_id: str = ""
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
    if not (wish.category or wish.site_id or wish.department_id):
        raise InputInvalid(field="category", detail="no choice of cameras", how="name a category or a site")
    with session_scope(use.engine) as session:
        pattern = session.get(Camera, camera_id)
        if pattern is None:
            raise NotFound(what="camera", key=camera_id)
        if not pattern.algorithms:
            raise InputInvalid(field="camera_id", detail="this camera has no algorithm", how="choose one that has")
        found = _chosen(session, camera_id, wish)
        changes = {row.camera_id: after for row in found if (after := _after(pattern, row, wish)) is not None}
        told = {"cameras": len(found), "changed": len(changes)}
        if wish.preview or not changes:
            return told
        before = [_kept(row) for row in found if row.camera_id in changes]
        for row in found:
            if row.camera_id in changes:
                row.algorithms, row.enabled = changes[row.camera_id]
                row.revision += 1
        wanted = {"category": wish.category, "site_id": wish.site_id, "department_id": wish.department_id}
        algorithms = [config["kind"] for config in pattern.algorithms]
        note = {"camera_id": camera_id, "algorithms": algorithms, **wanted, **told, "before": before}
        audit(session, use, who, "camera_spread", note)
    return told


def _chosen(session: Session, camera_id: str, wish: Spread) -> list[Camera]:
    query = select(Camera).where(Camera.camera_id != camera_id).order_by(Camera.camera_id).limit(MOST).with_for_update()
    pairs = (
        (Camera.category, wish.category), (Camera.site_id, wish.site_id), (Camera.department_id, wish.department_id),
    )  # fmt: skip
    for column, value in pairs:
        if value:
            query = query.where(column == value)
    return list(session.scalars(query))


def _kept(row: Camera) -> dict[str, Any]:
    return {"camera_id": row.camera_id, "algorithms": row.algorithms, "enabled": row.enabled}


def _after(pattern: Camera, row: Camera, wish: Spread) -> tuple[list[Any], bool] | None:
    """Algorithms and whether it is analysed, or None where nothing changes."""
    zones = {zone.get("zone_id") for zone in row.zones or []}
    given = [c | {"zones": [z for z in c.get("zones") or [] if z in zones]} for c in pattern.algorithms]
    own = list(row.algorithms or [])
    has = {config.get("kind") for config in own}
    after = given if wish.replace else own + [config for config in given if config["kind"] not in has]
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
