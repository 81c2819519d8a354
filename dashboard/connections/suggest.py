"""A first mapping out of a sample: which list holds the items, which field is device, time, place, number.  Pure.

Only a beginning for whoever knows the sender: it is shown, tried and corrected before it is saved.
"""

from __future__ import annotations

import re
from typing import Any

from core.errors import YiwangError
from dashboard.connections.trial import fields_of, lists_of
from ingest.mapping import find
from ingest.mapping.words import number

DEVICE = (
    "device", "deviceid", "deviceno", "station", "stationcode", "plate", "sn", "imei", "code", "id", "no",
    "设备", "编号", "车牌",
)  # fmt: skip
ORDER = ("orderno", "ticketno", "ticket_no", "order_no", "service_request_id", "工单号", "工单编号")
TIME = ("time", "date", "datetime", "timestamp", "ts", "时间")
LON, LAT = ("lon", "lng", "longitude", "long", "经度"), ("lat", "latitude", "纬度")
TITLE = ("title", "subject", "标题", "service_name")


def suggest(sample: Any) -> dict[str, Any]:
    """A mapping as plain data; empty where the sample shows no items."""
    lists = [] if isinstance(sample, list) else lists_of(sample)
    items = lists[0] if lists else ""
    fields = fields_of(sample, items)
    if not fields:
        return {}
    first = _first(sample, items)
    mapping: dict[str, Any] = {"items": items} if items else {}
    lon, lat = _named(fields, LON), _named(fields, LAT)
    order, title = _named(fields, ORDER), _named(fields, TITLE)
    if order and title:
        mapping |= {"place": {"lon": lon, "lat": lat}} if lon and lat else {}
        words = {"title": title, "description": _named(fields, ("content", "description", "desc", "内容"))}
        filled = {name: path for name, path in words.items() if path}
        return mapping | {"orders": [{"definition": "city_management", "number": order, "fields": filled}]}
    mapping["device"] = _named(fields, DEVICE) or fields[0]
    time = _ending(fields, TIME)
    if time:
        mapping["time"] = {"path": time}
    mapping |= {"place": {"lon": lon, "lat": lat}} if lon and lat else {}
    used = {mapping["device"], time, lon, lat}
    numbers = [f for f in fields if f not in used and number(find(first, f)) is not None]
    values = [{"path": f, "quantity": quantity_of(f)} for f in numbers[:30]]
    texts: list[dict[str, Any]] = [{"path": f, "quantity": quantity_of(f), "text": True} for f in fields[1:3]]
    return mapping | {"values": values or texts}


def quantity_of(path: str) -> str:
    """``data.waterLevel`` → ``water_level``; without letters: ``value``."""
    last = path.rpartition(".")[2]
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", last).lower()
    return re.sub(r"[^a-z0-9_]+", "_", words).strip("_")[:40] or "value"


def _first(sample: Any, items: str) -> Any:
    try:
        listed = sample if isinstance(sample, list) else find(sample, items.removesuffix("[]")) if items else [sample]
    except YiwangError:
        return {}
    return next((item for item in listed or [] if isinstance(item, dict)), {})


def _named(fields: list[str], names: tuple[str, ...]) -> str:
    """The field whose last name is one of ``names``, the first of them first."""
    last = {field.rpartition(".")[2].casefold(): field for field in reversed(fields)}
    return next((last[name] for name in names if name in last), "")


def _ending(fields: list[str], names: tuple[str, ...]) -> str:
    return _named(fields, names) or next((f for f in fields if f.casefold().endswith(names)), "")
