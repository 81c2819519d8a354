"""One thing wrong in a file that somebody brought: where it stands, what it is, what to do, and how grave it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from core.tables.words import WORDS, Word

Severity = Literal["error", "warning"]
Language = Literal["en", "zh"]
MAX_KEPT = 200_000


@dataclass(frozen=True)
class Problem:
    """``row`` is the file's own count (a sheet's first line is 1, a file's first feature is 1); 0: the whole file.

    ``code`` and ``values`` are stable, for pages; ``what`` and ``remedy`` are sentences made of them.
    An *error* costs the row (or file) it stands at, a *warning* costs nothing.
    """

    file: str
    code: str
    sheet: str = ""
    row: int = 0
    field: str = ""
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        """``error`` or ``warning``, by the kind of problem."""
        return self._word.severity

    @property
    def what(self) -> str:
        """What is wrong, in English."""
        return self.said("en")[0]

    @property
    def remedy(self) -> str:
        """What to do about it, in English."""
        return self.said("en")[1]

    @property
    def _word(self) -> Word:
        return WORDS[self.code]

    def said(self, language: Language) -> tuple[str, str]:
        """What is wrong and what to do, in ``language``."""
        what, remedy = self._word.en if language == "en" else self._word.zh
        return what.format_map(_Values(self.values)), remedy.format_map(_Values(self.values))

    def as_dict(self, language: Language = "en") -> dict[str, Any]:
        """``{"file", "sheet", "row", "field", "what", "remedy", "severity"}``."""
        what, remedy = self.said(language)
        place = {"file": self.file, "sheet": self.sheet, "row": self.row, "field": self.field}
        return {**place, "what": what, "remedy": remedy, "severity": self.severity}

    def __str__(self) -> str:
        place = [self.file, self.sheet and f"sheet {self.sheet}", f"row {self.row}" if self.row else "", self.field]
        return f"{self.severity}: {', '.join(p for p in place if p)}: {self.what}; {self.remedy}"


class _Values(dict[str, Any]):
    """Values cut to a readable length, so that one cell of 10 MB makes no message of 10 MB."""

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key)
        return value if not isinstance(value, str) or len(value) <= 300 else value[:299] + "…"

    def __missing__(self, key: str) -> str:
        return "?"


@dataclass
class Problems:
    """Collects problems, each one once; beyond ``limit`` they are counted only (``dropped``)."""

    limit: int = MAX_KEPT
    dropped: int = 0
    _kept: dict[tuple[Any, ...], Problem] = dataclasses.field(default_factory=dict, repr=False)

    def add(self, problem: Problem) -> None:
        """Keep ``problem`` unless the same one is there already."""
        key = (problem.file, problem.sheet, problem.row, problem.field, problem.code, str(problem.values))
        if key in self._kept:
            return
        if len(self._kept) >= self.limit:
            self.dropped += 1
        else:
            self._kept[key] = problem

    def tell(self, file: str, code: str, *, sheet: str = "", row: int = 0, field: str = "", **values: Any) -> None:
        """Add a problem by its parts."""
        self.add(Problem(file, code, sheet, row, field, values))

    def fold(self, file: str, code: str, into: str, above: int = 200) -> None:
        """Where a column of ``file`` has more than ``above`` problems ``code``, leave one ``into`` with their count."""
        groups: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
        for key, problem in self._kept.items():
            if problem.file == file and problem.code == code:
                groups.setdefault((problem.sheet, problem.field), []).append(key)
        for (sheet, field), keys in groups.items():
            if len(keys) > above:
                first = min(self._kept[k].row for k in keys)
                for key in keys:
                    del self._kept[key]
                self.tell(file, into, sheet=sheet, row=first, field=field, count=len(keys))

    def __iter__(self) -> Iterator[Problem]:
        yield from self._kept.values()
        if self.dropped:
            yield Problem("", "more_problems", values={"count": self.dropped})

    def __len__(self) -> int:
        return len(self._kept) + (1 if self.dropped else 0)

    @property
    def errors(self) -> int:
        """How many of them cost a row or a file."""
        return sum(p.severity == "error" for p in self)


class CellInvalid(ValueError):
    """A value that cannot be taken; ``code`` and ``values`` make the :class:`Problem`."""

    def __init__(self, code: str, **values: Any) -> None:
        self.code = code
        self.values = values
        super().__init__(WORDS[code].en[0].format_map(_Values(values)))


class FileUnreadable(ValueError):
    """A file that cannot be read as a table at all; ``code`` and ``values`` make the :class:`Problem`."""

    def __init__(self, code: str, **values: Any) -> None:
        self.code = code
        self.values = values
        super().__init__(WORDS[code].en[0].format_map(_Values(values)))
