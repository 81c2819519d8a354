"""Documents of a script: as if their sender had uploaded them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from core.ids import new_id
from core.officefile import PDF, SUFFIXES
from storage.tables.uploads import Upload


def uploaded(session: Session, each: Any, who: str, now: datetime) -> Any:
    """A script's document with an upload of ``who``'s behind it; what names an upload itself stays as it is."""
    if not isinstance(each, Mapping) or each.get("upload_id"):
        return each
    name = str(each.get("name") or each.get("type") or "document")[:150]
    media_type = next((kind for kind, end in SUFFIXES.items() if name.lower().endswith(end)), PDF)
    if not name.lower().endswith(SUFFIXES[media_type]):
        name += SUFFIXES[media_type]
    sha256, key = hashlib.sha256(name.encode()).hexdigest(), new_id()
    session.add(
        Upload(
            upload_id=key, owner=f"user:{who}", idem_key=key, target="document", name=name, size=len(name),
            received=len(name), parts=[], facts={}, state="ready", problem={}, sha256=sha256,
            uri=f"{sha256[:2]}/{sha256}{SUFFIXES[media_type]}", media_type=media_type, kind="document",
            created_at=now, finished_at=now, expires_at=now + timedelta(days=14),
        )
    )  # fmt: skip
    return {"type": each.get("type"), "upload_id": key}
