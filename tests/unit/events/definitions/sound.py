"""A sound definition of one kind of case."""

from __future__ import annotations

import copy
from typing import Any

Body = dict[str, Any]
WORDS = {"zh": "名", "en": "Name"}
STAFF = [{"roles": ["staff"], "relation": "lead_department"}]


def sound() -> Body:
    """A kind of case with a clock, a notice, an approval, documents, a trigger and an own field for each verb."""
    return copy.deepcopy(_SOUND)


def names(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}


_SOUND: Body = {
    "definition_id": "own_kind",
    "version": 1,
    "name": names("占道审批", "Street use"),
    "stages": [{"id": "open", "name": names("办理", "Open")}, {"id": "end", "name": names("结束", "End")}],
    "states": {
        "sent": {"stage": "open", "name": names("已提交", "Sent"), "turn": STAFF},
        "handling": {"stage": "open", "name": names("办理中", "In hand"), "turn": STAFF},
        "done": {"stage": "end", "name": names("办结", "Done"), "open": False},
    },
    "initial": "sent",
    "automatic": {"on_report": "give"},
    "fields": {
        "title": {"type": "string", "minLength": 1, "maxLength": 200, "title": names("标题", "Title")},
        "department_id": {"type": "string", "maxLength": 40, "title": names("部门", "Department")},
        "answer": {"type": "string", "maxLength": 2000, "title": names("答复", "Answer")},
        "level": {
            "enum": ["high", "low"],
            "choices": {"high": names("高", "High"), "low": names("低", "Low")},
            "title": names("等级", "Level"),
        },
        "visit_on": {"type": "string", "format": "date", "title": names("日期", "Date")},
        "amount": {"type": "number", "minimum": 0, "maximum": 10, "title": names("数额", "Amount")},
        "rows": {
            "type": "array",
            "maxItems": 5,
            "title": names("清单", "List"),
            "items": {"type": "object", "properties": {"title": {"type": "string", "title": names("事项", "Item")}}},
        },
        "value": {"type": "number", "title": names("数量", "Number")},
        "unit": {"enum": ["work_day"], "title": names("单位", "Unit")},
        "reason": {"type": "string", "title": names("理由", "Reason")},
    },
    "clocks": {
        "reply": {"limit": {"value": 3, "unit": "work_day"}, "name": names("答复", "Reply"), "remind": ["-1", "0"]}
    },
    "approvals": {"extension": {"levels": [[{"roles": ["manager"]}]], "then": {"extend": ["reply"]}}},
    "visibility": {"plain": [{"roles": ["staff"]}]},
    "shown_clock": ["reply"],
    "counting": {"on_time": "reply", "handled": ["done"], "guards": ["late_return"]},
    "documents": {"permit": names("许可", "Permit")},
    "templates": {"permit": {"title": "许可 ${number}", "text": ["答复：${answer}"], "prefix": "XK"}},
    "commands": {
        "report": {
            "name": names("登记", "Report"),
            "moves": [{"from": ["@new"], "to": "sent"}],
            "who": [{"roles": ["staff"]}],
            "required": ["title", "department_id"],
            "optional": ["rows", "amount"],
        },
        "give": {
            "name": names("派件", "Give"),
            "moves": [{"from": ["sent"]}],
            "who": [{"roles": ["system"]}],
            "required": ["department_id"],
            "clocks": {"start": ["reply"]},
            "effects": ["assign"],
        },
        "accept": {
            "name": names("签收", "Accept"),
            "moves": [{"from": ["sent"], "to": "handling"}],
            "who": STAFF,
            "effects": ["accept_part", "remember_state"],
            "optional": ["visit_on", "level"],
            "keep": ["visit_on"],
        },
        "ask": {
            "name": names("询问", "Ask"),
            "moves": [{"from": ["handling"]}],
            "who": STAFF,
            "required": ["reason"],
            "effects": [{"effect": "ask_party", "question": "reason", "fields": ["answer"]}],
        },
        "ask_more": {
            "name": names("申请延期", "Ask for time"),
            "moves": [{"from": ["handling"]}],
            "who": STAFF,
            "required": ["value", "unit", "reason"],
            "approval": "extension",
            "effects": ["request"],
            "guards": [{"guard": "no_pending", "approval": "extension"}, {"guard": "not_extended", "times": 1}],
        },
        "answer": {
            "name": names("答复", "Answer"),
            "moves": [{"from": ["handling"], "to": "done"}],
            "who": STAFF,
            "required": ["answer"],
            "optional": ["rows", "documents"],
            "keep": ["answer"],
            "clocks": {"stop": ["reply"]},
            "effects": [
                {"effect": "issue", "template": "permit"},
                "file_documents",
                {"effect": "spawn", "definition": "business_flow", "from": "rows"},
            ],
            "guards": [
                {"guard": "holds", "expr": "${amount} <= 5", "message": names("太多", "too much")},
                {"guard": "form_complete", "fields": ["answer"]},
                {"guard": "within_clock", "clock": "reply"},
            ],
        },
    },
    "notify": [
        {"on": ["give"], "to": ["lead_department"], "text": names("新件：{title}", "New: {title}"), "kind": "task"}
    ],
    "triggers": [
        {"on": "at", "field": "visit_on", "command": "answer", "from": ["handling"], "data": {"answer": "到期"}}
    ],
    "remind": ["-1 work_day", "0"],
}
_SOUND["fields"]["documents"] = {"type": "array", "maxItems": 5, "title": names("材料", "Documents")}
