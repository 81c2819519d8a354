"""The full-text index of cases is brought up to date when somebody searches."""

from __future__ import annotations

import threading
import time

from sqlalchemy import Engine

from storage import case_text
from storage.session import session_scope

AT_ONCE_S = 0.15  # how long a search waits for the index; a long backlog is worked off beside it
_backlog = threading.Lock()


def catch_up(engine: Engine) -> bool:
    """Bring the index up to date for a moment; a longer backlog goes on in a thread.  Is it up to date?"""
    if not _backlog.acquire(blocking=False):
        return False
    until = time.monotonic() + AT_ONCE_S
    try:
        while time.monotonic() < until:
            with session_scope(engine) as session:
                if case_text.catch_up(session, 200) < 200:
                    _backlog.release()
                    return True
    except BaseException:
        _backlog.release()
        raise
    threading.Thread(target=_work_off, args=(engine,), name="case-text", daemon=True).start()
    return False


def _work_off(engine: Engine) -> None:
    try:
        while True:
            with session_scope(engine) as session:
                if case_text.catch_up(session) < case_text.BATCH:
                    return
            time.sleep(0.02)  # others want to write too
    finally:
        _backlog.release()
