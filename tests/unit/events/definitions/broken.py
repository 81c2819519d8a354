"""What a person may get wrong in a sound definition: a change, where it is told, and as which fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.unit.events.definitions.sound import WORDS, Body, names

GIVEN = {"answer": "x"}
Broken = tuple[str, Callable[[Body], Any], str, str]  # id, change, path, code


def _put(path: str, value: Any) -> Callable[[Body], None]:
    """Sets ``a/b/0``."""

    def change(body: Body) -> None:
        *way, last = path.split("/")
        place: Any = body
        for key in way:
            place = place[int(key)] if isinstance(place, list) else place[key]
        place[int(last) if isinstance(place, list) else last] = value

    return change


def _drop(path: str) -> Callable[[Body], None]:
    def change(body: Body) -> None:
        *way, last = path.split("/")
        place: Any = body
        for key in way:
            place = place[int(key)] if isinstance(place, list) else place[key]
        del place[int(last) if isinstance(place, list) else last]

    return change


def _guard(**guard: Any) -> Callable[[Body], None]:
    return _put("commands/answer/guards", [guard])


def _effect(*effects: Any) -> Callable[[Body], None]:
    return _put("commands/answer/effects", list(effects))


def _stuck(who: list[dict[str, Any]]) -> Callable[[Body], None]:
    """A state that one command leads into and one leads out of, which ``who`` may give."""

    def change(body: Body) -> None:
        body["states"]["stuck"] = {"stage": "open", "name": names("搁置", "Stuck")}
        ways = (("stall", "sent", "stuck", [{"roles": ["staff"]}]), ("leave", "stuck", "done", who))
        for name, origin, to, people in ways:
            body["commands"][name] = {
                "name": names(name, name.title()), "moves": [{"from": [origin], "to": to}], "who": people,
                "clocks": {"stop": ["*"]},
            }  # fmt: skip

    return change


BLOCKING: list[Broken] = [
    # shape
    ("key-top", _put("shwon_clock", ["reply"]), "shwon_clock", "key_unknown"),
    ("key-command", _put("commands/accept/efects", ["bounce"]), "commands/accept/efects", "key_unknown"),
    ("key-state", _put("states/sent/opne", False), "states/sent/opne", "key_unknown"),
    ("key-move", _put("commands/accept/moves/0/form", ["sent"]), "commands/accept/moves/0/form", "key_unknown"),
    ("key-clock", _put("clocks/reply/lmit", {}), "clocks/reply/lmit", "key_unknown"),
    ("missing-top", _drop("initial"), "initial", "key_missing"),
    ("missing-stage", _drop("states/sent/stage"), "states/sent/stage", "key_missing"),
    ("missing-limit", _drop("clocks/reply/limit"), "clocks/reply/limit", "key_missing"),
    ("type-version", _put("version", "one"), "version", "type_wrong"),
    ("type-version-bool", _put("version", True), "version", "type_wrong"),
    ("type-states", _put("states", ["sent"]), "states", "type_wrong"),
    ("type-name", _put("states/sent/name", "已提交"), "states/sent/name", "type_wrong"),
    ("type-open", _put("states/done/open", "no"), "states/done/open", "type_wrong"),
    ("type-from", _put("commands/accept/moves/0/from", "sent"), "commands/accept/moves/0/from", "type_wrong"),
    ("type-command", _put("commands/accept", None), "commands/accept", "type_wrong"),
    ("type-limit", _put("clocks/reply/limit/value", "three"), "clocks/reply/limit/value", "type_wrong"),
    ("type-nan", _put("clocks/reply/limit/value", float("inf")), "clocks/reply/limit/value", "type_wrong"),
    ("unit", _put("clocks/reply/limit/unit", "workday"), "clocks/reply/limit/unit", "value_wrong"),
    ("no-object", lambda body: [1], "", "type_wrong"),
    ("version-zero", _put("version", 0), "version", "too_small"),
    ("bounce", _put("bounce_limit", -1), "bounce_limit", "too_small"),
    ("long-id", _put("definition_id", "x" * 41), "definition_id", "too_long"),
    ("long-state", _put("states/" + "s" * 25, {"stage": "end", "name": WORDS, "open": False}),
     f"states/{'s' * 25}/name", "too_long"),
    # clocks
    ("limit-negative", _put("clocks/reply/limit/value", -3), "clocks/reply/limit", "limit_too_small"),
    ("limit-zero", _put("clocks/reply/limit/value", 0), "clocks/reply/limit", "limit_too_small"),
    ("limit-centuries", _put("clocks/reply/limit/value", 1e9), "clocks/reply/limit", "limit_too_long"),
    ("reminder", _put("clocks/reply/remind", ["soon"]), "clocks/reply/remind", "reminder_invalid"),
    ("reminder-unit", _put("remind", ["-1 moon"]), "remind", "reminder_invalid"),
    ("clock-part", _put("clocks/reply/part", "helper"), "clocks/reply/part", "part_unknown"),
    ("clock-field", _put("clocks/reply/field", "legal"), "clocks/reply/field", "field_unknown"),
    ("clock-started", _put("commands/give/clocks", {"start": ["tea"]}), "commands/give/clocks", "clock_unknown"),
    ("clock-shown", _put("shown_clock", ["tea"]), "shown_clock", "shown_clock_unknown"),
    ("counted-clock", _put("counting/on_time", "tea"), "counting/on_time", "counting_unknown"),
    ("counted-state", _put("counting/handled", ["gone"]), "counting/handled", "counting_state_unknown"),
    ("counted-guard", _put("counting/guards", ["quick"]), "counting/guards", "counting_guard_unknown"),
    # course
    ("stage", _put("states/sent/stage", "nowhere"), "states/sent/stage", "stage_unknown"),
    ("stage-twice", lambda body: body["stages"].append(body["stages"][0]), "stages/open", "stage_twice"),
    ("initial", _put("initial", "gone"), "initial", "initial_unknown"),
    ("move-to", _put("commands/accept/moves/0/to", "gone"), "commands/accept/moves", "state_unknown"),
    ("move-from", _put("commands/accept/moves/0/from", ["gone"]), "commands/accept/moves", "state_unknown"),
    ("move-none", _put("commands/accept/moves", []), "commands/accept/moves", "move_missing"),
    ("move-new", _put("commands/accept/moves/0/from", ["@new"]), "commands/accept/moves", "move_new"),
    ("move-part", _put("commands/accept/moves/0/part", "boss"), "commands/accept/moves", "part_unknown"),
    ("dead-end", _put("commands/answer/moves/0/to", "handling"), "states/sent/open", "dead_end"),
    ("dead-end-nobody-there", _stuck([{"roles": ["staff"], "from": ["sent"]}]), "states/stuck/open", "dead_end"),
    ("dead-end-platform", _stuck([{"roles": ["system"]}]), "states/stuck/open", "dead_end"),
    ("no-end", _put("states/done/open", True), "states", "closed_never"),
    ("remembered", lambda body: (_put("commands/ask/moves/0/to", "@remembered")(body),
                                 _put("commands/accept/effects", [])(body)), "commands/ask/moves", "remembered_never"),
    ("turn-state", _put("turn", {"gone": "handler"}), "states/gone/turn", "state_unknown"),
    ("no-report", _drop("commands/report"), "commands", "report_missing"),
    ("automatic-key", _put("automatic", {"on_raport": "give"}), "automatic/on_raport", "automatic_key_unknown"),
    ("automatic-command", _put("automatic/on_report", "gve"), "automatic/on_report", "automatic_unknown"),
    ("automatic-who", _put("commands/give/who", [{"roles": ["staff"]}]), "automatic/on_report", "automatic_who"),
    ("automatic-data", _put("commands/give/required", ["answer"]), "automatic/on_report", "automatic_data"),
    ("trigger-on", _put("triggers/0/on", "sunset"), "triggers/0/on", "trigger_unknown"),
    ("trigger-command", _put("triggers/0/command", "fly"), "triggers/0/command", "command_unknown"),
    ("trigger-field", _put("triggers/0/field", "when"), "triggers/0/field", "field_unknown"),
    ("trigger-no-time", _put("triggers/0/field", "amount"), "triggers/0/field", "trigger_no_time"),
    ("trigger-data", _put("triggers/0/data", {}), "triggers/0/data", "trigger_data"),
    ("trigger-other-data", _put("triggers/0/data/anser", "x"), "triggers/0/data", "field_unknown"),
    ("trigger-from", _put("triggers/0/from", ["gone"]), "triggers/0/from", "state_unknown"),
    ("trigger-never", _put("triggers/0/from", ["sent"]), "triggers/0/from", "trigger_never"),
    ("trigger-clock", _put("triggers/0", {"on": "clock_ended", "clock": "tea", "command": "answer", "data": GIVEN}),
     "triggers/0/clock", "clock_unknown"),
    ("recheck", _put("recheck", {"state": "gone", "clear": "answer", "standing": "ask", "person": "ask"}),
     "recheck/state", "recheck_state_unknown"),
    ("recheck-command", _put("recheck", {"state": "sent", "clear": "look", "standing": "ask", "person": "ask"}),
     "recheck/clear", "recheck_command_unknown"),
    ("sites", _put("sites", "maybe"), "sites", "sites_unknown"),
    ("series", _put("numbering", {"series": "month"}), "numbering/series", "value_wrong"),
    # people
    ("role", _put("commands/accept/who", [{"roles": ["staf"]}]), "commands/accept/who", "role_unknown"),
    ("relation", _put("commands/accept/who", [{"relation": "friend"}]), "commands/accept/who", "relation_unknown"),
    ("who-none", _put("commands/accept/who", []), "commands/accept/who", "who_missing"),
    ("turn-role", _put("states/sent/turn", [{"roles": ["clerk"]}]), "states/sent/turn", "role_unknown"),
    ("visibility", _put("visibility", {"secret": [{"roles": ["staff"]}]}), "visibility/secret", "visibility_unknown"),
    ("arbiter", _put("arbiter", {"roles": ["judge"], "name": WORDS}), "arbiter/roles", "role_unknown"),
    ("approval", _put("commands/ask_more/approval", "leave"), "commands/ask_more/approval", "approval_unknown"),
    ("approval-level", _put("approvals/extension/levels", [[]]), "approvals/extension/levels", "approval_empty"),
    ("approval-role", _put("approvals/extension/levels", [[{"roles": ["boss"]}]]), "approvals/extension/levels",
     "role_unknown"),
    ("approval-then", _put("approvals/extension/then", {"extend": ["tea"]}), "approvals/extension/then/extend",
     "clock_unknown"),
    ("approval-then-key", _put("approvals/extension/then", {"extent": ["reply"]}), "approvals/extension/then/extent",
     "approval_then_unknown"),
    ("notice-on", _put("notify/0/on", ["sned"]), "notify/0/on", "notice_on_unknown"),
    ("notice-never", _put("notify/0/on", []), "notify/0/on", "notice_never"),
    ("notice-nobody", _put("notify/0/to", []), "notify/0/to", "notice_nobody"),
    ("notice-to", _put("notify/0/to", ["everybody"]), "notify/0/to", "notice_to_unknown"),
    ("notice-kind", _put("notify/0/to", ["group:x"]), "notify/0/to", "notice_to_unknown"),
    ("notice-role", _put("notify/0/to", ["role:boss"]), "notify/0/to", "role_unknown"),
    ("notice-channel", _put("notify/0/channel", ["pigeon"]), "notify/0/channel", "channel_unknown"),
    # fields
    ("required", _put("commands/accept/required", ["shoe"]), "commands/accept/required", "field_unknown"),
    ("optional-twice", _put("commands/accept/optional", ["level", "level", "visit_on"]), "commands/accept/optional",
     "twice"),
    ("both", _put("commands/report/optional", ["title"]), "commands/report/optional", "field_twice"),
    ("keep", _put("commands/accept/keep", ["answer"]), "commands/accept/keep", "keep_unknown"),
    ("pattern", _put("fields/answer/pattern", "[a-"), "fields/answer/pattern", "regex_invalid"),
    ("pattern-inner", _put("fields/rows/items/properties/title/pattern", "(("),
     "fields/rows/items/properties/title/pattern", "regex_invalid"),
    ("pattern-slow", _put("fields/answer/pattern", "(a+)+b"), "fields/answer/pattern", "regex_slow"),
    ("schema-type", _put("fields/answer/type", "text"), "fields/answer/type", "schema_wrong"),
    ("schema-key", _put("fields/answer/maxLenght", 9), "fields/answer/maxLenght", "key_unknown"),
    ("bounds", _put("fields/amount/minimum", 11), "fields/amount/minimum", "bounds_wrong"),
    ("enum-empty", _put("fields/unit/enum", []), "fields/unit/enum", "choices_none"),
    ("choice", _put("fields/level/choices", {"hihg": WORDS}), "fields/level/choices", "choice_unknown"),
    ("field-title", _put("fields/answer/title", "答复"), "fields/answer/title", "type_wrong"),
    ("form-command", _put("forms", {"anser": {"questions": []}}), "forms/anser", "form_command_unknown"),
    ("form-circle", _put("forms", {"accept": {"questions": [
        {"name": "visit_on", "type": "calculate", "calculation": "${visit_on} + 1"}]}}), "forms/accept", "form_wrong"),
    ("template-text", _put("templates/permit/text", [7]), "templates/permit", "template_wrong"),
    # verbs
    ("effect", _effect("fly"), "commands/answer/effects", "effect_unknown"),
    ("effect-param", _effect({"effect": "bounce", "times": 2}), "commands/answer/effects", "effect_param_unknown"),
    ("effect-missing", _effect({"effect": "end_dependents"}), "commands/answer/effects", "effect_param_missing"),
    ("effect-type", _effect({"effect": "copy_up", "fields": 3}), "commands/answer/effects", "effect_param_wrong"),
    ("issue", _effect({"effect": "issue", "template": "letter"}), "commands/answer/effects", "template_unknown"),
    ("spawn", _effect("spawn"), "commands/answer/effects", "spawn_nameless"),
    ("spawn-kind", _effect({"effect": "spawn", "definition": "bussiness_flow"}), "commands/answer/effects",
     "kind_unknown"),
    ("spawn-from", _effect({"effect": "spawn", "definition": "business_flow", "from": "rwos"}),
     "commands/answer/effects", "effect_field_unknown"),
    ("spawn-data", _effect({"effect": "spawn", "definition": "business_flow", "data": {"title": "${nam}"}}),
     "commands/answer/effects", "effect_field_unknown"),
    ("ask-field", _put("commands/ask/effects", [{"effect": "ask_party", "fields": ["anser"]}]), "commands/ask/effects",
     "effect_field_unknown"),
    ("ask-question", _put("commands/ask/effects", [{"effect": "ask_party", "question": "answer"}]),
     "commands/ask/effects", "effect_field_unknown"),
    ("copy-field", _effect({"effect": "copy_up", "fields": ["anser"]}), "commands/answer/effects",
     "effect_field_unknown"),
    ("guard", _guard(guard="dragon"), "commands/answer/guards", "guard_unknown"),
    ("guard-field", _guard(guard="form_complete", fields=["anser"]), "commands/answer/guards", "guard_field_unknown"),
    ("guard-record", _guard(guard="record_valid", field="licence"), "commands/answer/guards", "guard_field_unknown"),
    ("guard-missing", _guard(guard="record_valid"), "commands/answer/guards", "guard_incomplete"),
    ("guard-evidence", _guard(guard="evidence"), "commands/answer/guards", "guard_incomplete"),
    ("guard-clock", _guard(guard="within_clock", clock="tea"), "commands/answer/guards", "guard_clock_unknown"),
    ("guard-approval", _guard(guard="pending", approval="leave"), "commands/answer/guards", "guard_approval_unknown"),
    ("guard-document", _guard(guard="documents", types=["passport"]), "commands/answer/guards",
     "guard_document_unknown"),
    ("guard-param", _guard(guard="holds", expr="1 = 1", mesage="x"), "commands/answer/guards", "guard_param_unknown"),
    ("guard-type", _guard(guard="not_extended", times="twice"), "commands/answer/guards", "guard_param_wrong"),
    ("guard-name", _guard(guard="holds", expr="${amont} < 5"), "commands/answer/guards", "guard_field_unknown"),
    ("guard-syntax", _guard(guard="holds", expr="${amount} >= "), "commands/answer/guards", "guard_expression"),
    ("guard-types", _guard(guard="holds", expr="count-selected(${amount}) > 1"), "commands/answer/guards",
     "guard_expression"),
]  # fmt: skip
ADVICE: list[Broken] = [
    ("initial-closed", _put("initial", "done"), "initial", "initial_closed"),
    ("zh-missing", _put("states/sent/name", {"en": "Sent"}), "states/sent/name", "translation_missing"),
    ("en-missing", _put("commands/accept/name", {"zh": "签收"}), "commands/accept/name", "translation_missing"),
    ("field-en", _put("fields/answer/title", {"zh": "答复"}), "fields/answer/title", "translation_missing"),
    ("notice-en", _put("notify/0/text", {"zh": "新件"}), "notify/0/text", "translation_missing"),
    ("clock-idle", _put("clocks/visit", {"limit": {"value": 1, "unit": "work_day"}, "name": WORDS}), "clocks/visit",
     "clock_never_started"),
    ("clock-endless", _put("commands/answer/clocks", {}), "clocks/reply", "clock_never_stopped"),
    ("unreachable", _put("states/lost", {"stage": "end", "name": WORDS, "open": False}), "states/lost",
     "state_unreachable"),
    ("same-title", _put("commands/ask/name", names("答复", "Ask")), "commands/answer/name", "title_same"),
    ("notice-word", _put("notify/0/text", names("{titel}", "{titel}")), "notify/0/text", "word_unknown"),
    ("paper-word", _put("templates/permit/text", ["${anser}"]), "templates/permit/text", "word_unknown"),
    ("childless", lambda body: (_put("triggers/0", {"on": "children_closed", "command": "answer", "data": GIVEN})(body),
                                _put("commands/answer/effects", [])(body)), "triggers/0", "trigger_childless"),
]  # fmt: skip
