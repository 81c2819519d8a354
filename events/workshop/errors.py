"""What can be wrong with a draft of a kind of case."""

from __future__ import annotations

from core.errors import Forbidden, InputInvalid, YiwangError


class DefinitionIdInvalid(InputInvalid):
    code = "definition_id_invalid"
    message = "{definition_id!r} cannot be the id of a new kind of case: {detail}"
    remedy = "use 2 to 40 small letters, digits and _, beginning with a letter, that no other kind has"


class DraftChanged(YiwangError):
    code = "draft_changed"
    message = "somebody else changed this draft: revision {revision}, not {given}"
    remedy = "load it again and repeat your change"


class DraftStateWrong(YiwangError):
    code = "draft_state_wrong"
    message = "this draft is {state}: {detail}"
    remedy = "{how}"


class DefinitionMoved(YiwangError):
    """Two published at once, or a file brought a version meanwhile; nothing of this draft was published."""

    code = "definition_moved"
    message = "version {current} of {definition} is in force, this draft changes version {base}"
    remedy = "begin a draft from version {current} and make the change there"


class DraftBlocked(YiwangError):
    code = "draft_blocked"
    message = "the definition has {count} problems; the first: {first}"
    remedy = "mend them; the page lists each with its table, row and field"


class OwnDraft(Forbidden):
    code = "own_draft"
    message = "you wrote this draft: somebody else publishes it"
    remedy = "ask another administrator to look at it"
