"""A generated example: 26 forms of a rural one-form filing (乡村一张表) and 93 units; marked as generated."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime
from itertools import zip_longest
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from records.filing.approving import approve
from records.filing.commands import get_filing, save, submit
from records.filing.dataset import Dataset, parse_dataset
from records.filing.period_state import Desk, exempted
from records.filing.tree import UnitTree, save_units
from storage.tables.registry import Division

DISTRICT = "220105"
TOWNS, VILLAGES = 6, 86  # with the district on top: 93 units
_TOPICS = (
    ("人口基本情况", ("户数", "人口数", "劳动力", "外出务工")), ("耕地保护", ("耕地面积", "撂荒面积")),
    ("粮食生产", ("播种面积", "产量")), ("农业机械", ("拖拉机", "收割机")), ("畜禽养殖", ("生猪存栏", "家禽存栏")),
    ("防疫", ("应免", "已免")), ("医保参保", ("应参保", "已参保")), ("养老保险", ("应参保", "已参保")),
    ("低保对象", ("户数", "人数")), ("特困供养", ("集中", "分散")), ("残疾人", ("人数", "享受补贴")),
    ("留守儿童", ("人数", "走访次数")), ("独居老人", ("人数", "走访次数")), ("厕所改造", ("应改", "已改")),
    ("垃圾治理", ("清运量", "保洁员")), ("污水治理", ("已接入户", "应接入户")), ("道路养护", ("里程", "养护次数")),
    ("安全饮水", ("覆盖户", "检测次数")), ("房屋安全", ("排查户", "隐患户")), ("消防安全", ("检查次数", "隐患")),
    ("防汛准备", ("巡查次数", "物资件数")), ("森林防火", ("巡护次数", "隐患")), ("矛盾调解", ("受理", "调解成功")),
    ("集体经济", ("收入", "支出")), ("党群活动", ("场次", "参加人次")), ("志愿服务", ("队伍", "服务次数")),
)  # fmt: skip
_PERIODS = ("month",) * 18 + ("quarter",) * 4 + ("week", "year", "day", "once")
_RATES = {("应免", "已免"), ("应参保", "已参保"), ("应改", "已改"), ("受理", "调解成功")}


def example_units() -> list[tuple[str, str, str | None]]:
    """``(id, name, parent)``, upper ones first."""
    found: list[tuple[str, str, str | None]] = [(DISTRICT, "二道区（示例）", None)]
    towns = [f"{DISTRICT}{100 + number}" for number in range(1, TOWNS + 1)]
    found += [(town, f"示例镇{number}", DISTRICT) for number, town in enumerate(towns, 1)]
    for number in range(VILLAGES):
        town = towns[number % TOWNS]
        found.append((f"{town}{200 + number // TOWNS + 1}", f"示例村{number + 1}", town))
    return found


def example_tree() -> UnitTree:
    units = example_units()
    return UnitTree({unit: parent for unit, _, parent in units}, {unit: name for unit, name, _ in units})


def example_bodies() -> Iterator[dict[str, Any]]:
    """The 26 data sets as JSON."""
    for number, (topic, words) in enumerate(_TOPICS, 1):
        names = [f"q{at}" for at in range(1, len(words) + 1)]
        questions: list[dict[str, Any]] = [
            {"type": "integer", "name": name, "label": {"zh": word, "en": f"{name} of form {number}"}, "required": True,
             "constraint": ". >= 0"}
            for name, word in zip(names, words, strict=True)
        ]  # fmt: skip
        body: dict[str, Any] = {
            "id": f"example-{number:02d}", "zh": f"{topic}（示例）", "en": f"Example form {number}",
            "period": _PERIODS[number - 1], "timely_days": 5, "expiry_days": 60, "day_unit": "work_day",
            "rollup": dict.fromkeys(names, "sum"), "prefill": dict.fromkeys(names, "last"), "checks": [],
        }  # fmt: skip
        if words[:2] in _RATES:
            questions.append(
                {"type": "decimal", "name": "rate", "label": {"zh": "完成率", "en": "rate"}, "calculation": ""}
            )
            questions[-1] = {"type": "calculate", "name": "rate", "label": {"zh": "完成率", "en": "rate"},
                             "calculation": "round(${q2} div ${q1} * 100, 2)"}  # fmt: skip
            body["rollup"]["rate"] = "ratio"
            body["ratios"] = {"rate": {"num": "q2", "den": "q1"}}
            fault = {"id": "part-of-whole", "question": "q2", "severity": "block", "fault": "${q2} > ${q1}"}
            body["checks"].append(
                {**fault, "zh": f"{words[1]}不能大于{words[0]}", "en": "the part is larger than the whole"}
            )
        group = {"type": "group", "name": "figures", "label": {"zh": topic, "en": f"figures {number}"}}
        questions.append({"type": "text", "name": "note_text", "label": {"zh": "说明", "en": "remark"}})
        split = len(names)
        body["form"] = {"questions": [{**group, "children": questions[:split]}, *questions[split:]]}
        yield body


def example_datasets() -> list[Dataset]:
    return [parse_dataset(body) for body in example_bodies()]


def fill_example(
    session: Session, dataset: Dataset, tree: UnitTree, period: str, at: datetime, *, share: float = 1.0, seed: int = 1
) -> int:
    """File ``share`` of the leaves with made-up figures and approve some; returns how many filed.

    What was filed or begun before stays as it is.
    """
    desk = Desk(dataset, tree, "generated", at, at.date())
    filed = 0
    spared = exempted(session, dataset.id, period)
    for leaf in tree.leaves:
        dice = random.Random(f"{seed} {dataset.id} {leaf} {period}")
        if dice.random() >= share or leaf in spared or get_filing(session, desk, leaf, period) is not None:
            continue
        usual = random.Random(f"{seed} {dataset.id} {leaf}").randrange(100, 400)
        cells: dict[str, Any] = {"q1": usual + dice.randrange(usual // 10), "q2": usual * dice.randrange(60, 70) // 100}
        cells |= {q: usual for q in dataset.questions if q.startswith("q") and q not in cells}
        save(session, desk, leaf, period, cells, source="generated")
        submit(session, desk, leaf, period)
        filed += 1
        if dice.random() < 0.5:
            approve(session, desk, leaf, period)
    return filed


def write_units(session: Session) -> None:
    """93 units into the database: the district's own divisions where it has as many, else the example's.

    Accounts bear divisions, so only units that are divisions can be filed for by a village clerk.
    """
    found = _divisions(session)
    if found:
        save_units(
            session, [(d.code, d.name, d.parent_code) for d in found], {d.code: d.name_en for d in found if d.name_en}
        )
        return
    units = example_units()
    save_units(session, units, {unit: _english(name) for unit, name, _ in units})


def _divisions(session: Session) -> list[Division]:
    """The district, its streets and towns, and communities from each of them in turn; empty where they are too few."""
    rows = list(session.scalars(select(Division).order_by(Division.code)))
    top = [row for row in rows if row.level == "district"][:1]
    streets = [row for row in rows if row.level == "street" and top and row.parent_code == top[0].code]
    below = {street.code: [row for row in rows if row.parent_code == street.code] for street in streets}
    turns = [row for turn in zip_longest(*below.values()) for row in turn if row is not None]
    wanted = 1 + TOWNS + VILLAGES - len(top) - len(streets)
    return [*top, *streets, *turns[:wanted]] if 0 < wanted <= len(turns) else []


def _english(name: str) -> str:
    """``示例镇1`` → ``Example town 1``."""
    for zh, en in (("示例镇", "Example town"), ("示例村", "Example village")):
        if name.startswith(zh):
            return f"{en} {name.removeprefix(zh)}"
    return "Erdao (example)"
