"""A throw-away instance on free ports in a folder of its own: for the self-test, benchmarks and tests."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path

from app.run import children, until_ready
from app.supervise import ChildSpec, Family
from core.settings import Settings, load_settings

PORTS = ("WEB", "NATS", "MQTT", "PANEL", "SL651", "HJ212", "JT808", "INGEST_HTTP", "OUTSIDE")
ALL = ("nats-server", "worker", "ingest", "vision", "web")


def free_ports() -> dict[str, str]:
    """``YIWANG_*_PORT`` variables with ports that nobody listens on at this moment."""
    probes = [socket.socket() for _ in PORTS]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return {f"YIWANG_{n}_PORT": str(p.getsockname()[1]) for n, p in zip(PORTS, probes, strict=True)}
    finally:
        for probe in probes:
            probe.close()


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The environment of an instance in ``folder``; whatever the caller's own ``YIWANG_*`` say is left out."""
    return {"YIWANG_DATA_DIR": str(folder / "data"), **free_ports(), **more}


def settings_of(env: dict[str, str]) -> Settings:
    """The settings that the instance's processes will see."""
    return load_settings(env)


@asynccontextmanager
async def throwaway(
    env: dict[str, str], say: Callable[[str], None], processes: Collection[str] = ALL
) -> AsyncIterator[Family]:
    """Run ``processes`` with ``env``; stopped at the end, whatever happens.  The database must be migrated before."""
    settings = settings_of(env)
    family = Family(settings.data_dir / "logs", say)
    try:
        for spec in children(settings, demo=False):
            if spec.name in processes:
                family.start(ChildSpec(spec.name, spec.command, spec.env or env))
        if "web" in processes:
            await until_ready(settings, asyncio.Event())
        yield family
    finally:
        await family.stop()
