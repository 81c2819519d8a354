"""Forms by version: draft → trial → live → retired.  Callers commit.

version = live_form(session, "population")          # the newest live one
version = form_version(session, "population", 3)    # the one that a case or filing began with
state = evaluate_form(compiled_form(version), answers, today=…)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import YiwangError
from core.forms.checks import FormProblem, form_problems
from core.forms.compiled import Compiled, compile_form
from core.forms.model import Form, form_hash, form_json, parse_form
from storage.tables.forms import FormHead, FormVersion

MOVES: dict[str, tuple[str, ...]] = {
    "draft": ("trial", "live"),
    "trial": ("draft", "live", "retired"),
    "live": ("retired",),
    "retired": ("live",),
}


class FormUnknown(YiwangError):
    code = "form_unknown"
    message = "there is no form {form_id} version {version}"
    remedy = "check the id and version"
    zh = "没有表单 {form_id} 的第 {version} 版"
    zh_remedy = "请核对编号和版本"


class FormStateWrong(YiwangError):
    code = "form_state_wrong"
    message = "version {version} of form {form_id} is {state}: {detail}"
    remedy = "make a new draft from it, or choose one of: {allowed}"
    zh = "表单 {form_id} 第 {version} 版处于 {state} 状态：{detail}"
    zh_remedy = "由它新建草稿，或选择其中之一：{allowed}"


class FormChanged(YiwangError):
    code = "form_changed"
    message = "somebody else changed version {version} of form {form_id}: revision {revision}, not {given}"
    remedy = "load it again and repeat your change"
    zh = "别人已改动表单 {form_id} 第 {version} 版：现为第 {revision} 次修改，您的是第 {given} 次"
    zh_remedy = "请重新载入，再改一次"


class FormBlocked(YiwangError):
    code = "form_blocked"
    message = "form {form_id} has {count} problems that stop it; the first is {first}"
    remedy = "mend them and try again"
    zh = "表单 {form_id} 有 {count} 个问题，不能继续；第一个是 {first}"
    zh_remedy = "请改正后再试"


class FormIdInvalid(YiwangError):
    code = "form_id_invalid"
    message = "{form_id!r} is no id of a form"
    remedy = "use up to 80 letters, digits, _ - and ."
    zh = "{form_id!r} 不能作表单编号"
    zh_remedy = "最多 80 个字母、数字、_、- 和 ."


class FormVersionView(msgspec.Struct, frozen=True):
    """A version as other rooms see it; ``body`` is the form's JSON."""

    form_id: str
    version: int
    state: str
    hash: str
    title: dict[str, Any]
    body: dict[str, Any]
    source: str
    revision: int
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str
    published_at: datetime | None
    published_by: str | None


def view(row: FormVersion) -> FormVersionView:
    """The row as a record."""
    names = FormVersionView.__struct_fields__
    return FormVersionView(**{n: getattr(row, n) for n in names if n != "title"}, title=row.body.get("title", {}))


def form_version(session: Session, form_id: str, version: int) -> FormVersionView:
    """One version; :class:`FormUnknown`."""
    return view(_row(session, form_id, version))


def live_form(session: Session, form_id: str) -> FormVersionView:
    """The newest live version; :class:`FormUnknown` when there is none."""
    row = session.scalar(
        select(FormVersion)
        .where(FormVersion.form_id == form_id, FormVersion.state == "live")
        .order_by(FormVersion.version.desc())
        .limit(1)
    )
    if row is None:
        raise FormUnknown(form_id=form_id, version="live")
    return view(row)


def versions_of(session: Session, form_id: str | None = None, *, live_only: bool = False) -> list[FormVersionView]:
    """Versions by form, the newest first; of all forms when ``form_id`` is None."""
    query = select(FormVersion).order_by(FormVersion.form_id, FormVersion.version.desc())
    if form_id is not None:
        query = query.where(FormVersion.form_id == form_id)
    if live_only:
        query = query.where(FormVersion.state == "live")
    return [view(row) for row in session.scalars(query)]


def compiled_form(version: FormVersionView) -> Compiled:
    """The version's form, parsed; kept by its hash."""
    return _compiled(version.hash, msgspec.json.encode(version.body))


@lru_cache(maxsize=256)
def _compiled(_hash: str, body: bytes) -> Compiled:
    return compile_form(parse_form(msgspec.json.decode(body)))


def problems_of(body: Mapping[str, Any], *, publishing: bool = False) -> list[FormProblem]:
    """What is wrong with a form's JSON; :class:`core.forms.model.FormInvalid` when it is no form at all."""
    return form_problems(parse_form(body), publishing=publishing)


