"""1,270 invented staff: names, roles, departments.  No passwords: nobody can log in until an administrator sets one."""

from __future__ import annotations

import random
from typing import Any

from layers.demo.areas import DemoArea
from layers.demo.places import BUREAUS

TOTAL = 1270
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰建国志红春梅海燕晓东文斌宇浩晨欣怡佳子轩雨桐思远"
_STREET_ROLES = (("dispatcher", 2), ("inspector", 3), ("manager", 1))
_BUREAU_ROLES = (("dispatcher", 2), ("manager", 2), ("inspector", 4))

Row = dict[str, Any]


def staff(rng: random.Random, streets: list[DemoArea], communities: list[DemoArea]) -> list[Row]:
    """Command centre, bureaus, streets, and grid workers for every community."""
    rows: list[Row] = []

    def add(role: str, department: str, division: str = "") -> None:
        number = len(rows) + 1
        name = rng.choice(_SURNAMES) + "".join(rng.sample(_GIVEN, rng.choice((1, 2, 2))))
        rows.append(
            {
                "user_id": f"u{number:04d}", "login": f"e{number:04d}", "name": name, "roles": role,
                "department_id": department, "division_code": division, "source": "generated",
            }
        )  # fmt: skip

    for role, count in (("operator", 24), ("dispatcher", 12), ("manager", 4), ("inspector", 20), ("drone", 6)):
        for _ in range(count):
            add(role, "dept-command")
    for department, *_ in BUREAUS[1:]:
        for role, count in _BUREAU_ROLES:
            for _ in range(count):
                add(role, department)
        for _ in range(34):
            add("staff", department)
    for street in streets:
        for role, count in _STREET_ROLES:
            for _ in range(count):
                add(role, f"street-{street.code}", street.code)
        for _ in range(16):
            add("staff", f"street-{street.code}", street.code)
    turn = 0
    while len(rows) < TOTAL:  # grid workers, community by community
        community = communities[turn % len(communities)]
        add("grid_worker", f"street-{community.code[:9]}", community.code)
        turn += 1
    return rows[:TOTAL]
