"""Cameras as administrators set them: zones, algorithms, calibration."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from dashboard.answers.cameras import AlgorithmKinds, CameraDetail
from dashboard.api.deps import Use, Who, allow, answers, respond, takes
from dashboard.api.params import body
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
