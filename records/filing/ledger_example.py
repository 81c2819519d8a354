"""A generated task ledger: 56 indicators, 27 departments, targets and three months of progress; marked as generated."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from records.filing.approving import approve
from records.filing.commands import get_filing, save, submit
from records.filing.dataset import Dataset
from records.filing.period_state import Desk, exempted
from records.filing.tree import UnitTree, save_units

TOP = "ledger"
INDICATORS, DEPARTMENTS = 56, 27
_AREAS = ("经济运行", "项目建设", "城市管理", "民生实事", "生态环境", "安全生产", "营商环境", "基层治理")


def ledger_units() -> list[tuple[str, str, str | None]]:
    """The departments below a top of their own, so that no other data set expects them."""
    below = [(f"ledger-{n:02d}", f"示例部门{n}", TOP) for n in range(1, DEPARTMENTS + 1)]
    return [(TOP, "任务台账（示例）", None), *below]


def ledger_body() -> dict[str, Any]:
    """The data set with its targets as JSON."""
    departments = [unit for unit, _, parent in ledger_units() if parent]
    questions = [
        {"type": "decimal", "name": f"t{n:02d}", "label": {"zh": f"{_AREAS[n % 8]}任务{n}", "en": f"task {n}"},
         "constraint": ". >= 0"}
        for n in range(1, INDICATORS + 1)
    ]  # fmt: skip
    targets: dict[str, Any] = {}
    for n in range(1, INDICATORS + 1):
        dice = random.Random(f"ledger {n}")
        units = sorted({departments[n % DEPARTMENTS], *dice.sample(departments, 3)})
        better = "less" if n % 8 == 5 else "more"
        targets[f"t{n:02d}"] = {"better": better, "units": {unit: dice.randrange(12, 240) for unit in units}}
    return {
        "id": "example-ledger", "zh": "重点任务台账（示例）", "en": "Example task ledger", "period": "month",
        "timely_days": 5, "day_unit": "work_day", "form": {"questions": questions}, "units": departments,
        "rollup": {f"t{n:02d}": "sum" for n in range(1, INDICATORS + 1)}, "targets": targets, "drift": 1000,
    }  # fmt: skip


def write_ledger_units(session: Session) -> None:
    """The example's departments into the database."""
    save_units(session, ledger_units())


def fill_ledger(session: Session, dataset: Dataset, tree: UnitTree, period: str, at: datetime) -> int:
    """File made-up progress for most departments and sign half of it off; returns how many filed.

    What was filed or begun before, by an earlier run or by somebody who tries the example, stays as it is.
    """
    desk, month, filed = Desk(dataset, tree, "generated", at, at.date()), int(period[-2:]), 0
    spared = exempted(session, dataset.id, period)
    for unit in dataset.units:
        if unit in spared or get_filing(session, desk, unit, period) is not None:
            continue
        dice = random.Random(f"ledger {unit} {period}")
        cells: dict[str, Any] = {
            question: round(target.units[unit] * (month / 12 if target.better == "more" else 0.9)
                            * dice.choice((0.7, 0.93, 1.0, 1.05)), 1)
            for question, target in dataset.targets.items() if unit in target.units
        }  # fmt: skip
        if not cells or dice.random() > 0.95:
            continue
        save(session, desk, unit, period, cells, source="generated")
        submit(session, desk, unit, period)
        filed += 1
        if dice.random() < 0.5:
            approve(session, desk, unit, period)
    return filed
