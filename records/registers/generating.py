"""A generated district: records that look like a district's and are marked as generated; no real number is in them.

Identity numbers carry the division 220199 and telephones begin with 120: neither is given to anybody.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Engine

from core.clock import BEIJING, Clock
from core.ids import new_id
from core.sealing import Seal
from records.registers.definition import Register, shipped_registers
from records.registers.generating_credit import COUNTS, DRAWS
from records.registers.invented import NOBODY, GeneratedBuilding, building_of, credit_number, resident_number
from records.registers.preparing import Prepared, Preparer
from records.registers.storing import Origin, create_records
from storage.bulk import roomy
from storage.session import session_scope

SOURCE = "generated"
SHARES = {  # of 370,000
    "person": 0.72, "household": 0.17, "building": 0.022, "enterprise": 0.06, "special_place": 0.014, "licence": 0.008,
    "emergency_stock": 0.002, "project": 0.002, "network_device": 0.002,
}  # fmt: skip
FIXED = {"network_line": 94, "media_account": 36, "policy": 40, "credit_commitment": 240, **COUNTS}  # of any district
SMALLEST = 2000  # records from which the fixed ones are made too
_FAMILY = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘"
    "杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
_GIVEN = (
    "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂兰凤洁梅琳素云莲真环雪荣爱妹香月莺媛瑞凡佳嘉琼勤珍贞莉桂叶"
    "璧璐娅琦晶妍茜秋珊莎锦黛青倩婷姣婉娴瑾颖露瑶怡婵雁蓓纨仪荷丹蓉眉君琴蕊薇菁梦岚苑建国华文志海山仁波宁贵福"
    "生龙元全国胜学祥才发武新利清飞彬富顺信子杰"
)
_TRADE = "食品 商贸 物流 机电 建材 餐饮 汽配 科技 文化 医药 印刷 包装 劳务 装饰 农资".split()  # noqa: SIM905
_CARE = ("none",) * 92 + ("elderly_alone", "elderly_alone", "disabled", "disabled", "left_behind", "subsistence",
         "subsistence", "correction")  # fmt: skip
_BATCH = 4000
Draw = Callable[[random.Random, int, GeneratedBuilding], dict[str, Any]]


def generate(
    engine: Engine,
    seal: Seal,
    clock: Clock,
    communities: Sequence[tuple[str, float, float]],
    count: int,
    *,
    seed: int = 1,
    progress: Callable[[str, int], None] = lambda _name, _count: None,
) -> dict[str, int]:
    """Write ``count`` records over the ``communities`` (code, lon, lat); returns how many of each register."""
    made: dict[str, int] = {}
    registers = shipped_registers()
    wanted_of = counts(count)
    built = communities[: max(1, wanted_of["building"])]  # whoever has an address lives where a building stands
    houses = max(1, wanted_of["building"] // len(communities))
    for name, wanted in wanted_of.items():
        register = registers[name]
        origin = Origin("system", clock.now(), SOURCE)
        preparer = Preparer(register, seal, clock.now().astimezone(BEIJING).date())
        for batch in _prepared(register, preparer, rows(register, built, wanted, seed, houses)):
            with session_scope(engine) as session:
                roomy(session)
                create_records(session, batch, origin)
            progress(name, len(batch))
        made[name] = wanted
    return made


def counts(count: int) -> dict[str, int]:
    """How many of each register ``count`` records are; people fill up what the others leave."""
    found = {name: round(count * share) for name, share in SHARES.items()}
    if count >= SMALLEST:
        found |= FIXED
    found["person"] = count - sum(number for name, number in found.items() if name != "person")
    return found


def _prepared(register: Register, preparer: Preparer, drawn: Iterator[dict[str, Any]]) -> Iterator[list[Prepared]]:
    batch: list[Prepared] = []
    for values in drawn:
        batch.append(preparer.prepare(new_id(), values))
        if len(batch) >= _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def rows(
    register: Register, communities: Sequence[tuple[str, float, float]], count: int, seed: int = 1, houses: int = 90
) -> Iterator[dict[str, Any]]:
    """``count`` records of one register as checked values; the same seed gives the same records.

    ``houses``: how many buildings a community has; whoever has an address has that of one of them, and its point.
    """
    dice, draw = random.Random(f"{seed} {register.id}"), _DRAW[register.id]
    known = {field.name for field in register.fields}
    for number in range(count):
        built = register.id == "building"
        code, lon, lat = communities[number % len(communities) if built else dice.randrange(len(communities))]
        house = building_of(code, lon, lat, number // len(communities) if built else dice.randrange(houses))
        values = draw(dice, number, house)
        values["division"] = code
        if "grid" in known:
            values["grid"] = house.grid
        yield {name: value for name, value in values.items() if name in known}


def _name(dice: random.Random) -> str:
    given = dice.choice(_GIVEN) + (dice.choice(_GIVEN) if dice.random() < 0.75 else "")
    return dice.choice(_FAMILY) + given


def _floor(dice: random.Random, house: GeneratedBuilding) -> int:
    return dice.randrange(1, house.floors + 1)


def _room(dice: random.Random, floor: int) -> str:
    return f"{floor}{dice.randrange(1, 5):02d}"


def _phone(dice: random.Random) -> str:
    return f"120{dice.randrange(10**8):08d}"


def _person(dice: random.Random, number: int, house: GeneratedBuilding) -> dict[str, Any]:
    born = date(1930, 1, 1) + timedelta(days=(number // 1000 * 61 + number % 1000 * 34) % 34_000)  # of every age
    identity = resident_number(born, number)
    return {
        "name": _name(dice), "id_number": identity, "sex": "男" if int(identity[16]) % 2 else "女",
        "birth": born.isoformat(), "phone": _phone(dice), "nation": "汉族" if dice.random() < 0.9 else "满族",
        "category": dice.choice(("resident", "resident", "resident", "floating", "away")), "care": dice.choice(_CARE),
        "building": house.number, "address": f"{house.address}{_room(dice, _floor(dice, house))}室",
    }  # fmt: skip


def _household(dice: random.Random, number: int, house: GeneratedBuilding) -> dict[str, Any]:
    floor = _floor(dice, house)
    return {
        "number": f"H{number:07d}", "head": _name(dice), "phone": _phone(dice), "kind": "family",
        "members": dice.randrange(1, 7), "building": house.number, "floor": floor,
        "room": _room(dice, floor), "address": house.address,
    }  # fmt: skip


def _building(dice: random.Random, number: int, house: GeneratedBuilding) -> dict[str, Any]:
    return {
        "number": house.number, "name": f"{house.address}楼", "use": house.use, "floors": house.floors,
        "built": dice.randrange(1975, 2026), "lon": house.lon, "lat": house.lat, "address": house.address,
    }  # fmt: skip


def _enterprise(dice: random.Random, number: int, house: GeneratedBuilding) -> dict[str, Any]:
    word = "".join(dice.choice(_GIVEN) for _ in range(2))
    return {
        "code": credit_number(number), "name": f"长春市{word}{dice.choice(_TRADE)}有限公司（虚构{number}）",
        "industry": dice.choice("CFGHIKLMOQ"),
        "scale": dice.choice(("small", "micro", "micro", "individual", "medium")),
        "legal_person": _name(dice), "phone": _phone(dice), "served": dice.random() < 0.03,
        "lon": house.lon, "lat": house.lat, "address": house.address,
    }  # fmt: skip


def _place(dice: random.Random, number: int, house: GeneratedBuilding) -> dict[str, Any]:
    kind = dice.choice(("shop", "restaurant", "hotel", "leisure", "clinic", "factory"))
    return {
        "number": f"S{number:06d}", "name": f"{_name(dice)[1:]}{dice.choice(_TRADE)}店", "kind": kind,
        "measure": dice.randrange(20, 300), "risk": dice.choice(("low", "low", "middle", "high")),
        "keeper": _name(dice),
        "phone": _phone(dice), "lon": house.lon, "lat": house.lat, "address": house.address,
    }  # fmt: skip


def _licence(dice: random.Random, number: int, house: GeneratedBuilding) -> dict[str, Any]:
    until = date(2026, 1, 1) + timedelta(days=dice.randrange(1800))
    return {
        "number": f"虚构{number:07d}", "name": "食品经营许可证", "kind": "许可证", "holder": f"虚构经营者{number}",
        "holder_code": credit_number(number), "issued": "2024-05-06", "until": until.isoformat(), "status": "valid",
    }  # fmt: skip


def _stock(dice: random.Random, number: int, house: GeneratedBuilding) -> dict[str, Any]:
    item, kind = dice.choice((("编织袋", "rescue"), ("水泵", "rescue"), ("救生衣", "life"), ("帐篷", "living")))
    return {
        "warehouse": f"{number % 10 + 1}号库", "kind": kind, "item": item, "spec": f"型号{number}", "unit": "件",
        "quota": 200, "stock": dice.randrange(60, 260), "keeper": _name(dice), "phone": _phone(dice),
    }  # fmt: skip


def _project(dice: random.Random, number: int, house: GeneratedBuilding) -> dict[str, Any]:
    return {
        "code": f"26{number % 12 + 1:02d}-{NOBODY}-04-01-{number:06d}", "name": f"虚构项目{number}",
        "stage": dice.choice(("planned", "approval", "building", "done")),
        "light": dice.choice(("green", "green", "yellow", "red")),
        "investment": dice.randrange(100, 90_000), "progress": dice.randrange(101),
        "lon": house.lon, "lat": house.lat,
    }  # fmt: skip


def _device(dice: random.Random, number: int, house: GeneratedBuilding) -> dict[str, Any]:
    return {
        "number": f"N{number:06d}", "name": f"接入交换机{number}", "kind": "交换机",
        "address": f"192.0.2.{number % 254 + 1}",
        "status": dice.choice(("up", "up", "up", "fault", "spare")),
    }  # fmt: skip


def _line(dice: random.Random, number: int, house: GeneratedBuilding) -> dict[str, Any]:
    return {
        "number": f"L{number:04d}", "name": f"政务线路{number:03d}", "kind": dice.choice(("extranet", "intranet")),
        "bandwidth": dice.choice((20, 50, 100, 200)), "operator": dice.choice(("虚构运营商甲", "虚构运营商乙")),
        "from_end": "区数据中心", "to_end": f"单位{number}",
        "status": dice.choice(("up",) * 24 + ("spare",) * 5 + ("down",)),
    }  # fmt: skip


def _account(dice: random.Random, number: int, house: GeneratedBuilding) -> dict[str, Any]:
    last = date.today() - timedelta(days=min(60, int(dice.expovariate(1 / 6))))
    return {
        "platform": dice.choice(("wechat", "weibo", "douyin")), "name": f"虚构发布{number:02d}", "keeper": _name(dice),
        "phone": _phone(dice), "last_post": last.isoformat(), "status": "active",
    }  # fmt: skip


def _policy(dice: random.Random, number: int, house: GeneratedBuilding) -> dict[str, Any]:
    return {
        "number": f"虚构政发〔2026〕{number + 1}号", "name": f"虚构惠企政策{number + 1}",
        "kind": dice.choice(("资金", "用工", "用地")), "condition": "虚构条件", "amount": "虚构标准",
        "from_day": "2026-01-01", "until": "2027-12-31",
    }  # fmt: skip


def _commitment(dice: random.Random, number: int, house: GeneratedBuilding) -> dict[str, Any]:
    signed = date(2026, 1, 5) + timedelta(days=dice.randrange(200))
    return {
        "number": f"CN{number:05d}", "subject": f"虚构企业{number}", "code": credit_number(number),
        "kind": dice.choice(("approval", "deferred")), "signed": signed.isoformat(), "signer": _name(dice),
        "text_version": "1", "check_due": (signed + timedelta(days=90)).isoformat(),
        "result": dice.choice(("open", "kept", "kept", "kept", "broken")), "grade": dice.choice("AABBC"),
    }  # fmt: skip


_DRAW: dict[str, Draw] = {
    **DRAWS,
    "network_line": _line, "media_account": _account, "policy": _policy, "credit_commitment": _commitment,
    "person": _person, "household": _household, "building": _building, "enterprise": _enterprise, "licence": _licence,
    "special_place": _place, "emergency_stock": _stock, "project": _project, "network_device": _device,
}  # fmt: skip
