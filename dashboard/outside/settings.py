"""Settings of the outside door: its own, and never those of the inside.

``make run`` and docker compose hand the process the ``YIWANG_OUTSIDE_*`` variables alone.  Started by hand on the
machine of an installation, what is missing comes from the installation's own settings.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.settings import load_settings, outside_variables

VARIABLES = (
    "HOST", "PORT", "URL", "SECRET", "NATS_URL", "NATS_TOKEN", "DATABASE_URL", "PREFIX", "PROXIES", "LOG_LEVEL",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class OutsideSettings:
    """``database_url`` of the narrow role (PostgreSQL), else the bus is the way in."""

    host: str
    port: int
    url: str
    secret: str = field(repr=False)
    nats_url: str = ""
    nats_token: str = field(default="", repr=False)
    database_url: str = field(default="", repr=False)
    prefix: str = ""
    proxies: str = ""
    log_level: str = "INFO"


def outside_settings(env: Mapping[str, str] | None = None) -> OutsideSettings:
    """From ``YIWANG_OUTSIDE_*``; what is not there from the installation's settings."""
    env = os.environ if env is None else env
    given = {name: env[f"YIWANG_OUTSIDE_{name}"] for name in VARIABLES if f"YIWANG_OUTSIDE_{name}" in env}
    if "SECRET" not in given or not ("NATS_URL" in given or "DATABASE_URL" in given):
        own = outside_variables(load_settings(env))
        given = {name.removeprefix("YIWANG_OUTSIDE_"): value for name, value in own.items()} | given
    port = int(given.get("PORT", "8640"))
    return OutsideSettings(
        host=given.get("HOST", "127.0.0.1"),
        port=port,
        url=given.get("URL", f"http://127.0.0.1:{port}").rstrip("/"),
        secret=given["SECRET"],
        nats_url=given.get("NATS_URL", ""),
        nats_token=given.get("NATS_TOKEN", ""),
        database_url=given.get("DATABASE_URL", ""),
        prefix=given.get("PREFIX", ""),
        proxies=given.get("PROXIES", ""),
        log_level=given.get("LOG_LEVEL", "INFO"),
    )
