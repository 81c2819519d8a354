"""A drill and a rule's trial look at the live city; they change nothing of it and cannot be made to."""

from __future__ import annotations

import asyncio
import hashlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from core.errors import YiwangError
from core.media import MediaStore
from core.settings import Settings
from events.correlation import replay
from events.rules.rulebook import default_rulebook
from events.runtime import drill
from events.runtime.night_watch import NightWatch
from storage.schema import full_metadata
from storage.session import make_engine, read_scope, session_scope
from storage.tables.observations import ObservationRow
from storage.tables.readings import ReadingRow
from tests.databases import create_all
from tests.unit.dashboard.web import Office, make_office

NOW = datetime(2026, 6, 1, tzinfo=UTC)


class Stopped:
    """A clock that stands."""

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


def mark_of(engine: Engine) -> str:
    """Everything in the database, as a hash."""
    seal = hashlib.sha256()
    with read_scope(engine) as session:
        for name, table in sorted(full_metadata().tables.items()):
            seal.update(name.encode())
            for row in sorted(map(repr, session.execute(select(table)).all())):
                seal.update(row.encode())
    return seal.hexdigest()


def old_evidence(settings: Settings) -> Path:
    """A sealed file of the live city, written two weeks before the drill's time."""
    body = b"a picture of the live city"
    sha256 = hashlib.sha256(body).hexdigest()
    path = Path(settings.media_url) / sha256[:2] / f"{sha256}.jpg"
    path.parent.mkdir(parents=True)
    path.write_bytes(body)
    then = (NOW - timedelta(days=14)).timestamp()
    os.utime(path, (then, then))
    assert [uri for uri, _ in MediaStore(settings.media_url).walk()]
    return path


def test_a_drill_never_sweeps_the_live_citys_evidence(settings: Settings) -> None:
    evidence = old_evidence(settings)
    own = drill.drill_settings(settings, "d1").with_(media_keep_days=1)
    own.data_dir.mkdir(parents=True)
    engine = make_engine(own.database_url)
    create_all(engine)  # its rows know nothing of the file

    async def sweep() -> None:
        await asyncio.wait_for(NightWatch(engine, Stopped(), own, ["in_app"]).sweep(), 20)

    asyncio.run(sweep())
    assert evidence.exists()
    engine.dispose()


def test_a_drill_has_its_own_folder_database_and_subjects(settings: Settings) -> None:
    own = drill.drill_settings(settings, "d1")
    assert own.data_dir != settings.data_dir and own.data_dir.is_relative_to(settings.data_dir / "drills")
    assert own.database_url != settings.database_url
    assert own.subject_prefix == "drill.d1."
    for name in ("notify.json", "webhooks.json", "oidc.json"):  # what tells somebody outside lies in the live folder
        (settings.data_dir / name).parent.mkdir(parents=True, exist_ok=True)
        (settings.data_dir / name).write_text("[]")
        assert not (own.data_dir / name).exists()


def test_people_of_a_drill_cannot_log_in_with_their_passwords(settings: Settings) -> None:
    make_office(settings)
    own = drill.drill_settings(settings, "d1")
    engine = drill.prepare(settings, own)
    with read_scope(engine) as session:
        hashes = set(session.scalars(select(full_metadata().tables["user_account"].c.password_hash)))
    assert hashes == {""}
    assert not {"login_session", "api_key"} & set(drill.COPIED)
    engine.dispose()


@pytest.fixture
def office(settings: Settings) -> Office:
    return make_office(settings)


DAY: dict[str, object] = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}
HOSTILE_TRIALS: list[dict[str, object]] = [
    {},
    {"from": "2026-01-01T00:00:00Z"},
    {"from": "0001-01-01T00:00:00Z", "to": "9999-12-31T23:59:59Z"},
    {"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
    {"from": "x", "to": None},
    {**DAY, "rule": {"kind": "../../os", "applies_to": ["*"]}},
    {**DAY, "rule": {"kind": "__import__", "params": {}}},
    {**DAY, "rule": {"kind": "threshold", "params": {"x": "y" * 99999}}},
    {**DAY, "rule": [[[[]]]] * 999},
    {**DAY, "rule_id": "'; DROP TABLE rule; --"},
]  # fmt: skip


@pytest.mark.parametrize("sent", HOSTILE_TRIALS)
def test_a_hostile_trial_is_refused_and_changes_nothing(office: Office, sent: dict[str, object]) -> None:
    client = office.client("boss")
    before = mark_of(office.engine)
    answer = client.post("/api/rules/simulate", json=sent)
    assert answer.status_code in {200, 422}, answer.text
    assert answer.status_code == 422 or answer.json()["cases_in_all"] == 0
    assert mark_of(office.engine) == before


def test_only_those_who_may_try_a_rule(office: Office) -> None:
    for login, status in (("fireman", 403), ("inspector", 403), (None, 401)):
        answer = office.client(login).post("/api/rules/simulate", json=DAY)
        assert answer.status_code in {status, 403}, (login, answer.text)


def test_a_trial_of_a_full_year_is_counted_before_it_is_loaded(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine(settings.database_url)
    create_all(engine)
    monkeypatch.setattr(replay, "MAX_RECORDS", 20)
    body = {"observation_id": "x", "kind": "k"}
    with session_scope(engine) as session:
        for n in range(30):
            at = NOW + timedelta(seconds=n)
            session.add(
                ObservationRow(
                    observation_id=f"o{n}", kind="fire_alarm", state="open", source_type="device", source_id="d",
                    observed_at=at, received_at=at, stored_at=at, body=body,
                )
            )  # fmt: skip
    monkeypatch.setattr(replay, "recorded", lambda *_: pytest.fail("it was loaded"))
    with pytest.raises(YiwangError, match="more than 20"):
        replay.simulate(engine, default_rulebook(), NOW, NOW + timedelta(days=365))
    assert ReadingRow.__tablename__
    engine.dispose()
