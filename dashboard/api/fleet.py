"""Cameras as administrators set them: zones, algorithms, calibration."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from dashboard.answers.cameras import (
    AlgorithmKinds,
    CameraDetail,
    CameraSpread,
    CameraTemplateList,
    CameraTemplateRow,
    CameraTrial,
)
from dashboard.api.deps import Done, Use, Who, allow, answers, respond, takes
from dashboard.api.params import body
from dashboard.desk.camera_sets import Spread, spread
from dashboard.desk.camera_templates import TemplateEdit, apply_template, remove_template, save_template, templates
from dashboard.desk.camera_trial import try_camera
from dashboard.desk.cameras import CameraEdit, NewCamera, algorithm_kinds, change_camera, create_camera

router = APIRouter(tags=["fleet"])


@router.get("/api/algorithms", **answers(AlgorithmKinds))
def algorithms(use: Use, who: Who) -> Response:
    """Every algorithm with its parameters as JSON Schema, for the camera editor."""
    del who
    return respond({"items": algorithm_kinds(use)})


@router.post(
    "/api/cameras", dependencies=[allow("admin")], openapi_extra=takes(NewCamera), **answers(CameraDetail, 201)
)
async def create(request: Request, use: Use, who: Who) -> Response:
    """A new camera; community and grid cell are found from its place."""
    sent = await body(request, NewCamera)
    return respond(await asyncio.to_thread(create_camera, use, who, sent), 201)


@router.patch(
    "/api/cameras/{camera_id}", dependencies=[allow("admin")], openapi_extra=takes(CameraEdit), **answers(CameraDetail)
)
async def change(camera_id: str, request: Request, use: Use, who: Who) -> Response:
    """Change a camera; the vision worker that holds it follows within seconds, nothing is restarted."""
    edit = await body(request, CameraEdit)
    return respond(await asyncio.to_thread(change_camera, use, who, camera_id, edit))


@router.post("/api/cameras/{camera_id}/trial", dependencies=[allow("admin")], **answers(CameraTrial))
async def trial(camera_id: str, use: Use, who: Who) -> Response:
    """Open the camera's streams and say what is in them; nothing is stored."""
    return respond(await try_camera(use, who, camera_id))


@router.post(
    "/api/cameras/{camera_id}/spread", dependencies=[allow("admin")], openapi_extra=takes(Spread),
    **answers(CameraSpread),
)  # fmt: skip
async def give_to_others(camera_id: str, request: Request, use: Use, who: Who) -> Response:
    """The camera's algorithms for every camera of a category, a site or a department; can be taken back."""
    wish = await body(request, Spread)
    return respond(await asyncio.to_thread(spread, use, who, camera_id, wish))


@router.get("/api/camera-templates", dependencies=[allow("admin")], **answers(CameraTemplateList))
def camera_templates(use: Use, who: Who) -> Response:
    """The named templates of algorithms."""
    return respond({"items": templates(use, who), "next": None})


@router.put(
    "/api/camera-templates/{template_id}", dependencies=[allow("admin")], openapi_extra=takes(TemplateEdit),
    **answers(CameraTemplateRow),
)  # fmt: skip
async def save_camera_template(template_id: str, request: Request, use: Use, who: Who) -> Response:
    """Make or change a template, from algorithms or like a camera; can be taken back."""
    edit = await body(request, TemplateEdit)
    return respond(await asyncio.to_thread(save_template, use, who, template_id, edit))


@router.delete("/api/camera-templates/{template_id}", dependencies=[allow("admin")], **answers(Done))
def remove_camera_template(template_id: str, use: Use, who: Who) -> Response:
    """Take a template away; what cameras were given stays.  Can be taken back."""
    remove_template(use, who, template_id)
    return respond({"ok": True})


@router.post(
    "/api/camera-templates/{template_id}/apply", dependencies=[allow("admin")], openapi_extra=takes(Spread),
    **answers(CameraSpread),
)  # fmt: skip
async def apply_camera_template(template_id: str, request: Request, use: Use, who: Who) -> Response:
    """The template's algorithms for every chosen camera (category, site, kind of site, department or a list of ids).

    One audit entry; it can be taken back.
    """
    wish = await body(request, Spread)
    return respond(await asyncio.to_thread(apply_template, use, who, template_id, wish))
