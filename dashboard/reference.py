"""The API reference: ``python -m dashboard.reference`` writes docs/api.md from the routes themselves."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute

from dashboard.api.deps import BODIES

TARGET = Path(__file__).parent.parent / "docs" / "api.md"
_HEAD = """# REST API

Written by `python -m dashboard.reference` from the routes; a test holds it to them. All answers are JSON unless
said otherwise. The same as OpenAPI: `GET /api/openapi.json`.

- **Session**: `POST /api/login` sets the cookie `yiwang_session` (HttpOnly, SameSite=Lax); every change carries the
  answer's `csrf_token` as header `X-CSRF-Token`.
- **Rights**: "signed in" means that everybody may ask and sees what is his (docs/access.md). A thing that is not
  yours answers 404, a deed that is not yours 403.
- **Errors**: `{"error": code, "message": text, "remedy": text, …}`; 401 no session, 403 not allowed, 404 not there,
  409 the case moved or cannot move so, 413 too large, 422 a field is wrong (`field` names it), 429 too often, 503 a
  part of the platform does not answer.
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
    """docs/api.md."""
    topics: dict[str, list[Any]] = {}
    for route in flat_routes(app.routes):
        if isinstance(route, APIRoute) and route.include_in_schema:
            topics.setdefault(str(route.tags[0]) if route.tags else "pages", []).append(route)
        elif isinstance(route, APIWebSocketRoute):
            topics.setdefault("cameras", []).append(route)
    lines = [_HEAD]
    for topic in sorted(topics):
        lines += [f"## {topic}", "| route | who | what |", "|---|---|---|"]
        lines += [_line(route) for route in topics[topic]]
        lines.append("")
    lines += ["## Bodies"]
    for name in sorted(BODIES):
        lines += _body(BODIES[name])
    return "\n".join(lines).rstrip() + "\n"


def _line(route: Any) -> str:
    from dashboard.security import is_open

    method = "WS" if isinstance(route, APIWebSocketRoute) else "/".join(sorted(route.methods))
    who = ", ".join(roles_of(route)) or ("anybody" if is_open(route.path) else "signed in")
    text = " ".join((route.endpoint.__doc__ or "").split()).replace("|", "\\|").replace("``", "`")
    extra = getattr(route, "openapi_extra", None) or {}
    content = extra.get("requestBody", {}).get("content", {}).get("application/json", {})
    kind = content.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
    return f"| `{method} {route.path}` | {who} | {text}{f' Body: `{kind}`.' if kind else ''} |"


def _body(kind: type[Any]) -> list[str]:
    head = " ".join((kind.__doc__ or "").split()).replace("``", "`")
    lines = ["", f"**{kind.__name__}** — {head}", "", "| field | type | default |", "|---|---|---|"]
    for field in msgspec.structs.fields(kind):
        default = "required" if field.required else "–" if field.default is msgspec.UNSET else f"`{_default(field)}`"
        lines.append(f"| `{field.encode_name}` | `{_type(field.type)}` | {default} |")
    return lines


def _default(field: Any) -> Any:
    return field.default if field.default is not msgspec.NODEFAULT else field.default_factory()


def _type(kind: Any) -> str:
    text = kind.__name__ if isinstance(kind, type) and not hasattr(kind, "__args__") else str(kind)
    for noise in (
        "typing.",
        "msgspec.",
        "_core.",
        "datetime.",
        "events.rules.findings.",
        "core.records.",
        "core.geo.homography.",
    ):
        text = text.replace(noise, "")
    return text.replace("dashboard.api.", "").replace(" | UnsetType", "").replace("|", "\\|")


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
