"""What campaigns refuse."""

from __future__ import annotations

from core.errors import YiwangError


class CampaignMoveIllegal(YiwangError):
    code = "campaign_move_illegal"
    message = "{campaign} is {state}"
    remedy = "only an open campaign and a planned visit can be changed"
    zh = "{campaign} 处于 {state} 状态"
    zh_remedy = "只有进行中的专项和计划中的走访可以改动"
