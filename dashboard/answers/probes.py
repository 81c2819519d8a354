"""Answers to whoever watches the installation or reads its description."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class HealthPart(TypedDict):
    """One part of the platform."""

    ok: bool
    code: str
    detail: NotRequired[str]


class HealthReport(TypedDict):
    """Whether the city hears and writes; every part by itself."""

    ok: bool
    bus: bool
    parts: dict[str, HealthPart]


class Description(TypedDict):
    """This description (OpenAPI 3.1)."""

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]
    components: dict[str, Any]
