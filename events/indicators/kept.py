"""The groups of a question from what is kept of each case (:mod:`events.indicators.tally`).

Cases that moved since, and confidential ones, are counted from themselves and added.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import case, func, literal_column, select
from sqlalchemy.orm import Session

from core.records import Actor
from events.cases.access import SEE_ALL
from events.cases.kinds_in_force import definitions_in_force
from events.indicators import tally
from events.indicators.counting import GroupSum, IndicatorQuestion, Sums, asked, key_of, sums_of
from storage.tables.cases import Case

MOST_MOVED = 400  # cases that are counted from themselves beside what is kept


def kept_sums(
    session: Session, actor: Actor, question: IndicatorQuestion, now: datetime, guards: Mapping[str, float]
) -> tuple[Sums, Sums] | None:
    """The groups, and all together, from what is kept of each case; None where that cannot be asked."""
    if not _sees_all(actor, question.definition) or not tally.stands(session):
        return None
    moved = tally.outdated(session, asked(question, Case), MOST_MOVED)
    if moved is None:
        return None
    c = tally.TALLY.c
    late = tally.late_flags(now)
    key = key_of(session, question.by, c.department_id, c)
    ways = {"key": key, "place": case((c.place == 1, 1), else_=0), "mask": c.mask, "guards": c.guards,
            "hidden": c.confidential, "share": tally.weight_of(), **late}  # fmt: skip
    query = select(*(way.label(name) for name, way in ways.items()), func.count().label("rows"),
                   func.sum(c.took).label("took"), func.count(c.took).label("handled_rows"))  # fmt: skip
    wanted = asked(question, c)
    if question.by != "department":
        wanted.append(c.place == 1)
    if question.department:
        wanted.append(c.department_id == question.department)
    others = set(moved)
    if moved:
        wanted.append(c.case_id.not_in(moved))
    rows = session.execute(query.where(*wanted).group_by(*(literal_column(str(k + 1)) for k in range(len(ways))))).all()
    if any(row.guards != tally.guards_now(question.definition) for row in rows):
        return None
    if "system" not in actor.roles and any(row.hidden for row in rows):
        others |= set(session.scalars(select(c.case_id).where(*wanted, c.confidential)))
        rows = [row for row in rows if not row.hidden]
    lines, whole = _added(rows, late)
    for grouped, into in ((question, lines), (msgspec.structs.replace(question, by="all"), whole)):
        for name, more in sums_of(session, actor, grouped, now, guards, sorted(others)).items():
            into.setdefault(name, GroupSum({})).add(more)
    return lines, whole


def _added(rows: Sequence[Any], clocks: Iterable[str]) -> tuple[Sums, Sums]:
    """The rows' groups, and all together: first by what holds alike, because few combinations of measures occur."""
    lines: Sums = {}
    alike: dict[tuple[int, tuple[str, ...]], list[float]] = {}
    names = tuple(clocks)
    for row in rows:
        late = tuple(name for name in names if getattr(row, name))
        share, took = row.rows * float(row.share), float(row.took or 0.0)
        line = lines.setdefault(str(row.key), GroupSum({}))
        counts = line.counts
        for name in tally.holding(row.mask, late):
            counts[name] = counts.get(name, 0.0) + share
        line.took, line.handled = line.took + took, line.handled + row.handled_rows
        if row.place == 1:
            together = alike.setdefault((row.mask, late), [0.0, 0.0, 0.0])
            for k, value in enumerate((share, took, row.handled_rows)):
                together[k] += value
    whole = GroupSum({})
    for (mask, late), (share, took, handled) in alike.items():
        whole.add(GroupSum(dict.fromkeys(tally.holding(mask, late), share), took, int(handled)))
    return lines, {"all": whole} if alike else {}


def _sees_all(actor: Actor, definition: str) -> bool:
    """Whether the actor sees every case of the kind that is not confidential."""
    roles = set(actor.roles)
    kind = definitions_in_force().get(definition)
    return "system" in roles or bool(roles & SEE_ALL and (kind is None or "plain" not in kind.visibility))
