"""An order to a gateway and what became of it: asked over the bus, sent over the broker, matched by ``tid``."""

from __future__ import annotations

from core.records import JSON, Record

SUBJECT = "aircraft.order"
POSES = "aircraft.pose"
MEDIA = "aircraft.media"
TIMEOUT_S = 15.0


class AircraftOrder(Record, frozen=True):
    """``method`` and ``data`` as the Cloud API names them; ``sn`` an aircraft or a gateway.

    ``method`` "fleet" asks for what is known: nothing is sent to anybody.
    """

    sn: str
    method: str
    data: dict[str, JSON] = {}
    requested_by: str = ""


class AircraftAnswer(Record, frozen=True):
    """``code``: "" done, no_gateway, no_answer, refused (with DJI's ``result``), busy."""

    code: str
    detail: str = ""
    result: int | None = None
    output: dict[str, JSON] = {}
