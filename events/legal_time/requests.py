"""Questions to the legal clock as JSON and as words: parse, answer, never stop at one bad line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import msgspec

from core.errors import InputInvalid, YiwangError
from core.legal_time.calendar import KNOWN_FIELDS, WorkCalendar, parse_calendar, statutory_calendar
from core.legal_time.limits import Limit
from core.legal_time.workclock import UNITS, Deadline, LimitInvalid, Suspension, SuspensionInvalid, deadline

_FIELDS = frozenset({"id", "start", "limit", "calendar", "suspensions", "extensions"})
_MAX_LINE = 1_000_000
_WORDS = {
    "紧急工作时": "urgent_hour",
    "紧急小时": "urgent_hour",
    "工作时": "work_hour",
    "工作小时": "work_hour",
    "工作日": "work_day",
    "工作天": "work_day",
    "紧急工作日": "urgent_day",
    "自然日": "urgent_day",
    **{unit: unit for unit in UNITS},
    **{unit + "s": unit for unit in UNITS},
}


def parse_words(text: str) -> Limit:
    """``"4 工作时"``, ``"2紧急工作时"``, ``"1.5 work_day"`` as a limit."""
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(\S.*?)\s*", text)
    unit = _WORDS.get(re.sub(r"[\s-]+", "_", found.group(2)).lower()) if found else None
    if found is None or unit is None:
        raise LimitInvalid(
            field="limit", detail=f"{text!r} is not a limit", how='give e.g. "4 工作时", "2 紧急工作时", "3 work_day"'
        )
    return Limit(value=float(found.group(1)), unit=unit)  # type: ignore[arg-type]


def parse_reminder(text: str, unit: str = "work_day") -> tuple[str, Limit]:
    """``"-1 work_day"``, ``"0"``, ``"+2"`` (then in ``unit``) as a sign (``-``, ``+`` or none) and how much."""
    found = re.fullmatch(r"\s*([+-]?)\s*([0-9]+(?:\.[0-9]+)?)\s*(\S.*)?", text.replace("−", "-"))
    if found is None:
        raise InputInvalid(field="remind", detail=f"{text!r} is no reminder", how='give e.g. "-1 work_day", "0"')
    return found[1], parse_words(f"{found[2]} {found[3] or unit}")


def parse_moment(value: Any, field: str, calendar: WorkCalendar) -> datetime:
    """An ISO 8601 instant; without an offset it is local time of the calendar."""
    how = "give an ISO 8601 time: 2026-06-05T15:00:00+08:00"
    if not isinstance(value, str):
        raise InputInvalid(field=field, detail=f"{value!r} is not a time", how=how)
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError as error:
        raise InputInvalid(field=field, detail=str(error), how=how) from error
    if not 1900 <= moment.year <= 9000:
        raise InputInvalid(field=field, detail=f"the year {moment.year} is not of this world", how=how)
    return moment if moment.tzinfo else moment.replace(tzinfo=calendar.zone)


def parse_span(text: str, calendar: WorkCalendar) -> Suspension:
    """``A/B`` as a suspension; ``A/`` has no end yet."""
    begin, slash, end = text.partition("/")
    if not slash:
        raise SuspensionInvalid(
            field="suspend", detail=f"{text!r} has no '/'", how="give FROM/TO, or FROM/ without an end"
        )
    last = parse_moment(end, "suspend", calendar) if end.strip() not in ("", "..") else None
    return parse_moment(begin, "suspend", calendar), last


def _limit(raw: Any, field: str) -> Limit:
    if isinstance(raw, str):
        return parse_words(raw)
    if not isinstance(raw, dict) or "value" not in raw or "unit" not in raw:
        raise LimitInvalid(field=field, detail=f"{raw!r} is not a limit", how='give {"value": 4, "unit": "work_hour"}')
    return Limit(value=raw["value"], unit=raw["unit"])


def _list(raw: Any, field: str) -> list[Any]:
    if raw is None:
        return []
    if not isinstance(raw, list):
        raise InputInvalid(field=field, detail="is not a list", how="give a JSON list, [] for none")
    return raw


def _suspension(raw: Any, calendar: WorkCalendar) -> Suspension:
    if isinstance(raw, dict):
        raw = [raw.get("from"), raw.get("to")]
    if not isinstance(raw, list) or len(raw) != 2:
        raise SuspensionInvalid(
            field="suspensions", detail=f"{raw!r} is not a pair", how="give [from, to], to null when it has no end yet"
        )
    begin = parse_moment(raw[0], "suspensions", calendar)
    return begin, None if raw[1] in (None, "") else parse_moment(raw[1], "suspensions", calendar)


def answer(question: Any) -> dict[str, Any]:
    """The answer to one question (fields as in ``python -m app deadline --help``); typed errors for bad ones."""
    if not isinstance(question, dict):
        raise InputInvalid(field="line", detail="is not a JSON object", how='give {"start": …, "limit": …}')
    for field in ("start", "limit"):
        if field not in question:
            raise InputInvalid(field=field, detail="is missing", how="give start and limit")
    raw = question.get("calendar")
    calendar = statutory_calendar() if raw is None else parse_calendar(raw)
    result = deadline(
        parse_moment(question["start"], "start", calendar),
        _limit(question["limit"], "limit"),
        calendar,
        [_suspension(s, calendar) for s in _list(question.get("suspensions"), "suspensions")],
        [_limit(e, "extensions") for e in _list(question.get("extensions"), "extensions")],
    )
    shown = as_json(result)
    ignored = sorted(set(question) - _FIELDS) + sorted(
        f"calendar.{k}" for k in (set(raw) - KNOWN_FIELDS if isinstance(raw, dict) else ())
    )
    if ignored:
        shown.setdefault("warnings", []).append(f"fields not known and not used: {', '.join(ignored)}")
    if "id" in question:
        shown["id"] = question["id"]
    return shown


def as_json(result: Deadline) -> dict[str, Any]:
    """``{"deadline", "derivation"}``, and ``suspended`` or ``warnings`` where there is something to say."""
    shown: dict[str, Any] = {
        "deadline": result.at.isoformat() if result.at is not None else None,
        "derivation": result.lines(),
    }
    if result.suspended:
        shown["suspended"] = True
    if result.warnings:
        shown["warnings"] = list(result.warnings)
    return shown


def answer_lines(lines: Iterable[bytes]) -> Iterator[bytes]:
    """One JSON answer for each JSON line; a bad line answers its typed error and the next one goes on.

    Blank lines are skipped.  Memory stays flat however long the input.
    """
    encode = msgspec.json.Encoder().encode
    for number, line in enumerate(lines, 1):
        line = line.strip().removeprefix(b"\xef\xbb\xbf")
        if not line:
            continue
        try:
            if len(line) > _MAX_LINE:
                raise InputInvalid(field="line", detail=f"has {len(line)} bytes", how=f"give at most {_MAX_LINE}")
            yield encode(answer(msgspec.json.decode(line)))
        except YiwangError as error:
            yield encode({"error": error.as_dict(), "line": number})
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            wrong = InputInvalid(field="line", detail=f"is not JSON: {error}", how="give one JSON object a line")
            yield encode({"error": wrong.as_dict(), "line": number})
