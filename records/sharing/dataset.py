"""A data set of the catalogue, read from data; DCAT-AP's and GB/T 21063's fields by our names.  Pure.

``sharing``: ``unconditional`` 无条件共享, ``conditional`` 有条件共享, ``none`` 不予共享 (State Council order 809, the
three sharing types).  ``cycle`` is how often the owner promises to renew it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from core.codes.catalogues import check_catalog_code
from core.codes.credit import check_credit_code
from core.errors import InputInvalid, YiwangError
from records.registers.definition import Register, shipped_registers

SHIPPED = Path(__file__).parent / "data"
SHARING = ("unconditional", "conditional", "none")
CYCLES: dict[str, timedelta | None] = {
    "realtime": timedelta(hours=1), "daily": timedelta(days=1), "weekly": timedelta(days=7),
    "monthly": timedelta(days=31), "quarterly": timedelta(days=92), "half_yearly": timedelta(days=184),
    "yearly": timedelta(days=366), "irregular": None,
}  # fmt: skip
"""实时 每日 每周 每月 每季度 每半年 每年 其他 ; a whole cycle may pass before it is late."""


THEMES = {  # the EU vocabulary data-theme
    "AGRI": "Agriculture, fisheries, forestry and food", "ECON": "Economy and finance",
    "EDUC": "Education, culture and sport", "ENER": "Energy", "ENVI": "Environment",
    "GOVE": "Government and public sector", "HEAL": "Health", "INTR": "International issues",
    "JUST": "Justice, legal system and public safety", "OP_DATPRO": "Provisional data", "REGI": "Regions and cities",
    "SOCI": "Population and society", "TECH": "Science and technology", "TRAN": "Transport",
}  # fmt: skip


class SharedDatasetInvalid(InputInvalid):
    code = "dataset_invalid"


@dataclass(frozen=True)
class SharedDataset:
    """A data set.  ``fields``: those of the register that may be shared; ``rules``: of quality, field → rule."""

    id: str
    zh: str
    en: str
    register: str
    provider: str  # department id
    fields: tuple[str, ...]
    provider_zh: str = ""  # its names, where the city has no such department
    provider_en: str = ""
    abstract: str = ""
    provider_code: str = ""  # credit code of the provider
    code: str = ""  # of the catalogue
    theme: str = ""
    sharing: str = "conditional"
    condition: str = ""
    cycle: str = "monthly"
    contact: str = ""
    basis: str = ""
    open_to_public: bool = False
    published: str = ""
    rules: Mapping[str, str] | None = None


def provider_name(shared: SharedDataset, names: Mapping[str, str], language: str = "zh") -> str:
    """The department's own name (``names``: by id), else the data set's, else the id."""
    own = shared.provider_en if language == "en" else shared.provider_zh
    return names.get(shared.provider) or own or shared.provider_zh or shared.provider


def parse(body: Mapping[str, Any], registers: Mapping[str, Register]) -> SharedDataset:
    """A data set from its YAML; :class:`SharedDatasetInvalid` names the field."""
    name = str(body.get("id", "?"))
    try:
        plain: dict[str, Any] = {k: v.isoformat() if isinstance(v, date) else v for k, v in body.items()}
        found = msgspec.convert(asdict(SharedDataset(**plain)), SharedDataset)
    except (TypeError, msgspec.ValidationError) as error:
        raise SharedDatasetInvalid(field=name, detail=str(error), how="see records/sharing/data") from error
    _check_names(name, found)
    register = registers.get(found.register)
    if register is None:
        raise SharedDatasetInvalid(
            field=f"{name}.register", detail=f"{found.register!r} is no register", how="name one"
        )
    known = {field.name: field for field in register.fields}
    for field in found.fields:
        if field not in known:
            raise SharedDatasetInvalid(field=f"{name}.fields", detail=f"{field!r} is no field", how=", ".join(known))
        if known[field].sensitive:
            raise SharedDatasetInvalid(field=f"{name}.fields", detail=f"{field!r} is sensitive", how="leave it out")
    if not found.fields or found.sharing not in SHARING or found.cycle not in CYCLES:
        how = f"sharing: {', '.join(SHARING)}; cycle: {', '.join(CYCLES)}"
        raise SharedDatasetInvalid(field=name, detail="fields, sharing or cycle", how=how)
    if register.confidentiality == "personal" and found.sharing == "unconditional":
        raise SharedDatasetInvalid(field=f"{name}.sharing", detail="personal data need a condition", how="conditional")
    if found.sharing != "unconditional" and not found.condition:
        raise SharedDatasetInvalid(
            field=f"{name}.condition", detail="is missing", how="say the condition or the reason"
        )
    if found.code and not check_catalog_code(found.code).valid:
        raise SharedDatasetInvalid(
            field=f"{name}.code", detail=found.code, how="class, item, sub-item, detail / number"
        )
    if found.provider_code and not check_credit_code(found.provider_code).valid:
        raise SharedDatasetInvalid(
            field=f"{name}.provider_code", detail=found.provider_code, how="give its credit code"
        )
    for field, rule in (found.rules or {}).items():
        if field not in known or rule not in ("required", "unique"):
            raise SharedDatasetInvalid(
                field=f"{name}.rules", detail=f"{field}: {rule}", how="field: required or unique"
            )
    return found


def _check_names(name: str, found: SharedDataset) -> None:
    """What the feed needs: an id that an address can hold, names, a theme of the vocabulary, a day."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_.-]{0,39}", found.id):
        raise SharedDatasetInvalid(field=f"{name}.id", detail=found.id, how="a-z, 0-9, _ . -, at most 40 characters")
    if not found.zh.strip() or not found.en.strip():
        raise SharedDatasetInvalid(field=name, detail="zh or en is empty", how="name it in both languages")
    if found.theme and found.theme not in THEMES:
        raise SharedDatasetInvalid(field=f"{name}.theme", detail=found.theme, how=", ".join(THEMES))
    if found.published:
        try:
            date.fromisoformat(found.published)
        except ValueError as error:
            raise SharedDatasetInvalid(field=f"{name}.published", detail=found.published, how="2026-11-28") from error


