"""The OpenAPI 3.1 description of the routes: filters, bodies, answers, errors, who may ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from fastapi import FastAPI

from dashboard.api.deps import ANSWERS, BODIES
from dashboard.security import COOKIE, is_open

CHANGES = frozenset({"post", "put", "patch", "delete"})
_SAID = {
    "400": "the request is not valid; `field` names what",
    "401": "no session, or a wrong key",
    "403": "this person may not",
    "404": "not there, or not this person's to see",
    "409": "somebody was faster, or the state does not allow it",
    "413": "the body is too large",
    "422": "a filter or field is wrong; `field` names it",
    "429": "too often; `Retry-After` says when",
    "503": "a part of the platform does not answer; `Retry-After` says when",
    "default": "every other error, in the same form",
}


class ErrorAnswer(msgspec.Struct):
    """Every error: its code, what is wrong, what to do; more by code (`field`, `retry_after_s` …)."""

    error: str
    message: str
    remedy: str
    field: str | msgspec.UnsetType = msgspec.UNSET


class Open311Error(msgspec.Struct):
    """An error in GeoReport v2's form: the status and a sentence."""

    code: int
    description: str


def document(app: FastAPI) -> dict[str, Any]:
    """The whole description.  What FastAPI knows is completed with the shapes of bodies, answers and errors."""
    schema = app.openapi()
    kinds = [*(BODIES[name] for name in sorted(BODIES)), *(ANSWERS[name] for name in sorted(ANSWERS))]
    _, shapes = msgspec.json.schema_components(
        [*kinds, ErrorAnswer, Open311Error], ref_template="#/components/schemas/{name}"
    )
    parts = schema.setdefault("components", {})
    known = {k: v for k, v in parts.get("schemas", {}).items() if k not in {"HTTPValidationError", "ValidationError"}}
    parts["schemas"] = known | msgspec.json.decode(msgspec.json.encode(shapes))  # tuples as lists
    parts["securitySchemes"] = {
        "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
        "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
        "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    for path, method, operation in operations(schema):
        _complete(path, method, operation)
    return schema


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every path, method and operation of a description."""
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _without_null(parameter["schema"])
    for said in operation["responses"].values():
        content = said.get("content", {})
        if content.get("application/json") == {"schema": {}}:
            del content["application/json"]
    for status in _errors(path, method, operation):
        operation["responses"].setdefault(status, {"description": _SAID[status], "content": _form(path)})
    operation["security"] = _security(path, method)


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A filter is sent or not: there is no null in a query."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    rest = {k: v for k, v in schema.items() if k != "anyOf" and not (k == "default" and v is None)}
    return {**kinds[0], **rest}


def _errors(path: str, method: str, operation: dict[str, Any]) -> list[str]:
    wrong = "400" if path.startswith(("/ogc", "/api/sensorthings", "/open311")) else "422"
    found = ["429", "503", "default"]
    if not is_open(path):
        found += ["401", "403"]
    if "{" in path:
        found.append("404")
    if operation.get("parameters") or operation.get("requestBody") or method in CHANGES:
        found.append(wrong)
    if method in CHANGES:
        found += ["409", "413"]
    operation["responses"].pop("422", None)
    return sorted(found)


def _form(path: str) -> dict[str, Any]:
    if path.startswith("/open311"):
        each = {"type": "array", "items": {"$ref": "#/components/schemas/Open311Error"}}
        return {"application/json": {"schema": each}, "text/xml": {"schema": {"type": "string"}}}
    return {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}}


def _security(path: str, method: str) -> list[dict[str, list[str]]]:
    if path.startswith(("/ogc", "/api/sensorthings")):
        return [{"session": []}, {"key": []}]
    if path.startswith("/open311"):
        return [{"key": []}]
    if is_open(path):
        return []
    return [{"session": [], "csrf": []}] if method in CHANGES else [{"session": []}]
