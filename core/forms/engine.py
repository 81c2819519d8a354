"""Evaluates a form against answers.  Pure; the browser's ``engine.mjs`` gives the same.

state = evaluate_form(compile_form(form), {"hun": "n"}, today="2026-11-28", calendar=calendar)
state.errors, state.submitted, state.values["n"]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.forms.answers import is_odd, same_answer, type_error
from core.forms.compiled import Compiled
from core.forms.dates import PlainWorkDays, WorkDays
from core.forms.functions import chosen
from core.forms.model import LISTED
from core.forms.scope import Scope
from core.forms.state import FormState
from core.forms.structure import Item
from core.forms.values import as_number, is_empty

MOST_ROWS = 10_000
Path = tuple[int, ...]  # row numbers in the repeats around


def evaluate_form(
    compiled: Compiled,
    answers: Mapping[str, Any],
    *,
    today: str = "",
    calendar: WorkDays | None = None,
    language: str = "zh",
) -> FormState:
    """The state of ``answers`` (one object by key, repeats as lists of objects).  Never raises on odd answers."""
    return _Run(compiled, answers, today, calendar or PlainWorkDays(), language).state()


class _View(Mapping[str, Any]):
    """What ``${name}`` gives to one expression in one row."""

    def __init__(self, run: _Run, asking: Item, path: Path) -> None:
        self.run, self.asking, self.path = run, asking, path

    def __getitem__(self, name: str) -> Any:
        return self.run.lookup(name, self.asking, self.path)

    def get(self, name: str, default: Any = None) -> Any:
        return self.run.lookup(name, self.asking, self.path)

    def __iter__(self) -> Iterator[str]:
        return iter(self.run.compiled.structure.by_name)

    def __len__(self) -> int:
        return len(self.run.compiled.structure.by_name)


class _Run:
    def __init__(
        self, compiled: Compiled, answers: Mapping[str, Any], today: str, calendar: WorkDays, language: str
    ) -> None:
        self.compiled, self.answers = compiled, answers
        self.today, self.calendar, self.language = today, calendar, language
        self.relevant: dict[tuple[int, Path], bool] = {}
        self.value: dict[tuple[int, Path], Any] = {}
        self.rows: dict[tuple[int, Path], int] = {}  # repeat in its row → how many rows it has
        self.too_many: set[tuple[int, Path]] = set()
        self.odd: set[tuple[int, Path]] = set()
        self.replaced: list[str] = []
        self.targets: dict[tuple[str, int], Item | list[Item] | None] = {}
        for index in compiled.order:
            item = compiled.structure.items[index]
            for path in self.paths(item):
                self.compute(item, path)

    # -- walking

    def paths(self, item: Item, start: Path = ()) -> Iterator[Path]:
        """The rows in which ``item`` stands, below the row ``start``."""
        if len(start) == len(item.repeats):
            yield start
            return
        repeat = item.repeats[len(start)]
        for row in range(self.rows.get((repeat.index, start), 0)):
            yield from self.paths(item, (*start, row))

    def place(self, item: Item, path: Path) -> Mapping[str, Any]:
        """The object of the answers in which ``item``'s key stands."""
        here: Any = self.answers
        for repeat, row in zip(item.repeats, path, strict=True):
            rows = here.get(repeat.key)
            here = rows[row] if isinstance(rows, list | tuple) and row < len(rows) else {}
            if not isinstance(here, Mapping):
                here = {}
        return here if isinstance(here, Mapping) else {}

    def shown(self, item: Item, path: Path) -> str:
        """``cy[0].nl``"""
        around = "".join(f"{repeat.key}[{row}]." for repeat, row in zip(item.repeats, path, strict=True))
        return around + (item.key or item.name)

    # -- computing

    def compute(self, item: Item, path: Path) -> None:
        key = (item.index, path)
        self.relevant[key] = self._relevance(item, path)
        if item.type == "group":
            return
        sent = self.place(item, path).get(item.key)
        if item.type != "repeat" and is_odd(sent):
            self.odd.add(key)
            sent = None
        if item.type == "repeat":
            self.rows[key] = self._row_count(item, path, sent) if self.relevant[key] else 0
            return
        calculation = self.compiled.expression(item, "calculation")
        if calculation is None or item.question.trigger:
            self.value[key] = sent if self.relevant[key] else None
            return
        computed = calculation.evaluate(self.scope(item, path)) if self.relevant[key] else None
        self.value[key] = computed
        if self.relevant[key] and not is_empty(sent) and not same_answer(sent, computed):
            self.replaced.append(self.shown(item, path))

    def _relevance(self, item: Item, path: Path) -> bool:
        parent = item.parent
        if parent is not None:
            above = path if len(parent.repeats) == len(path) else path[: len(parent.repeats)]
            if not self.relevant.get((parent.index, above), True):
                return False
        expression = self.compiled.expression(item, "relevant")
        return expression is None or expression.truth(self.scope(item, path))

    def _row_count(self, item: Item, path: Path, sent: Any) -> int:
        count: float = len(sent) if isinstance(sent, list | tuple) else 0
        fixed = self.compiled.expression(item, "repeat_count")
        if fixed is not None:
            count = max(0.0, as_number(fixed.evaluate(self.scope(item, path))) or 0.0)
        if count > MOST_ROWS:
            self.too_many.add((item.index, path))
        return int(min(count, MOST_ROWS))

    def scope(self, item: Item, path: Path, dot: Any = None, columns: Mapping[str, Any] | None = None) -> Scope:
        """What an expression of ``item`` sees in the row ``path``."""
        return Scope(
            _View(self, item, path), (), dot, self.today, self.calendar, columns or {},
            lambda question, name: self.label(question, name, item),
        )  # fmt: skip

    def lookup(self, name: str, asking: Item, path: Path) -> Any:
        """The value of ``${name}`` for an expression of ``asking`` in its row."""
        known = (name, asking.index)
        if known not in self.targets:
            self.targets[known] = self.compiled.structure.resolve(name, asking)
        target = self.targets[known]
        if not isinstance(target, Item):
            return None
        common = 0
        while common < min(len(path), len(target.repeats)) and target.repeats[common] is asking.repeats[common]:
            common += 1
        if target.type == "repeat":
            return [{} for at in self.paths(target, path[:common]) for _ in range(self.rows.get((target.index, at), 0))]
        if common == len(target.repeats):
            return self.value.get((target.index, path[:common]))
        return [self.value.get((target.index, at)) for at in self.paths(target, path[:common])]

    def label(self, question: str | None, name: str, asking: Item) -> str:
        """The label of a chosen name in the form's language; the name where there is none."""
        target = self.compiled.structure.resolve(question, asking) if question else None
        if isinstance(target, Item):
            form = self.compiled.structure.form
            for choice in form.choices.get(target.question.list, ()):
                if choice.name == name:
                    return choice.label.get(self.language) or choice.label.get(form.default_language) or name
        return name

    # -- results

    def state(self) -> FormState:
        items = self.compiled.structure.items
        shown = {(i.index, path): self.shown(i, path) for i in items for path in self.paths(i)}
        offered = {}
        errors: list[tuple[str, str]] = []
        for item in items:
            for path in self.paths(item):
                if not self.relevant[(item.index, path)] or item.type in ("group", "note"):
                    continue
                names = self._offer(item, path)
                if names is not None and item.question.choice_filter:
                    offered[shown[(item.index, path)]] = names
                code = self._error(item, path, names)
                if code:
                    errors.append((shown[(item.index, path)], code))
        errors += self._unknown(-1, self.answers, "")
        keeps = [
            shown[(item.index, path)]
            for item in items
            if item.type not in ("group", "note")
            for path in self.paths(item)
            if not self.relevant[(item.index, path)] and not is_empty(self.place(item, path).get(item.key))
        ]
        return FormState(
            relevant={shown[key]: self.relevant[key] for key in shown},
            values=self._object(-1, (), only_answered=False),
            offered=offered,
            errors=errors,
            submitted=self._object(-1, (), only_answered=True),
            replaced=self.replaced,
            draft_keeps=keeps,
        )

    def _offer(self, item: Item, path: Path) -> list[str] | None:
        """The names a select offers, or None where the list lies elsewhere."""
        if item.type not in LISTED:
            return None
        choices = self.compiled.structure.form.choices.get(item.question.list, ())
        condition = self.compiled.expression(item, "choice_filter")
        if condition is None:
            return [choice.name for choice in choices]
        names = []
        for choice in choices:
            columns = {**choice.columns, "name": choice.name, "label": choice.label.get(self.language, choice.name)}
            if condition.truth(self.scope(item, path, self.value.get((item.index, path)), columns)):
                names.append(choice.name)
        return names

    def _error(self, item: Item, path: Path, offered: list[str] | None) -> str | None:
        if item.type == "repeat":
            return self._repeat_error(item, path)
        value = self.value.get((item.index, path))
        if (item.index, path) in self.odd:
            return "not-a-value"
        if item.type == "calculate":
            return None
        if is_empty(value):
            return "required" if self._required(item, path) else None
        code = type_error(item.question, value)
        if code is None and offered is not None and any(name not in offered for name in chosen(value)):
            code = "not-offered"
        if code is None:
            constraint = self.compiled.expression(item, "constraint")
            if constraint is not None and not constraint.truth(self.scope(item, path, value)):
                code = "constraint"
        return code

    def _repeat_error(self, item: Item, path: Path) -> str | None:
        sent = self.place(item, path).get(item.key)
        if (item.index, path) in self.too_many:
            return "too-many-rows"
        if not is_empty(sent) and not (
            isinstance(sent, list | tuple) and all(isinstance(row, Mapping) for row in sent)
        ):
            return "not-a-list"
        return "required" if not self.rows.get((item.index, path)) and self._required(item, path) else None

    def _required(self, item: Item, path: Path) -> bool:
        if isinstance(item.question.required, bool):
            return item.question.required
        expression = self.compiled.expression(item, "required")
        return expression is not None and expression.truth(self.scope(item, path))

    def _unknown(self, scope: int, here: Any, prefix: str) -> list[tuple[str, str]]:
        """Answers that no question asks."""
        if not isinstance(here, Mapping):
            return []
        known = {item.key: item for item in self.compiled.structure.scopes.get(scope, ()) if item.type != "note"}
        found = [(f"{prefix}{key}", "unknown-field") for key in here if key not in known]
        for key, item in known.items():
            rows = here.get(key)
            if item.type == "repeat" and isinstance(rows, list | tuple):
                for number, row in enumerate(rows[:MOST_ROWS]):
                    found += self._unknown(item.index, row, f"{prefix}{key}[{number}].")
        return found

    def _object(self, scope: int, path: Path, *, only_answered: bool) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for item in self.compiled.structure.scopes.get(scope, ()):
            if item.type == "note":
                continue
            if item.type == "repeat":
                count = self.rows.get((item.index, path), 0)
                if count or not only_answered:
                    result[item.key] = [
                        self._object(item.index, (*path, row), only_answered=only_answered) for row in range(count)
                    ]
                continue
            value = self.value.get((item.index, path))
            if not (only_answered and is_empty(value)):
                result[item.key] = value
        return result
