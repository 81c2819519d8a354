"""Changes to kinds of case with the rights and the audit entry that belong to them: called by the pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from core.errors import Forbidden
from core.forms.model import parse_form
from dashboard.api.deps import audit
from dashboard.auth import Principal
from dashboard.form_service import EDITORS
from dashboard.services import Services
from events.workshop import drafts as d
from events.workshop.starter import new_kind, state_lines, with_form
from storage.forms import form_version
from storage.session import session_scope


def check_kind_editor(who: Principal) -> None:
    """Only administrators write and publish kinds of case."""
    if not who.has(*EDITORS):
        raise Forbidden(action="change kinds of case without being an administrator")


def begin(use: Services, who: Principal, definition_id: str) -> d.DraftView:
    """A draft of the version in force."""
    return _done(use, who, "kind_draft", lambda s: d.begin_draft(s, definition_id, _me(who), use.clock.now()))


def begin_new(
    use: Services, who: Principal, definition_id: str, title: Mapping[str, str], states: str, form: str
) -> d.DraftView:
    """A draft of a new kind from a table of states and, where ``form`` (``id/version``) names one, a form."""

    def make(session: Session) -> d.DraftView:
        body = new_kind(title, state_lines(states), form_in(session, form))
        return d.begin_draft(session, definition_id, _me(who), use.clock.now(), body)

    return _done(use, who, "kind_draft", make)


def save(use: Services, who: Principal, draft_id: str, body: Mapping[str, Any], revision: int) -> d.DraftView:
    """Another body of a draft."""
    check_kind_editor(who)
    with session_scope(use.engine) as session:
        return d.save_draft(session, draft_id, body, revision, _me(who), use.clock.now())


def ask_form(use: Services, who: Principal, draft_id: str, command: str, form: str, revision: int) -> d.DraftView:
    """Let a command ask a form."""
    check_kind_editor(who)
    with session_scope(use.engine) as session:
        draft, asked = d.draft_of(session, draft_id), form_in(session, form)
        body = with_form(draft.body, command, asked) if asked is not None else draft.body
        return d.save_draft(session, draft_id, body, revision, _me(who), use.clock.now())


def move(use: Services, who: Principal, draft_id: str, action: str, revision: int) -> d.DraftView:
    """``propose``, ``back`` or ``publish``; a published one is in force in this process at once."""
    steps: dict[str, Callable[..., d.DraftView]] = {
        "propose": d.propose_draft, "back": d.take_back, "publish": d.publish_draft,
    }  # fmt: skip
    step = steps[action]
    moved = _done(use, who, f"kind_{action}", lambda s: step(s, draft_id, revision, _me(who), use.clock.now()))
    if action == "publish":
        use.city.kinds.look(use.engine)
    return moved


def discard(use: Services, who: Principal, draft_id: str, revision: int) -> None:
    """Delete a draft."""
    check_kind_editor(who)
    with session_scope(use.engine) as session:
        d.discard_draft(session, draft_id, revision)
        audit(session, use, who, "kind_drop", {"draft_id": draft_id})


def form_in(session: Session, key: str) -> Any:
    """The form ``id/version``; None for an empty key."""
    form_id, _, version = key.rpartition("/")
    return parse_form(form_version(session, form_id, int(version)).body) if version.isdigit() else None


def _me(who: Principal) -> str:
    return who.actor.user_id


def _done(use: Services, who: Principal, action: str, make: Callable[[Session], d.DraftView]) -> d.DraftView:
    check_kind_editor(who)
    with session_scope(use.engine) as session:
        made = make(session)
        note = {"draft_id": made.draft_id, "definition_id": made.definition_id, "revision": made.revision}
        audit(session, use, who, action, {**note, "version": made.published_version})
    return made
