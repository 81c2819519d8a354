"""Simulator and drill: the same day gives the same cases; the live city is not touched."""

from __future__ import annotations

import asyncio
import hashlib
import json
from datetime import UTC, timedelta

import pytest
from sqlalchemy import Engine, func, select

from bench.parts.merging import play
from bench.parts.replay import DAY0, generate
from core.bus import connect
from core.errors import InputInvalid
from core.settings import Settings
from events.correlation.replay import busiest, simulate
from events.rules.rulebook import default_rulebook, default_rules, with_rule
from events.runtime.drill import DrillPlan, drill_settings, run_drill
from storage.schema import full_metadata
from storage.session import make_engine, read_scope, session_scope
from storage.tables.cases import Case, Notice, Outbox
from storage.tables.observations import ObservationRow
from storage.tables.people import User
from storage.tables.readings import ReadingRow
from tests.databases import create_all


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def digests(engine: Engine) -> dict[str, str]:
    """Every table of a database by what stands in it."""
    found = {}
    with read_scope(engine) as session:
        for name, table in full_metadata().tables.items():
            rows = sorted(repr(tuple(row)) for row in session.execute(select(table)))
            found[name] = f"{len(rows)} {hashlib.sha256(repr(rows).encode()).hexdigest()}"
    return found


def cases_of(engine: Engine) -> int:
    with read_scope(engine) as session:
        return session.scalar(select(func.count()).select_from(Case)) or 0


def test_the_simulator_shows_what_a_rule_would_have_opened(engine: Engine) -> None:
    day = generate(sites=20, incidents=12, hours=6, seed=5)
    lived = play(engine, day)
    since, until = DAY0 - timedelta(hours=1), DAY0 + timedelta(hours=12)
    before = cases_of(engine)
    now = simulate(engine, default_rulebook(), since, until)
    assert abs(now.cases_in_all - lived.cases) <= 2
    assert now.by_department
    assert sum(now.by_rule.values()) == now.cases_in_all
    quiet = next(s for s in default_rules().rules if s.rule_id == "flame-smoke")
    params = {**quiet.params, "min_confidence": 1.0}
    spec = type(quiet)(**{f: getattr(quiet, f) for f in quiet.__struct_fields__} | {"params": params})
    stricter = simulate(engine, with_rule(default_rulebook(), spec), since, until)
    assert stricter.by_rule.get("flame-smoke", 0) < now.by_rule.get("flame-smoke", 0)
    assert cases_of(engine) == before
    with pytest.raises(InputInvalid, match="not after"):
        simulate(engine, default_rulebook(), until, since)


def test_the_busiest_ten_minutes() -> None:
    moments = [DAY0 + timedelta(minutes=m) for m in (0, 1, 2, 20, 21, 22, 23, 60)]
    assert busiest(moments, 600) == 4
    assert busiest([], 600) == 0


@pytest.mark.anyio
async def test_a_drill_relives_the_period_and_leaves_the_live_city_alone(nats_server: Settings) -> None:
    live = make_engine(nats_server.database_url)
    create_all(live)
    day = generate(sites=6, incidents=4, hours=3.5, seed=8)
    lived = play(live, day)
    with session_scope(live) as session:
        session.add(User(user_id="u1", login="u1", name="x", password_hash="secret"))
    (nats_server.data_dir / "notify.json").write_text('{"webhook": {"url": "http://127.0.0.1:9/sms"}}')
    hook = {"name": "city", "url": "http://127.0.0.1:9/hook", "secret": "x" * 20}
    (nats_server.data_dir / "webhooks.json").write_text(json.dumps([hook]))
    files = {p: p.read_bytes() for p in nats_server.data_dir.glob("*.json")}
    before = digests(live)
    live_bus = await connect(nats_server, "live")
    await live_bus.ensure()
    plan = DrillPlan(drill_id="storm1", since=DAY0, until=DAY0 + timedelta(hours=6), speed=1000.0)
    report = await run_drill(nats_server, plan, asyncio.Event())
    assert report.published == report.stored > 0
    assert report.dead_letters == report.unsent == 0
    assert abs(report.cases - lived.cases) <= 2
    own = drill_settings(nats_server, "storm1")
    drill = make_engine(own.database_url)
    with read_scope(drill) as session:
        opened = session.scalars(select(Case.opened_at)).all()
        assert all(plan.since <= at.astimezone(UTC) <= plan.until for at in opened)
        assert session.get(User, "u1").password_hash == ""
        assert session.scalar(select(func.count()).select_from(Notice)) > 0
        rung = session.scalars(select(Outbox.body).where(Outbox.topic != "case")).all()
        assert {body["channel"] for body in rung} == {"in_app"}  # on the drill's own subjects; nobody is rung up
    assert digests(live) == before  # not a row of any live table
    assert {p: p.read_bytes() for p in files} == files
    for stream in ("OBS", "READ", "CASE"):
        assert (await live_bus.js.stream_info(stream)).state.messages == 0, stream
    with read_scope(live) as session:
        stored = session.scalar(select(func.count()).select_from(ObservationRow)) + session.scalar(
            select(func.count()).select_from(ReadingRow)
        )
        assert stored >= report.published
    names = {s.config.name for s in await live_bus.js.streams_info()}
    assert not any("DRILL" in name for name in names)
    await live_bus.close()
    live.dispose()
    drill.dispose()
