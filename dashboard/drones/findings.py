"""Findings of drones as GeoJSON, as a layer of the map, and as rows of things for lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.plugins import Words
from storage.aerial import FindingView

TITLES = {
    "car": Words("小汽车", "Car"), "large_vehicle": Words("大型车辆", "Large vehicle"), "truck": Words("货车", "Truck"),
    "bus": Words("公交、客车", "Bus"), "minibus": Words("面包车", "Minibus"), "cyclist": Words("骑行者", "Cyclist"),
    "person": Words("人员", "Person"), "fire": Words("火焰", "Flame"), "smoke": Words("烟雾", "Smoke"),
    "garbage": Words("暴露垃圾", "Rubbish"), "garbage_bin": Words("垃圾桶", "Bin"),
    "overflow": Words("垃圾满溢", "Full bin"), "construction_waste": Words("建筑垃圾", "Construction waste"),
    "blocked_lane": Words("占道", "Blocked lane"), "water": Words("积水", "Standing water"),
}  # fmt: skip
STATES = {
    "found": Words("待确认", "To be confirmed"), "confirmed": Words("已确认", "Confirmed"),
    "rejected": Words("已排除", "Rejected"), "added": Words("人工补充", "Added by hand"),
}  # fmt: skip
NOT_LOOKED_FOR = Words(
    "不会自动识别：建筑垃圾、占道（没有可用的模型），请人工画框补充。积水由图像比对得出，需人工确认。",
    "Not looked for by itself: construction waste and blocked lanes (no model exists); draw them by hand. Water is "
    "found by comparing pictures and waits for a person.",
)
_ORDER = ("fire", "smoke", "water", "blocked_lane", "construction_waste", "overflow", "garbage", "person")


def word(words: Words, language: str) -> str:
    """In the visitor's language."""
    return words.zh if language == "zh" else words.en


def title(name: str, language: str) -> str:
    """A class in words."""
    return word(TITLES[name], language) if name in TITLES else name


def feature(finding: FindingView) -> dict[str, Any]:
    """A point, null without a place."""
    at = None if finding.lon is None else {"type": "Point", "coordinates": [finding.lon, finding.lat]}
    said = TITLES.get(finding.name)
    return {
        "type": "Feature", "id": finding.finding_id, "geometry": at,
        "properties": {
            "finding_id": finding.finding_id, "flight_id": finding.flight_id, "file_id": finding.file_id,
            "thing_id": finding.thing_id, "name": finding.name, "title_zh": said.zh if said else finding.name,
            "title_en": said.en if said else finding.name, "box": finding.box, "confidence": finding.confidence,
            "uncertainty_m": finding.uncertainty_m, "state": finding.state, "model": finding.model,
            "reported_at": finding.reported_at, "judged_by": finding.judged_by,
        },
    }  # fmt: skip


def collection(findings: Sequence[FindingView], *, things: bool = False) -> dict[str, Any]:
    """One feature a finding, or ``things``: one a thing, its surest."""
    shown = surest(findings) if things else list(findings)
    return {"type": "FeatureCollection", "features": [feature(f) for f in shown]}


def surest(findings: Sequence[FindingView]) -> list[FindingView]:
    """For each thing its surest finding; what people said counts first; what asks for a look comes first."""
    best: dict[str, FindingView] = {}
    for finding in findings:
        if finding.state == "rejected":
            continue
        held = best.get(finding.thing_id)
        if held is None or _rank(finding) > _rank(held):
            best[finding.thing_id] = finding
    return sorted(best.values(), key=lambda f: (_ORDER.index(f.name) if f.name in _ORDER else 9, -f.confidence))


def _rank(finding: FindingView) -> tuple[bool, float]:
    return finding.state in ("confirmed", "added"), finding.confidence


def counts(findings: Sequence[FindingView]) -> dict[str, int]:
    """How many things of each class."""
    out: dict[str, int] = {}
    for finding in surest(findings):
        out[finding.name] = out.get(finding.name, 0) + 1
    return out


def layer(placed: int) -> dict[str, Any] | None:
    """As ``/api/layers`` lists a layer."""
    if not placed:
        return None
    shown = {"source": "layer:drone-findings"}
    title = {"zh": "无人机发现", "en": "Drone findings"}
    urgent = [
        "match",
        ["get", "name"],
        ["fire", "smoke"],
        "@fire",
        ["garbage", "overflow", "construction_waste"],
        "@rubbish",
        "@other",
    ]
    legend = [
        ("@fire", "烟火", "Flame, smoke"),
        ("@rubbish", "垃圾", "Rubbish"),
        ("@other", "车辆、人员", "Vehicles, people"),
    ]
    night = {"fire": "#ff5252", "rubbish": "#ffb300", "other": "#80deea"}
    return {
        "name": "drone-findings", "kind": "drone", "kind_title": title, "title": title["zh"], "form": "geojson",
        "tiles": "/api/drone/findings?things=true", "zooms": [0, 22], "bbox": [-180, -90, 180, 90],
        "style": [{"type": "circle", **shown, "paint": {"circle-color": urgent, "circle-radius": 5}}],
        "palette": {"night": night, "day": {"fire": "#d50000", "rubbish": "#ef6c00", "other": "#00838f"},
                    "contrast": {"fire": "#ff0000", "rubbish": "#ffff00", "other": "#00ffff"}},
        "legend": [{"colour": colour, "zh": zh, "en": en, "shape": "point"} for colour, zh, en in legend],
        "order": 55, "features": placed, "generated": False, "source": "", "date": "", "licence": "",
        "attribution": "", "imported_at": "",
    }  # fmt: skip
