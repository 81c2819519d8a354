"""Named templates of cameras' algorithms: "all control rooms get these four", made once, given, changed, taken back."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from sqlalchemy import select

from core import plugins
from core.errors import InputInvalid, NotFound
from core.records import AlgorithmConfig
from dashboard.api.deps import audit, must_be
from dashboard.auth import Principal
from dashboard.desk.camera_sets import Spread, given
from dashboard.services import Services
from storage.session import read_scope, session_scope
from storage.tables.registry import Camera, CameraTemplate
from vision.judging.arm_schedule import check_schedule

MOST_ALGORITHMS = 20
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


class TemplateEdit(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``PUT /api/camera-templates/{template_id}``.

    ``algorithms`` as a camera has them (kind, zone ids, parameters), or ``like``: those of that camera.  A camera that
    is given the template keeps of an algorithm's zones those that it has itself, and watches its whole picture where
    it has none of them.
    """

    name: str
    name_en: str = ""
    algorithms: list[AlgorithmConfig] = []
    like: str = ""


def templates(use: Services, who: Principal) -> list[dict[str, Any]]:
    """Every template: ``{"template_id", "name", "name_en", "algorithms", "made_by", "made_at", "revision"}``."""
    must_be(who, "admin")
    with read_scope(use.engine) as session:
        return [_shown(row) for row in session.scalars(select(CameraTemplate).order_by(CameraTemplate.name))]


def template(use: Services, who: Principal, template_id: str) -> dict[str, Any]:
    """One template.

    Raises:
        NotFound: there is none of that id.
    """
    must_be(who, "admin")
    with read_scope(use.engine) as session:
        row = session.get(CameraTemplate, template_id)
        if row is None:
            raise NotFound(what="camera template", key=template_id)
        return _shown(row)


def save_template(use: Services, who: Principal, template_id: str, edit: TemplateEdit) -> dict[str, Any]:
    """Make a template, or change it; cameras that were given it stay as they are until it is given again.

    Raises:
        InputInvalid: no name, no algorithm, one twice, or one that cannot be built from its parameters.
        NotFound: there is no camera ``like``.
    """
    must_be(who, "admin")
    if not _ID.fullmatch(template_id):
        raise InputInvalid(field="template_id", detail=f"{template_id!r} cannot be an id", how="use a-z, 0-9, - and _")
    if not 0 < len(edit.name.strip()) <= 80 or len(edit.name_en) > 120:
        raise InputInvalid(field="name", detail="is empty or too long", how="give 1 … 80 characters")
    with session_scope(use.engine) as session:
        wanted: list[Any] = msgspec.to_builtins(edit.algorithms)
        if edit.like:
            camera = session.get(Camera, edit.like)
            if camera is None:
                raise NotFound(what="camera", key=edit.like)
            wanted = list(camera.algorithms or [])
        _check(wanted)
        row = session.get(CameraTemplate, template_id, with_for_update=True)
        before = _kept(row) if row is not None else None
        if row is None:
            row = CameraTemplate(template_id=template_id, revision=0)
            session.add(row)
        row.name, row.name_en, row.algorithms = edit.name.strip(), edit.name_en.strip(), wanted
        row.made_by, row.made_at, row.revision = who.actor.user_id, use.clock.now(), row.revision + 1
        audit(session, use, who, "camera_template_save", {"template_id": template_id, **_kept(row), "before": before})
        return _shown(row)


def remove_template(use: Services, who: Principal, template_id: str) -> None:
    """Take a template away; what cameras were given stays."""
    must_be(who, "admin")
    with session_scope(use.engine) as session:
        row = session.get(CameraTemplate, template_id)
        if row is None:
            raise NotFound(what="camera template", key=template_id)
        session.delete(row)
        audit(session, use, who, "camera_template_remove", {"template_id": template_id, "before": _kept(row)})


def apply_template(use: Services, who: Principal, template_id: str, wish: Spread) -> dict[str, int]:
    """Give a template to the chosen cameras: ``{"cameras", "changed"}``; one audit entry keeps what each had before."""
    must_be(who, "admin")
    with session_scope(use.engine) as session:
        row = session.get(CameraTemplate, template_id)
        if row is None:
            raise NotFound(what="camera template", key=template_id)
        told, note = given(session, row.algorithms, wish)
        if note is not None:
            audit(session, use, who, "camera_template_apply", {"template_id": template_id, "name": row.name, **note})
    return told


def _check(algorithms: list[Any]) -> None:
    kinds = [config["kind"] for config in algorithms]
    if not 0 < len(kinds) <= MOST_ALGORITHMS or len(set(kinds)) != len(kinds):
        raise InputInvalid(field="algorithms", detail="none, too many, or one twice", how="choose each algorithm once")
    for config in algorithms:
        params = dict(config.get("params") or {})
        check_schedule(params.pop("schedule", {}))
        plugins.parse_params("algorithm", config["kind"], params)


def _kept(row: CameraTemplate) -> dict[str, Any]:
    return {"name": row.name, "name_en": row.name_en, "algorithms": row.algorithms}


def _shown(row: CameraTemplate) -> dict[str, Any]:
    about = {"made_by": row.made_by, "made_at": row.made_at, "revision": row.revision}
    return {"template_id": row.template_id, **_kept(row), **about}
