"""Metrics for Prometheus, counters of the sources, files of the city."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy import func, select

from dashboard.answers.office import CityFileList, SourceList
from dashboard.api.deps import Use, allow, answers, respond, sends
from dashboard.desk.city_files import city_files
from dashboard.services import Services
from storage.session import read_scope
from storage.tables.cases import Case, Outbox
from storage.tables.observations import DeadLetter
from storage.tables.registry import Camera, Device

router = APIRouter(tags=["operations"])


@router.get("/metrics", dependencies=[allow("admin", "operator", "viewer")], **sends("text/plain"))
def metrics(use: Use) -> Response:
    """Prometheus text: web process, cases, devices, cameras, sources."""
    registry = CollectorRegistry()
    registry.register(_Figures(use))
    return Response(generate_latest(registry), media_type="text/plain; version=0.0.4")


@router.get("/api/sources", dependencies=[allow("admin", "operator", "manager", "viewer")], **answers(SourceList))
def sources(use: Use) -> Response:
    """Counters of each ingest source: messages taken in, refusals by reason, connections, last sign of life."""
    return respond({"items": source_counters(use), "next": None})


def source_counters(use: Services) -> list[dict[str, Any]]:
    """Counters of each source: messages, refusals by code, connections, last sign of life."""
    items = []
    for key, state in sorted(use.hub.states.items()):
        if key.startswith("source."):
            name = str(state.get("source") or key.removeprefix("source."))
            events, refused = state.get("events") or {}, state.get("refused") or {}
            items.append(
                {
                    "source": name,
                    "messages": events.get("readings", 0) + events.get("observations", 0),
                    "refused": sum(v for v in refused.values() if isinstance(v, int)),
                    "errors": refused,
                    "connections": events.get("connections", 0),
                    "last_at": _last_heard(use, name),
                    "events": events,
                }
            )
    return items


@router.get("/api/city-files", dependencies=[allow("admin")], **answers(CityFileList))
async def files(use: Use) -> Response:
    """What the city put into its data folder (kinds of case, routing, sources, forms, boards, plug-ins), file by file:
    whether it was taken, else what is wrong and what to do.  A broken file changes nothing; the rest runs."""
    return respond({"items": await asyncio.to_thread(city_files, use.settings, use.engine), "next": None})


def _last_heard(use: Services, source: str) -> str | None:
    heard = [
        str(s["heard_at"])
        for k, s in list(use.hub.states.items())
        if k.startswith("device.") and s.get("source") == source and s.get("heard_at")
    ]
    return max(heard, default=None)


class _Figures:
    def __init__(self, use: Services) -> None:
        self._use = use

    def collect(self) -> Any:
        """All gauges, read now."""
        use = self._use
        yield _gauge("yiwang_live_viewers", "Open live pages", use.hub.viewers)
        yield _gauge("yiwang_live_pushes_total", "Ticks sent to pages", use.hub.sent)
        yield _gauge("yiwang_live_cut_total", "Pages cut off because they fell behind", use.hub.cut)
        yield _gauge("yiwang_video_rooms", "Cameras being watched live", len(use.video))
        with read_scope(use.engine) as session:
            yield _labelled(
                "yiwang_cases_open", "Open cases", "state",
                session.execute(select(Case.state, func.count()).where(Case.open.is_(True)).group_by(Case.state)),
            )  # fmt: skip
            yield _labelled(
                "yiwang_devices", "Devices", "status",
                session.execute(select(Device.status, func.count()).group_by(Device.status)),
            )  # fmt: skip
            yield _labelled(
                "yiwang_cameras_registered", "Cameras", "category",
                session.execute(select(Camera.category, func.count()).group_by(Camera.category)),
            )  # fmt: skip
            waiting = session.scalar(select(func.count()).select_from(Outbox).where(Outbox.sent_at.is_(None)))
            yield _gauge("yiwang_outbox_waiting", "Outbox rows not announced yet", waiting or 0)
            dead = session.scalar(select(func.count()).select_from(DeadLetter).where(DeadLetter.resolved_at.is_(None)))
            yield _gauge("yiwang_dead_letters", "Unsettled dead letters", dead or 0)
        states = [s.get("state", "unknown") for k, s in list(use.hub.states.items()) if k.startswith("camera.")]
        yield _labelled(
            "yiwang_camera_states", "Live cameras", "state", [(s, states.count(s)) for s in sorted(set(states))]
        )
        yield from _sources(use)


def _sources(use: Services) -> Any:
    """The counters that each ingest source publishes."""
    family = GaugeMetricFamily("yiwang_source", "Counters of an ingest source", labels=["source", "counter"])
    for key, state in list(use.hub.states.items()):
        if key.startswith("source."):
            for name, value in flat(state):
                family.add_metric([key.removeprefix("source."), name], value)
    yield family


def flat(state: dict[str, Any], prefix: str = "") -> Any:
    """Numbers of a nested dict with dotted names."""
    for name, value in state.items():
        if isinstance(value, bool):
            continue
        if isinstance(value, int | float):
            yield prefix + name, value
        elif isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _labelled(name: str, text: str, label: str, rows: Any) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, count in rows:
        family.add_metric([str(value)], count)
    return family
