"""What a sight from above may do by itself (see :mod:`vision.aerial.sights`); needs no model and no picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Trust = Literal["count", "twice", "person"]
TRUST: Mapping[str, Trust] = {
    "car": "count", "large_vehicle": "count", "cyclist": "count", "person": "count",
    "fire": "twice", "smoke": "twice", "garbage": "person", "overflow": "person",
}  # fmt: skip
SURE = 0.7  # of flame and smoke: from here one picture is enough
