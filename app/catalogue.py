"""The catalogue of service items from the command line and in the demo: taking in, checking, exporting, the example."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.clock import BEIJING, Clock, SystemClock
from core.records import SYSTEM
from core.sealing import Seal
from core.settings import Settings, load_settings
from records.items.bundles import get_bundle, offered_items, release_bundle, save_bundle, shipped_bundles
from records.items.catalogue import ItemDesk
from records.items.duties import duty_list
from records.items.elements import standard_elements
from records.items.generating import BODIES, SOURCE, duty_lines, generated_items
from records.items.reading import ReadItems, item_key, read_items
from records.items.running import run_checks
from records.items.taking import take_items
from records.items.workbook import write_items
from records.registers.definition import shipped_registers
from records.registers.preparing import Preparer
from records.registers.storing import Origin, write_batch
from storage.session import make_engine, read_scope, session_scope
from storage.tables.items import ItemBundle, ServiceItem, ServiceItemVersion
from storage.tables.registry import Department

_NEW = {  # bodies of the example that the demo city lacks
    "dept-market": ("市场监督管理局", "Market Regulation Bureau"), "dept-health": ("卫生健康局", "Health Bureau"),
    "dept-human-resources": ("人力资源和社会保障局", "Human Resources and Social Security Bureau"),
    "dept-disabled": ("残疾人联合会", "Disabled Persons' Federation"),
    "dept-services": ("政务服务和数字化建设管理局", "Government Services Bureau"),
}  # fmt: skip


def _desk(session: Session, settings: Settings, clock: Clock) -> ItemDesk:
    now = clock.now()
    today = now.astimezone(BEIJING).date()
    return ItemDesk(SYSTEM, now, duty_list(session, Seal(settings.records_key), today))


def body_names(session: Session) -> dict[str, str]:
    """Names of departments → their ids, by which the bodies of items are found."""
    return {name: one for one, name in session.execute(select(Department.department_id, Department.name))}


def take(path: Path, *, dry_run: bool, in_force: bool) -> dict[str, Any]:
    """Take a file's items into the catalogue."""
    settings, read = load_settings(), read_items(path)
    engine = make_engine(settings.database_url)
    with session_scope(engine) as session:
        desk = _desk(session, settings, SystemClock())
        done = take_items(
            session, desk, read, body_names(session), source=path.name[:80], in_force=in_force, dry_run=dry_run
        )
    return {
        "items": len(read.records), "created": done.created, "changed": done.changed, "unchanged": done.unchanged,
        "refused": [{"item": key, "code": why} for key, why in done.refused],
        "file_problems": [problem.as_dict() for problem in read.problems], "dry_run": dry_run,
    }  # fmt: skip


def check() -> dict[str, Any]:
    """A check run over the whole catalogue."""
    settings = load_settings()
    with session_scope(make_engine(settings.database_url)) as session:
        done = run_checks(session, _desk(session, settings, SystemClock()))
        return {"items": done.items, "found": done.found, "new": done.new, "fixed": done.fixed,
                "rules": done.rules, "seconds": done.seconds}  # fmt: skip


def export(path: Path) -> str:
    """Write the newest version of every item."""
    with read_scope(make_engine(load_settings().database_url)) as session:
        sql = (
            select(ServiceItemVersion.data)
            .join(ServiceItem, ServiceItem.item_id == ServiceItemVersion.item_id)
            .where(ServiceItemVersion.version == ServiceItem.head)
            .order_by(ServiceItem.level, ServiceItem.code)
        )
        content = write_items(session.scalars(sql))
    path.write_bytes(content)
    return f"{path}: {len(content):,} bytes"


def example() -> dict[str, Any]:
    """The generated catalogue into this installation."""
    settings = load_settings()
    return fill_example(make_engine(settings.database_url), settings)


def fill_example(engine: Engine, settings: Settings) -> dict[str, Any]:
    """1,500 generated items with their duty list and bodies; what is there already stays."""
    clock, table = SystemClock(), standard_elements()
    seal, register = Seal(settings.records_key), shipped_registers()["duty"]
    names = dict(BODIES)
    with session_scope(engine) as session:
        known = set(session.scalars(select(Department.department_id)))
        for one, (zh, en) in _NEW.items():
            if one not in known:
                session.add(Department(department_id=one, name=zh, name_en=en, kind="bureau"))
        session.flush()
        preparer = Preparer(register, seal, clock.now().astimezone(BEIJING).date())
        lines = [(preparer.natural_key(line), line) for line in duty_lines()]
        write_batch(session, lines, register, preparer, seal, Origin("system", clock.now(), SOURCE))
        offices = select(Department.department_id).where(Department.kind == "street")
        streets = list(session.scalars(offices.order_by(Department.department_id)))
        records = list(generated_items())
        bodies = {**names, **{f"第{n}街道办事处": street for n, street in enumerate(streets, 1)}}
        bodies |= {f"{level}{name}": "" for name in names for level in ("省", "市")}
        read = ReadItems(tuple((item_key(record, at, table), record) for at, record in enumerate(records, 1)))
        done = take_items(session, _desk(session, settings, clock), read, bodies, source=SOURCE, in_force=True)
        checked = run_checks(session, _desk(session, settings, clock))
        linked = _bundles(session, clock)
    return {"items": len(records), "created": done.created, "unchanged": done.unchanged, "duties": len(lines),
            "bundles": linked,
            "problems": checked.found, "check_seconds": checked.seconds}  # fmt: skip


def _bundles(session: Session, clock: Clock) -> int:
    """The example's life events, released; those that are there already stay."""
    now = clock.now()
    today = now.astimezone(BEIJING).date()
    made = 0
    for body in shipped_bundles(offered_items(session, today, frequent=True)):
        if session.get(ItemBundle, body["bundle_id"]) is None:
            save_bundle(session, SYSTEM, now, body["bundle_id"], body, body["items"])
            release_bundle(session, SYSTEM, now, get_bundle(session, body["bundle_id"], today), "published")
            made += 1
    return made
