"""What can be wrong with a command to a case.  Every one says what to do instead."""

from __future__ import annotations

from core.errors import Forbidden, InputInvalid, YiwangError


class DefinitionInvalid(YiwangError):
    code = "definition_invalid"
    message = "case definition {definition!r}: {detail}"
    remedy = "mend the definition file; docs/case-engine.md lists its fields"


class CommandUnknown(YiwangError):
    code = "command_unknown"
    message = "a {definition} case knows no command {command!r}"
    remedy = "use one of: {known}"


class MoveIllegal(YiwangError):
    """``allowed`` lists the commands that the case's state does allow to this actor."""

    code = "move_illegal"
    message = "a case in state {state!r} cannot take {command!r}"
    remedy = "now possible: {allowed_text}"


class MoveForbidden(Forbidden):
    code = "forbidden"
    message = "you may not {command!r} this case: {detail}"
    remedy = "it is for: {who}"


class GuardFailed(YiwangError):
    code = "guard_failed"
    message = "{command!r} is not possible yet: {detail}"
    remedy = "{how}"


class FormInvalid(InputInvalid):
    code = "form_invalid"
    message = "field {field!r} of {command!r}: {detail}"
    remedy = "{how}"


class StaleCase(YiwangError):
    """Somebody moved the case first: ``moved_by``, ``moved_at``, ``by_command``, ``version``."""

    code = "stale_case"
    message = "the case has moved on: {moved_by_name} did {by_command!r} at {moved_at} (version {version})"
    remedy = "look at the case again and decide anew"


class IdempotencyConflict(YiwangError):
    code = "idempotency_conflict"
    message = "key {key!r} was used before for {earlier!r}"
    remedy = "use a new key for a new command"


class EffectMissing(YiwangError):
    code = "effect_missing"
    message = "the effect {effect!r} is not there in this process"
    remedy = "build the case service with events.runtime.wiring.case_service"


class BounceLimit(YiwangError):
    code = "bounce_limit"
    message = "the case was handed back and forth {bounces} times already"
    remedy = "the arbiter ({arbiter}) must decide: ask for dispatch"
