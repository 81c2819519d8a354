"""What each simulated platform says.  The forms are ours, modelled on what such systems commonly answer."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from core.codes.licences import ROOT, mod_37_36
from ingest.connections.hotline import signature
from ingest.simulate.platforms.server import Answer, Route

TOKEN = "simulated-token"  # noqa: S105 - of simulated platforms alone
APP_ID, APP_SECRET = "erdao", "simulated-app-secret"
_AGE_S = 300


def _token(route: Route) -> Route:
    def guarded(query: dict[str, str], headers: dict[str, str], body: bytes) -> Answer:
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, {"message": "wrong token"}
        return route(query, headers, body)

    return guarded


def sanitation(clock: Iterator[int] | None = None) -> dict[str, Route]:
    """Vehicles (GCJ-02, km/h) and work orders of street cleaning, behind ``Authorization: Bearer``."""
    steps = clock or itertools.count()

    def vehicles(_query: dict[str, str], _headers: dict[str, str], _body: bytes) -> Answer:
        step, now = next(steps), int(datetime.now(UTC).timestamp() * 1000)
        rows: list[dict[str, Any]] = [
            {"plate": f"吉A·HW{n:03d}", "gpsTime": now, "lng": 125.37 + n / 1000 + step / 10000, "lat": 43.87,
             "speed": "23.5" if n % 2 else None, "waterLevel": 61 - n, "status": "作业" if n % 2 else "停驶"}
            for n in range(1, 6)
        ]  # fmt: skip
        return 200, {"code": 200, "data": {"list": rows}}

    def orders(query: dict[str, str], _headers: dict[str, str], _body: bytes) -> Answer:
        after = int(query.get("after") or 0)
        rows = [
            {"id": n, "orderNo": f"HW{n:05d}", "title": f"道路遗撒 第{n}号", "address": "东盛大街", "lng": 125.372,
             "lat": 43.871, "createTime": "2026-11-28 08:00:00", "level": "一般"}
            for n in range(after + 1, min(after + 3, 7))
        ]  # fmt: skip
        return 200, {"code": 200, "data": {"records": rows, "lastId": rows[-1]["id"] if rows else after}}

    return {"GET /api/vehicles": _token(vehicles), "GET /api/orders": _token(orders)}


def gas() -> dict[str, Route]:
    """Pressure-regulating stations and leak detectors (ppm or % LEL; -1: no value)."""

    def stations(_query: dict[str, str], _headers: dict[str, str], _body: bytes) -> Answer:
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
        rows = [
            {"stationCode": f"TY-{n:03d}", "collectTime": now, "inPressure": 0.38, "outPressure": 2.6 - n / 10,
             "gasLel": -1 if n == 3 else n * 4, "leak": "1" if n == 2 else "0"}
            for n in range(1, 4)
        ]  # fmt: skip
        return 200, {"result": rows}

    return {"GET /gas/v1/stations": _token(stations)}


def emergency() -> dict[str, Route]:
    """Events of the emergency command; ``more`` until the last page."""

    def events(query: dict[str, str], _headers: dict[str, str], _body: bytes) -> Answer:
        page = int(query.get("page") or 1)
        rows = [
            {"eventId": f"YJ{page}{n}", "type": "内涝" if n == 1 else "火灾", "reportTime": "2026-11-28T08:10:00+08:00",
             "longitude": 125.38, "latitude": 43.88, "desc": "桥下积水" if n == 1 else "厂房冒烟",
             "state": "处置中"}
            for n in (1, 2)
        ]  # fmt: skip
        return 200, {"success": True, "rows": rows, "nextPage": page + 1, "hasMore": page < 2}

    return {"GET /events": _token(events)}


def city_events(step: int) -> dict[str, Any]:
    """What the city's AI platform pushes: one event, Unix milliseconds, GCJ-02."""
    now = int(datetime.now(UTC).timestamp() * 1000)
    kind = ("fire", "smoke", "water")[step % 3]
    event = {"eventId": f"AI{now}{step}", "cameraCode": f"22010500001320{step % 6:06d}", "algorithm": kind,
             "captureTime": now, "lng": 125.38, "lat": 43.88, "score": 0.91, "imageUrl": ""}  # fmt: skip
    return {"events": [event]}


