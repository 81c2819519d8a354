"""A labelled day through the whole intake: reports of one happening merge, none is lost, splits and parents hold."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from bench.parts.merging import play
from bench.parts.replay import generate
from core.clock import ManualClock
from core.ids import derived_id
from core.records import SYSTEM, Actor, Command, EvidenceRef, GeoPoint, Observation
from events.correlation.case_placement import Desk
from events.correlation.duplicates import proposals
from events.correlation.intake import Intake
from events.correlation.places import PlaceRegistry
from events.dispatching.routing import default_routing
from events.evidence.audit_log import chain, check_chain
from events.evidence.verify import check_log
from events.rules.rulebook import default_rulebook
from events.runtime.wiring import case_service
from storage.session import session_scope
from storage.tables.cases import Case, CaseAssignment, CaseEvidence, CaseObservation, CaseTransition
from storage.tables.people import User
from storage.tables.plans import DutyShift
from storage.tables.registry import Department

T0 = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)
HERE = GeoPoint(lon=125.36, lat=43.89)


BOSS = Actor(user_id="boss", name="boss", roles=("operator",))


def command(name: str, case: Case, **data: object) -> Command:
    return Command(name=name, case_id=case.case_id, actor_id="boss", data=data)  # type: ignore[arg-type]


def transitions(session: Session, case: Case) -> list[CaseTransition]:
    query = select(CaseTransition).where(CaseTransition.case_id == case.case_id).order_by(CaseTransition.seq)
    return list(session.scalars(query))


class House:
    """Intake, desk and service on one database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.clock = ManualClock(T0)
        self.registry = PlaceRegistry(self.clock)
        self.service = case_service(engine, self.clock)
        self.desk = Desk(self.service, self.clock, self.registry, default_routing())
        self.book = default_rulebook()
        self.intake = Intake(self.clock, self.book, self.registry, self.desk)
        with session_scope(engine) as session:
            for name in ("dept-fire", "dept-drainage", "dept-emergency", "dept-command", "dept-traffic"):
                session.add(Department(department_id=name, name=name))

    def told(
        self, kind: str, source_id: str, *, north_m: float = 0, seconds: float = 0, files: tuple[EvidenceRef, ...] = ()
    ) -> None:
        at = T0 + timedelta(seconds=seconds)
        self.clock.set(max(self.clock.now(), at))
        observation = Observation(
            observation_id=derived_id(kind, source_id, seconds),
            kind=kind,
            state="open",
            source_type="citizen",
            source_id=source_id,
            observed_at=at,
            received_at=at,
            location=GeoPoint(lon=HERE.lon, lat=HERE.lat + north_m / 111_320),
            evidence=files,
        )
        with session_scope(self.engine) as session:
            self.intake.take_observations(session, [observation])


@pytest.fixture
def house(engine: Engine) -> House:
    return House(engine)


@pytest.mark.parametrize("seed", [11])
def test_duplicates_merge_and_no_incident_is_lost(engine: Engine, tmp_path, seed: int) -> None:  # type: ignore[no-untyped-def]
    found = play(engine, generate(sites=148, incidents=25, hours=8, seed=seed))
    assert found.lost == 0
    assert found.spurious_cases == 0
    assert found.duplicates > 40
    assert found.merged_share >= 0.95


def test_a_doubtful_report_is_proposed_with_reasons(house: House) -> None:
    house.told("flame_smoke", "citizen:1")
    house.told("flame_smoke", "citizen:2", north_m=170, seconds=60)
    with session_scope(house.engine) as session:
        cases = session.scalars(select(Case).order_by(Case.number)).all()
        assert len(cases) == 2
        assert cases[1].why["merge"]["verdict"] == "propose"
        found = proposals(session, cases[1], house.book)
        assert [p.case_id for p in found] == [cases[0].case_id]
        assert [step["step"] for step in found[0].steps] == ["class", "distance", "time"]


def picture(name: str) -> EvidenceRef:
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    return EvidenceRef(uri=f"{name}.jpg", sha256=sha256, kind="snapshot", media_type="image/jpeg", taken_at=T0,
                       size_bytes=3)  # fmt: skip


