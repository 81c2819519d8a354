"""What filings refuse."""

from __future__ import annotations

from core.errors import YiwangError


class FilingLocked(YiwangError):
    code = "filing_locked"
    message = "the filing of {unit} for {period} is locked: {why}"
    remedy = "ask whoever approved it to take it back"
    zh = "{unit} {period} 的填报已锁定：{why}"
    zh_remedy = "请批准的人收回"


class FilingChanged(YiwangError):
    code = "filing_changed"
    message = "the filing was changed by somebody else (version {version}, not {expected})"
    remedy = "load it again and repeat the change"
    zh = "填报已被别人改动（现为第 {version} 版，不是第 {expected} 版）"
    zh_remedy = "请重新载入，再改一次"


class FilingIncomplete(YiwangError):
    code = "filing_incomplete"
    message = "the filing has {count} problems"
    remedy = "correct the cells, or give a comment where a warning is right"
    zh = "填报有 {count} 个问题"
    zh_remedy = "请改正单元格；提示确属正确的，写明说明"


class NotYetApproved(YiwangError):
    code = "not_yet_approved"
    message = "{count} units below are not approved: {units}"
    remedy = "approve them first, or exempt them"
    zh = "下级还有 {count} 个单位未批准：{units}"
    zh_remedy = "请先批准，或予以豁免"
