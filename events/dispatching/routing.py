"""Routing: class × place × time → lead department and assisting ones, with the steps that explain "why me?".

Pure: the table (routing.yaml), the facts and the roster in, a :class:`events.cases.drafts.Route` out; the same
facts give the same steps, so that a route can be recomputed from ``case_file.why``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, Literal

import msgspec
import yaml

from core.errors import YiwangError
from core.records import JSON, Record
from events.cases.drafts import Part, Route


class RoutingInvalid(YiwangError):
    code = "routing_invalid"
    message = "routing table: {detail}"
    remedy = "correct events/dispatching/routing.yaml (departments must exist, every rule needs a lead)"
    zh = "派遣路由表：{detail}"
    zh_remedy = "请改正 events/dispatching/routing.yaml（部门须存在，每条规则须有牵头单位）"


class Assist(Record, frozen=True):
    """An assisting department: an id, or ``street`` / ``site`` for the one of the place."""

    department: str
    duty: str = ""
    from_severity: int = 1


class RoutingRule(Record, frozen=True):
    """The first rule whose conditions all hold decides.

    ``happenings``, ``classes`` (prefixes: ``event-05``), ``kinds``, ``streets`` (division prefixes),
    ``hours`` ("18:00-08:00", Beijing): empty means any.  ``lead``: a department id, ``street`` or ``site``.
    """

    rule_id: str
    lead: str
    lead_duty: str = ""
    happenings: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    streets: tuple[str, ...] = ()
    hours: str = ""
    min_severity: int = 1
    assisting: tuple[Assist, ...] = ()


class RoutingTable(Record, frozen=True):
    """The file routing.yaml.  ``arbiter`` decides when departments hand a case back and forth.

    ``handed_over``: a department whose duties another one has taken over, by id; it may be a chain, no circle.
    """

    rules: tuple[RoutingRule, ...]
    fallback: str
    arbiter: str
    street_department: str = "street-{code}"
    bounce_limit: int = 2
    handed_over: dict[str, str] = {}


class RoutingFacts(Record, frozen=True):
    """What routing looks at."""

    happening: str = ""
    class_code: str = ""
    kind: str = ""
    severity: int = 1
    division_code: str | None = None
    site_department: str | None = None
    local_time: str = ""  # "HH:MM" in Beijing
    absent: dict[str, str] = {}  # department id → its substitute now (duty roster)


def parse_routing(text: str) -> RoutingTable:
    """``text`` (YAML) as a table; :class:`RoutingInvalid` names the rule and what is wrong with it."""
    try:
        body = yaml.safe_load(text)
        _check_shape(body)
        table = msgspec.convert(body, RoutingTable)
    except (msgspec.ValidationError, yaml.YAMLError, RecursionError) as error:
        raise RoutingInvalid(detail=str(error)) from error
    for problem in _wrong(table):
        raise RoutingInvalid(detail=problem)
    return table


def _check_shape(body: Any, above: tuple[int, ...] = ()) -> None:
    """No part contains itself (YAML's anchors allow that), and no key is misspelt."""
    if id(body) in above:
        raise RoutingInvalid(detail="a part contains itself: an anchor (&) is used inside what it names")
    parts = body.values() if isinstance(body, dict) else body if isinstance(body, list) else ()
    for part in parts:
        _check_shape(part, (*above, id(body)))
    if above:
        return
    if not isinstance(body, dict):
        raise RoutingInvalid(detail="is no table: write rules, fallback and arbiter")
    _check_keys("", body, RoutingTable)
    for rule in body.get("rules") or () if isinstance(body.get("rules"), list) else ():
        if isinstance(rule, dict):
            _check_keys(f"rule {rule.get('rule_id', '?')}: ", rule, RoutingRule)


def _check_keys(where: str, given: dict[Any, Any], kind: type[msgspec.Struct]) -> None:
    for name in given:
        if name not in kind.__struct_fields__:
            raise RoutingInvalid(detail=f"{where}{name!r} is unknown; use: {', '.join(kind.__struct_fields__)}")


def _wrong(table: RoutingTable) -> Iterator[str]:
    seen: set[str] = set()
    for rule in table.rules:
        if rule.rule_id in seen:
            yield f"rule {rule.rule_id} stands there twice"
        seen.add(rule.rule_id)
        if rule.hours and not _HOURS.fullmatch(rule.hours):
            yield f"rule {rule.rule_id}: hours {rule.hours!r} are no span such as 18:00-08:00"
    for start in table.handed_over:
        way = [start]
        while (following := table.handed_over.get(way[-1])) is not None:
            if following in way:
                yield f"handed_over goes in a circle: {' → '.join([*way, following])}"
                return
            way.append(following)


_HOURS = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d-(?:[01]\d|2[0-4]):[0-5]\d")


@cache
def default_routing() -> RoutingTable:
    """The table we ship."""
    return parse_routing(resources.files("events.dispatching").joinpath("routing.yaml").read_text(encoding="utf-8"))


def check_routing(table: RoutingTable, departments: set[str]) -> list[RoutingInvalid]:
    """What is wrong with ``table`` where ``departments`` exist; empty when nothing is."""
    named = {table.fallback, table.arbiter, *table.handed_over.values()}
    for rule in table.rules:
        named |= {rule.lead, *(a.department for a in rule.assisting)} - set(table.handed_over)
    unknown = sorted(named - departments - {"street", "site"})
    return [RoutingInvalid(detail=f"department {name!r} does not exist") for name in unknown]


def route(facts: RoutingFacts, table: RoutingTable, departments: set[str]) -> Route:
    """The route of a case with ``facts``; departments that do not exist are passed over, and the steps say so."""
    known = {k: v for k, v in msgspec.to_builtins(facts).items() if v}
    steps: list[dict[str, JSON]] = [{"step": "facts", **known, "table": fingerprint(table)}]
    for rule in table.rules:
        missed = _missed(rule, facts)
        if missed:
            continue
        steps.append({"step": "rule", "rule_id": rule.rule_id, "because": _conditions(rule)})
        lead = _resolve(rule.lead, facts, table, departments, steps, "lead")
        if lead is None:
            continue
        assisting: list[Part] = []
        for assist in rule.assisting:
            if facts.severity < assist.from_severity:
                continue
            found = _resolve(assist.department, facts, table, departments, steps, "assist")
            if found and found != lead and found not in {p.department_id for p in assisting}:
                assisting.append(Part(department_id=found, duty=assist.duty))
        return Route(lead=Part(department_id=lead, duty=rule.lead_duty), assisting=tuple(assisting), steps=tuple(steps))
    steps.append({"step": "fallback", "department_id": table.fallback})
    return Route(lead=Part(department_id=table.fallback), steps=tuple(steps))


def fingerprint(table: RoutingTable) -> str:
    """Changes when the table does; kept with each route, so that "computed again" knows by which table."""
    return hashlib.sha256(msgspec.json.encode(table)).hexdigest()[:12]


def recompute(steps: Sequence[Mapping[str, JSON]], table: RoutingTable, departments: set[str]) -> Route:
    """The route that the facts in ``steps`` (as stored with a case) give by ``table``: "why me?", asked again.

    Steps that come after the table's (the person on duty) are taken over as they were: the roster of that moment.
    """
    first = next((s for s in steps if s.get("step") == "facts"), None)
    if first is None:
        raise RoutingInvalid(detail="the case keeps no facts of its routing")
    names = RoutingFacts.__struct_fields__
    found = route(msgspec.convert({k: v for k, v in first.items() if k in names}, RoutingFacts), table, departments)
    duty = tuple(dict(s) for s in steps if s.get("step") == "duty")
    person = next((str(s["user_id"]) for s in duty), None)
    lead = msgspec.structs.replace(found.lead, user_id=person)
    return Route(lead=lead, assisting=found.assisting, steps=(*found.steps, *duty))


def _missed(rule: RoutingRule, facts: RoutingFacts) -> str:
    """The first condition of ``rule`` that does not hold; empty when all do."""
    if rule.happenings and facts.happening not in rule.happenings:
        return "happening"
    if rule.classes and not facts.class_code.startswith(rule.classes):
        return "class"
    if rule.kinds and facts.kind not in rule.kinds:
        return "kind"
    if rule.streets and not (facts.division_code or "").startswith(rule.streets):
        return "street"
    if facts.severity < rule.min_severity:
        return "severity"
    if rule.hours and not _within(rule.hours, facts.local_time):
        return "hours"
    return ""


def _conditions(rule: RoutingRule) -> dict[str, JSON]:
    names = ("happenings", "classes", "kinds", "streets", "hours")
    found: dict[str, JSON] = {}
    for name in names:
        value = getattr(rule, name)
        if value:
            found[name] = list(value) if isinstance(value, tuple) else value
    if rule.min_severity > 1:
        found["min_severity"] = rule.min_severity
    return found


def _within(hours: str, local_time: str) -> bool:
    start, _, end = hours.partition("-")
    if start <= end:
        return start <= local_time < end
    return local_time >= start or local_time < end


def _resolve(
    name: str,
    facts: RoutingFacts,
    table: RoutingTable,
    departments: set[str],
    steps: list[dict[str, JSON]],
    part: Literal["lead", "assist"],
) -> str | None:
    """The department that ``name`` means here; None (with a step) when there is none."""
    found: str | None = name
    if name == "street":
        code = (facts.division_code or "")[:9]
        found = table.street_department.format(code=code) if len(code) == 9 else None
    elif name == "site":
        found = facts.site_department
    while found in table.handed_over:
        steps.append({"step": part, "wanted": name, "department_id": found, "handed_over": table.handed_over[found]})
        found = table.handed_over[found]
    if found is None or (departments and found not in departments):
        steps.append({"step": part, "wanted": name, "department_id": found, "passed_over": "there is none"})
        return None
    substitute = facts.absent.get(found)
    if substitute and (not departments or substitute in departments):
        steps.append({"step": part, "wanted": name, "department_id": substitute, "stands_in_for": found})
        return substitute
    steps.append({"step": part, "wanted": name, "department_id": found})
    return found
