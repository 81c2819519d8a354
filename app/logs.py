"""Logging of a process: one line a record, UTC, to standard error."""

from __future__ import annotations

import logging
import time


def configure(level: str) -> None:
    """Set up the root logger; quiet the libraries that narrate."""
    formatter = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("httpx", "httpcore", "nats", "uvicorn.access", "libav", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
