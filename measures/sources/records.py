"""Records of the registers as a source; ``data.NAME`` is a field of the register itself (never a sensitive one)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache

from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import Session

from core.records import Actor
from measures.conditions import Field, Kind
from measures.source import Asked, Shown, Source, department_names, division_names
from measures.sources import publicity
from records.registers.access import visible_records
from records.registers.definition import shipped_registers
from storage.tables.records import RegisterRecord as Row

_KINDS: Mapping[str, Kind] = {
    "integer": "number", "decimal": "number", "date": "iso", "flag": "flag", "lon": "number", "lat": "number",
}  # fmt: skip


def fields(asked: Asked) -> Mapping[str, Field]:
    """What every record has, and the plain fields of all registers as ``data.NAME``."""
    own = {
        "register": Field(Row.register_id, "text", "台账", "register"),
        "state": Field(Row.state, "text", "状态", "state"),
        "department": Field(Row.department_id, "text", "部门", "department"),
        "street": Field(func.substr(Row.division_code, 1, 9), "text", "街镇", "street"),
        "community": Field(Row.division_code, "text", "社区", "community"),
        "visit_due": Field(Row.visit_due, "day", "应走访日期", "visit due"),
        "valid_to": Field(Row.valid_to, "day", "有效期至", "valid until"),
        "created": Field(Row.created_at, "time", "录入时间", "written"),
        "updated": Field(Row.updated_at, "time", "更新时间", "changed"),
        "below_quota": Field(
            Row.data["stock"].as_float() < Row.data["quota"].as_float(), "flag", "库存低于定额", "stock below its quota"
        ),
        "source": Field(Row.source, "text", "来源", "source"),
        "decided": Field(publicity.decided(), "iso", "双公示决定日期", "decided on (双公示)"),
        "authority": Field(publicity.authority(), "text", "双公示决定机关", "authority (双公示)"),
        "publicity": Field(publicity.timeliness(asked), "text", "双公示时限", "timeliness (双公示)"),
    }
    return own | dict(_own_fields())


@cache
def _own_fields() -> tuple[tuple[str, Field], ...]:
    return tuple(_plain())


def _plain() -> Iterator[tuple[str, Field]]:
    for register in shipped_registers().values():
        for field in register.fields:
            if field.name in register.sensitive:
                continue
            kind = _KINDS.get(field.type, "text")
            value = Row.data[field.name]
            if kind == "number":
                sql = value.as_float()
            elif kind == "flag":
                sql = value.as_boolean()
            else:
                sql = value.as_string()
            yield f"data.{field.name}", Field(sql, kind, field.zh, field.en)


def _visible(_session: Session, actor: Actor) -> ColumnElement[bool]:
    return visible_records(actor, shipped_registers())


def _choices(name: str) -> Callable[[Session, str], dict[str, str]]:
    """Titles of the choices of the field ``name``; a code that two registers use differently is left as it is."""
    found: dict[str, str] = {}
    for register in shipped_registers().values():
        for field in register.fields:
            for code, title in (field.choices or {}).items() if field.name == name else ():
                found[code] = title if found.get(code, title) == title else code
    return lambda _session, language: found if language == "zh" else {}


def _registers(_session: Session, language: str) -> dict[str, str]:
    return {r.id: r.zh if language == "zh" else r.en for r in shipped_registers().values()}


SOURCE = Source(
    id="records", zh="台账记录", en="register records", table=Row.__table__, key=Row.record_id, fields=fields,
    visible=_visible, newest=Row.updated_at,
    sets="register",
    shown=(
        Shown("name", Row.name, "名称", "name"), Shown("register", Row.register_id, "台账", "register"),
        Shown("community", Row.division_code, "社区", "community"), Shown("state", Row.state, "状态", "state"),
        Shown("visit_due", Row.visit_due, "应走访日期", "visit due"), Shown("updated", Row.updated_at, "更新时间",
        "changed"),
    ),
    words={"publicity": "pub.time"},
    names={"department": department_names, "street": division_names, "community": division_names,
           "register": _registers,
           **{name: _choices(name.removeprefix("data.")) for name, field in _own_fields() if field.kind == "text"}},
)  # fmt: skip
