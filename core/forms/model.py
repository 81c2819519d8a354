"""A form as data, in XLSForm's words.

The JSON that is stored, hashed and sent to browsers::

    {"form_id": "…", "title": {"zh": "…"}, "version": "2026112801", "default_language": "zh", "instance_name": "…",
     "questions": [{"type": "select_one", "list": "jd", "name": "…", "label": {"zh": "…", "en": "…"}, "hint": {},
                    "required": true | "expression", "required_message": {}, "relevant": "…", "constraint": "…",
                    "constraint_message": {}, "calculation": "…", "choice_filter": "…", "repeat_count": "…",
                    "default": "…", "appearance": "…", "read_only": true | "expression", "trigger": "…",
                    "parameters": {}, "sensitive": false, "prefill": "…", "rollup": "…", "unit": "…", "meaning": "…",
                    "children": [...]}],          # children: type group or repeat
     "choices": {"jd": [{"name": "001", "label": {"zh": "…"}, "any other column": "text"}]}}

Words that are not set are left out.  ``type`` may also be written as in XLSForm (``"select_one jd"``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import msgspec

from core.errors import YiwangError

TEXT_TYPES = frozenset(("text", "barcode", "hidden", "person", "unit", "record", "signature"))
NUMBER_TYPES = frozenset(("integer", "decimal", "range"))
DATE_TYPES = frozenset(("date", "time", "dateTime"))
SELECTS = frozenset(("select_one", "select_multiple", "rank", "select_one_from_file"))
LISTED = frozenset(("select_one", "select_multiple", "rank"))
FILES = frozenset(("image", "file"))
GROUPS = frozenset(("group", "repeat"))
SILENT = frozenset(("calculate", "hidden"))  # never shown
_OTHERS = frozenset(("note", "calculate", "geopoint", "acknowledge"))
TYPES = TEXT_TYPES | NUMBER_TYPES | DATE_TYPES | SELECTS | FILES | GROUPS | _OTHERS
MOST_QUESTIONS = 2000
MOST_DEPTH = 10
LANGUAGE = "zh"

Words = dict[str, str]


class FormInvalid(YiwangError):
    code = "form_invalid"
    message = "the form is not valid at {field}: {detail}"
    remedy = "{how}"
    zh = "表单在 {field} 处不正确：{detail}"
    zh_remedy = "{how}"


class Choice(msgspec.Struct, frozen=True, omit_defaults=True):
    """One choice of a list; ``columns`` are what choice filters may ask."""

    name: str
    label: Words = {}
    columns: dict[str, str] = {}


class Question(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One row of the sheet ``survey``; a group or repeat has ``children``."""

    type: str
    name: str = ""
    list: str = ""  # the choice list, the file's register (select_one_from_file) or the register (record)
    label: Words = {}
    hint: Words = {}
    required: bool | str = False
    required_message: Words = {}
    relevant: str = ""
    constraint: str = ""
    constraint_message: Words = {}
    calculation: str = ""
    choice_filter: str = ""
    repeat_count: str = ""
    default: str = ""
    appearance: str = ""
    read_only: bool | str = False
    trigger: str = ""
    parameters: dict[str, str] = {}
    sensitive: bool = False
    prefill: str = ""
    rollup: str = ""
    unit: str = ""
    meaning: str = ""
    children: tuple[Question, ...] = ()


