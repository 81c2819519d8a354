"""docs/api.md says what the routes are."""

from __future__ import annotations

from core.settings import Settings
from dashboard.factory import create_app
from dashboard.openapi import add_bodies
from dashboard.reference import TARGET, flat_routes, reference


def test_the_reference_is_current(settings: Settings) -> None:
    text = reference(create_app(settings, pages=False))
    assert text == TARGET.read_text(encoding="utf-8"), "run python -m dashboard.reference"
    assert "`POST /api/cases/{case_id}/commands`" in text and "`WS /api/cameras/{camera_id}/video`" in text


def test_every_route_is_described(settings: Settings) -> None:
    app = create_app(settings, pages=False)
    for route in flat_routes(app.routes):
        if getattr(route, "include_in_schema", False):
            assert (route.endpoint.__doc__ or "").strip(), route.path


def test_every_reference_in_the_openapi_description_resolves(settings: Settings) -> None:
    app = create_app(settings, pages=False)
    schema = add_bodies(app.openapi())
    known = {f"#/components/schemas/{name}" for name in schema["components"]["schemas"]}

    def walk(value: object) -> None:
        if isinstance(value, dict):
            if "$ref" in value:
                assert value["$ref"] in known, value["$ref"]
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(schema)