def signed_alone(route: Route) -> Route:
    """Only for whoever signs with the application's secret, and lately."""

    def guarded(query: dict[str, str], headers: dict[str, str], body: bytes) -> Answer:
        stamp, nonce = headers.get("x-timestamp", ""), headers.get("x-nonce", "")
        wanted = signature(APP_ID, stamp, nonce, APP_SECRET, body)
        fresh = stamp.isdigit() and abs(datetime.now(UTC).timestamp() - int(stamp)) < _AGE_S
        if headers.get("x-sign") != wanted or not fresh:
            return 200, {"code": 4003, "message": "签名错误"}
        return route(query, headers, body)

    return guarded


LICENCE_TYPE, LICENCE_ISSUER = "11100000000013338W011", "11100000000013338W"


def licence_id(serial: str, version: str = "001") -> str:
    """A made-up identifier that GB/T 36904 accepts."""
    body = f"{LICENCE_TYPE}{LICENCE_ISSUER}{serial}{version}"
    return f"{ROOT}.{LICENCE_TYPE}.{LICENCE_ISSUER}.{serial}.{version}.{mod_37_36(body)}"


def licences() -> dict[str, Route]:
    """An e-licence platform: ``TEST1`` is valid, ``TEST2`` was revoked, ``TEST3`` is over; others it does not know."""
    known = {
        licence_id("TEST1"): ("食品经营许可证", "二道区示例餐饮有限公司", "有效", "2099-12-31"),
        licence_id("TEST2"): ("道路运输经营许可证", "二道区示例运输有限公司", "吊销", "2099-12-31"),
        licence_id("TEST3"): ("特种行业许可证", "二道区示例旅馆", "有效", "2020-01-31"),
    }

    def verify(_query: dict[str, str], _headers: dict[str, str], body: bytes) -> Answer:
        try:
            asked = json.loads(body)
            identifier = str(asked["licenceId"])
        except (ValueError, KeyError, TypeError):
            return 200, {"code": 4000, "message": "参数错误"}
        if identifier not in known:
            return 200, {"code": 0, "data": None}
        name, holder, state, until = known[identifier]
        return 200, {"code": 0, "data": {
            "licenceId": identifier, "licenceName": name, "holderName": holder, "issuer": "二道区政务服务局",
            "issueDate": "2019-02-01", "validUntil": until, "state": state, "fileUrl": f"/files/{identifier}.ofd",
        }}  # fmt: skip

    return {"POST /licence/verify": signed_alone(verify)}


@dataclass
class HotlineCentre:
    """A 12345 centre: gives orders to whoever signs, takes answers and returns; ``refuse`` makes it fail."""

    orders: list[dict[str, Any]] = field(default_factory=list)
    handed_back: list[dict[str, Any]] = field(default_factory=list)
    refuse: bool = False

    def routes(self) -> dict[str, Route]:
        """``POST /order/list`` and ``POST /order/result``, both signed."""
        return {"POST /order/list": signed_alone(self._list), "POST /order/result": signed_alone(self._result)}

    def _list(self, _query: dict[str, str], _headers: dict[str, str], body: bytes) -> Answer:
        after = int(json.loads(body).get("after") or 0)
        rows = self.orders[after : after + 2]
        return 200, {"code": 0, "data": {"list": rows, "next": str(after + len(rows)),
                                         "more": after + len(rows) < len(self.orders)}}  # fmt: skip

    def _result(self, _query: dict[str, str], _headers: dict[str, str], body: bytes) -> Answer:
        if self.refuse:
            return 500, {"code": 5000, "message": "系统繁忙"}
        self.handed_back.append(json.loads(body))
        return 200, {"code": 0}


def hotline_order(number: int, **changes: Any) -> dict[str, Any]:
    """An order as the centre gives it."""
    return {"orderNo": f"CC2026{number:06d}", "action": "派单", "type": "投诉", "title": f"楼道堆物 第{number}单",
            "content": "三单元楼道长期堆放杂物，影响通行。", "callerName": "王某", "callerPhone": "13800000000",
            "secret": "1", "address": "荣光街道 12 号楼", "className": "城市管理/市容"} | changes  # fmt: skip