class Form(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A whole form; make it with :func:`parse_form` or the importer."""

    form_id: str = ""
    title: Words = {}
    version: str = ""
    default_language: str = LANGUAGE
    instance_name: str = ""
    allow_choice_duplicates: bool = False
    questions: tuple[Question, ...] = ()
    choices: dict[str, tuple[Choice, ...]] = {}

    def languages(self) -> list[str]:
        """The languages that labels are written in, the default one first."""
        found = {self.default_language: None}
        for question in walk_questions(self.questions):
            found |= dict.fromkeys(question.label)
        return list(found)


def walk_questions(questions: tuple[Question, ...]) -> Any:
    """Every question, in the order of the sheet; groups before what they hold."""
    for question in questions:
        yield question
        yield from walk_questions(question.children)


def parse_form(body: Any) -> Form:
    """A form from its JSON; :class:`FormInvalid` names the place.  References and expressions are not checked here:
    :func:`core.forms.checks.form_problems` does."""
    how = "send the form's JSON as docs/forms.md shows it"
    if not isinstance(body, Mapping):
        raise FormInvalid(field="form", detail="it is not an object", how=how)
    language = body.get("default_language") or LANGUAGE
    shaped = {**body, "questions": _shaped(body.get("questions", []), language, "questions", 0)}
    shaped["title"] = _words(body.get("title"), language)
    shaped["choices"] = _shaped_choices(body.get("choices") or {}, language)
    try:
        form = msgspec.convert(shaped, Form)
    except (msgspec.ValidationError, TypeError, RecursionError) as error:
        raise FormInvalid(field="form", detail=str(error), how=how) from error
    if sum(1 for _ in walk_questions(form.questions)) > MOST_QUESTIONS:
        raise FormInvalid(field="questions", detail=f"there are more than {MOST_QUESTIONS}", how="split the form")
    return form


def _shaped(given: Any, language: str, at: str, depth: int) -> list[Any]:
    if not isinstance(given, list | tuple):
        raise FormInvalid(field=at, detail="it is not a list", how="list the questions")
    if depth > MOST_DEPTH:
        raise FormInvalid(field=at, detail=f"more than {MOST_DEPTH} groups lie in each other", how="flatten the form")
    return [_shaped_question(item, language, f"{at}[{i}]", depth) for i, item in enumerate(given)]


def _shaped_question(item: Any, language: str, at: str, depth: int) -> Any:
    if not isinstance(item, Mapping):
        raise FormInvalid(field=at, detail="a question is not an object", how="give at least type and name")
    shaped = {
        key: value.strip() if isinstance(value, str) else value for key, value in item.items() if value is not None
    }
    for word in ("label", "hint", "required_message", "constraint_message"):
        if word in shaped:
            shaped[word] = _words(shaped[word], language)
    kind, _, rest = str(shaped.get("type", "")).partition(" ")
    if rest and not shaped.get("list"):
        shaped |= {"type": kind, "list": rest.strip()}
    if "children" in shaped:
        shaped["children"] = _shaped(shaped["children"], language, f"{at}.children", depth + 1)
    return shaped


def _words(given: Any, language: str) -> Any:
    if given is None or given == "":
        return {}
    if isinstance(given, str):
        return {language: given.strip()}
    if not isinstance(given, Mapping):
        return given
    texts = {key: text.strip() if isinstance(text, str) else text for key, text in given.items()}
    return {key: text for key, text in texts.items() if text not in (None, "")}


def _shaped_choices(given: Any, language: str) -> Any:
    if not isinstance(given, Mapping) or not all(isinstance(rows, list | tuple) for rows in given.values()):
        raise FormInvalid(field="choices", detail="it is not an object of lists", how='give {"list": [{"name": …}]}')
    shaped: dict[str, list[Any]] = {}
    for name, rows in given.items():
        if not rows:
            continue
        shaped[name] = []
        for i, row in enumerate(rows):
            if not isinstance(row, Mapping) or "name" not in row:
                raise FormInvalid(field=f"choices.{name}[{i}]", detail="there is no name", how="give name and label")
            others = {key: value for key, value in row.items() if key not in ("name", "label")}
            columns = {str(key): str(value).strip() for key, value in others.items() if value not in (None, "")}
            label = _words(row.get("label"), language)
            shaped[name].append({"name": str(row["name"]), "label": label, "columns": columns})
    return shaped


def form_json(form: Form) -> dict[str, Any]:
    """The canonical JSON of ``form``: words that are not set are left out."""
    body: dict[str, Any] = {**msgspec.to_builtins(form), "default_language": form.default_language}
    if form.choices:
        body["choices"] = {
            name: [{"name": c.name, **({"label": c.label} if c.label else {}), **c.columns} for c in rows]
            for name, rows in form.choices.items()
        }
    return body


def form_hash(form: Form) -> str:
    """SHA-256 of what the form asks: its JSON without the version's name, keys sorted."""
    body = {key: value for key, value in form_json(form).items() if key != "version"}
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
