"""Sites, cameras, devices and departments of the demo city (written once into ``layers/demo/erdao/*.csv``)."""

from __future__ import annotations

import json
import random
from typing import Any

from layers.demo.areas import DemoArea, random_point
from layers.demo.plane import Plane
from layers.demo.streets import Node, lattice_point
from layers.romanised import english_of

BUREAUS = (
    ("dept-command", "城市运行指挥中心", "City Operations Command Centre", "centre"),
    ("dept-fire", "消防救援大队", "Fire and Rescue Brigade", "bureau"),
    ("dept-drainage", "排水管理处", "Drainage Office", "bureau"),
    ("dept-emergency", "应急管理局", "Emergency Management Bureau", "bureau"),
    ("dept-urban", "城市管理局", "Urban Management Bureau", "bureau"),
    ("dept-traffic", "交警大队", "Traffic Police Brigade", "bureau"),
    ("dept-gas", "燃气管理办公室", "Gas Safety Office", "bureau"),
    ("dept-environment", "生态环境分局", "Ecology and Environment Branch", "bureau"),
    ("dept-it", "信息运维中心", "IT Operations Centre", "centre"),
    ("dept-civil", "民政局", "Civil Affairs Bureau", "bureau"),
    ("dept-mediation", "司法局（矛盾调解）", "Justice Bureau (Dispute Mediation)", "bureau"),
)
_FIRE_SITES = (
    ("商业广场", "Shopping Plaza"), ("医院综合楼", "Hospital Building"), ("客运枢纽", "Coach Terminal"),
    ("会展中心", "Exhibition Centre"), ("高层写字楼", "Office Tower"), ("建材市场", "Building Materials Market"),
    ("中学", "Middle School"), ("养老服务中心", "Care Home"), ("影剧院", "Theatre"),
)  # fmt: skip
_WAREHOUSES = ("防汛物资库", "消防物资库", "救灾物资库", "应急装备库", "医疗物资库")
_KEY_PLACES = (
    ("农贸市场", "Farmers' Market"),
    ("公园", "Park"),
    ("校门口", "School Gate"),
    ("地铁口", "Metro Entrance"),
)

SIMULATED = {"gb26875:889", "mqtt:erdao-underpass-01"}

Row = dict[str, Any]


def departments(streets: list[DemoArea]) -> list[Row]:
    """The bureaus and one office a street or town."""
    rows = [
        {"department_id": i, "name": name, "name_en": en, "kind": kind, "parent_id": "", "division_code": "220105"}
        for i, name, en, kind in BUREAUS
    ]
    for street in streets:
        office = street.name + ("办事处" if street.name.endswith("街道") else "人民政府")
        rows.append(
            {
                "department_id": f"street-{street.code}",
                "name": office,
                "name_en": _office(street.name),
                "kind": "street",
                "parent_id": "",
                "division_code": street.code,
            }
        )
    return rows


def sites(rng: random.Random, plane: Plane, urban: list[DemoArea], nodes: set[Node]) -> list[Row]:
    """18 key fire sites, 19 fuel stations, 30 waterlogging points, 24 key places, 10 warehouses."""
    rows: list[Row] = []

    def add(kind: str, number: int, name: str, en: str, place: tuple[float, float], department: str) -> None:
        lon, lat = plane.degrees(*place)
        rows.append(
            {
                "site_id": f"site-{_SHORT[kind]}-{number:02d}", "name": name, "name_en": en, "kind": kind,
                "lon": lon, "lat": lat, "department_id": department, "address": "", "source": "generated",
                "attributes": "{}",
            }
        )  # fmt: skip

    for n in range(18):
        area = urban[n % len(urban)]
        name, en = _FIRE_SITES[n % len(_FIRE_SITES)]
        add(
            "key_fire_site", n + 1, f"{_short(area)}{name}", f"{en} {n + 1}", random_point(rng, area.shape), "dept-fire"
        )
    for n in range(19):
        i, j = _pick(rng, nodes, 4)
        x, y = lattice_point(i, j)
        add("fuel_station", n + 1, f"第{n + 1}加油站", f"Fuel Station {n + 1}", (x + 45, y + 45), "dept-emergency")
    for n in range(30):
        i, j = _pick(rng, nodes, 8 if n < 6 else 2)
        word, en = ("下穿桥", "Underpass") if n < 6 else ("积水点", "Waterlogging Point")
        name = f"{'易涝' if n >= 6 else ''}{n + 1}号{word}"
        add("waterlogging", n + 1, name, f"{en} {n + 1}", lattice_point(i, j), "dept-drainage")
    for n in range(24):
        area = urban[n % len(urban)]
        name, en = _KEY_PLACES[n % len(_KEY_PLACES)]
        label = f"{_short(area)}{name}{n // 8 + 1}"
        add("key_place", n + 1, label, f"{en} {n + 1}", random_point(rng, area.shape), "dept-urban")
    for n in range(10):
        area = urban[n % len(urban)]
        name = f"{_short(area)}{_WAREHOUSES[n % 5]}"
        add("warehouse", n + 1, name, f"Emergency Warehouse {n + 1}", random_point(rng, area.shape), "dept-emergency")
    return rows


_SHORT = {
    "key_fire_site": "fire", "fuel_station": "fuel", "waterlogging": "water",
    "key_place": "place", "warehouse": "store",
}  # fmt: skip


def _short(area: DemoArea) -> str:
    return area.name.removesuffix("街道")


def _office(name: str) -> str:
    """``东盛街道`` → ``Dongsheng Subdistrict Office``, ``英俊镇`` → ``Yingjun Town Government``."""
    return f"{english_of(name)} {'Office' if name.endswith('街道') else 'Government'}"


