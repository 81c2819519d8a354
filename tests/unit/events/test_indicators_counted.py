"""Every indicator against an independent count over random histories: sums, shares, score, drill-down, files.

The count below is written from the formulas of the standard notes (an indicator = one number over another, what belongs
to each in words) and from the guards of docs/indicators.md; it shares no line with the SQL.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from sqlalchemy import Engine

from core.ids import new_id
from core.records import SYSTEM, Actor
from events.indicators import tally
from events.indicators.counting import IndicatorQuestion, sums_of
from events.indicators.evaluation import Table, cases_behind, evaluate, rulebook
from events.indicators.export import as_csv, as_xlsx
from events.indicators.kept import kept_sums
from storage.session import make_engine, read_scope, session_scope
from storage.tables.cases import Case, CaseAssignment, CaseClock, CaseEvidence, CaseTransition
from tests.databases import create_all
from tests.unit.events.casework import FRIDAY, Town

GONE = {"cancelled", "rejected", "merged"}
STATES = ["reported", "dispatched", "handling", "handle_finished", "rework", "closed", "force_closed", *sorted(GONE)]
MINUTES = st.integers(0, 400)
SOMETIMES = st.one_of(st.none(), MINUTES)
NOW_MIN = 200  # "now" lies in the middle, so that some deadlines are past and some to come


@dataclass
class PartFate:
    department: str
    state: str
    dispatched: int
    accepted: int | None
    took: int | None  # minutes from accepting (else dispatch) to finish
    limit: int | None


@dataclass
class Fate:
    """One case as it went."""

    state: str
    registered: bool
    finished: bool
    checked: bool
    by_people: bool
    bounces: int
    reworks: int
    reopened: int
    urged: int
    extended: int
    false_alarm: bool | None
    photo: bool
    suspended: bool
    child_of_split: bool
    parts: list[PartFate]
    clocks: dict[str, tuple[int | None, int]]  # kind → (stopped, deadline) in minutes
    case_id: str = field(default_factory=new_id)


PARTS = st.builds(
    PartFate,
    department=st.sampled_from(["fire", "water"]),
    state=st.sampled_from(["dispatched", "accepted", "finished", "refused", "over"]),
    dispatched=st.integers(0, 100),
    accepted=st.one_of(st.none(), st.integers(0, 5)),
    took=st.one_of(st.none(), st.integers(0, 150)),
    limit=st.one_of(st.none(), st.integers(10, 150)),
)
FATES = st.builds(
    Fate,
    state=st.sampled_from(STATES),
    registered=st.booleans(), finished=st.booleans(), checked=st.booleans(), by_people=st.booleans(),
    bounces=st.integers(0, 2), reworks=st.integers(0, 2), reopened=st.integers(0, 1), urged=st.integers(0, 1),
    extended=st.integers(0, 2), false_alarm=st.sampled_from([None, False, True]), photo=st.booleans(),
    suspended=st.booleans(), child_of_split=st.booleans(),
    parts=st.lists(PARTS, max_size=3),
    clocks=st.dictionaries(
        st.sampled_from(["dispatch", "check", "whole"]), st.tuples(SOMETIMES, st.integers(0, 300)), max_size=3
    ),
)  # fmt: skip
_days = count()


class Ledger:
    """Stores fates on a day of their own and counts them by hand."""

    def __init__(self, engine: Engine, fates: list[Fate]) -> None:
        self.engine, self.fates = engine, fates
        self.start = FRIDAY + timedelta(days=2 * next(_days))
        self.now = self.at(NOW_MIN)
        self.question = IndicatorQuestion(opened_from=self.start, opened_to=self.start + timedelta(days=1))
        self.parent = new_id()
        self._store()

    def at(self, minutes: int) -> datetime:
        return self.start + timedelta(minutes=minutes)

    def times(self, part: PartFate) -> tuple[datetime, datetime | None, datetime | None, datetime | None]:
        """Dispatched, accepted, finished, deadline."""
        accepted = None if part.accepted is None else part.dispatched + part.accepted
        begun = part.dispatched if accepted is None else accepted
        finished = None if part.took is None else self.at(begun + part.took)
        limit = None if part.limit is None else self.at(part.dispatched + part.limit)
        return self.at(part.dispatched), None if accepted is None else self.at(accepted), finished, limit

    def _store(self) -> None:
        def case(case_id: str, state: str, opened: datetime, **more: Any) -> Case:
            return Case(
                case_id=case_id, number=case_id, definition_id="city_management", definition_version=4, stage="handle",
                state=state, title="x", opened_at=opened, updated_at=opened, **more,
            )  # fmt: skip

        with session_scope(self.engine) as session:
            session.add(case(self.parent, "closed", self.start - timedelta(days=1)))  # the bracket, another day's
            session.flush()
            for n, fate in enumerate(self.fates):
                form = {
                    k: v for k, v in (("extended", fate.extended), ("false_alarm", fate.false_alarm)) if v is not None
                }
                session.add(
                    case(
                        fate.case_id, fate.state, self.start + timedelta(seconds=n),
                        open=fate.state not in {"closed", "force_closed", *GONE}, form=form,
                        why={"split": {"from": self.parent}} if fate.child_of_split else {},
                        parent_case_id=self.parent if fate.child_of_split else None,
                        registered_at=self.start if fate.registered else None,
                        finished_at=self.start if fate.finished else None,
                        checked_at=self.start if fate.checked else None,
                        reporter_id="grid" if fate.by_people else None,
                        bounces=fate.bounces, reworks=fate.reworks, reopened=fate.reopened, urged=fate.urged,
                    )
                )  # fmt: skip
            session.flush()
            for fate in self.fates:
                self._belongings(session, fate)

    def _belongings(self, session: Any, fate: Fate) -> None:
        for n, part in enumerate(fate.parts):
            dispatched, accepted, finished, limit = self.times(part)
            session.add(
                CaseAssignment(
                    assignment_id=f"{n}{fate.case_id}"[:26], case_id=fate.case_id, department_id=part.department,
                    role="lead", state=part.state, dispatched_at=dispatched, accepted_at=accepted,
                    finished_at=finished, deadline_at=limit,
                )
            )  # fmt: skip
        for kind, (stopped, limit_min) in fate.clocks.items():
            session.add(
                CaseClock(
                    clock_id=new_id(), case_id=fate.case_id, kind=kind, limit_value=1, limit_unit="urgent_hour",
                    started_at=self.start, deadline_at=self.at(limit_min),
                    stopped_at=None if stopped is None else self.at(stopped),
                )
            )  # fmt: skip
        if fate.photo:
            session.add(
                CaseEvidence(
                    evidence_id=new_id(), case_id=fate.case_id, purpose="after", kind="photo", uri="a", sha256="a",
                    media_type="image/jpeg", taken_at=self.start, added_at=self.start, added_by="fire",
                )
            )  # fmt: skip
        if fate.suspended:
            session.add(
                CaseTransition(
                    case_id=fate.case_id, seq=1, command="suspend", to_state="suspended", actor_id="x", at=self.start
                )
            )

    # by hand -----------------------------------------------------------------
    def late(self, fate: Fate, kind: str) -> bool:
        if kind not in fate.clocks:
            return False
        stopped, limit = fate.clocks[kind]
        return (NOW_MIN if stopped is None else stopped) > limit

    def counted(self, fate: Fate, part: PartFate | None) -> set[str]:
        """The measures to which one part of a case (or a case without any) belongs."""
        gone = fate.state in GONE
        found = {"reported"} | ({"reported_by_people"} if fate.by_people else set())
        if fate.registered:
            found |= {"registered"} | ({"registered_of_people"} if fate.by_people else set())
        if part is not None:
            found |= self.of_part(fate, part, gone)
        if fate.finished and not gone:
            found |= {"should_close"}
            found |= {"closed"} if fate.state == "closed" else set()
            found |= {"closed_on_time"} if fate.state == "closed" and not self.late(fate, "whole") else set()
            found |= {"reworked"} if fate.reworks else set()
            found |= {"reopened"} if fate.reopened else set()
            if "check" in fate.clocks:
                found |= {"should_check"}
                found |= {"checked_on_time"} if fate.checked and not self.late(fate, "check") else set()
        found |= {"forced"} if fate.state == "force_closed" else set()
        found |= {"false_alarm"} if fate.false_alarm else set()
        return found | ({"urged"} if fate.urged else set())

    def of_part(self, fate: Fate, part: PartFate, gone: bool) -> set[str]:
        dispatched, accepted, finished, limit = self.times(part)
        found = {"dispatched"} | ({"bounced"} if fate.bounces else {"dispatched_right"})
        if fate.registered and not self.late(fate, "dispatch"):
            found |= {"dispatched_on_time"}
        handed_back_late = (
            part.state == "refused" and limit is not None and finished is not None
            and (finished - dispatched) > 0.8 * (limit - dispatched)
        )  # fmt: skip
        taken_away = (part.state == "refused" and not handed_back_late) or (part.state == "over" and finished is None)
        found |= {"late_return"} if handed_back_late else set()
        if gone or taken_away:
            return found
        found |= {"should_handle"}
        found |= {"extended"} if fate.extended else set()
        found |= {"suspended"} if fate.suspended else set()
        handled = finished is not None and part.state != "refused"
        if handed_back_late or (finished is None and limit is not None and limit < self.now):
            found |= {"overdue_unhandled"}
        if handled:
            assert finished is not None
            hasty = not fate.photo and accepted is not None and (finished - accepted) < timedelta(minutes=2)
            undone = fate.reopened > 0 and part.state == "over"
            on_time = (limit is None or finished <= limit) and not hasty and not undone
            found |= {"handled", "handled_on_time" if on_time else "handled_late"} | (
                {"fast_finish"} if hasty else set()
            )
        return found

    def lines(self, by: str) -> dict[str, dict[str, list[tuple[str, float]]]]:
        """group → measure → (case, weight): by department each lead part, else each case with its last lead part."""
        twins = sum(f.child_of_split for f in self.fates)
        found: dict[str, dict[str, list[tuple[str, float]]]] = defaultdict(lambda: defaultdict(list))
        for fate in self.fates:
            last = max(enumerate(fate.parts), key=lambda pair: (pair[1].dispatched, pair[0]), default=(0, None))[1]
            share = 1 / twins if fate.child_of_split else 1.0
            for part in (fate.parts or [None]) if by == "department" else [last]:  # type: ignore[list-item]
                key = "all" if by == "all" else part.department if part is not None else ""
                for measure in self.counted(fate, part):
                    found[key][measure].append((fate.case_id, share))
        return found


@pytest.fixture(scope="module")
def ledger_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[list[Fate]], Ledger]]:
    engine = make_engine(f"sqlite:///{tmp_path_factory.mktemp('indicators') / 'x.db'}")
    create_all(engine)
    Town(engine)
    yield lambda fates: Ledger(engine, fates)
    engine.dispose()


def expected(counts: dict[str, float], over: str, under: str) -> float | None:
    return counts.get(over, 0.0) / counts[under] if counts.get(under) else None


def compare(table: Table, ledger: Ledger, by: str) -> None:
    wanted = ledger.lines(by)
    assert {line.key for line in table.lines} == set(wanted)
    for line in table.lines:
        sums = {measure: sum(w for _, w in cases) for measure, cases in wanted[line.key].items()}
        for name, value in line.counts.items():
            assert value == pytest.approx(sums.get(name, 0.0), abs=1e-5), (line.key, name)
        for formula in table.formulas:
            rate = expected(sums, formula.over, formula.under)
            assert line.rates[formula.id] == (None if rate is None else pytest.approx(rate, abs=1e-5)), formula.id
        assert line.score == (None if score(sums) is None else pytest.approx(score(sums), abs=0.01))


def score(sums: dict[str, float]) -> float | None:
    """处置率×30 + 按期处置率×20 + (1−返工率)×20 + (1−超期未处置率)×20 + (1−延期率)×10, of those with a denominator."""
    terms = (
        (30, "handled", "should_handle", False), (20, "handled_on_time", "should_handle", False),
        (20, "reworked", "should_close", True), (20, "overdue_unhandled", "should_handle", True),
        (10, "extended", "should_handle", True),
    )  # fmt: skip
    got = full = 0.0
    for weight, over, under, low in terms:
        rate = expected(sums, over, under)
        if rate is not None:
            got, full = got + weight * (1 - rate if low else rate), full + weight
    return 100 * got / full if full else None


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(fates=st.lists(FATES, min_size=1, max_size=8), data=st.data())
def test_sums_shares_scores_and_cases_behind(
    ledger_of: Callable[[list[Fate]], Ledger], fates: list[Fate], data: st.DataObject
) -> None:
    ledger = ledger_of(fates)
    by = data.draw(st.sampled_from(["department", "all"]))
    question = msgspec.structs.replace(ledger.question, by=by)
    if kept := data.draw(st.sampled_from([0, 2, 100])):  # from the cases alone, from both, from what is kept
        with session_scope(ledger.engine) as session:
            tally.catch_up(session, rulebook().guards, kept)
    with read_scope(ledger.engine) as session:
        table = evaluate(session, SYSTEM, question, ledger.now)
        compare(table, ledger, by)
        wanted = ledger.lines(by)
        for measure in data.draw(st.lists(st.sampled_from(sorted(table.total.counts)), max_size=4)):
            for key in wanted:
                ids = cases_behind(session, SYSTEM, question, measure, key, ledger.now)
                assert sorted(ids) == sorted({c for c, _ in wanted[key][measure]}), (by, key, measure)


def test_files_open_and_hold_the_same_numbers(ledger_of: Callable[[list[Fate]], Ledger]) -> None:
    fates = [
        Fate("closed", True, True, True, True, 0, 1, 0, 0, 1, None, True, False, False,
             [PartFate("fire", "finished", 0, 3, 30, 60)], {"whole": (50, 100)}),
        Fate("handling", True, False, False, False, 1, 0, 0, 0, 0, True, False, True, False,
             [PartFate("water", "accepted", 0, 3, None, 60)], {}),
    ]  # fmt: skip
    ledger = ledger_of(fates)
    with read_scope(ledger.engine) as session:
        table = evaluate(session, SYSTEM, ledger.question, ledger.now)
    sheet = list(load_workbook(io.BytesIO(as_xlsx(table, "en"))).worksheets[0].iter_rows(values_only=True))
    rows = list(csv.reader(io.StringIO(as_csv(table, "en").decode("utf-8-sig"))))
    assert [list(map(str, row)) for row in rows[:1]] == [[str(cell) for cell in sheet[0]]]
    for n, line in enumerate([*table.lines, table.total], 1):
        for column, formula in enumerate(table.formulas, 2):
            rate = line.rates[formula.id]
            assert sheet[n][column] == rate
            assert rows[n][column] == ("" if rate is None else str(rate))
        for name, value in line.counts.items():
            column = sheet[0].index(name)
            assert sheet[n][column] == value and float(rows[n][column]) == value


def test_every_formula_of_the_standard_is_there() -> None:
    ids = {(f.over, f.under) for f in rulebook().indicators}
    for pair in (
        ("registered", "reported"), ("handled", "should_handle"), ("handled_on_time", "should_handle"),
        ("handled_late", "should_handle"), ("overdue_unhandled", "should_handle"), ("closed", "should_close"),
        ("closed_on_time", "should_close"), ("reworked", "should_close"), ("extended", "should_handle"),
        ("dispatched_on_time", "registered"), ("dispatched_right", "dispatched"), ("checked_on_time", "should_check"),
        ("registered_of_people", "reported_by_people"),
    ):  # fmt: skip
        assert pair in ids, pair


def test_what_is_kept_is_asked_and_moved_cases_are_counted_from_themselves(
    ledger_of: Callable[[list[Fate]], Ledger],
) -> None:
    fates = [
        Fate("closed", True, True, True, True, 0, 0, 0, 0, 0, None, True, False, False,
             [PartFate("fire", "refused", 0, None, 50, 60), PartFate("water", "finished", 60, 3, 30, 60)], {}),
        Fate("handling", True, False, False, False, 1, 0, 0, 0, 0, True, False, True, False,
             [PartFate("water", "accepted", 0, 3, None, 60)], {"dispatch": (None, 100)}),
    ]  # fmt: skip
    ledger = ledger_of(fates)
    guards = rulebook().guards
    operator = Actor(user_id="op", name="op", roles=("operator",))

    def both(actor: Actor) -> tuple[Any, Any]:
        whole = msgspec.structs.replace(ledger.question, by="all")
        with read_scope(ledger.engine) as session:
            direct = tuple(sums_of(session, actor, q, ledger.now, guards) for q in (ledger.question, whole))
            return kept_sums(session, actor, ledger.question, ledger.now, guards), direct

    with session_scope(ledger.engine) as session:
        while tally.catch_up(session, guards):
            pass
    for actor in (SYSTEM, operator):
        kept, direct = both(actor)
        assert kept is not None and plain(kept) == plain(direct)
    with session_scope(ledger.engine) as session:  # one is secret now, one has moved: neither is kept as it is
        first, second = (session.get_one(Case, fate.case_id) for fate in fates)
        first.confidential, first.version = True, first.version + 1
        second.urged, second.version = 2, second.version + 1
    for actor in (SYSTEM, operator):
        kept, direct = both(actor)
        assert kept is not None and plain(kept) == plain(direct), actor
    with session_scope(ledger.engine) as session:
        while tally.catch_up(session, guards):
            pass
    kept, direct = both(operator)
    assert kept is not None and plain(kept) == plain(direct)
    staff = Actor(user_id="s", name="s", roles=("staff",), department_id="fire")
    assert both(staff)[0] is None, "who sees a part of the cases is answered from the cases"


def plain(sums: Any) -> Any:
    """Groups without the measures that nothing counts for."""
    return [
        {
            key: ({n: round(v, 6) for n, v in s.counts.items() if v}, round(s.took, 3), s.handled)
            for key, s in one.items()
        }
        for one in sums
    ]
