"""Survey-grade products of flights: asked for here, made by a photogrammetry node, taken up as a dated layer and COG.

Where a survey stands lies in a file beside the flight's mosaic, so that it outlives restarts; one process at a time
works on it (``python -m app survey FLIGHT``, started by the worker).
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from core.errors import NotFound, YiwangError
from core.records import Record
from core.settings import Settings
from dashboard.drones.flight_layers import mosaic_file
from dashboard.services import Services
from storage.aerial import PICTURES
from storage.drones import DroneStore

LEAST_PICTURES = 3
OPEN = ("asked", "sending", "running")


class NoNode(YiwangError):
    code = "photogrammetry_none"
    message = "no photogrammetry node is set up"
    remedy = "set YIWANG_NODEODM_URL to the address of a NodeODM"
    zh = "没有设置摄影测量节点"
    zh_remedy = "请将 YIWANG_NODEODM_URL 设为 NodeODM 的地址"


class TooFewPictures(YiwangError):
    code = "too_few_pictures"
    message = "{pictures} photos with a place are too few for a survey"
    remedy = "send at least {least} overlapping photos"
    zh = "有位置的照片只有 {pictures} 张，不足以测图"
    zh_remedy = "请至少发送 {least} 张互相重叠的照片"


class SurveyRunning(YiwangError):
    code = "survey_running"
    message = "a survey of this flight is under way"
    remedy = "wait for it, or cancel it"
    zh = "这次飞行的测图正在进行"
    zh_remedy = "请等它完成，或取消它"


class SurveyState(Record, frozen=True, omit_defaults=False):
    """``progress`` 0 … 100 of the state; ``task``: the node's id; ``problem``: a code and ``message`` its sentence."""

    flight_id: str
    state: Literal["asked", "sending", "running", "done", "failed", "cancelled"]
    asked_by: str
    asked_at: datetime
    pictures: int
    progress: float = 0.0
    task: str = ""
    engine: str = ""
    problem: str = ""
    message: str = ""


def state_file(settings: Settings, flight_id: str) -> Path:
    """Where a survey's state lies."""
    return mosaic_file(settings, flight_id).with_suffix(".survey.json")


def product_file(settings: Settings, flight_id: str) -> Path:
    """Where its orthophoto lies (COG)."""
    return mosaic_file(settings, flight_id).with_suffix(".survey.tif")


def stop_file(settings: Settings, flight_id: str) -> Path:
    """Is there while somebody wants it to stop."""
    return mosaic_file(settings, flight_id).with_suffix(".survey.stop")


def survey(settings: Settings, flight_id: str) -> SurveyState | None:
    """Where the survey of a flight stands; None when nobody asked for one."""
    try:
        return msgspec.json.decode(state_file(settings, flight_id).read_bytes(), type=SurveyState)
    except (OSError, msgspec.MsgspecError):
        return None


def keep(settings: Settings, state: SurveyState) -> SurveyState:
    """Write a state, whole or not at all."""
    target = state_file(settings, state.flight_id)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    part.write_bytes(msgspec.json.encode(state))
    part.replace(target)
    return state


def ask(settings: Settings, flight_id: str, pictures: int, by: str, now: datetime) -> SurveyState:
    """Ask for a survey of a flight; :class:`NoNode`, :class:`TooFewPictures`, :class:`SurveyRunning`."""
    if not settings.nodeodm_url:
        raise NoNode()
    if pictures < LEAST_PICTURES:
        raise TooFewPictures(pictures=pictures, least=LEAST_PICTURES)
    there = survey(settings, flight_id)
    if there is not None and there.state in OPEN:
        raise SurveyRunning()
    stop_file(settings, flight_id).unlink(missing_ok=True)
    return keep(settings, SurveyState(flight_id=flight_id, state="asked", asked_by=by, asked_at=now, pictures=pictures))


def ask_for(use: Services, flight_id: str, by: str) -> SurveyState:
    """Ask for a survey of every photo of a flight that has a place; ``NotFound`` and as :func:`ask`."""
    drones = DroneStore(use.engine)
    drones.flight(flight_id)
    pictures = sum(f.kind in PICTURES and bool(f.place) for f in drones.files(flight_id))
    return ask(use.settings, flight_id, pictures, by, use.clock.now())


def cancel(settings: Settings, flight_id: str) -> SurveyState:
    """Ask the process to stop; what has ended stays as it is."""
    there = survey(settings, flight_id)
    if there is None:
        raise NotFound(what="survey of flight", key=flight_id)
    if there.state in OPEN:
        stop_file(settings, flight_id).touch()
    return there


def waiting(settings: Settings) -> list[str]:
    """Flights whose survey is to be worked on, the oldest first."""
    folder = mosaic_file(settings, "x").parent
    states = [survey(settings, f.name.partition(".")[0]) for f in folder.glob("*.survey.json")]
    there = sorted((s for s in states if s is not None and s.state in OPEN), key=lambda s: s.asked_at)
    return [s.flight_id for s in there]
