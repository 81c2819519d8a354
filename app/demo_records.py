"""The demo district's registers and filings: generated, marked as generated, made once into an empty installation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time

from sqlalchemy import Engine, func, select

from app.catalogue import fill_example as fill_catalogue
from app.demo_history import fill_history
from app.demo_roster import fill_roster
from core.clock import BEIJING, SystemClock
from core.sealing import Seal
from core.settings import Settings
from records.filing.example import example_bodies, fill_example, write_units
from records.filing.periods import before, bounds, period_of
from records.filing.store import take_dataset
from records.filing.tree import load_tree
from records.registers.divisions import communities
from records.registers.generating import generate
from storage.session import read_scope, refresh_statistics, session_scope
from storage.tables.filing import FilingUnit
from storage.tables.items import ServiceItem
from storage.tables.records import RegisterRecord

SMALL, FULL = 4_000, 370_000
FILLED = 3  # of the 26 data sets get figures; ``app filing example`` fills them all
PERIODS = 2


def fill(engine: Engine, settings: Settings, progress: Callable[[str], None], *, full: bool = False) -> None:
    """Registers, filings, closed cases of the last weeks and a roster, each only where there are none yet."""
    with read_scope(engine) as session:
        records = session.scalar(select(func.count()).select_from(RegisterRecord)) or 0
        units = session.scalar(select(func.count()).select_from(FilingUnit)) or 0
        places = communities(session)
    wanted = FULL if full else SMALL
    if places and not records:
        generate(engine, Seal(settings.records_key), SystemClock(), places, wanted)
        refresh_statistics(engine)
        progress(f"registers: {wanted:,} generated records")
    elif full and records < FULL:
        progress(f"registers: {records:,} records are there already; the full district wants an empty data folder")
    with read_scope(engine) as session:
        items = session.scalar(select(func.count()).select_from(ServiceItem)) or 0
    if not items:
        progress(f"items: {fill_catalogue(engine, settings)['created']:,} generated service items")
    if generated := fill_history(engine):
        progress(f"cases: {generated:,} generated cases of the last weeks, all closed")
    if shifts := fill_roster(engine, SystemClock().now()):
        progress(f"duty: {shifts} generated shifts of the command centre")
    if not units:
        progress(f"filing: {_filings(engine)} generated filings of 93 units")


def _filings(engine: Engine) -> int:
    now = SystemClock().now()
    with session_scope(engine) as session:
        write_units(session)
        tree = load_tree(session)
        taken = [take_dataset(session, body, now, "example") for body in example_bodies()]
    filed = 0
    for dataset in taken[:FILLED]:
        current = period_of(dataset.period, now.astimezone(BEIJING).date())
        for period in before(dataset.period, current, PERIODS):
            _, end = bounds(dataset.period, period)
            with session_scope(engine) as session:
                at = min(now, datetime.combine(end, time(4), UTC))
                filed += fill_example(session, dataset, tree, period, at, share=0.95)
    return filed
