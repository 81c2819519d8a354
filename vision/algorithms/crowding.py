"""Crowding (人员聚集): at least ``limit`` people in the zone, by the median of a few seconds, for ``after_s``."""

from __future__ import annotations

from core.plugins import About
from core.records import Zone
from vision.algorithms._count import Count, CountParams
from vision.params import Seconds, Share

ABOUT = About(zh="人员聚集", en="Crowding")


class Params(CountParams, frozen=True, forbid_unknown_fields=True):
    """As every counting algorithm.  People in a crowd hide each other: ``confidence`` is lower than elsewhere."""

    limit: int = 10
    after_s: Seconds = 10.0
    clear_after_s: Seconds = 20.0
    window_s: Seconds = 3.0
    confidence: Share = 0.4
    classes: tuple[str, ...] = ("person",)


def build(params: Params, zones: tuple[Zone, ...] = (), **_: object) -> Crowding:
    return Crowding(params, zones)


class Crowding(Count):
    """See the module's text.  ``value``: people in the zone on the last picture."""

    kind = "crowding"
    unit = "people"
