"""What fields of desk pages offer: departments, sites, names of kinds, as ``{"value", "label"}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from dashboard.i18n import words
from dashboard.pages.frame import Visit
from storage.session import read_scope
from storage.tables.registry import Department, Site

Choice = dict[str, str]


def departments(visit: Visit) -> list[Choice]:
    """All departments, by name."""
    query = select(Department.department_id, Department.name, Department.name_en).order_by(Department.name)
    with read_scope(visit.services.engine) as session:
        return [_choice(visit, key, zh, en) for key, zh, en in session.execute(query)]


def department_words(visit: Visit) -> dict[str, str]:
    """Department → its name on an English page; empty on a Chinese one, where a case bears it itself."""
    return {d["value"]: d["label"] for d in departments(visit)} if visit.language == "en" else {}


def sites(visit: Visit) -> list[Choice]:
    """All sites, by name."""
    query = select(Site.site_id, Site.name, Site.name_en).order_by(Site.name)
    with read_scope(visit.services.engine) as session:
        return [_choice(visit, key, zh, en) for key, zh, en in session.execute(query)]


def _choice(visit: Visit, key: str, zh: str, en: str | None) -> Choice:
    return {"value": key, "label": (en or zh) if visit.language == "en" else zh}


def own(visit: Visit, row: Mapping[str, Any], name: str = "name") -> str:
    """``row[name]`` in the visitor's language, where it has an English name beside it (``…_en``)."""
    return str((row.get(f"{name}_en") if visit.language == "en" else "") or row[name] or "")


def named_words(visit: Visit, prefix: str) -> dict[str, str]:
    """What bears a word under ``prefix``: ``{"silent": "Silent", …}``."""
    start = f"{prefix}."
    return {key.removeprefix(start): word for key, word in words(visit.language).items() if key.startswith(start)}


def choices(names: dict[str, str], first: str = "") -> list[Choice]:
    """``{value: label}`` as choices, with ``first`` (everything) before them."""
    head = [{"value": "", "label": first}] if first else []
    return head + [{"value": value, "label": label} for value, label in names.items()]


def word(visit: Visit, prefix: str, value: object) -> str:
    """The word of ``value`` under ``prefix``; the value itself where there is none."""
    return words(visit.language).get(f"{prefix}.{value}", str(value or "—"))
