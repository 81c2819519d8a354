"""Wrong parking (违章停车): a vehicle stands in a no-parking zone longer than loading takes."""

from __future__ import annotations

from core.plugins import About
from core.records import Zone
from vision.algorithms._dwell import Dwell, DwellParams
from vision.params import Seconds

ABOUT = About(zh="违停", en="Wrong parking")


class Params(DwellParams, frozen=True, forbid_unknown_fields=True):
    """As every dwell algorithm; motorcycles count."""

    after_s: Seconds = 300.0
    classes: tuple[str, ...] = ("car", "truck", "bus", "motorcycle")


def build(params: Params, zones: tuple[Zone, ...] = (), **_: object) -> WrongParking:
    return WrongParking(params, zones)


class WrongParking(Dwell):
    """See the module's text.  ``value``: seconds the vehicle has stood."""

    kind = "wrong_parking"
