"""Who acts, approves, sees and is told: relations, roles, receivers, channels that a definition names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from core import plugins
from events.cases.definition import NEW, RELATIONS, Definition
from events.cases.definition_parts import Who
from events.cases.definition_problems import DefinitionProblem, problem, unknown

ROLES = frozenset(
    {"admin", "operator", "dispatcher", "staff", "inspector", "grid_worker", "manager", "drone", "viewer"}
)  # fmt: skip
_OTHERS = frozenset(
    {"system", "party", "security", "auditor"}
)  # the platform itself, who has no account, powers kept apart
_TO = frozenset(
    {"turn", "arbiter", "approver", "checker", "asked_party", "requester", "parties", "lead"}
)  # fmt: skip
_ADDRESSED = {"role": True, "department": True, "user": True}
VISIBILITY = ("plain", "confidential")
# What a text may name besides fields: of a notice, of a document, of what a case itself carries.
CASE_WORDS = frozenset(
    {"title", "number", "state", "kind", "deadline", "reason", "comment", "description", "issued_number", "date", "by",
     "limit", "department_id", "user_id", "class_code", "severity", "result", "until", "value", "unit", "case"}
)  # fmt: skip
_NOTICE_WORD = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
_PAPER_WORD = re.compile(r"\$\{([^}]+)\}")


def people_problems(d: Definition) -> Iterator[DefinitionProblem]:
    """Of states' turns, visibility, approvals, the arbiter and notices."""
    for name, state in d.states.items():
        yield from who_problems(d, f"states/{name}/turn", state.turn or ())
    for name, lines in d.visibility.items():
        if name not in VISIBILITY:
            yield unknown(f"visibility/{name}", "visibility_unknown", name, VISIBILITY)
        yield from who_problems(d, f"visibility/{name}", lines)
    if d.arbiter is not None:
        for role in d.arbiter.roles:
            if role not in ROLES:
                yield unknown("arbiter/roles", "role_unknown", role, ROLES)
    yield from _of_approvals(d)
    yield from _of_notices(d)
    yield from _of_papers(d)


def who_problems(d: Definition, at: str, who: Iterable[Who]) -> Iterator[DefinitionProblem]:
    """Relations, roles and states that lines of who name."""
    for line in who:
        if line.relation not in RELATIONS:
            yield unknown(at, "relation_unknown", line.relation, RELATIONS)
        yield from (unknown(at, "role_unknown", r, ROLES | _OTHERS) for r in line.roles if r not in ROLES | _OTHERS)
        yield from (unknown(at, "state_unknown", s, d.states) for s in line.from_ if s not in d.states and s != NEW)


def _of_approvals(d: Definition) -> Iterator[DefinitionProblem]:
    for name, approval in d.approvals.items():
        at = f"approvals/{name}"
        if not approval.levels or not all(approval.levels):
            yield problem(f"{at}/levels", "approval_empty", name=name)
        for level in approval.levels:
            yield from who_problems(d, f"{at}/levels", level)
        for then, clocks in approval.then.items():
            if then != "extend":
                yield unknown(f"{at}/then/{then}", "approval_then_unknown", then, ("extend",))
            yield from (unknown(f"{at}/then/{then}", "clock_unknown", k, d.clocks) for k in clocks if k not in d.clocks)


def _of_notices(d: Definition) -> Iterator[DefinitionProblem]:
    channels = {"in_app", *plugins.kinds("channel")}
    for n, line in enumerate(d.notify):
        at = f"notify/{n}"
        known = {*d.commands, *d.states}
        if not line.on:
            yield problem(f"{at}/on", "notice_never")
        if not line.to:
            yield problem(f"{at}/to", "notice_nobody")
        yield from (unknown(f"{at}/on", "notice_on_unknown", on, known) for on in line.on if on not in known)
        for to in line.to:
            yield from _of_receiver(d, f"{at}/to", to)
        for channel in line.channel:
            if channel.partition(":")[0] not in channels:
                yield unknown(f"{at}/channel", "channel_unknown", channel, channels)
        words = {word for text in line.text.values() for word in _NOTICE_WORD.findall(text)}
        yield from (unknown(f"{at}/text", "word_unknown", w, d.fields) for w in sorted(words - _words(d)))


def _of_receiver(d: Definition, at: str, to: str | Who) -> Iterator[DefinitionProblem]:
    if isinstance(to, Who):
        yield from who_problems(d, at, (to,))
        return
    kind, colon, name = to.partition(":")
    if not colon and to not in _TO | RELATIONS | ROLES:
        yield unknown(at, "notice_to_unknown", to, _TO | RELATIONS | ROLES)
    elif colon and (kind not in _ADDRESSED or not name.strip()):
        yield unknown(at, "notice_to_unknown", to, (f"{each}:…" for each in _ADDRESSED))
    elif kind == "role" and colon and name not in ROLES:
        yield unknown(at, "role_unknown", name, ROLES)


def _of_papers(d: Definition) -> Iterator[DefinitionProblem]:
    """Documents that are issued: title and lines are texts that name what a case has."""
    for name, template in d.templates.items():
        at = f"templates/{name}"
        texts = [template.get("title", name), *_lines(template.get("text", []))]
        if not isinstance(template.get("text", []), list) or not all(isinstance(text, str) for text in texts):
            yield problem(at, "template_wrong", detail="title or text is no text")
            continue
        for key in template:
            if key not in ("title", "text", "prefix", "seal", "name"):
                yield unknown(f"{at}/{key}", "key_unknown", key, ("title", "text", "prefix", "seal"))
        words = {word.strip() for text in texts for word in _PAPER_WORD.findall(text)}
        yield from (unknown(f"{at}/text", "word_unknown", w, d.fields) for w in sorted(words - _words(d)))


def _lines(text: object) -> list[object]:
    return list(text) if isinstance(text, list) else [text]


def _words(d: Definition) -> frozenset[str]:
    return CASE_WORDS | frozenset(d.fields)