def _pick(rng: random.Random, nodes: set[Node], step: int) -> Node:
    return rng.choice(sorted(n for n in nodes if n[0] % step == 0 and n[1] % step == 0))


def _box(x1: float, y1: float, x2: float, y2: float) -> list[list[float]]:
    return [[x1, y1], [x2, y1], [x2, y2], [x1, y2]]


_DUTY_ZONE = {"zone_id": "duty", "name": "值班区", "purpose": "duty", "polygon": _box(0.02, 0.2, 0.98, 1.0)}
_FLAME = {"kind": "flame_smoke"}
_PLANS: dict[str, tuple[str, str, list[Row], list[Row]]] = {  # site kind: category, clip, algorithms, zones
    "key_fire_site": (
        "fire_control_room", "duty_room",
        [{"kind": "absence", "zones": ["duty"], "params": {"after_s": 90, "min_staff": 2}}, _FLAME], [_DUTY_ZONE],
    ),
    "fuel_station": ("fuel_station", "street", [_FLAME], []),
    "waterlogging": ("waterlogging", "street", [_FLAME], []),
    "key_place": ("key_place", "street", [_FLAME], []),
    "warehouse": ("warehouse", "street", [_FLAME], []),
}  # fmt: skip
# The cameras that a machine with two cores analyses continuously; the others are visited by the patrol.
_CONTINUOUS: dict[str, tuple[str, list[Row]]] = {
    "cam-fire-01": ("duty_room", [{"kind": "absence", "zones": ["duty"], "params": {"after_s": 10, "min_staff": 1}}]),
    "cam-fire-05": ("flame", [_FLAME]),
    "cam-water-01": ("street", [_FLAME]),
}


def site_cameras(places: list[Row]) -> list[Row]:
    """65 cameras on the key fire sites, one on every other site: 148."""
    rows: list[Row] = []
    counts: dict[str, int] = {}
    for place in places:
        category, clip, algorithms, zones = _PLANS[place["kind"]]
        # 65 = 11 sites × 4 + 7 × 3
        number = 1 if place["kind"] != "key_fire_site" else 4 if int(place["site_id"][-2:]) <= 11 else 3
        for k in range(number):
            short = place["site_id"].split("-")[1]
            counts[short] = counts.get(short, 0) + 1
            camera_id = f"cam-{short}-{counts[short]:02d}"
            wanted = _CONTINUOUS.get(camera_id)
            rows.append(
                {
                    "camera_id": camera_id,
                    "name": f"{place['name']}{f'消控室{k + 1}号机' if number > 1 else '监控'}",
                    "name_en": f"{place['name_en']}, " + (f"control room camera {k + 1}" if number > 1 else "camera"),
                    "category": category, "site_id": place["site_id"],
                    "url": f"../clips/{wanted[0] if wanted else clip}.mp4?loop=1",
                    "lon": round(place["lon"] + 0.00012 * k, 7), "lat": place["lat"],
                    "department_id": place["department_id"], "analysis_fps": 2.0, "priority": 1 if wanted else 5,
                    "algorithms": json.dumps(wanted[1] if wanted else algorithms, ensure_ascii=False),
                    "zones": json.dumps(zones, ensure_ascii=False), "enabled": bool(wanted),
                    "risk": 0.9 if category == "fire_control_room" else 0.6, "source": "generated",
                }
            )  # fmt: skip
    return rows


def devices(places: list[Row]) -> list[Row]:
    """A fire panel, six underpass gauges, rain and river stations, an air monitor, sanitation vehicles.

    Only the two that the demo simulates are expected to report: nobody waits for the others, so none counts as silent.
    """
    at = {p["site_id"]: p for p in places}
    rows: list[Row] = []

    def add(source: str, address: str, names: tuple[str, str], kind: str, site: str | None, department: str,
            every_s: float | None, ranges: Row | None = None) -> None:  # fmt: skip
        place = at.get(site or "")
        rows.append(
            {
                "device_id": f"{source}:{address}", "source": source, "address": address, "name": names[0],
                "name_en": names[1],
                "device_type": kind, "status": "accepted", "site_id": site or "",
                "lon": place["lon"] if place else "", "lat": place["lat"] if place else "",
                "department_id": department,
                "expected_interval_s": every_s if every_s and f"{source}:{address}" in SIMULATED else "",
                "ranges": json.dumps(ranges or {}),
            }
        )  # fmt: skip

    add(
        "gb26875",
        "889",
        ("商业广场用户信息传输装置", "Shopping plaza transmission unit"),
        "fire_panel",
        "site-fire-01",
        "dept-fire",
        120,
    )
    depth = {"water_level_m": [-0.5, 5.0]}
    for n in range(1, 7):
        site = f"site-water-{n:02d}"
        add(
            "mqtt",
            f"erdao-underpass-{n:02d}",
            (f"{n}号下穿桥水位计", f"Underpass {n} water gauge"),
            "water_gauge",
            site,
            "dept-drainage",
            60,
            depth,
        )
    for n in (1, 2):
        add("sl651", f"002201050{n}", (f"雨量站{n}", f"Rain gauge {n}"), "rain_gauge",
            f"site-water-{n + 6:02d}", "dept-drainage", 300,
            {"rain_mm": [0, 200]})  # fmt: skip
    add(
        "hj212",
        "22010500000000000000A001",
        ("空气质量微站1", "Air quality station 1"),
        "air_station",
        "site-place-01",
        "dept-environment",
        60,
    )
    for n in (1, 2, 3):
        add("jt808", f"00000000050{n}", (f"环卫车{n}", f"Sweeper {n}"), "vehicle", None, "dept-urban", 60)
    return rows
