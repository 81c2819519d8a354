"""How much one person may upload in a day: enough for every honest day's work, too little to fill a disk."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import YiwangError
from storage.tables.cases import CaseEvidence

DAY = timedelta(days=1)
FILES = 500
BYTES = 4_000_000_000


class QuotaExceeded(YiwangError):
    code = "quota_exceeded"
    message = "you have uploaded {files} files with {megabytes} MB in the last 24 hours, the limit is reached"
    remedy = "go on tomorrow, or ask an administrator to upload them for you"
    zh = "您 24 小时内已上传 {files} 个文件、{megabytes} MB，已到上限"
    zh_remedy = "请明天再传，或请管理员代传"


def check_quota(session: Session, user_id: str, now: datetime, coming_bytes: int = 0) -> None:
    """:class:`QuotaExceeded` when ``coming_bytes`` more would pass what a person may upload in 24 hours."""
    count, size = session.execute(
        select(func.count(), func.coalesce(func.sum(CaseEvidence.size_bytes), 0)).where(
            CaseEvidence.added_by == user_id, CaseEvidence.added_at > now - DAY
        )
    ).one()
    if count >= FILES or size + coming_bytes > BYTES:
        raise QuotaExceeded(files=count, megabytes=int(size) // 1_000_000, retry_after_s=3600)
