"""A case as an OASIS CAP 1.2 alert (emergency management, broadcast, neighbouring districts).

Mapping: red Extreme, orange Severe, yellow Moderate, blue Minor; confirmed by a person Observed, by a model or sensor
alone Likely, below 0.6 confidence Possible.  A closed case is an Update with AllClear, a cancelled or
merged one a Cancel.
Scope is Restricted: whoever receives it decides about the public.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from core.clock import BEIJING
from core.records import Record

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
MEDIA_TYPE = "application/cap+xml"

TAKEN_BACK = ("cancelled", "rejected", "merged")
_SEVERITY = {1: "Minor", 2: "Moderate", 3: "Severe", 4: "Extreme"}
_CATEGORY = {
    "fire": "Fire",
    "gas": "CBRNE",
    "waterlogging": "Met",
    "weather": "Met",
    "environment": "Env",
    "congestion": "Transport",
    "obstruction": "Transport",
    "intrusion": "Security",
    "crowding": "Safety",
}
_RESPONSE = {"fire": "Avoid", "gas": "Evacuate", "waterlogging": "Avoid", "weather": "Monitor"}


class Alert(Record, frozen=True):
    """What an alert says; ``earlier`` are the (identifier, sent) of messages it follows."""

    case_id: str
    number: str
    version: int
    title: str
    description: str
    severity: int
    happening: str
    class_code: str
    class_version: str
    state: str
    sent: datetime
    onset: datetime
    expires: datetime | None = None
    lon: float | None = None
    lat: float | None = None
    radius_m: float = 150.0
    area: str = ""
    division_code: str | None = None
    sender: str = "yiwang"
    sender_name: str = ""
    confirmed: bool = False
    confidence: float | None = None
    web: str = ""
    exercise: bool = False
    event: str = ""
    note: str = ""
    earlier: tuple[tuple[str, datetime], ...] = ()


def alert_xml(alert: Alert) -> bytes:
    """The alert; element order is the standard's."""
    ET.register_namespace("", NAMESPACE)
    root = ET.Element(_q("alert"))
    kind = message_type(alert)
    _add(root, "identifier", identifier(alert.case_id, alert.version))
    _add(root, "sender", _token(alert.sender))
    _add(root, "sent", cap_time(alert.sent))
    _add(root, "status", "Exercise" if alert.exercise else "Actual")
    _add(root, "msgType", kind)
    _add(root, "scope", "Restricted")
    _add(root, "restriction", "departments of the district / 区内部门")
    if alert.note:
        _add(root, "note", alert.note)
    if alert.earlier:
        references = (f"{_token(alert.sender)},{name},{cap_time(at)}" for name, at in alert.earlier)
        _add(root, "references", " ".join(references))
    _add(root, "incidents", alert.number)
    _info(root, alert, kind)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def message_type(alert: Alert) -> Literal["Alert", "Update", "Cancel"]:
    """Alert first, Update while it goes on and at its end, Cancel when it was none or is told by another's alerts."""
    if alert.state in TAKEN_BACK and alert.earlier:  # a Cancel must refer to what it takes back
        return "Cancel"
    return "Update" if alert.earlier else "Alert"


def identifier(case_id: str, version: int) -> str:
    """The message's id: case and version, without blanks, commas, < and &."""
    return f"yiwang.{case_id}.{version}"


def cap_time(moment: datetime) -> str:
    """Beijing time with offset; CAP forbids "Z"."""
    return moment.astimezone(BEIJING).replace(microsecond=0).isoformat()


def _info(root: ET.Element, alert: Alert, kind: str) -> None:
    over = alert.state in ("closed", "force_closed")
    info = ET.SubElement(root, _q("info"))
    _add(info, "language", "zh-CN")
    _add(info, "category", _CATEGORY.get(alert.happening, "Other"))
    _add(info, "event", alert.event or alert.title.split(" ", 1)[-1] or alert.title)
    if over or kind == "Cancel":
        _add(info, "responseType", "AllClear")
    else:
        _add(info, "responseType", _RESPONSE.get(alert.happening, "Monitor"))
    _add(info, "urgency", "Past" if over or kind == "Cancel" else "Immediate" if alert.severity >= 3 else "Expected")
    _add(info, "severity", _SEVERITY.get(alert.severity, "Unknown"))
    _add(info, "certainty", _certainty(alert))
    if alert.class_code:
        _pair(info, "eventCode", f"GB/T 30428.2-{alert.class_version}", alert.class_code)
    _add(info, "effective", cap_time(alert.sent))
    _add(info, "onset", cap_time(alert.onset))
    if alert.expires is not None and alert.expires > alert.sent:
        _add(info, "expires", cap_time(alert.expires))
    if alert.sender_name:
        _add(info, "senderName", alert.sender_name)
    _add(info, "headline", alert.title[:160])
    if alert.description:
        _add(info, "description", alert.description)
    if alert.web:
        _add(info, "web", alert.web)
    if alert.state:
        _pair(info, "parameter", "caseState", alert.state)
    area = ET.SubElement(info, _q("area"))
    _add(area, "areaDesc", alert.area or "unknown / 不详")
    if alert.lon is not None and alert.lat is not None:
        _add(area, "circle", f"{alert.lat:.6f},{alert.lon:.6f} {alert.radius_m / 1000:.3f}")
    if alert.division_code:
        _pair(area, "geocode", "GB/T 2260", alert.division_code)


def _certainty(alert: Alert) -> str:
    if alert.state in ("cancelled", "rejected"):
        return "Unlikely"
    if alert.confirmed:
        return "Observed"
    return "Possible" if alert.confidence is not None and alert.confidence < 0.6 else "Likely"


def _q(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, _q(name)).text = "".join(c for c in text if c >= " " or c in "\n\t")


def _pair(parent: ET.Element, name: str, value_name: str, value: str) -> None:
    element = ET.SubElement(parent, _q(name))
    _add(element, "valueName", value_name)
    _add(element, "value", value)


def _token(text: str) -> str:
    return "".join("_" if c in " ,<&" else c for c in text)


def order_of(element: ET.Element) -> Sequence[str]:
    """Names of an element's children, without namespace: for tests."""
    return [child.tag.rpartition("}")[2] for child in element]
