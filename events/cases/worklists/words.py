"""The words of a case file: what it was reported with and what each command brought, under the definition's names.

``file_text`` is the whole file for printing: HTML that stands alone, without scripts, with a line for the seal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from html import escape
from types import MappingProxyType
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import BEIJING
from core.forms.from_schema import CHOICES, TITLES
from core.records import JSON, Record
from events.cases.definition import COMMON_FIELDS, Definition
from events.cases.read_models import CaseDetail
from storage.tables.files import CaseDocument
from storage.tables.people import User

_PLUMBING = frozenset(
    {"evidence", "documents", "location", "recorded_at", "why", "recorded", "department_id", "user_id", "assisting",
     "purpose", "limit", "children", "standing_key", "inspector", "approval", "routed", "released", "asked", "issued"}
)  # fmt: skip
_PERSONS = ("parties", "party_id")
# A row of people of whom the definition says no more.
_PEOPLE_ROWS = {
    "items": {
        "properties": {
            "name": {"title": {"zh": "姓名", "en": "Name"}},
            "role": {
                "title": {"zh": "身份", "en": "Role"},
                "choices": {"requester": {"zh": "求助人", "en": "requester"}, "party": {"zh": "当事人", "en": "party"}},
            },
            "contact": {"title": {"zh": "联系方式", "en": "Contact"}},
        }
    }
}
_LINE = "\n"
_YES_NO = {"zh": ("否", "是"), "en": ("no", "yes")}
_COLON, _COMMA, _SEMICOLON = {"zh": "：", "en": ": "}, {"zh": "，", "en": ", "}, {"zh": "；", "en": "; "}


class WrittenWord(Record, frozen=True, omit_defaults=False):
    """What somebody wrote: ``title`` the field's name, ``command`` its command's."""

    field: str
    title: dict[str, str]
    value: JSON
    text: dict[str, str]
    command: str
    command_name: dict[str, str]
    by: str
    at: datetime


def words_of(
    detail: CaseDetail, definition: Definition, names: Mapping[str, str] = MappingProxyType({})
) -> list[WrittenWord]:
    """Every field that a person filled in, in the order of the history; the report's first.  ``names`` of persons.

    What the platform copies from the report (who asked for help, for the one who is assigned) is not said again.
    """
    found = []
    first = detail.transitions[0] if detail.transitions else None
    form = detail.case.get("form") or {}
    report = definition.commands.get("report")
    if first is not None and report is not None:
        own = {"description": detail.case.get("description"), **form}
        told = [n for n in (*report.required, *report.optional) if n in own and n != "title" and _said(n, own[n])]
        found += [_word(n, own[n], definition, "report", first.actor_name, first.at, names) for n in told]
    known = {(word.field, str(word.value)) for word in found}
    for move in detail.transitions[1:]:
        for name, value in move.data.items():
            if move.actor_id == "system" and (name, str(value)) in known:
                continue
            if _said(name, value) and (name in definition.fields or name in COMMON_FIELDS):
                found.append(_word(name, value, definition, move.command, move.actor_name, move.at, names))
    return found


def _said(name: str, value: Any) -> bool:
    return name not in _PLUMBING and value not in (None, "", [], {})


def _word(
    name: str, value: Any, definition: Definition, command: str, by: str, at: datetime, names: Mapping[str, str]
) -> WrittenWord:
    spec = definition.fields.get(name, {})
    if name == "subjects" and "properties" not in (spec.get("items") or {}):
        spec = {**spec, **_PEOPLE_ROWS}
    named = definition.commands.get(command)
    return WrittenWord(
        field=name,
        title=spec.get("title") or TITLES.get(name) or {"zh": name, "en": name},
        value=value,
        text={lang: plain_text(value, spec, lang, names if name in _PERSONS else {}, name) for lang in ("zh", "en")},
        command=command,
        command_name=named.name if named is not None else {"zh": command, "en": command},
        by=by,
        at=at,
    )


def plain_text(
    value: Any, schema: Mapping[str, Any], lang: str, names: Mapping[str, str] = MappingProxyType({}), name: str = ""
) -> str:
    """An answer as a person reads it: choices and members by their titles, lists and rows in one line each."""
    if isinstance(value, bool):
        return _YES_NO[lang][value]
    if isinstance(value, Mapping):
        inner = schema.get("properties") or {}
        parts = [
            f"{_title(member, inner.get(member) or {}, lang)}{_COLON[lang]}{text}"
            for member, own in value.items()
            if own not in (None, "", [], {}) and (text := plain_text(own, inner.get(member) or {}, lang, {}, member))
        ]
        return _COMMA[lang].join(parts)
    if isinstance(value, list | tuple):
        each = {**(schema.get("items") or {})}
        if schema.get("choices") and "choices" not in each:
            each["choices"] = schema["choices"]
        rows = [plain_text(item, each, lang, names, name) for item in value]
        return ("\n" if any(isinstance(item, Mapping) for item in value) else _SEMICOLON[lang]).join(filter(None, rows))
    choice = (schema.get("choices") or CHOICES.get(name) or {}).get(str(value))
    if choice:
        return str(choice.get(lang) or choice.get("zh") or value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return names.get(str(value), str(value))


def _title(member: str, schema: Mapping[str, Any], lang: str) -> str:
    title = schema.get("title") or TITLES.get(member) or {}
    return str(title.get(lang) or title.get("zh") or member) if isinstance(title, Mapping) else str(title)


def names_in(session: Session, detail: CaseDetail) -> dict[str, str]:
    """The names of the persons that the words of a file name by id."""
    rows = [detail.case.get("form") or {}, *(move.data for move in detail.transitions)]
    found = [row[name] for row in rows for name in _PERSONS if row.get(name)]
    ids = {str(one) for each in found for one in (each if isinstance(each, list) else [each])}
    if not ids:
        return {}
    return {user.user_id: user.name for user in session.scalars(select(User).where(User.user_id.in_(ids)))}


def file_text(
    detail: CaseDetail,
    definition: Definition,
    documents: list[dict[str, Any]],
    language: str = "zh",
    names: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """The file for printing: head, words, history, documents, seal line."""
    lang = language if language in ("zh", "en") else "zh"
    case = detail.case
    state = definition.states[case["state"]].name.get(lang, case["state"])
    head = [
        (_T["number"][lang], case["number"]), (_T["kind"][lang], definition.name.get(lang, "")),
        (_T["state"][lang], state), (_T["opened"][lang], _time(case["opened_at"])),
        (_T["department"][lang], case.get("department_name") or "—"),
    ]  # fmt: skip
    words = [
        f"<h3>{escape(w.title.get(lang, w.field))} <small>{escape(w.command_name.get(lang, ''))} · {escape(w.by)} · "
        f"{_time(w.at)}</small></h3><p>{escape(w.text.get(lang, '')).replace(_LINE, '<br>')}</p>"
        for w in words_of(detail, definition, names)
    ]
    rows = [
        f"<tr><td>{_time(t.at)}</td><td>{escape(t.actor_name)}</td>"
        f"<td>{escape(_command(definition, t.command, lang))}</td><td>{escape(t.reason)}</td></tr>"
        for t in detail.transitions
    ]
    files = [
        f"<li>{escape(d['name'])} · {escape(d.get('issued_number') or '')} · {d['sha256'][:16]}</li>" for d in documents
    ]
    body = (
        f"<h1>{escape(case['title'])}</h1><table>"
        + "".join(f"<tr><th>{escape(k)}</th><td>{escape(str(v))}</td></tr>" for k, v in head)
        + f"</table>{''.join(words)}<h2>{_T['history'][lang]}</h2><table>{''.join(rows)}</table>"
        + (f"<h2>{_T['documents'][lang]}</h2><ul>{''.join(files)}</ul>" if files else "")
    )
    digest = hashlib.sha256(body.encode()).hexdigest()
    return (
        f'<!doctype html><html lang="{lang}"><meta charset="utf-8"><title>{escape(case["number"])}</title>'
        f"<body>{body}<p>{_T['seal'][lang]}</p><p><small>SHA-256 {digest}</small></p></body></html>"
    )


def documents_of(session: Session, case_id: str) -> list[dict[str, Any]]:
    """The documents of a case, the newest version of each kind first."""
    names = ("document_id", "type", "version", "name", "media_type", "sha256", "size_bytes", "issued_number",
             "added_at", "added_by")  # fmt: skip
    query = select(CaseDocument).where(CaseDocument.case_id == case_id)
    rows = session.scalars(query.order_by(CaseDocument.type, CaseDocument.version.desc()))
    return [{name: getattr(row, name) for name in names} for row in rows]


def paper_name(definition: Definition, kind: str) -> dict[str, str]:
    """The name of a kind of document, or the title of the template that it was issued from."""
    title = definition.templates.get(kind, {}).get("title")
    own = definition.documents.get(kind) or (title if isinstance(title, dict) else None)
    return own or {"zh": kind, "en": kind}


def _command(definition: Definition, name: str, lang: str) -> str:
    spec = definition.commands.get(name)
    return spec.name.get(lang, name) if spec is not None else name


def _time(moment: Any) -> str:
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M") if at else ""


_T: Mapping[str, Mapping[str, str]] = {
    "number": {"zh": "案卷号", "en": "Number"}, "kind": {"zh": "类型", "en": "Kind"},
    "state": {"zh": "状态", "en": "State"}, "opened": {"zh": "立卷时间", "en": "Opened"},
    "department": {"zh": "承办单位", "en": "Department"},
    "history": {"zh": "办理过程", "en": "History"}, "documents": {"zh": "文书", "en": "Documents"},
    "seal": {"zh": "（盖章）＿＿＿＿＿＿＿＿　　年　　月　　日", "en": "Seal: ________________  Date: ____________"},
}  # fmt: skip
