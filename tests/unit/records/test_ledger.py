"""Task ledgers: lights against the plan, ceilings, milestones, sign-off; 56 indicators × 27 departments."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli import main
from core.errors import Forbidden, NotFound
from core.records import Actor
from records.filing.access import may_see, must_approve, must_file, own_units
from records.filing.approving import approve, exempt
from records.filing.commands import get_filing, save, submit, values_of_filing
from records.filing.dataset import DatasetInvalid, TaskTarget, parse_dataset
from records.filing.example import example_bodies, fill_example, write_units
from records.filing.ledger import ledger, light_of, planned_share, worst
from records.filing.ledger_example import fill_ledger, ledger_body, ledger_units, write_ledger_units
from records.filing.period_state import Desk
from records.filing.periods import period_of
from records.filing.store import get_dataset, take_dataset
from records.filing.tree import UnitTree, load_tree
from storage.session import session_scope
from tests.unit.records.registry import fresh

NOW = datetime(2026, 11, 28, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("done", "share", "better", "colour"),
    [(50, 0.5, "more", "green"), (46, 0.5, "more", "yellow"), (44, 0.5, "more", "red"), (None, 0.5, "more", "grey"),
     (0, 0.0, "more", "green"), (100, 0.1, "less", "green"), (105, 0.1, "less", "yellow"), (200, 1.0, "less", "red"),
     (0, 0.5, "less", "green")],
)  # fmt: skip
def test_the_light_compares_with_what_was_planned(done: float | None, share: float, better: str, colour: str) -> None:
    assert light_of(TaskTarget({"u": 100}, better), 100, done, share).colour == colour


@given(st.floats(0, 1e9), st.floats(0, 1e9), st.floats(0, 1), st.sampled_from(("more", "less")))
def test_more_done_never_makes_a_target_s_light_worse(wanted: float, done: float, share: float, better: str) -> None:
    order = ("red", "yellow", "green")
    first = order.index(light_of(TaskTarget({"u": wanted}, better), wanted, done, share).colour)
    second = order.index(light_of(TaskTarget({"u": wanted}, better), wanted, done * 2 + 1, share).colour)
    assert second >= first if better == "more" else second <= first


def test_milestones_stand_for_the_months() -> None:
    dataset = parse_dataset(ledger_body())
    assert planned_share(dataset, "2026-03", TaskTarget({"u": 1})) == pytest.approx(0.25)
    steps = TaskTarget({"u": 1}, milestones={6: 0.2, 9: 0.9})
    assert [planned_share(dataset, f"2026-{m:02d}", steps) for m in (5, 6, 8, 9, 12)] == [0.0, 0.2, 0.2, 0.9, 0.9]


def test_a_ledger_of_56_indicators_and_27_departments_with_sign_off(tmp_path: Path) -> None:
    engine = fresh(tmp_path)
    with session_scope(engine) as session:
        write_ledger_units(session)
        take_dataset(session, ledger_body(), NOW, "test")
        dataset, tree = get_dataset(session, "example-ledger"), load_tree(session)
        assert fill_ledger(session, dataset, tree, "2026-10", NOW) > 20
        desk = Desk(dataset, tree, "test", NOW, NOW.date())
        found = ledger(session, desk, "2026-10", list(dataset.units))
        assert len(found["rows"]) == 56 and len(found["units"]) == 27
        assert sum(found["counts"].values()) == sum(len(t.units) for t in dataset.targets.values())
        assert all(found["counts"][colour] for colour in ("green", "yellow", "red"))
        unit = found["units"][0]["unit"]
        own = ledger(session, desk, "2026-11", [unit])
        assert own["units"] == [{"unit": unit, "name": "示例部门1", "state": "open", "signed": False}]
        question = own["rows"][0]["question"]
        save(session, desk, unit, "2026-11", {question: 1e6})
        submit(session, desk, unit, "2026-11")
        approve(session, desk, unit, "2026-11")
        after = ledger(session, desk, "2026-11", [unit])
        assert after["units"][0]["signed"] and after["rows"][0]["cells"][unit]["done"] == 1e6
        with pytest.raises(NotFound):
            ledger(session, Desk(parse_dataset({**ledger_body(), "targets": {}}), tree, "t", NOW, NOW.date()), "x", [])
    engine.dispose()


@pytest.mark.parametrize(
    "target", [{}, {"units": {}}, {"units": {"u": "viel"}}, {"units": {"u": -1}}, {"units": {"u": float("nan")}},
               {"units": {"u": 1}, "better": "best"}, {"units": {"u": 1}, "milestones": {"13": 1}}]
)  # fmt: skip
def test_a_wrong_target_is_refused_by_name(target: dict[str, object]) -> None:
    with pytest.raises(DatasetInvalid, match=r"targets\.t01"):
        parse_dataset({**ledger_body(), "targets": {"t01": target}})


def test_a_department_files_its_own_and_signs_nothing_off() -> None:
    units = ledger_units()
    tree = UnitTree({u: p for u, _, p in units}, {u: n for u, n, _ in units})
    clerk = Actor(user_id="c", name="c", roles=("staff",), department_id="ledger-03")
    assert own_units(clerk, tree) == ["ledger-03"] and not may_see(clerk, "ledger-04", tree)
    must_file(clerk, "ledger-03", tree)
    with pytest.raises(Forbidden):
        must_approve(clerk, "ledger-03", tree)
    viewer = Actor(user_id="v", name="v", roles=("viewer",), department_id="ledger-03")
    assert own_units(viewer, tree) == []


def test_a_row_is_as_bad_as_its_worst_light() -> None:
    assert worst({"a": {"colour": "green"}, "b": {"colour": "red"}}) == "red" and worst({}) == "grey"


def test_the_generated_ledger_may_be_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = fresh(tmp_path)
    monkeypatch.setenv("YIWANG_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("YIWANG_DATABASE_URL", str(engine.url))
    assert main(["filing", "ledger-example", "--periods", "1"]) == 0
    first = capsys.readouterr().out.strip()
    assert first.startswith("56 indicators, 27 departments, ") and not first.endswith(", 0 filings")
    assert main(["filing", "ledger-example", "--periods", "1"]) == 0
    assert capsys.readouterr().out.strip() == "56 indicators, 27 departments, 0 filings"  # what was filed stays


def test_what_the_generator_finds_filed_or_exempt_stays(tmp_path: Path) -> None:
    engine = fresh(tmp_path)
    with session_scope(engine) as session:
        write_units(session)
        tree, dataset = load_tree(session), take_dataset(session, next(example_bodies()), NOW, "test")
        desk, first, second = Desk(dataset, tree, "somebody", NOW, NOW.date()), tree.leaves[0], tree.leaves[1]
        period = period_of(dataset.period, NOW.date())
        save(session, desk, first, period, {"q1": 1})
        exempt(session, desk, second, period, "closed")
        filed = fill_example(session, dataset, tree, period, NOW)
        assert filed == len(tree.leaves) - 2
        assert fill_example(session, dataset, tree, period, NOW) == 0
        kept = get_filing(session, desk, first, period)
        assert kept is not None and kept.state == "saved" and values_of_filing(session, kept.filing_id) == {"q1": 1}
