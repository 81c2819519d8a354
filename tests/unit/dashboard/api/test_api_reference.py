"""docs/api.md says what the routes are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from openapi_spec_validator import validate

from core.settings import Settings
from dashboard.factory import create_app
from dashboard.openapi import document, operations
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
    schema = document(app)
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


def test_the_openapi_description_is_valid_and_whole(settings: Settings) -> None:
    schema = document(create_app(settings, pages=False))
    validate(schema)
    assert schema["openapi"].startswith("3.1")
    for path, method, operation in operations(schema):
        said = {status: told for status, told in operation["responses"].items() if status.startswith("2")}
        assert said, f"{method} {path}: declare what it answers (**answers(…) or **sends(…))"
        for status, told in said.items():
            shapes = [part.get("schema") for part in told.get("content", {}).values()]
            empty = status == "204" or method in {"head", "options"} or path == "/api/uploads"
            assert empty or (shapes and all(shapes)), f"{method} {path}: declare the shape of {status}"
        assert "default" in operation["responses"], path
        assert not any("HTTPValidationError" in str(told) for told in operation["responses"].values()), path


def test_no_route_reads_the_query_by_hand() -> None:
    folder = TARGET.parent.parent / "dashboard"
    keys = {"interchange/partners.py", "interchange/open311.py"}  # a key may stand in the query
    for file in sorted(folder.rglob("*.py")):
        if "node_modules" in file.parts or file.relative_to(folder).as_posix() in keys:
            continue
        assert "request.query_params" not in file.read_text(encoding="utf-8"), f"{file}: declare a Filters group"


def test_the_printed_description_is_nothing_but_the_document(tmp_path: Path) -> None:
    bare = {k: v for k, v in os.environ.items() if not k.startswith("YIWANG_")} | {
        "YIWANG_DATA_DIR": str(tmp_path / "no")
    }
    command = [sys.executable, "-m", "app", "openapi", "--indent", "0"]
    done = subprocess.run(command, capture_output=True, env=bare, cwd=TARGET.parent.parent, timeout=120)
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["openapi"].startswith("3.1")
    assert not (tmp_path / "no").exists()
