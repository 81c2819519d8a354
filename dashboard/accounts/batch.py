"""Many accounts in one go from a table (XLSX, XLS, CSV …): every problem by row, nothing half done."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Any, BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.records import Record
from core.tables.columns import Column
from core.tables.problem import Problems
from core.tables.reader import TableRow, read_table
from dashboard.accounts.invitations import invite
from dashboard.accounts.users import ROLES, add_user
from storage.tables.people import User
from storage.tables.registry import Department, Division

MAX_ROWS = 20_000
_CODES = frozenset({"login", "department", "division", "phone"})
COLUMNS = (
    Column("login", required=True, pattern=r"[A-Za-z0-9._-]{1,60}", length=60, also=("账号", "登录名", "用户名")),
    Column("name", required=True, length=60, also=("姓名", "名称")),
    Column("roles", "list", required=True, choices=ROLES, also=("角色", "岗位")),
    Column("department", length=40, also=("部门", "部门编号", "所属部门编号", "department_id")),
    Column("division", length=12, also=("区划代码", "所属区划", "division_code")),
    Column("phone", length=30, also=("手机", "手机号", "电话")),
)


class NewAccount(Record, frozen=True, omit_defaults=False):
    """An account of the table; ``code`` is its invitation, shown this once ("" in a dry run)."""

    row: int
    login: str
    name: str
    code: str


class Batch(Record, frozen=True, omit_defaults=False):
    """``rows`` read; ``created``; ``existing`` logins that were left as they are; ``problems`` by row."""

    rows: int
    created: list[NewAccount]
    existing: list[str]
    problems: list[dict[str, Any]]
    dry_run: bool


def import_accounts(
    session: Session, file: BinaryIO, name: str, by: str, now: datetime, *, dry_run: bool, language: str = "zh"
) -> Batch:
    """Read ``file`` and make the accounts of its good rows, each with an invitation; the others are problems."""
    problems = Problems()
    rows = list(read_table(file, name, COLUMNS, problems, max_rows=MAX_ROWS))
    for row in rows:
        for field in _CODES & row.values.keys():
            if isinstance(row.values[field], str):  # full-width digits and letters, as input methods write them
                row.values[field] = unicodedata.normalize("NFKC", row.values[field]).strip()
    departments = {d.department_id: d.department_id for d in session.scalars(select(Department))}
    departments |= {d.name: d.department_id for d in session.scalars(select(Department))}
    divisions = set(session.scalars(select(Division.code)))
    known = set(session.scalars(select(User.login)))
    created: list[NewAccount] = []
    existing: list[str] = []
    seen: set[str] = set()
    for row in rows:
        login = row.values["login"]
        if login in known:
            existing.append(login)
            continue
        if _wrong(row, departments, divisions, seen, problems):
            continue
        seen.add(login)
        created.append(_make(session, row, departments, by, now, dry_run))
    said = [p.as_dict("en" if language == "en" else "zh") for p in problems]
    return Batch(rows=len(rows), created=created, existing=existing, problems=said, dry_run=dry_run)


def _wrong(row: TableRow, departments: dict[str, str], divisions: set[str], seen: set[str], problems: Problems) -> bool:
    values, place = row.values, row.place
    wrong = [("login", "taken", {"value": values["login"]})] if values["login"] in seen else []
    for field, known in (("department", departments), ("division", divisions)):
        if values.get(field) and values[field] not in known:
            wrong.append((field, "reference", {"value": values[field], "key": field, "target": f"{field}s"}))
    for field, code, said in wrong:
        problems.tell(place.file, code, sheet=place.sheet, row=place.row, field=field, **said)
    return bool(wrong)


def _make(
    session: Session, row: TableRow, departments: dict[str, str], by: str, now: datetime, dry_run: bool
) -> NewAccount:
    values = row.values
    code = ""
    if not dry_run:
        user = add_user(
            session, login=values["login"], name=values["name"], roles=list(values["roles"]),
            department_id=departments.get(values.get("department") or "") or None,
            division_code=values.get("division") or None,
        )  # fmt: skip
        user.phone = values.get("phone") or ""
        code = invite(session, user, by, now)
    return NewAccount(row=row.place.row, login=values["login"], name=values["name"], code=code)
