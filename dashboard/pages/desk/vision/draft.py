"""The zones and algorithms of a camera while somebody changes them: plain data in the page, nothing kept yet.

``{"camera_id", "revision", "zones", "algorithms", "corners", "dirty"}``; ``corners`` are those of the zone that
is being drawn, None when none is.  Every function gives a new draft.
"""

from __future__ import annotations

import math
import re
from typing import Any

import shapely

from core.ids import new_id
from dashboard.desk.cameras import MAX_VERTICES

Draft = dict[str, Any]
CLOSE = 0.02  # a click so near the first corner closes the zone
FREEHAND = 0.004  # what is drawn in one stroke keeps its shape to this share of the picture
SAME = 0.006  # two clicks so near each other are one
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


def draft_of(camera: dict[str, Any]) -> Draft:
    """The camera as it stands."""
    return {
        "camera_id": camera["camera_id"], "revision": camera["revision"], "zones": camera["zones"] or [],
        "algorithms": camera["algorithm_configs"] or [], "corners": None, "dirty": False,
    }  # fmt: skip


def with_corner(draft: Draft, at: tuple[float, float], name: str) -> Draft:
    """A corner more; near the first one the zone is closed."""
    corners = draft["corners"] or []
    if len(corners) >= 3 and math.dist(corners[0], at) < CLOSE:
        return closed(draft, name)
    if corners and math.dist(corners[-1], at) < SAME:
        return draft
    return {**draft, "corners": [*corners, list(at)][:MAX_VERTICES]}


def closed(draft: Draft, name: str) -> Draft:
    """The zone that was drawn joins the others; fewer than three corners are none."""
    corners = draft["corners"] or []
    if len(corners) < 3:
        return {**draft, "corners": None}
    key = f"zone-{new_id().lower()[-10:]}"
    zone: dict[str, Any] = {"zone_id": key, "name": name, "purpose": "", "polygon": corners, "schedule": {}}
    return {**draft, "zones": [*draft["zones"], zone], "corners": None, "dirty": True}


def changed_zone(draft: Draft, zone_id: str, **changes: Any) -> Draft:
    """One zone changed; the very same draft when nothing differs."""
    before = next((z for z in draft["zones"] if z["zone_id"] == zone_id), None)
    if before is None or all(before.get(name) == value for name, value in changes.items()):
        return draft
    zones = [{**z, **changes} if z["zone_id"] == zone_id else z for z in draft["zones"]]
    return {**draft, "zones": zones, "dirty": True}


def without_zone(draft: Draft, zone_id: str) -> Draft:
    """The zone is gone, from the algorithms too."""
    zones = [z for z in draft["zones"] if z["zone_id"] != zone_id]
    algorithms = [{**a, "zones": [z for z in a.get("zones") or [] if z != zone_id]} for a in draft["algorithms"]]
    return {**draft, "zones": zones, "algorithms": algorithms, "dirty": True}


def reshaped(draft: Draft, moved: dict[str, Any] | None, name: str) -> Draft:
    """The draft after plotly moved corners (``{"shapes[1].path": "M0.1,0.2L…Z"}``) or drew (``{"shapes": [all]}``)."""
    told = dict(moved or {})
    shapes = told.pop("shapes", None) or []
    told |= {f"shapes[{i}].path": s.get("path") for i, s in enumerate(shapes[: len(draft["zones"])])}
    for shape in shapes[len(draft["zones"]) :]:
        corners = simplified(corners_of(str(shape.get("path", ""))), FREEHAND)
        draft = closed({**draft, "corners": corners}, name)
    for key, value in told.items():
        found = re.fullmatch(r"shapes\[(\d+)\]\.path", key)
        if found and isinstance(value, str) and int(found[1]) < len(draft["zones"]):
            corners = simplified(corners_of(value))
            if len(corners) >= 3:
                draft = changed_zone(draft, draft["zones"][int(found[1])]["zone_id"], polygon=corners)
    return draft


def path_of(corners: list[Any], *, end: bool = True) -> str:
    """Corners as an SVG path."""
    return "M" + "L".join(f"{x},{y}" for x, y in corners) + ("Z" if end else "")


def corners_of(path: str) -> list[list[float]]:
    """The corners of a path of straight lines, inside the picture."""
    numbers = [min(1.0, max(0.0, round(float(n), 4))) for n in _NUMBER.findall(path)]
    return [[x, y] for x, y in zip(numbers[::2], numbers[1::2], strict=False)]


def simplified(corners: list[list[float]], tolerance: float = 0.001) -> list[list[float]]:
    """No more corners than a zone may have; those that matter least go first."""
    rough = tolerance >= FREEHAND
    while len(corners) > 3 and (rough or len(corners) > MAX_VERTICES) and tolerance < 1:
        rough = False
        ring = shapely.simplify(shapely.LinearRing(corners), tolerance)
        corners, tolerance = [[round(x, 4), round(y, 4)] for x, y in ring.coords[:-1]], tolerance * 2
    return corners
