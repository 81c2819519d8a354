"""The OpenAPI description of the routes, with the shapes of their bodies."""

from __future__ import annotations

from typing import Any

import msgspec

from dashboard.api.deps import BODIES


def add_bodies(schema: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI description with the bodies' schemas."""
    kinds = [BODIES[name] for name in sorted(BODIES)]
    _, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    schema.setdefault("components", {}).setdefault("schemas", {}).update(components)
    return schema
