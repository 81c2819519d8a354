"""Drones: as ``python -m bench drones``, under the name of ``python -m app drone``."""

from __future__ import annotations

from bench.drones import configure, run

__all__ = ["configure", "run"]
