"""The API reference: ``python -m dashboard.reference`` writes docs/api.md from the routes themselves."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute

from dashboard.openapi import document
from dashboard.security import is_open

TARGET = Path(__file__).parent.parent / "docs" / "api.md"
_HEAD = """# REST API

Written by `python -m dashboard.reference` from the routes; a test holds it to them. All answers are JSON unless
said otherwise. The same as OpenAPI: `GET /api/openapi.json`.

- **Session**: `POST /api/login` sets the cookie `yiwang_session` (HttpOnly, SameSite=Lax); every change carries the
  answer's `csrf_token` as header `X-CSRF-Token`.
- **Rights**: "signed in" means that everybody may ask and sees what is his (docs/access.md). A thing that is not
  yours answers 404, a deed that is not yours 403.
- **Filters** stand in the query; one that is sent empty counts as not sent, one that does not fit is refused by name.
- **Errors** have one form, [ErrorAnswer](#erroranswer) (Open311 its standard's): 401 no session, 403 not allowed,
  404 not there, 409 the case moved or cannot move so, 413 too large, 422 a field is wrong (`field` names
  it), 429 too often, 503 a part of the platform does not answer.
- **Times** are ISO 8601 with zone; places are WGS-84 degrees. A repeated command with the same `idempotency_key`
  (or header `Idempotency-Key`) is carried out once.
"""


def flat_routes(routes: Any) -> list[Any]:
    """Every route, also those inside included routers."""
    found: list[Any] = []
    for route in routes:
        inner = getattr(route, "routes", None) or getattr(getattr(route, "original_router", None), "routes", None)
        found += flat_routes(inner) if inner and not isinstance(route, APIRoute) else [route]
    return found


def roles_of(route: Any) -> tuple[str, ...]:
    """The roles a route asks for, () when any signed-in person may ask."""
    for dependency in getattr(route, "dependencies", ()):
        roles = getattr(dependency.dependency, "roles", None)
        if roles:
            return tuple(roles)
    return ()


def reference(app: FastAPI) -> str:
    """docs/api.md: the routes with their filters, answers and errors, then every shape."""
    described = document(app)
    topics: dict[str, list[str]] = {}
    for route in flat_routes(app.routes):
        if isinstance(route, APIRoute) and route.include_in_schema:
            topic = str(route.tags[0]) if route.tags else "pages"
            topics.setdefault(topic, []).append(_line(route, described["paths"][route.path_format]))
        elif isinstance(route, APIWebSocketRoute):
            topics.setdefault("cameras", []).append(_line(route, {}))
    lines = [_HEAD]
    for topic in sorted(topics):
        lines += [f"## {topic}", "| route | who | what | filters | answer | errors |", "|---|---|---|---|---|---|"]
        lines += [*topics[topic], ""]
    lines += ["## Shapes", "Bodies and answers by name; `?` may be left out.  Answers may grow further fields."]
    for name, shape in sorted(described["components"]["schemas"].items()):
        lines += _shape(name, shape)
    return "\n".join(lines).rstrip() + "\n"


def _line(route: Any, methods: dict[str, Any]) -> str:
    method = "WS" if isinstance(route, APIWebSocketRoute) else "/".join(sorted(route.methods))
    who = ", ".join(roles_of(route)) or ("anybody" if is_open(route.path) else "signed in")
    told = methods.get(method.lower(), {})
    sent = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    text = " ".join((route.endpoint.__doc__ or "").split()).replace("|", "\\|").replace("``", "`")
    text += f" Body: {type_of(sent)}." if sent else ""
    filters = "<br>".join(_filter(p) for p in told.get("parameters", ()) if p["in"] == "query")
    answers = "<br>".join(f"{s} {_content(r)}".strip() for s, r in told.get("responses", {}).items() if s[0] == "2")
    errors = " ".join(s for s in told.get("responses", {}) if s[0] in "45")
    return f"| `{method} {route.path}` | {who} | {text} | {filters} | {answers} | {errors} |"


def _filter(parameter: dict[str, Any]) -> str:
    schema = parameter["schema"]
    low, high = schema.get("minimum", ""), schema.get("maximum", "")
    span = f" {low} … {high}" if low != "" or high != "" else ""
    default = f", default {schema['default']}" if schema.get("default") not in (None, "", False, []) else ""
    needed = ", required" if parameter.get("required") else ""
    said = schema.get("description") or parameter.get("description") or ""
    return f"`{parameter['name']}` {type_of(schema)}{span}{default}{needed}{f': {said}' if said else ''}".replace(
        "|", "\\|"
    )


def _content(response: dict[str, Any]) -> str:
    if not response.get("content"):
        return str(response["description"])
    return ", ".join(
        type_of(part["schema"]) if "json" in media else f"`{media}`" for media, part in response["content"].items()
    )


def type_of(schema: dict[str, Any]) -> str:
    """A JSON Schema in a few words; named shapes as links."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return " or ".join(dict.fromkeys(type_of(part) for part in schema[word]))
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    kind = schema.get("format") or schema.get("type") or "anything"
    if kind == "array" and schema.get("items"):
        return f"list of {type_of(schema['items'])}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict) and schema["additionalProperties"]:
        return f"object of {type_of(schema['additionalProperties'])}"
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _shape(name: str, shape: dict[str, Any]) -> list[str]:
    head = " ".join(str(shape.get("description", "")).split()).replace("``", "`")
    lines = ["", f"### {name}", *([head] if head else [])]
    if not shape.get("properties"):
        return [*lines, "", type_of(shape)] if not head else lines
    lines += ["", "| field | type | default |", "|---|---|---|"]
    for field, inner in shape["properties"].items():
        default = (
            f"`{inner['default']}`" if "default" in inner else "required" if field in shape.get("required", ()) else "?"
        )
        lines.append(f"| `{field}` | {type_of(inner)} | {default} |".replace(" | None", ""))
    return lines


def main() -> int:
    """Write docs/api.md."""
    from core.settings import load_settings
    from dashboard.factory import create_app

    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings({"YIWANG_DATA_DIR": folder})
        TARGET.write_text(reference(create_app(settings, pages=False)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
