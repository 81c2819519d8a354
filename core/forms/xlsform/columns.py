"""The head of a sheet: which column is which word in which language."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from core.forms.xlsform.problems import SheetProblem
from core.forms.xlsform.words import CHOICE_COLUMNS, SETTINGS, SURVEY_COLUMNS, TRANSLATED, language_of
from core.forms.xlsform.workbook import Sheet


@dataclass
class Columns:
    """``found[i]`` is ``(word, language or "")`` of the column, None where it is not used."""

    sheet: Sheet
    found: list[tuple[str, str] | None] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def body(self) -> Iterator[tuple[int, list[str]]]:
        """``(Excel row, texts)`` below the head."""
        yield from enumerate(self.sheet.rows[1:], start=2)

    def words(self, cells: list[str]) -> dict[str, Any]:
        """One row as words; translated ones as ``{language: text}``."""
        words: dict[str, Any] = {}
        for place, text in zip(self.found, cells, strict=False):
            if place is None:
                continue
            word, language = place
            if not language:
                words[word] = text
            elif text:
                words.setdefault(word, {})[language] = text
        return words

    def title(self, word: str) -> str:
        """The head's text of ``word``, the word itself where the sheet has no such column."""
        head = self.sheet.rows[0] if self.sheet.rows else []
        for place, text in zip(self.found, head, strict=False):
            if place is not None and place[0] == word:
                return text
        return word


def survey_columns(sheet: Sheet, language: str) -> Columns:
    """The columns of the sheet ``survey``."""
    return _columns(sheet, SURVEY_COLUMNS, TRANSLATED, language, keep_others=False)


def choice_columns(sheet: Sheet | None, language: str) -> Columns:
    """The columns of the sheet ``choices``; further ones are kept for choice filters."""
    return _columns(sheet or Sheet("choices"), CHOICE_COLUMNS, frozenset(("label",)), language, keep_others=True)


def _columns(
    sheet: Sheet, known: dict[str, str], translated: frozenset[str], language: str, *, keep_others: bool
) -> Columns:
    result = Columns(sheet)
    for title in sheet.rows[0] if sheet.rows else []:
        place = _place(title, known, translated, language, keep_others)
        if place is None and title:
            result.unknown.append(title)
        if place is not None and place in result.found:
            result.twice.append(title)
            place = None
        result.found.append(place)
    return result


def _place(
    title: str, known: dict[str, str], translated: frozenset[str], language: str, keep_others: bool
) -> tuple[str, str] | None:
    if not title:
        return None
    base, mark, rest = title.partition("::")
    if not mark and title.partition(":")[0].strip().lower() in translated:
        base, mark, rest = title.partition(":")
    word = known.get("_".join(base.strip().lower().split()))
    if word in translated and word is not None:
        return word, language_of(rest) if mark else language
    if word is not None and not mark:
        return word, ""
    return (title.strip(), "") if keep_others and not mark and word is None else None


def head_problems(columns: Columns, needed: tuple[str, ...]) -> list[SheetProblem]:
    """Missing, double and unused columns."""
    name = columns.sheet.name
    if not any(any(row) for row in columns.sheet.rows):
        return [] if name != "survey" else [SheetProblem(name, 0, "", "no-column", {"name": needed[0]})]
    have = {place[0] for place in columns.found if place is not None}
    found = [SheetProblem(name, 1, word, "no-column", {"name": word}) for word in needed if word not in have]
    found += [SheetProblem(name, 1, title, "duplicate-column", {"name": title}) for title in columns.twice]
    return found + [SheetProblem(name, 1, title, "warn-unknown-column", {"name": title}) for title in columns.unknown]


def titles_of(sheet: Sheet | None) -> dict[str, str]:
    """Titles in further languages: columns such as ``form_title::English (en)`` of the sheet ``settings``."""
    found = {}
    for title, text in zip(*sheet.rows[:2], strict=False) if sheet is not None and len(sheet.rows) > 1 else ():
        base, mark, language = title.partition("::")
        if mark and text and base.strip().lower() in ("form_title", "title"):
            found[language_of(language)] = text
    return found


def settings_of(sheet: Sheet | None) -> dict[str, str]:
    """The first row below the head of the sheet ``settings``."""
    if sheet is None or len(sheet.rows) < 2:
        return {}
    found: dict[str, str] = {}
    for title, text in zip(sheet.rows[0], sheet.rows[1], strict=False):
        word = SETTINGS.get("_".join(title.strip().lower().split()))
        if word and text:
            found.setdefault(word, text)
    if "default_language" in found:
        found["default_language"] = language_of(found["default_language"])
    return found
