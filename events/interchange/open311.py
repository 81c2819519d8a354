"""Open311 GeoReport v2: citizens' and partners' reports in, their cases out.  Pure: records in, dicts or XML out.

A report becomes an ``Observation`` of the service's kind, so that it goes through the same rules and correlation as
cameras and sensors: the third report of one flood joins its case.  The answer is a token; the token becomes a request
id (the case number) when the worker has placed the report.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from core.errors import InputInvalid, NotFound
from core.ids import derived_id
from core.records import EvidenceRef, GeoPoint, Observation, Record

MAX_DESCRIPTION = 4000
CLOSED = ("closed", "force_closed", "rejected", "cancelled", "merged")
CHINA = (72.0, 0.8, 137.9, 55.9)  # lon and lat that a report may name


class ReportService(Record, frozen=True):
    """A kind of report: ``kind`` is the observation kind that the rules know, ``happening`` what its cases are."""

    service_code: str
    service_name: str
    description: str
    kind: str
    group: str
    keywords: str = ""
    happening: str = ""


OTHER = "other"


@cache
def services() -> dict[str, ReportService]:
    """The services by code (events/interchange/open311.json)."""
    data = resources.files("events.interchange").joinpath("open311.json").read_bytes()
    return {s.service_code: s for s in msgspec.json.decode(data, type=list[ReportService])}


def service_list() -> list[dict[str, Any]]:
    """``GET /services``."""
    return [
        {
            "service_code": s.service_code,
            "service_name": s.service_name,
            "description": s.description,
            "metadata": False,
            "type": "batch",  # the id comes with the token, when the report has been placed
            "keywords": s.keywords,
            "group": s.group,
        }
        for s in services().values()
    ]


def service_of(code: str) -> ReportService:
    """The service, :class:`NotFound` otherwise."""
    found = services().get(code)
    if found is None:
        raise NotFound(what="service_code", key=code)
    return found


def service_of_case(reported: Sequence[str], kind: str, happening: str, asked: Sequence[str] = ()) -> ReportService:
    """The service under which a case is shown.

    First a service that it was ``reported`` with (codes, the first report first; one of those ``asked`` for comes
    before), then that of its kind or happening, at last "other": always one of ``GET /services``.
    """
    known = [code for code in reported if code in services()]
    for code in [c for c in known if c in asked] + known:
        return services()[code]
    for service in services().values():
        if service.kind == kind or (service.happening and service.happening == happening):
            return service
    return services()[OTHER]


def reported_code(body: Mapping[str, Any]) -> str:
    """The service code of a stored report (the ``body`` of its observation); empty for other observations."""
    attributes = body.get("attributes") or {}
    if attributes.get("channel") != "open311":
        return ""
    code = str(attributes.get("service_code") or "")
    return code or next((s.service_code for s in services().values() if s.kind == body.get("kind")), "")


def read_report(
    form: Mapping[str, str], account: str, received_at: datetime, photos: Sequence[EvidenceRef] = ()
) -> Observation:
    """The form of ``POST /requests`` as an observation; :class:`InputInvalid` names the field.

    ``photos``: pictures that came with it, stored already.

    The id depends on the account and what is reported, so a report that is sent twice within a minute is one.
    """
    form = {name: "".join(c for c in text if c >= " " or c in "\n\t") for name, text in form.items()}
    code = form.get("service_code", "")
    if not code:
        raise InputInvalid(field="service_code", detail="is missing", how="name one of GET /services")
    service = service_of(code)
    location = _location(form)
    address = form.get("address_string", "").strip()[:200]
    if location is None and not address:
        raise InputInvalid(field="lat", detail="no place is given", how="send lat and long, or address_string")
    description = form.get("description", "").strip()
    if len(description) > MAX_DESCRIPTION:
        raise InputInvalid(field="description", detail=f"longer than {MAX_DESCRIPTION} characters", how="shorten it")
    accuracy = _number(form, "attribute[accuracy_m]", 0, 5000)
    attributes: dict[str, Any] = {"accuracy_m": accuracy if accuracy is not None else 30.0, "channel": "open311"}
    attributes["service_code"] = code
    for name, value in (("text", description), ("address", address), ("media_url", form.get("media_url", "")[:500])):
        if value:
            attributes[name] = value
    minute = int(received_at.timestamp() // 60)
    device = form.get("device_id") or form.get("account_id") or form.get("phone") or ""
    key = derived_id("open311", account, device, code, form.get("lat"), form.get("long"), address, description, minute)
    return Observation(
        observation_id=key,
        kind=service.kind,
        state="open",
        source_type="citizen",
        source_id=f"citizen:{derived_id(account, device) if device else key}"[:120],
        observed_at=received_at,
        received_at=received_at,
        location=location,
        attributes=attributes,
        evidence=tuple(photos),
    )


def _location(form: Mapping[str, str]) -> GeoPoint | None:
    lat, lon = _number(form, "lat", -90, 90), _number(form, "long", -180, 180)
    if (lat is None) != (lon is None):
        raise InputInvalid(field="lat" if lat is None else "long", detail="is missing", how="send both lat and long")
    if lat is None or lon is None:
        return None
    if not (CHINA[0] <= lon <= CHINA[2] and CHINA[1] <= lat <= CHINA[3]):
        raise InputInvalid(field="lat", detail=f"{lat}, {lon} lies outside", how="send WGS-84 degrees, lat then long")
    return GeoPoint(lon=lon, lat=lat)


def _number(form: Mapping[str, str], name: str, low: float, high: float) -> float | None:
    text = form.get(name, "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise InputInvalid(field=name, detail=f"{text[:40]!r} is no number from {low} to {high}", how="correct it")
    return value


class ServiceRequest(Record, frozen=True):
    """A case as Open311 shows it."""

    number: str
    state: str
    title: str
    description: str
    agency: str
    opened_at: datetime
    updated_at: datetime
    expected_at: datetime | None
    lon: float | None
    lat: float | None
    service: ReportService
    notes: str = ""
    address: str = ""
    media_url: str = ""


def request_dict(request: ServiceRequest) -> dict[str, Any]:
    """``request`` with the standard's names."""
    return {
        "service_request_id": request.number,
        "status": "closed" if request.state in CLOSED else "open",
        "status_notes": request.notes or request.state,
        "service_name": request.service.service_name,
        "service_code": request.service.service_code,
        "description": request.description or request.title,
        "agency_responsible": request.agency,
        "service_notice": "",
        "requested_datetime": request.opened_at.isoformat(timespec="seconds"),
        "updated_datetime": request.updated_at.isoformat(timespec="seconds"),
        "expected_datetime": request.expected_at.isoformat(timespec="seconds") if request.expected_at else None,
        "address": request.address,
        "address_id": None,
        "zipcode": None,
        "lat": request.lat,
        "long": request.lon,
        "media_url": request.media_url or None,
    }


def to_xml(root: str, item: str, rows: Sequence[Mapping[str, Any]]) -> bytes:
    """``rows`` as Open311's XML: ``<root><item><name>value</name>…</item>…</root>``; a list is ``<names><name>…``."""
    tree = ET.Element(root)
    for row in rows:
        _into(ET.SubElement(tree, item), row)
    return bytes(ET.tostring(tree, encoding="utf-8", xml_declaration=True))


def document(root: str, body: Mapping[str, Any]) -> bytes:
    """``body`` as an XML document of its own (discovery, a service's definition)."""
    tree = ET.Element(root)
    _into(tree, body)
    return bytes(ET.tostring(tree, encoding="utf-8", xml_declaration=True))


def _into(element: ET.Element, value: Any) -> None:
    """``value`` as the content of ``element``."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            _into(ET.SubElement(element, name), inner)
    elif isinstance(value, list):
        for inner in value:
            _into(ET.SubElement(element, element.tag.removesuffix("s")), inner)
    else:
        text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        element.text = "".join(c for c in text if c >= " " or c in "\n\t")
