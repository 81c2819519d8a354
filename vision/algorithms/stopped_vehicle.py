"""A vehicle that stopped on the carriageway (违停/故障车): it stands in the zone while traffic should flow.

``after_s`` is longer than a red phase by default; with ``passed`` above 0 a vehicle counts only when so many others
have passed through the zone since it stopped, which tells a breakdown from a queue at a light.
"""

from __future__ import annotations

from core.plugins import About
from core.records import Zone
from vision.algorithms._dwell import Dwell, DwellParams
from vision.params import Seconds

ABOUT = About(zh="车辆滞留", en="Stopped vehicle")


class Params(DwellParams, frozen=True, forbid_unknown_fields=True):
    """As every dwell algorithm."""

    after_s: Seconds = 120.0


def build(params: Params, zones: tuple[Zone, ...] = (), **_: object) -> StoppedVehicle:
    return StoppedVehicle(params, zones)


class StoppedVehicle(Dwell):
    """See the module's text.  ``value``: seconds the vehicle has stood."""

    kind = "stopped_vehicle"
