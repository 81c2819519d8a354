"""Check one service item: a pure function (record, parent, rules, elements) → sorted problems (standards/11 §1.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.forms.scope import Scope
from core.forms.values import is_empty
from records.items.elements import Element, ElementTable, standard_elements
from records.items.facts import Facts, comparable, facts_of, rows_of, text_of
from records.items.rules import Rule, RuleSet, standard_rules

_URL = re.compile(r"(https?://)?[A-Za-z0-9.\-]+(:[0-9]+)?(/\S*)?", re.ASCII)
_DATE = re.compile(r"([0-9]{4})(?:[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?|([0-9]{2})([0-9]{2}))([ T].*)?", re.ASCII)
_UNITS = frozenset({"工作日", "自然日", "月", "小时", "年"})
_DEPTHS = frozenset("ⅠⅡⅢⅣ")


@dataclass(frozen=True, slots=True, order=True)
class ItemProblem:
    """``element`` is a path (``promise_day``, ``materials/2/form``, rows from 1); severity ``block`` or ``warn``.

    A problem keeps its identity (item, element, rule) over runs, so that an answer or a waiver survives.
    """

    rule: str
    element: str
    severity: str
    message: str
    message_en: str
    remedy: str


def item_problems(
    record: Mapping[str, Any],
    parent: Mapping[str, Any] | None = None,
    rules: RuleSet | None = None,
    table: ElementTable | None = None,
) -> list[ItemProblem]:
    """The problems of ``record``; ``parent`` (or the record's own ``parent``) is the upper item whose elements lock."""
    rules, table = rules or standard_rules(), table or standard_elements()
    own = {key: value for key, value in record.items() if key != "parent"}
    above = parent if parent is not None else record.get("parent")
    facts = facts_of(own, table)
    found: list[ItemProblem] = []
    for rule in rules.rules:
        found += _BY_SCOPE[rule.scope](rule, facts, table, above)
    return sorted(set(found))


def _item(rule: Rule, facts: Facts, table: ElementTable, parent: Any) -> Iterator[ItemProblem]:
    if rule.fault is not None and all(name in facts for name in rule.given) and rule.fault.truth(Scope(facts)):
        yield _problem(rule, rule.element)


def _rows(rule: Rule, facts: Facts, table: ElementTable, parent: Any) -> Iterator[ItemProblem]:
    for position, row in rows_of(facts, rule.scope):
        if rule.fault is not None and rule.fault.truth(Scope(row)):
            yield _problem(rule, f"{rule.scope}/{position + 1}/{rule.element}", **row)


def _required(rule: Rule, facts: Facts, table: ElementTable, parent: Any) -> Iterator[ItemProblem]:
    scope = Scope(facts)
    for element in table.elements:
        if not is_empty(facts.get(element.name)) or element.type == "rows":
            continue
        condition = element.required_if
        if condition is not None:
            asked = (not element.given or element.name in facts) and condition.truth(scope)
        else:
            asked = element.required == "always" or (element.required == "given" and element.name in facts)
        if asked:
            yield _problem(rule, element.name, title=element.zh, title_en=element.en)


def _code(rule: Rule, facts: Facts, table: ElementTable, parent: Any) -> Iterator[ItemProblem]:
    for element, value in _filled(facts, table):
        if element.type not in ("code", "codes") or not element.codes:
            continue
        for code in value if isinstance(value, list) else [value]:
            if code not in element.codes and not (element.open and re.fullmatch(element.open, code)):
                yield _problem(rule, element.name, title=element.zh, title_en=element.en, value=code)
                break


def _length(rule: Rule, facts: Facts, table: ElementTable, parent: Any) -> Iterator[ItemProblem]:
    for element, value in _filled(facts, table):
        if element.max and isinstance(value, str) and len(value) > element.max:
            yield _problem(rule, element.name, title=element.zh, title_en=element.en, max=element.max)


def _format(rule: Rule, facts: Facts, table: ElementTable, parent: Any) -> Iterator[ItemProblem]:
    for element, value in _filled(facts, table):
        if not _well_formed(element, value):
            shown = str(value)[:60]
            yield _problem(rule, element.name, title=element.zh, title_en=element.en, value=shown)


def _well_formed(element: Element, value: Any) -> bool:
    match element.type:
        case "number":
            return isinstance(value, int | float) and value >= 0
        case "count":
            return isinstance(value, int) and value >= 0
        case "flag":
            return value in ("0", "1")
        case "unit":
            return value in _UNITS
        case "depth":
            return value in _DEPTHS
        case "url":
            return all(_URL.fullmatch(part) for part in str(value).replace("；", ";").split(";"))
        case "date":
            return isinstance(value, date) or _is_day(str(value))
        case "phone":
            return any(c in "0123456789" for c in str(value))
        case _:
            return True


def _is_day(text: str) -> bool:
    """Whether ``text`` begins with a day that the calendar has."""
    match = _DATE.fullmatch(text)
    if match is None:
        return False
    try:
        date(int(match[1]), int(match[2] or match[4]), int(match[3] or match[5]))
    except ValueError:
        return False
    return True


def _locked(rule: Rule, facts: Facts, table: ElementTable, parent: Any) -> Iterator[ItemProblem]:
    """Elements that the parent states and the table locks must be the parent's (复用)."""
    if not isinstance(parent, Mapping):
        return
    for key, value in parent.items():
        element = table.get(table.named(str(key)))
        if element is None or not element.locked:
            continue
        theirs = comparable(value, element)
        if is_empty(theirs) and element.type == "rows":
            continue
        if _same_text(facts.get(element.name), theirs, element):
            continue
        yield _problem(rule, element.name, title=element.zh, title_en=element.en)


def _same_text(own: Any, theirs: Any, element: Element) -> bool:
    if element.type == "rows":
        names = [{"".join(str(row.get("material_name")).split()) for row in rows or []} for rows in (own, theirs)]
        return names[0] == names[1]
    if element.type == "codes":
        return set(own or []) == set(theirs or [])
    return "".join(text_of(own).split()) == "".join(text_of(theirs).split())


def _filled(facts: Facts, table: ElementTable) -> Iterator[tuple[Element, Any]]:
    for element in table.elements:
        value = facts.get(element.name)
        if not is_empty(value):
            yield element, value


class _Words(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


def _problem(rule: Rule, element: str, **words: Any) -> ItemProblem:
    english = {**words, "title": words.get("title_en", words.get("title"))}
    return ItemProblem(
        rule.id,
        element,
        rule.severity,
        rule.zh.format_map(_Words(words)),
        rule.en.format_map(_Words(english)),
        rule.fix,
    )


_BY_SCOPE = {
    "item": _item, "materials": _rows, "fees": _rows, "required": _required,
    "code": _code, "length": _length, "format": _format, "locked": _locked,
}  # fmt: skip
