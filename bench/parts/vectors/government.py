"""Kinds of government vectors (items, codes, publicity, filing, deadlines) and the functions that answer them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from core.codes.catalogues import check_catalog_code
from core.codes.credit import check_credit_code
from core.codes.items import check_item_code, check_reuse
from core.codes.licences import check_licence_id
from core.codes.masking import mask_id, mask_name, mask_phone
from core.codes.projects import check_project_code
from core.codes.resident import check_resident_id
from core.legal_time.calendar import statutory_calendar
from core.legal_time.workdays import natural_days_after, work_days_after
from core.service_quality import hotline_rates, rating_of
from records.filing.rollup import Child, TotalsBook, roll_up
from records.filing.timeliness import FilingRule, filing_rates, timeliness
from records.items.checking import item_problems
from records.publicity.deadlines import credit_publicity, publication, publicity_rates
from records.publicity.penalties import penalty_problems

Body = Mapping[str, Any]


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _today(body: Body, document: Body) -> date:
    return date.fromisoformat(body.get("today") or document.get("today") or "2026-11-28")


def _resident_id(body: Body, document: Body) -> Any:
    return check_resident_id(body["input"], _today(body, document)).as_dict()


def _double_publicity(body: Body, document: Body) -> Any:
    given = body["input"]
    decided = date.fromisoformat(given["decided"])
    return asdict(publication(decided, _day(given.get("published")), statutory_calendar()))


def _publicity_rates(body: Body, document: Body) -> Any:
    given = body["input"]
    counted = ("decisions_in_source", "reported", "accepted_by_checks", "on_time_of_reported")
    return publicity_rates(*(given[name] for name in counted))


def _penalty(body: Body, document: Body) -> Any:
    row = {k: v for k, v in body["input"].items() if not k.startswith("_")}
    seen = body["input"].get("_already_seen", [])
    return {"problems": penalty_problems(row, _today(body, document), seen)}


def _credit(body: Body, document: Body) -> Any:
    given = body["input"]
    return asdict(credit_publicity(given["level"], date.fromisoformat(given["document_date"])))


def _filing(body: Body, document: Body) -> Any:
    given = body["input"]
    unit = "work_day" if str(given.get("unit", "")).startswith(("work", "工作")) else "natural_day"
    rule = FilingRule(given["timely_days"], given["expiry_days"], unit)
    today = date.fromisoformat(given["today"]) if given.get("today") else _today(body, document)
    return asdict(timeliness(date.fromisoformat(given["period_end"]), _day(given.get("completed")), rule, today))


def _filing_rates(body: Body, document: Body) -> Any:
    given = body["input"]
    return asdict(filing_rates(given["units"], given["exempt"], given["actual"], given["actual_on_time"]))


def _rollup(body: Body, document: Body) -> Any:
    given = body["input"]
    return asdict(roll_up(given["rule"], [Child(**child) for child in given["children"]]))


def _rollup_stale(body: Body, document: Body) -> Any:
    book = TotalsBook()
    for step in body["input"]:
        match step["do"]:
            case "rollup":
                book.roll_up(step["unit"])
            case "unapprove" | "return":
                book.unapprove(step["unit"])
            case "approve":
                book.approve(step["unit"], step.get("value"))
            case _:
                book.edit(step["unit"], step.get("value"))
    return {unit: {"value": value, "stale": unit in book.stale} for unit, value in book.totals.items()}


def _work_deadline(body: Body, document: Body) -> Any:
    given = body["input"]
    pauses = given.get("suspended") or []
    pairs = [pauses] if pauses and isinstance(pauses[0], str) else pauses
    suspended = tuple((date.fromisoformat(a), date.fromisoformat(b)) for a, b in pairs)
    return asdict(work_days_after(date.fromisoformat(given["start"]), given["days"], statutory_calendar(), suspended))


def _natural_deadline(body: Body, document: Body) -> Any:
    given = body["input"]
    return asdict(natural_days_after(date.fromisoformat(given["start"]), given["days"], statutory_calendar()))


def _item_record(body: Body, document: Body) -> Any:
    return {"problems": sorted({problem.rule for problem in item_problems(body["input"])})}


CHECKS: dict[str, Callable[[Body, Body], Any]] = {
    "uscc": lambda body, _: check_credit_code(body["input"]).as_dict(),
    "resident_id": _resident_id,
    "mask_name": lambda body, _: mask_name(body["input"]),
    "mask_phone": lambda body, _: mask_phone(body["input"]),
    "mask_id": lambda body, _: mask_id(body["input"]),
    "item_code": lambda body, _: check_item_code(body["input"], body.get("local_types", ())).as_dict(),
    "item_parent": lambda body, _: check_reuse(body["input"]),
    "item_record": _item_record,
    "double_publicity": _double_publicity,
    "double_publicity_rates": _publicity_rates,
    "penalty_record": _penalty,
    "credit_publicity": _credit,
    "licence_id": lambda body, _: check_licence_id(body["input"]).as_dict(),
    "project_code": lambda body, _: check_project_code(body["input"]).as_dict(),
    "catalog_code": lambda body, _: check_catalog_code(body["input"]).as_dict(),
    "filing": _filing,
    "filing_rates": _filing_rates,
    "rollup": _rollup,
    "rollup_stale": _rollup_stale,
    "work_deadline": _work_deadline,
    "natural_deadline": _natural_deadline,
    "rating": lambda body, _: asdict(rating_of(body["input"]["code"])),
    "hotline_rates": lambda body, _: hotline_rates(body["input"]["orders"]),
}