def test_evidence_that_comes_to_a_running_case_is_in_its_chain_once(house: House) -> None:
    first, second, third = picture("a"), picture("b"), picture("c")
    house.told("flame_smoke", "citizen:1", files=(first,))
    house.told("flame_smoke", "citizen:2", north_m=50, seconds=60, files=(first, second, third, third))
    house.told("flame_smoke", "citizen:2", north_m=50, seconds=90, files=(second,))  # known already: no new link
    house.told("flame_smoke", "citizen:2", north_m=50, seconds=95)
    with session_scope(house.engine) as session:
        case = session.scalars(select(Case)).one()
        stored = session.scalars(select(CaseEvidence.sha256).where(CaseEvidence.case_id == case.case_id)).all()
        assert sorted(stored) == sorted(ref.sha256 for ref in (first, second, third))
        links = chain(session, case.case_id)
        added = [link for link in links if link.action == "evidence"]
        assert [(link.actor_id, link.body["sha256"]) for link in added] == [
            (SYSTEM.user_id, sorted((second.sha256, third.sha256)))
        ]
        assert added[0].body["observation_id"] == derived_id("flame_smoke", "citizen:2", 60)
        assert not list(check_chain(links))
    assert [flaw for flaw in check_log(house.engine, {}) if not isinstance(flaw, int)] == []


def test_a_wrong_join_is_undone_with_its_history(house: House) -> None:
    house.told("flame_smoke", "citizen:1")
    house.told("flame_smoke", "citizen:2", north_m=50, seconds=60)
    with session_scope(house.engine) as session:
        case = session.scalars(select(Case)).one()
        key = next(k for k in case.why["standing"] if "citizen:2" in k)
        view = house.service.execute_in(session, command("detach", case, standing_key=key, reason="another fire"), BOSS)
        opened = session.scalars(select(Case).where(Case.case_id != case.case_id)).one()
        assert opened.why["detached_from"]["case_id"] == case.case_id == view.case_id
        assert [t.at for t in transitions(session, case)] == sorted({t.at for t in transitions(session, case)})
    house.told("flame_smoke", "citizen:2", north_m=50, seconds=400)  # its next word goes to its own case
    with session_scope(house.engine) as session:
        links = session.scalars(select(CaseObservation).where(CaseObservation.case_id == opened.case_id)).all()
        assert len(links) == 2
        old = session.scalars(select(CaseObservation).where(CaseObservation.case_id == case.case_id)).all()
        assert any(link.reason.get("moved_to") == opened.case_id for link in old)
        commands = session.scalars(select(CaseTransition.command).where(CaseTransition.case_id == case.case_id)).all()
        assert "detach" in commands


def test_one_rainstorm_many_points_get_a_parent_and_keep_their_own_cases(house: House) -> None:
    for n in range(7):
        house.told("waterlogging", f"citizen:{n}", north_m=600 * n, seconds=30 * n)
    with session_scope(house.engine) as session:
        parent = session.scalars(select(Case).where(Case.happening_key.like("area-%"))).one()
        children = session.scalars(select(Case).where(Case.parent_case_id == parent.case_id)).all()
        assert len(children) == 7
        assert all(child.merged_into_id is None and child.department_id == "dept-drainage" for child in children)
        assert parent.department_id == "dept-emergency"
        assert len(parent.why["area"]["children"]) == 5


def test_a_far_flood_is_no_part_of_the_rainstorm(house: House) -> None:
    for n in range(6):
        house.told("waterlogging", f"citizen:{n}", north_m=600 * n, seconds=30 * n)
    house.told("waterlogging", "citizen:far", north_m=30_000, seconds=300)
    with session_scope(house.engine) as session:
        far = session.scalars(select(Case).where(Case.source_id == "citizen:far")).one()
        assert far.parent_case_id is None


def test_the_person_on_duty_is_named_and_a_substitute_stands_in(house: House) -> None:
    with session_scope(house.engine) as session:
        for user_id in ("u-chief", "u-deputy"):
            session.add(User(user_id=user_id, login=user_id, name=user_id, department_id="dept-fire"))
        session.flush()
        for user_id, absent in (("u-chief", None), ("u-deputy", "u-chief")):
            session.add(
                DutyShift(
                    shift_id=user_id,
                    department_id="dept-fire",
                    user_id=user_id,
                    substitute_for=absent,
                    starts_at=T0 - timedelta(hours=1),
                    ends_at=T0 + timedelta(hours=8),
                )
            )
    house.told("flame_smoke", "citizen:1")
    with session_scope(house.engine) as session:
        case = session.scalars(select(Case)).one()
        lead = session.scalars(select(CaseAssignment).where(CaseAssignment.role == "lead")).one()
        assert lead.user_id == "u-deputy"
        step = next(step for step in case.why["routing"] if step["step"] == "duty")
        assert step["substitute_for"] == "u-chief"
