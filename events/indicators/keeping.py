"""What is kept of each case is brought up to date when somebody asks for indicators."""

from __future__ import annotations

import logging
import threading
import time

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from events.indicators import tally
from events.indicators.evaluation import rulebook
from storage.session import session_scope

AT_ONCE_S = 0.1  # how long an answer waits for it; a long backlog is worked off beside it
log = logging.getLogger("yiwang.indicators")
_backlog = threading.Lock()


def keep_up(engine: Engine) -> None:
    """Bring it up to date for a moment; a longer backlog goes on in a thread.  An answer never depends on it."""
    if not _backlog.acquire(blocking=False):
        return
    until = time.monotonic() + AT_ONCE_S
    try:
        while time.monotonic() < until:
            with session_scope(engine) as session:
                if tally.catch_up(session, rulebook().guards, 100) < 100:
                    _backlog.release()
                    return
    except SQLAlchemyError as error:
        log.warning("indicators are counted from the cases: %s", error)
        _backlog.release()
        return
    except BaseException:
        _backlog.release()
        raise
    threading.Thread(target=_work_off, args=(engine,), name="case-tally", daemon=True).start()


def _work_off(engine: Engine) -> None:
    try:
        while True:
            with session_scope(engine) as session:
                if tally.catch_up(session, rulebook().guards) < tally.BATCH:
                    return
            time.sleep(0.02)  # others want to write too
    except SQLAlchemyError as error:
        log.warning("indicators are counted from the cases: %s", error)
    finally:
        _backlog.release()