def add_version(
    session: Session, form_id: str, form: Form, *, now: datetime, by: str, source: str = "browser", state: str = "draft"
) -> FormVersionView:
    """A new version; the form itself when it is the first.  Only a draft may have blocking problems."""
    if not _is_id(form_id):
        raise FormIdInvalid(form_id=form_id)
    if state != "draft":
        _refuse_blocked(form_id, form)
    head = session.get(FormHead, form_id)
    if head is None:
        head = FormHead(form_id=form_id, title=dict(form.title), created_at=now, created_by=by)
        session.add(head)
        session.flush()
    last = session.scalar(select(func.max(FormVersion.version)).where(FormVersion.form_id == form_id)) or 0
    head.title = dict(form.title) or head.title
    row = FormVersion(
        form_id=form_id, version=last + 1, state=state, hash=form_hash(form), body=form_json(form), source=source[:200],
        created_at=now, created_by=by, updated_at=now, updated_by=by,
        published_at=now if state == "live" else None, published_by=by if state == "live" else None,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return view(row)


def change_draft(
    session: Session, form_id: str, version: int, form: Form, *, revision: int, now: datetime, by: str
) -> FormVersionView:
    """Replace a draft's body; :class:`FormStateWrong`, :class:`FormChanged`."""
    row = _locked(session, form_id, version, revision)
    if row.state != "draft":
        raise FormStateWrong(
            form_id=form_id, version=version, state=row.state, detail="only a draft can be edited", allowed="draft"
        )
    row.body, row.hash, row.revision = form_json(form), form_hash(form), row.revision + 1
    row.updated_at, row.updated_by = now, by
    head = session.get(FormHead, form_id)
    if head is not None and form.title:
        head.title = dict(form.title)
    session.flush()
    return view(row)


def move_version(
    session: Session, form_id: str, version: int, state: str, *, revision: int, now: datetime, by: str
) -> FormVersionView:
    """Give a version its next state; trial and live need a form without blocking problems."""
    row = _locked(session, form_id, version, revision)
    allowed = MOVES.get(row.state, ())
    if state not in allowed:
        raise FormStateWrong(
            form_id=form_id, version=version, state=row.state, detail=f"it cannot become {state}",
            allowed=", ".join(allowed),
        )  # fmt: skip
    if state in ("trial", "live"):
        _refuse_blocked(form_id, parse_form(row.body))
    row.state, row.revision = state, row.revision + 1
    if state == "live":
        row.published_at, row.published_by, row.retired_at = now, by, None
    if state == "retired":
        row.retired_at = now
    session.flush()
    return view(row)


def drop_draft(session: Session, form_id: str, version: int, *, revision: int) -> None:
    """Delete a draft; a form without versions goes with it."""
    row = _locked(session, form_id, version, revision)
    if row.state != "draft":
        raise FormStateWrong(
            form_id=form_id, version=version, state=row.state, detail="only a draft can be deleted", allowed="retired"
        )
    session.delete(row)
    session.flush()
    if session.scalar(select(FormVersion.version).where(FormVersion.form_id == form_id).limit(1)) is None:
        session.delete(session.get(FormHead, form_id))
        session.flush()


def has_hash(session: Session, form_id: str, sha256: str) -> bool:
    """Does any version of the form ask exactly this?"""
    found = select(FormVersion.version).where(FormVersion.form_id == form_id, FormVersion.hash == sha256).limit(1)
    return session.scalar(found) is not None


def _refuse_blocked(form_id: str, form: Form) -> None:
    blocking = [problem for problem in form_problems(form, publishing=True) if problem.blocking]
    if blocking:
        raise FormBlocked(form_id=form_id, count=len(blocking), first=blocking[0].code)


def _locked(session: Session, form_id: str, version: int, revision: int) -> FormVersion:
    row = session.get(FormVersion, (form_id, version), with_for_update=True, populate_existing=True)
    if row is None:
        raise FormUnknown(form_id=form_id, version=version)
    if row.revision != revision:
        raise FormChanged(form_id=form_id, version=version, revision=row.revision, given=revision)
    return row


def _row(session: Session, form_id: str, version: int) -> FormVersion:
    row = session.get(FormVersion, (form_id, version))
    if row is None:
        raise FormUnknown(form_id=form_id, version=version)
    return row


def _is_id(text: str) -> bool:
    return 0 < len(text) <= 80 and all(c.isalnum() or c in "_-." for c in text) and text[0] not in ".-"
