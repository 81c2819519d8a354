"""Answers about cameras and what analyses them."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class CameraRow(TypedDict):
    """A camera as lists show it; its stream's address is not in it."""

    camera_id: str
    name: str
    category: str
    site_id: str | None
    site_name: str | None
    lon: float | None
    lat: float | None
    division_code: str | None
    department_id: str | None
    department_name: str | None
    enabled: bool
    has_video: bool
    movable: bool
    algorithms: list[str | None]
    priority: int
    state: str
    seen_at: str | None
    reason: str
    faults: list[Any]
    problems: list[Any]
    fps: float | None
    wanted_fps: float | None


class StreamTrial(TypedDict):
    """What one of a camera's streams holds; ``playable``: by browsers as it is."""

    name: str
    ok: bool
    codec: str
    width: int
    height: int
    fps: float
    seconds: float
    playable: bool
    problem: str


class CameraTrial(TypedDict):
    """A camera that was tried."""

    camera_id: str
    ok: bool
    streams: list[StreamTrial]


class CameraSpread(TypedDict):
    """How many cameras were meant, and how many change."""

    cameras: int
    changed: int


class CameraTemplateRow(TypedDict):
    """A named template of algorithms; ``algorithms`` as a camera has them."""

    template_id: str
    name: str
    name_en: str
    algorithms: list[dict[str, Any]]
    made_by: str
    made_at: str
    revision: int


class CameraTemplateList(TypedDict):
    """Every template."""

    items: list[CameraTemplateRow]
    next: None


class CameraPage(TypedDict):
    """A page of cameras; ``next``: the offset of the next one."""

    items: list[CameraRow]
    total: int
    next: int | None


class CameraDetail(CameraRow):
    """One camera with zones, algorithms and live state; addresses only for administrators, without passwords."""

    name_en: str | None
    zones: list[Any]
    algorithm_configs: list[Any]
    analysis_fps: float
    calibration: dict[str, Any] | None
    risk: float
    revision: int
    grid_code: str | None
    attributes: dict[str, Any]
    live: dict[str, Any]
    url: NotRequired[str]
    sub_url: NotRequired[str]


class VisionWorkerRow(TypedDict):
    """An analysing process at work."""

    worker: str
    at: str
    held: NotRequired[int]
    load: NotRequired[float]
    slowed: NotRequired[int]
    models: NotRequired[list[dict[str, Any]]]


class VisionWorkerList(TypedDict):
    """The analysing processes."""

    items: list[VisionWorkerRow]


class AlgorithmKind(TypedDict):
    """An algorithm and the JSON Schema of its parameters."""

    kind: str
    title: str
    params: dict[str, Any]


class AlgorithmKinds(TypedDict):
    """The algorithms that a camera may be given."""

    items: list[AlgorithmKind]


class CameraPrecision(TypedDict):
    """How often an algorithm was right on a camera: share with its 95 % interval."""

    camera_id: str
    camera_name: str
    algorithm: str
    closed: int
    false_alarms: int
    precision: float | None
    low: float | None
    high: float | None
    threshold: float | None
    thresholds: list[ThresholdTrial]
    parameters: list[str]
    mask: dict[str, Any] | None
    suggestion: str
    false_case_ids: list[str]


class PrecisionList(TypedDict):
    """Precision by camera and algorithm."""

    items: list[CameraPrecision]
    next: None


class ThresholdTrial(TypedDict):
    """What a threshold would have done to judged cases."""

    true_kept: int
    true_lost: int
    false_kept: int
    false_dropped: int
    unknown: int
    threshold: float
    precision: float | None
    low: float | None
    high: float | None


class FieldReportLine(TypedDict):
    """One camera's algorithm in the report of a night; ``thresholds``: what others would have done."""

    night: str
    camera_id: str
    camera_name: str
    algorithm: str
    closed: int
    false_alarms: int
    precision: float
    low: float
    high: float
    threshold: float | None
    thresholds: list[ThresholdTrial]
    suggestion: str


class FieldReportList(TypedDict):
    """The report of a night, or the nights of one camera's algorithm."""

    items: list[FieldReportLine]
    next: None


class HardNegatives(TypedDict):
    """Pictures kept for training as wrong alarms."""

    case_id: str
    algorithm: str
    pictures: int
