"""What is wrong with a case definition, as codes with values: where (table, row, field), which fault, which word."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from core.errors import YiwangError
from core.records import Record
from events.cases.soundness.words import ADVICE, TEXTS

_MOST = 300  # characters of one value in a message


class DefinitionProblem(Record, frozen=True):
    """``where``: ``commands/accept/moves``, ``states/sent/turn``, ``notify/0/to``, ``initial``.  ``code``: of
    :data:`~events.cases.soundness.words.TEXTS`, with its ``values``."""

    where: str
    code: str
    values: dict[str, str] = {}

    @property
    def row(self) -> tuple[str, str, str]:
        """(table, row, field); what is missing is empty."""
        table, _, rest = self.where.partition("/")
        row, _, field = rest.partition("/")
        return table, row, field

    @property
    def advice(self) -> bool:
        """It runs all the same; what is told helps its author."""
        return self.code in ADVICE

    def said(self, language: str = "en") -> tuple[str, str]:
        """What is wrong and what to do, in ``language`` (zh, en)."""
        words = TEXTS[self.code].zh if language == "zh" else TEXTS[self.code].en
        close = self.values.get("close", "")
        guess = (f"是不是“{close}”？" if language == "zh" else f"did you mean {close!r}? ") if close else ""
        told = {k: self.values.get(f"{k}_zh", v) if language == "zh" else v for k, v in self.values.items()}
        values = _Values({**{k: _cut(v) for k, v in told.items()}, "perhaps": guess})
        return words[0].format_map(values), words[1].format_map(values)

    def line(self, language: str = "en") -> str:
        """Path, what is wrong and what to do, in one line."""
        what, how = self.said(language)
        colon, dash = ("：", "——") if language == "zh" else (": ", " — ")
        return f"{self.where}{colon}{what}{dash}{how}" if self.where else f"{what}{dash}{how}"

    @property
    def text(self) -> str:
        """In English, with its path before it."""
        return f"{self.where}: {self.said()[0]}" if self.where else self.said()[0]

    def as_dict(self) -> dict[str, Any]:
        """``{"path", "code", "message", "remedy", "zh", "zh_remedy", "advice"}``."""
        (what, how), (zh, zh_how) = self.said("en"), self.said("zh")
        return {"path": self.where, "code": self.code, "message": what, "remedy": how, "zh": zh, "zh_remedy": zh_how,
                "advice": self.advice}  # fmt: skip


class _Values(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "…"


def _cut(value: str) -> str:
    return value if len(value) <= _MOST else value[: _MOST - 1] + "…"


def problem(where: str, code: str, **values: object) -> DefinitionProblem:
    """One problem; values become texts, those of refusals in both languages (``detail_zh`` beside ``detail``)."""
    told = {key: str(value) for key, value in values.items()}
    refused = {key: value for key, value in values.items() if isinstance(value, YiwangError)}
    told |= {f"{key}_zh": value.told("zh") for key, value in refused.items()}
    return DefinitionProblem(where=where, code=code, values=told)


def unknown(where: str, code: str, name: object, known: Iterable[str], **values: object) -> DefinitionProblem:
    """A word that is not among ``known``, with the nearest one that is."""
    listed = sorted(map(str, known))
    close = next(iter(difflib.get_close_matches(str(name), listed, 1, 0.6)), "")
    return problem(where, code, name=name, known=", ".join(listed) or "–", close=close, **values)
