"""The whole description against the application: schemathesis' requests, made to reach real cases, cameras, devices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec
import schemathesis
from fastapi.testclient import TestClient
from schemathesis import Case
from schemathesis.checks import CHECKS, load_all_checks

from dashboard.openapi import document, operations
from tests.unit.dashboard.web import PASSWORD, Office

LEFT_OUT = {
    ("get", "/api/live"): "a stream without end",
    ("post", "/api/logout"): "the next request would have no session",
}
load_all_checks()
_CHECKED = CHECKS.get_by_names(["status_code_conformance", "content_type_conformance", "response_schema_conformance"])


@dataclass
class Fuzz:
    """An office with some work in it, and a description whose ids are often those that are there."""

    office: Office
    client: TestClient
    described: dict[str, Any]
    schema: Any

    def try_one(self, case: Case) -> None:
        """Send a request and hold the answer to the description; :class:`schemathesis.FailureGroup` else."""
        sent = case.as_transport_kwargs(base_url="http://testserver")
        wanted = {
            k: v for k, v in sent.items() if k in {"params", "json", "data", "files", "headers"} and v is not None
        }
        wanted["headers"] = {k: v for k, v in (wanted.get("headers") or {}).items() if k.lower() not in _OURS}
        data = wanted.pop("data", None)
        if isinstance(data, (str, bytes)):
            wanted["content"] = data
        elif data is not None:
            wanted["data"] = data
        answer = self.client.request(sent["method"], urlsplit(sent["url"]).path, **wanted)
        if answer.status_code == 401 and case.path != "/api/login":
            self.sign_in()
        assert answer.status_code != 500, case.as_curl_command()  # 503 is an answer: a part does not answer
        case.validate_response(answer, checks=_CHECKED)

    def sign_in(self) -> None:
        """A session and its token."""
        answer = self.client.post("/api/login", json={"login": "boss", "password": PASSWORD})
        if answer.status_code == 200:
            self.client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]


_OURS = {"cookie", "x-csrf-token", "x-api-key", "authorization", "host", "content-length"}


def fuzz_of(office: Office) -> Fuzz:
    """Everything but what cannot be asked so."""
    client = office.client("boss")
    described = document(office.app)
    for path, method, _ in list(operations(described)):
        if (method, path) in LEFT_OUT or method in {"head", "options"}:
            del described["paths"][path][method]
    known = {
        "case_id": _case(client), "camera_id": "c-fire", "device_id": "gb26875:889", "layer": "cases", "form": "json",
        "name": "cases", "grid": "WebMercatorQuad", "user_id": "nobody",
        "board_id": client.get("/api/boards").json()["items"][0]["id"],
    }  # fmt: skip
    return Fuzz(office, client, described, schemathesis.openapi.from_dict(_reaching(described, known)))


def _case(client: TestClient) -> str:
    """A case by hand at the fire site, with a photograph's worth of history."""
    sent = {"title": "Blocked way out", "description": "boxes", "site_id": "s-fire"}
    made = client.post("/api/cases", json=sent)
    assert made.status_code == 201, made.text
    return str(made.json()["case_id"])


def _reaching(described: dict[str, Any], known: dict[str, str]) -> dict[str, Any]:
    """A copy in which a part of the path is one that is there, or any short text."""
    made: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(described))
    for _, _, operation in operations(made):
        sent = operation.get("requestBody", {}).get("content", {})
        if sent and set(sent) != {"application/json"}:  # files: any bytes
            operation["requestBody"]["content"] = {"application/octet-stream": {"schema": _BYTES}}
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "path" and parameter["schema"].get("type") == "string":
                names = {"enum": [known[parameter["name"]]]} if parameter["name"] in known else {}
                parameter["schema"] = {"anyOf": [*([names] if names else []), _WORD]}
    return made


_BYTES = {"type": "string", "format": "binary"}
_WORD = {"type": "string", "minLength": 1, "maxLength": 40, "pattern": "^[^/%]+$"}
