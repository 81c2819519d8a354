"""The forms of the outside door (``forms/*.json``), filled with the district's places, and answers held against them.

Both sides do so: the door before it hands something in, the inside again, because it believes nobody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from core.errors import NotFound
from core.forms.compiled import Compiled, compile_form
from core.forms.engine import evaluate_form
from core.forms.model import form_hash, form_json, parse_form
from dashboard.outside.problems import AnswersInvalid

FORMS = ("report", "help", "complaint", "rating")
MOST_PHOTOS = 5
ZONE = ZoneInfo("Asia/Shanghai")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


def form_for(kind: str, places: Mapping[str, Any]) -> dict[str, Any]:
    """The form as ``renderForm`` takes it; ``places``: the public page of that name."""
    form, _ = _compiled(kind, _marks(places))
    return {"form": form_json(form), "hash": form_hash(form), "today": _today()}


def checked(kind: str, answers: Any, places: Mapping[str, Any]) -> dict[str, Any]:
    """What is submitted of ``answers``; :class:`AnswersInvalid` lists ``(path, code)`` of what is not right."""
    form, compiled = _compiled(kind, _marks(places))
    if not isinstance(answers, Mapping):
        raise AnswersInvalid(errors=[["", "not-a-value"]])
    cleaned = _cleaned(answers)
    state = evaluate_form(compiled, cleaned, today=_today())
    errors = [list(error) for error in state.errors]
    if len(cleaned.get("photos") or []) > MOST_PHOTOS:
        errors.append(["photos", "constraint"])
    if errors:
        raise AnswersInvalid(errors=errors)
    return dict(state.submitted)


def point_of(text: Any) -> dict[str, float] | None:
    """``"latitude longitude [altitude [accuracy]]"`` as a location of a case."""
    parts = str(text or "").split()
    if len(parts) < 2:
        return None
    found = {"lat": float(parts[0]), "lon": float(parts[1])}
    if len(parts) > 3:
        found["accuracy_m"] = min(float(parts[3]), 5000.0)
    return found


def _today() -> str:
    return datetime.now(UTC).astimezone(ZONE).date().isoformat()


def _marks(places: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode([places.get("streets") or [], places.get("communities") or []])


@lru_cache(maxsize=16)
def _compiled(kind: str, places: bytes) -> tuple[Any, Compiled]:
    if kind not in FORMS:
        raise NotFound(what="form", key=kind)
    body = msgspec.json.decode(resources.files("dashboard.outside.forms").joinpath(f"{kind}.json").read_bytes())
    streets, communities = msgspec.json.decode(places)
    if "street" in body.get("choices", {}):
        body["choices"] |= {"street": streets, "community": communities}
        if not streets:
            body["questions"] = [q for q in body["questions"] if q["name"] not in ("street", "community")]
    form = parse_form(body)
    return form, compile_form(form)


def _cleaned(value: Any) -> Any:
    """Without control characters and marks that turn the reading direction."""
    if isinstance(value, str):
        return _CONTROL.sub("", value).strip()
    if isinstance(value, list):
        return [_cleaned(each) for each in value[:50]]
    if isinstance(value, Mapping):
        return {str(k): _cleaned(v) for k, v in list(value.items())[:60]}
    return value