def read_folder(folder: Path, registers: Mapping[str, Register]) -> tuple[dict[str, SharedDataset], list[YiwangError]]:
    """The data sets of a folder's ``*.yaml`` (a list of them each), and what is wrong with the others."""
    found: dict[str, SharedDataset] = {}
    problems: list[YiwangError] = []
    for path in sorted(folder.glob("*.yaml")) if folder.is_dir() else []:
        try:
            listed = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            problems.append(SharedDatasetInvalid(field=path.name, detail=str(error), how="write it as YAML in UTF-8"))
            continue
        for body in listed if isinstance(listed, list) else [listed]:
            try:
                one = parse(body if isinstance(body, dict) else {}, registers)
                found[one.id] = one
            except YiwangError as error:
                problems.append(error)
    return found, problems


@lru_cache(maxsize=1)
def shipped() -> Mapping[str, SharedDataset]:
    """The data sets that ship."""
    return read_folder(SHIPPED, shipped_registers())[0]


@dataclass(frozen=True)
class Freshness:
    """When the data last changed, when the next change was due, and whether that has passed."""

    changed_at: datetime | None
    due_at: datetime | None
    late: bool


def freshness(shared: SharedDataset, changed_at: datetime | None, now: datetime) -> Freshness:
    """Lateness by the promised cycle; data that never came are late, irregular ones never."""
    cycle = CYCLES[shared.cycle]
    if cycle is None:
        return Freshness(changed_at, None, False)
    if changed_at is None:
        return Freshness(None, None, True)
    return Freshness(changed_at, changed_at + cycle, now > changed_at + cycle)


def quality(shared: SharedDataset, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each rule with how many rows hold it: ``{"field", "rule", "rows", "bad"}``."""
    listed = list(rows)
    found = []
    for field, rule in (shared.rules or {}).items():
        values = [row.get(field) for row in listed]
        given = [v for v in values if v not in (None, "")]
        bad = len(values) - len(given) if rule == "required" else len(given) - len({str(v) for v in given})
        found.append({"field": field, "rule": rule, "rows": len(values), "bad": bad})
    return found
