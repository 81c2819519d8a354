"""Starters: connections to the district's usual feeders, to begin from (``ingest/connections/starters/*.yaml``)."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

from ingest.yamltext import read_yaml


@cache
def starters() -> dict[str, dict[str, Any]]:
    """Name → ``{"title": {zh, en}, "kind", "interval_s", "params", "mapping"}``."""
    folder = resources.files("ingest.connections").joinpath("starters")
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    return {f.name.removesuffix(".yaml"): {"interval_s": 60, **read_yaml(f.read_text(encoding="utf-8"))} for f in files}
