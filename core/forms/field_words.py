"""Names of fields and choices that definitions share and need not name again: parts of a limit, a part's fields."""

from __future__ import annotations

from typing import Final

Words = dict[str, str]

TITLES: Final[dict[str, Words]] = {
    "value": {"zh": "数量", "en": "Number"},
    "unit": {"zh": "单位", "en": "Unit"},
    "limit": {"zh": "时限", "en": "Limit"},
    "department_id": {"zh": "部门", "en": "Department"},
    "user_id": {"zh": "人员", "en": "Person"},
    "duty": {"zh": "职责", "en": "Duty"},
    "after": {"zh": "在其之后（部门编号）", "en": "After (department id)"},
    "title": {"zh": "标题", "en": "Title"},
    "description": {"zh": "说明", "en": "Description"},
    "type": {"zh": "种类", "en": "Kind"},
    "upload_id": {"zh": "文件", "en": "File"},
    "item": {"zh": "内容", "en": "Content"},
    "severity": {"zh": "等级", "en": "Severity"},
    "comment": {"zh": "备注", "en": "Remark"},
}
CHOICES: Final[dict[str, dict[str, Words]]] = {
    "unit": {
        "work_hour": {"zh": "工作小时", "en": "working hours"},
        "work_day": {"zh": "工作日", "en": "working days"},
        "urgent_hour": {"zh": "小时", "en": "hours"},
        "urgent_day": {"zh": "自然日", "en": "days"},
    },
    "purpose": {
        "finding": {"zh": "发现时", "en": "finding"},
        "before": {"zh": "处置前", "en": "before"},
        "after": {"zh": "处置后", "en": "after"},
        "check": {"zh": "核查", "en": "check"},
        "other": {"zh": "其他", "en": "other"},
    },
}
