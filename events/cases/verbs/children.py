"""Effects between a case and the cases that come out of it: ``spawn``, ``copy_up`` and ``end_dependents``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from core.errors import InputInvalid
from events.cases.transition import Work
from storage.tables.cases import Case

MAX_CHILDREN = 100  # of one command
MAX_DEPTH = 5
_NAME = re.compile(r"\$\{([^}]+)\}")


def spawn(work: Work) -> None:
    """Open a case of ``definition`` for each row of the field ``from`` (without one: a single case).

    ``data`` gives values for every child, in which ``${name}`` is the row's own, else this case's; a row's values go
    before them.  A child without a title of its own bears this case's.
    """
    source = work.params.get("from")
    rows = [{}] if source is None else work.data.get(source, work.case.form.get(source)) or []
    if not isinstance(rows, list):
        rows = [rows]
    if len(rows) > MAX_CHILDREN:
        raise InputInvalid(field=str(source), detail=f"has {len(rows)} rows", how=f"give at most {MAX_CHILDREN}")
    if _depth(work) >= MAX_DEPTH:
        raise InputInvalid(field="case", detail=f"is {MAX_DEPTH} cases deep", how="open the case apart")
    known = {**work.case.form, **work.data, "title": work.case.title, "number": work.case.number}
    children = []
    for row in rows:
        given = row if isinstance(row, Mapping) else {"title": str(row)}
        own = {name: value for name, value in given.items() if value not in (None, "")}
        told = {**known, **own}
        common = {name: filled(value, told) for name, value in (work.params.get("data") or {}).items()}
        data = {"title": work.case.title, **{k: v for k, v in common.items() if v not in (None, "")}, **own}
        child = work.service.spawn(work.session, str(work.params["definition"]), data, work.actor, work.case)
        children.append(child.number)
    work.reason_data["children"] = [*work.reason_data.get("children", []), *children]


def filled(value: Any, known: Mapping[str, Any]) -> Any:
    """``value`` with each ``${name}`` replaced; alone it keeps its type."""
    if isinstance(value, Mapping):
        return {k: filled(v, known) for k, v in value.items()}
    if isinstance(value, list):
        return [filled(each, known) for each in value]
    if not isinstance(value, str):
        return value
    alone = _NAME.fullmatch(value)
    if alone:
        return known.get(alone[1])
    return _NAME.sub(lambda found: str(known.get(found[1]) or ""), value)


def _depth(work: Work) -> int:
    depth, case = 0, work.case
    while case.parent_case_id and depth < MAX_DEPTH:
        above = work.session.get(Case, case.parent_case_id)
        if above is None:
            break
        depth, case = depth + 1, above
    return depth


def end_dependents(work: Work) -> None:
    """Give ``command`` to the open siblings whose ``field`` names this case's ``key``: what they wait for failed."""
    parent, own = work.case.parent_case_id, work.case.form.get(str(work.params.get("key", "item_code")))
    field, command = str(work.params.get("field", "depends_on")), str(work.params["command"])
    if not own or not parent:
        return
    beside = select(Case).where(Case.parent_case_id == parent, Case.open, Case.case_id != work.case.case_id)
    for sibling in work.session.scalars(beside).all():
        if own in (sibling.form.get(field) or ()):
            work.service.order_in(work.session, sibling, command, {"reason": work.case.title})


def copy_up(work: Work) -> None:
    """Give the parent this case's ``fields``: as its own of the same name, or as a row more of its field ``into``."""
    parent = work.session.get(Case, work.case.parent_case_id) if work.case.parent_case_id else None
    if parent is None:
        return
    own = {**work.case.form, **work.data}
    values = {name: own[name] for name in work.params.get("fields", ()) if own.get(name) not in (None, "")}
    into = work.params.get("into")
    if into:
        row = {"case": work.case.number, "department_id": work.case.department_id, **values}
        rows = [each for each in parent.form.get(into, []) if each.get("case") != work.case.number]
        values = {into: [*rows, row]}
    work.service.keep_fields(work.session, parent, values, work.transition.command, work.actor)
    body = {"from": work.case.number, "fields": sorted(values)}
    work.service.note(work.session, parent, work.actor, "copy_up", body)
