"""The two code sets: GB/T 30428.2-2013, by which rules and routing are written, and CJ/T 214-2007 of older systems.

The same number means other things in them (05-06 is water on the road in 2013, parked bicycles in 2007; 大类 04 and 05
of the events are swapped), so a code never goes without its version.  ``codes_2007.csv`` names the 2007 events and,
where there is one, the class of 2013 that means the same.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources

from core.records import Record

CURRENT = "2013"
_SWAPPED = {"event-04": "event-05", "event-05": "event-04"}


class OldClass(Record, frozen=True):
    """A class of the 2007 set; ``code_2013`` "" where the newer set has none."""

    code: str
    name: str
    code_2013: str


@cache
def old_classes() -> dict[str, OldClass]:
    """The events of the 2007 set by code."""
    text = resources.files("events.taxonomy").joinpath("codes_2007.csv").read_text(encoding="utf-8")
    return {row["code"]: OldClass(**row) for row in csv.DictReader(text.splitlines())}


def as_current(class_code: str, class_version: str) -> str:
    """``class_code`` in the set of 2013: the class that means the same, else its 大类 alone ("event-04-").

    For rules and routing, which go by class; the case keeps the code it was filed under.
    """
    if class_version == CURRENT or not class_code:
        return class_code
    found = old_classes().get(class_code)
    if found is not None and found.code_2013:
        return found.code_2013
    kind_and_big = "-".join(class_code.split("-")[:2])
    return f"{_SWAPPED.get(kind_and_big, kind_and_big)}-"
