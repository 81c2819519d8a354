"""Generated decisions of 双公示 and columns of a site: most in order, some with the faults seen in the field.

Days count back from today, so that a demo always shows decisions published in time, late, not yet and overdue.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from records.registers.invented import GeneratedBuilding, credit_number

COUNTS = {"licence_publicity": 180, "penalty_publicity": 90, "open_column": 48}
_AUTHORITIES = ("虚构市场监督管理局", "虚构城市管理局", "虚构卫生健康局", "虚构应急管理局", "虚构交通运输局")
_LICENCES = (
    ("食品经营许可证", "普通"),
    ("公共场所卫生许可证", "普通"),
    ("道路运输经营许可证", "普通"),
    ("烟草专卖零售许可证", "特许"),
)
_BREACHES = (
    ("占道经营", "未经批准占用道路经营", 0.05), ("食品标签不合规定", "销售标签不符合规定的食品", 0.5),
    ("未按规定堆放物料", "物料未覆盖", 1.0), ("擅自停用消防设施", "擅自停用消防设施", 2.0),
)  # fmt: skip
_COLUMNS = (
    "机构职能", "政策文件", "规划计划", "预决算", "行政许可", "行政处罚", "公共服务", "重点项目", "应急管理",
    "社会救助", "教育", "医疗卫生",
)  # fmt: skip
_CYCLES = (7, 14, 30, 90, 365)
Values = dict[str, Any]


def _days(dice: random.Random) -> tuple[date, str]:
    """When it was decided and published: nine in ten within nine days, the rest late, overdue or not yet."""
    decided = date.today() - timedelta(days=dice.randrange(2, 120))
    late = dice.random()
    if late < 0.07:
        return decided, ""
    after = dice.randrange(1, 8) if late < 0.92 else dice.randrange(20, 30)
    published = decided + timedelta(days=after)
    return decided, published.isoformat() if published <= date.today() else ""


def _licence(dice: random.Random, number: int, house: GeneratedBuilding) -> Values:
    authority, (name, kind) = dice.randrange(len(_AUTHORITIES)), dice.choice(_LICENCES)
    decided, published = _days(dice)
    fault = dice.random()
    body, party = credit_number(900 + authority), credit_number(number)
    return {
        "XK_WSH": f"虚构许字〔{decided.year}〕{number + 1:05d}号", "XK_XDR_MC": f"虚构经营者{number}",
        "XK_XDR_LB": "法人及非法人组织", "XK_XDR_SHXYM": party if fault > 0.05 else party[:-1] + "I",
        "XK_XKWS": f"{name}准予许可决定书", "XK_XKLB": kind, "XK_XKZS": name, "XK_XKBH": f"虚构{number:07d}",
        "XK_NR": "" if 0.05 < fault < 0.09 else f"准予核发{name}", "XK_JDRQ": decided.isoformat(),
        "XK_YXQZ": decided.isoformat(), "XK_YXQZI": decided.replace(year=decided.year + 5, day=1).isoformat(),
        "XK_XKJG": _AUTHORITIES[authority], "XK_XKJGDM": body, "XK_ZT": "有效", "XK_LYDW": _AUTHORITIES[authority],
        "XK_LYDWDM": body, "published": published,
    }  # fmt: skip


def _penalty(dice: random.Random, number: int, house: GeneratedBuilding) -> Values:
    authority, (breach, facts, fine) = dice.randrange(len(_AUTHORITIES)), dice.choice(_BREACHES)
    decided, published = _days(dice)
    body, yuan = credit_number(900 + authority), round(fine * 10_000)
    typed = yuan if dice.random() < 0.06 else fine  # the commonest error: yuan in a field of 10,000 yuan
    return {
        "CF_WSH": f"虚构罚字〔{decided.year}〕{number + 1:05d}号", "CF_XDR_MC": f"虚构经营者{number + 500}",
        "CF_XDR_LB": "法人及非法人组织", "CF_XDR_SHXYM": credit_number(number + 500), "CF_WFXW": breach, "CF_SY": facts,
        "CF_YJ": "" if dice.random() < 0.04 else "虚构条例第十二条", "CF_CFLB": "罚款", "CF_NR": f"罚款{yuan}元",
        "CF_NR_FK": typed, "CF_JDRQ": decided.isoformat(), "CF_CFJG": _AUTHORITIES[authority], "CF_CFJGDM": body,
        "CF_SJLY": _AUTHORITIES[authority], "CF_SJLYDM": body, "published": published,
    }  # fmt: skip


def _column(dice: random.Random, number: int, house: GeneratedBuilding) -> Values:
    cycle = dice.choice(_CYCLES)
    last = date.today() - timedelta(days=int(dice.uniform(0, 1.15) * cycle))
    return {
        "number": f"GK{number + 1:03d}", "name": _COLUMNS[number % len(_COLUMNS)],
        "unit": _AUTHORITIES[number // len(_COLUMNS) % len(_AUTHORITIES)], "cycle_days": cycle,
        "last_updated": last.isoformat(), "next_due": (last + timedelta(days=cycle)).isoformat(),
        "checked": (date.today() - timedelta(days=dice.randrange(30))).isoformat(),
        "finding": dice.choice(("none",) * 9 + ("empty", "dead_link", "wrong_word")),
    }  # fmt: skip


DRAWS: dict[str, Callable[[random.Random, int, GeneratedBuilding], Values]] = {
    "licence_publicity": _licence, "penalty_publicity": _penalty, "open_column": _column,
}  # fmt: skip
