"""Intrusion (区域入侵): somebody, or a vehicle, is where nobody may be; usually armed out of hours by a schedule.

A payment terminal or tank area of a fuel station at night, a substation, a closed school yard.  The foot point counts.
"""

from __future__ import annotations

from core.plugins import About
from core.records import Zone
from vision.algorithms._count import Count, CountParams
from vision.params import Seconds

ABOUT = About(zh="入侵", en="Intrusion")


class Params(CountParams, frozen=True, forbid_unknown_fields=True):
    """As every counting algorithm; one person for 2 s."""

    after_s: Seconds = 2.0
    classes: tuple[str, ...] = ("person",)


def build(params: Params, zones: tuple[Zone, ...] = (), **_: object) -> Intrusion:
    return Intrusion(params, zones)


class Intrusion(Count):
    """See the module's text.  ``value``: how many."""

    kind = "intrusion"
    unit = "objects"
