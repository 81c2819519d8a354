"""What pages and routes ask of the filings; judged by the person's unit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from core.clock import BEIJING
from core.errors import InputInvalid
from core.records import Actor
from dashboard.services import Services
from records.filing.access import may_see, must_approve, must_file, must_see, own_units
from records.filing.approving import approve, exempt, take_back
from records.filing.commands import get_filing, problems_of, remarks_of, save, send_back, submit, values_of_filing
from records.filing.dataset import Dataset
from records.filing.ledger import ledger
from records.filing.overview import matrix
from records.filing.period_state import Desk, own_turn
from records.filing.periods import before, bounds, period_of
from records.filing.prefill import prefilled
from records.filing.sheet_reading import read_sheet
from records.filing.store import datasets, get_dataset
from records.filing.totals import cells_of, drill, kept_totals, roll_up_period
from records.filing.tree import load_tree
from records.filing.workbook import fill_template, write_sheet
from storage.session import read_scope, session_scope


@dataclass(frozen=True)
class FilingDesk:
    """Filings as one person may use them."""

    services: Services
    actor: Actor

    def _desk(self, session: Session, dataset: Dataset) -> Desk:
        now = self.services.clock.now()
        return Desk(dataset, load_tree(session), self.actor.user_id, now, now.astimezone(BEIJING).date())

    def _reading(self, dataset_id: str, ask: Callable[[Session, Desk], Any]) -> Any:
        with read_scope(self.services.engine) as session:
            return ask(session, self._desk(session, get_dataset(session, dataset_id)))

    def _writing(self, dataset_id: str, tell: Callable[[Session, Desk], Any]) -> Any:
        with session_scope(self.services.engine) as session:
            return tell(session, self._desk(session, get_dataset(session, dataset_id)))

    def overview(self) -> dict[str, Any]:
        """The data sets, each with its current and last periods, and the units that the person stands for."""
        today = self.services.clock.now().astimezone(BEIJING).date()
        with read_scope(self.services.engine) as session:
            tree = load_tree(session)
            units = [{"unit": unit, "name": tree.names.get(unit, unit)} for unit in own_units(self.actor, tree)]
            items = [
                {"dataset_id": d.id, "zh": d.zh, "en": d.en, "period": d.period, "current": period_of(d.period, today),
                 "last": before(d.period, period_of(d.period, today), 11), "ledger": bool(d.targets)}
                for d in datasets(session)
            ]  # fmt: skip
        return {"items": items, "units": units, "next": None}

    def matrix(self, dataset_id: str, top: str, periods: Sequence[str]) -> dict[str, Any]:
        """Units × periods below ``top`` (default: the person's own unit)."""

        def ask(session: Session, desk: Desk) -> dict[str, Any]:
            unit = top or _top(desk, own_units(self.actor, desk.tree))
            must_see(self.actor, unit, desk.tree)
            for period in periods:
                bounds(desk.dataset.period, period)
            return matrix(session, desk, unit, periods)

        found: dict[str, Any] = self._reading(dataset_id, ask)
        return found

    def ledger(self, dataset_id: str, period: str) -> dict[str, Any]:
        """A task ledger's lights of a period, of the units that the person may see."""

        def ask(session: Session, desk: Desk) -> dict[str, Any]:
            bounds(desk.dataset.period, period)
            named = sorted({unit for target in desk.dataset.targets.values() for unit in target.units})
            return ledger(session, desk, period, [one for one in named if may_see(self.actor, one, desk.tree)])

        found: dict[str, Any] = self._reading(dataset_id, ask)
        return found

    def filing(self, dataset_id: str, unit: str, period: str) -> dict[str, Any]:
        """A unit's filing: state, values, prefill, problems, the form."""

        def ask(session: Session, desk: Desk) -> dict[str, Any]:
            must_see(self.actor, unit, desk.tree)
            bounds(desk.dataset.period, period)
            row = get_filing(session, desk, unit, period)
            values = values_of_filing(session, row.filing_id) if row else {}
            problems = problems_of(session, desk, unit, period, values) if row else []
            types = {item.key: item.type for item in desk.dataset.compiled.structure.items}
            state = row.state if row else _state_without_row(session, desk, unit, period)
            return {
                "dataset_id": dataset_id, "unit": unit, "name": desk.tree.names.get(unit, unit), "period": period,
                "state": state, "version": row.version if row else 0,
                "note": row.note if row else "", "on_time": row.on_time if row else None, "values": values,
                **(remarks_of(session, row.filing_id) if row else {"comments": {}, "returned": []}),
                "prefill": prefilled(session, desk, unit, period), "problems": [p.as_dict() for p in problems],
                "questions": [
                    {"question": q, "title": desk.dataset.title(q), "type": types.get(q, "text")}
                    for q in desk.dataset.questions
                ],
                "form": desk.dataset.form,
            }  # fmt: skip

        found: dict[str, Any] = self._reading(dataset_id, ask)
        return found

    def save(
        self, dataset_id: str, unit: str, period: str, cells: Mapping[str, Any], comments: Mapping[str, str],
        version: int | None, source: str = "typed",
    ) -> dict[str, Any]:  # fmt: skip
        """Set cells; answers the version to send with the next change."""

        def tell(session: Session, desk: Desk) -> dict[str, Any]:
            must_file(self.actor, unit, desk.tree)
            bounds(desk.dataset.period, period)
            row = save(session, desk, unit, period, cells, expected_version=version, comments=comments, source=source)
            return {"state": row.state, "version": row.version}

        done: dict[str, Any] = self._writing(dataset_id, tell)
        return done

    def move(self, dataset_id: str, unit: str, period: str, action: str, note: str, questions: Sequence[str]) -> None:
        """submit, return, approve, take_back or exempt."""

        def tell(session: Session, desk: Desk) -> None:
            bounds(desk.dataset.period, period)
            if action == "submit":
                must_file(self.actor, unit, desk.tree)
                submit(session, desk, unit, period)
                return
            must_approve(self.actor, unit, desk.tree)
            match action:
                case "return":
                    send_back(session, desk, unit, period, note, questions)
                case "approve":
                    approve(session, desk, unit, period)
                case "take_back":
                    take_back(session, desk, unit, period, note)
                case _:
                    exempt(session, desk, unit, period, note)

        self._writing(dataset_id, tell)

    def roll_up(self, dataset_id: str, unit: str, period: str) -> dict[str, Any]:
        """Roll the unit and what is below it up; answers its totals."""

        def tell(session: Session, desk: Desk) -> dict[str, Any]:
            must_see(self.actor, unit, desk.tree)
            bounds(desk.dataset.period, period)
            roll_up_period(session, desk, period, unit)
            return kept_totals(session, dataset_id, period, unit)

        done: dict[str, Any] = self._writing(dataset_id, tell)
        return done

    def totals(self, dataset_id: str, unit: str, period: str) -> dict[str, Any]:
        """The totals as last rolled up; ``stale`` where a part has changed since."""

        def ask(session: Session, desk: Desk) -> dict[str, Any]:
            must_see(self.actor, unit, desk.tree)
            return kept_totals(session, dataset_id, period, unit)

        found: dict[str, Any] = self._reading(dataset_id, ask)
        return found

    def drill(self, dataset_id: str, unit: str, question: str, period: str) -> list[dict[str, Any]]:
        """What a total is made of, one level down."""

        def ask(session: Session, desk: Desk) -> list[dict[str, Any]]:
            must_see(self.actor, unit, desk.tree)
            return drill(session, desk, unit, question, period) if question in desk.dataset.rollup else []

        found: list[dict[str, Any]] = self._reading(dataset_id, ask)
        return found

    def sheet(self, dataset_id: str, top: str, period: str) -> bytes:
        """The period of all leaves below ``top`` as a workbook."""

        def ask(session: Session, desk: Desk) -> bytes:
            must_see(self.actor, top, desk.tree)
            cells, _ = cells_of(session, dataset_id, period)
            units = [(leaf, desk.tree.names.get(leaf, leaf)) for leaf in desk.tree.leaves_below(top)]
            return write_sheet(desk.dataset, period, units, cells)

        found: bytes = self._reading(dataset_id, ask)
        return found

    def take_sheet(
        self, dataset_id: str, period: str, content: bytes, *, name: str = "", dry_run: bool = False,
        take_good_rows: bool = True, language: str = "zh",
    ) -> dict[str, Any]:  # fmt: skip
        """Cells of an uploaded workbook, for the units that the person files for; problems by sheet, row and column.

        ``dry_run`` writes nothing; without ``take_good_rows`` one wrong cell takes nothing.
        """

        def tell(session: Session, desk: Desk) -> dict[str, Any]:
            mine = {
                leaf: desk.tree.names.get(leaf, leaf)
                for own in own_units(self.actor, desk.tree)
                for leaf in desk.tree.leaves_below(own)
            }
            bounds(desk.dataset.period, period)
            read = read_sheet(desk.dataset, content, mine)
            if read.period not in ("", period):
                raise InputInvalid(field="file", detail=f"is of {read.period}", how=f"upload the sheet of {period}")
            taken = {} if dry_run or (read.wrong and not take_good_rows) else read.cells
            if taken:
                own_turn(session, desk)
            for unit, cells in taken.items():
                must_file(self.actor, unit, desk.tree)
                if cells:
                    save(session, desk, unit, period, cells, source="workbook")
            told = [problem.as_dict(name, language) for problem in read.problems]
            return {"units": sorted(taken), "found": sorted(read.cells), "problems": told}

        done: dict[str, Any] = self._writing(dataset_id, tell)
        return done

    def template(self, dataset_id: str, unit: str, period: str, content: bytes) -> bytes:
        """The superior's workbook with its named cells filled from the unit's totals (a leaf: its own values)."""

        def ask(session: Session, desk: Desk) -> bytes:
            must_see(self.actor, unit, desk.tree)
            if unit in desk.tree.children:
                kept = kept_totals(session, dataset_id, period, unit)
                return fill_template(content, {question: total["value"] for question, total in kept.items()})
            row = get_filing(session, desk, unit, period)
            return fill_template(content, values_of_filing(session, row.filing_id) if row else {})

        found: bytes = self._reading(dataset_id, ask)
        return found


def _top(desk: Desk, tops: Sequence[str]) -> str:
    """Where a data set is looked at first: the own unit with most of the units that are to file."""
    wanted = set(desk.dataset.units)

    def filing(unit: str) -> int:
        below = desk.tree.leaves_below(unit)
        return len(wanted & set(below)) if wanted else len(below)

    return max(tops, key=filing, default="")


def _state_without_row(session: Session, desk: Desk, unit: str, period: str) -> str:
    """The matrix's word for a unit that has no filing of its own: one above others, exempt or not begun."""
    rows = matrix(session, desk, unit, [period])["rows"]
    return str(rows[0]["cells"][0]["state"]) if rows else "open"
