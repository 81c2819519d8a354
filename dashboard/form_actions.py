"""Changes to forms with the rights and the audit entry that belong to them: called by the API and by the pages."""

from __future__ import annotations

from typing import Any

from core.errors import Forbidden
from core.forms.model import Form, parse_form
from dashboard.api.deps import audit
from dashboard.auth import Principal
from dashboard.form_service import EDITORS
from dashboard.services import Services
from storage.forms import (
    FormVersionView,
    add_version,
    change_draft,
    drop_draft,
    form_version,
    move_version,
)
from storage.session import session_scope


def check_editor(who: Principal) -> None:
    """Only editors change forms."""
    if not who.has(*EDITORS):
        raise Forbidden(action="change forms without being an administrator")


def new_draft(
    use: Services, who: Principal, form_id: str, *, form: Form | None = None, base: int | None = None,
    title: dict[str, str] | None = None, source: str = "browser",
) -> FormVersionView:  # fmt: skip
    """A draft: of ``form``, of the version ``base``, or empty."""
    check_editor(who)
    with session_scope(use.engine) as session:
        if base is not None:
            form = parse_form(form_version(session, form_id, base).body)
        made = add_version(
            session, form_id, form or Form(form_id=form_id, title=title or {}), now=use.clock.now(),
            by=who.actor.user_id, source=source,
        )  # fmt: skip
        _note(session, use, who, "form_draft", made)
    return made


def save_draft(use: Services, who: Principal, form_id: str, version: int, form: Form, revision: int) -> FormVersionView:
    """Replace a draft."""
    check_editor(who)
    with session_scope(use.engine) as session:
        return change_draft(
            session, form_id, version, form, revision=revision, now=use.clock.now(), by=who.actor.user_id
        )


def move_form(use: Services, who: Principal, form_id: str, version: int, state: str, revision: int) -> FormVersionView:
    """Give a version its next state."""
    check_editor(who)
    with session_scope(use.engine) as session:
        moved = move_version(
            session, form_id, version, state, revision=revision, now=use.clock.now(), by=who.actor.user_id
        )
        _note(session, use, who, "form_state", moved)
    return moved


def delete_draft(use: Services, who: Principal, form_id: str, version: int, revision: int) -> None:
    """Delete a draft."""
    check_editor(who)
    with session_scope(use.engine) as session:
        drop_draft(session, form_id, version, revision=revision)
        audit(session, use, who, "form_drop", {"form_id": form_id, "version": version})


def _note(session: Any, use: Services, who: Principal, action: str, made: FormVersionView) -> None:
    content = {"form_id": made.form_id, "version": made.version, "state": made.state, "hash": made.hash}
    audit(session, use, who, action, content)
