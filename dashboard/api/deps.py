"""What every route begins with: the services, who asks, and whether he may."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict

import msgspec
from fastapi import Depends, Response
from sqlalchemy import text as sql
from sqlalchemy.orm import Session
from starlette.requests import HTTPConnection

from core.errors import Forbidden
from core.late import Late
from dashboard.accounts.confirming import must_be_confirmed
from dashboard.auth import Principal
from dashboard.errors import NotSignedIn
from dashboard.services import Services

if TYPE_CHECKING:
    from events.evidence import audit_log
else:
    audit_log = Late("events.evidence.audit_log")

_encoder = msgspec.json.Encoder()

CENTRE = ("admin", "operator", "dispatcher", "manager", "viewer")  # the command centre sees the whole district


def services_of(connection: HTTPConnection) -> Services:
    """The shared services."""
    services: Services = connection.app.state.services
    return services


def principal_of(connection: HTTPConnection) -> Principal:
    """Who asks; the gate put it there."""
    principal: Principal | None = connection.scope.get("state", {}).get("principal")
    if principal is None:
        raise NotSignedIn()
    return principal


Use = Annotated[Services, Depends(services_of)]
Who = Annotated[Principal, Depends(principal_of)]


def leaves_the_house(connection: HTTPConnection) -> None:
    """An export: the person must have proved within the last quarter of an hour to be there."""
    must_be_confirmed(principal_of(connection), services_of(connection).clock.now())


EXPORT = Depends(leaves_the_house)


def allow(*roles: str) -> Any:
    """A dependency: the person must hold one of ``roles``."""
    return Depends(_allowed(*roles))


def must_be(principal: Principal, *roles: str) -> None:
    """Who acts must hold one of ``roles``.

    Raises:
        Forbidden: he holds none of them.
    """
    if not principal.has(*roles):
        raise Forbidden(action=f"do this without one of the roles {', '.join(roles)}")


def _allowed(*roles: str) -> Callable[[HTTPConnection], Principal]:
    def check(connection: HTTPConnection) -> Principal:
        principal = principal_of(connection)
        must_be(principal, *roles)
        return principal

    check.__dict__["roles"] = roles
    return check


BODIES: dict[str, type[Any]] = {}  # bodies by name, for the API reference
ANSWERS: dict[str, type[Any]] = {}  # answers by name


class Done(TypedDict):
    """It was done."""

    ok: bool


def answers(
    kind: type[Any],
    *statuses: int,
    media: str = "application/json",
    shape: Literal["one", "rows", "either"] = "one",
) -> dict[str, Any]:
    """Arguments of a route whose answer is ``kind`` (a record, dataclass or TypedDict) as JSON, or ``rows`` of it.

    ``statuses``: 200, or those that carry it, the usual one first.  The answer stays ready JSON: it is described, and
    checked in tests, never converted on the way out.
    """
    if ANSWERS.setdefault(kind.__name__, kind) is not kind:
        raise TypeError(f"two answers are called {kind.__name__}: {kind.__module__}")
    one: dict[str, Any] = {"$ref": f"#/components/schemas/{kind.__name__}"}
    shapes = {"one": one, "rows": {"type": "array", "items": one}, "either": {"anyOf": [one, {"type": "array"}]}}
    said = {"description": _first_line(kind), "content": {media: {"schema": shapes[shape]}}}
    given = statuses or (200,)
    return {"status_code": given[0], "responses": dict.fromkeys(given, said)}


def sends(
    *media: str, status: int = 200, what: str = "a file", bare: Mapping[int, str] | None = None
) -> dict[str, Any]:
    """Arguments of a route that answers a file of one of these media types; none: no content.

    ``bare``: refusals without a body, by status.
    """
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in media}
    said = {"description": what, **({"content": content} if content else {})}
    refused = {code: {"description": text} for code, text in (bare or {}).items()}
    return {"status_code": status, "responses": {status: said, **refused}, "response_class": Response}


def _first_line(kind: type[Any]) -> str:
    return (kind.__doc__ or kind.__name__).strip().split("\n")[0].replace("``", "`")


def takes(kind: type[Any]) -> dict[str, Any]:
    """``openapi_extra`` of a route whose body is ``kind``."""
    BODIES[kind.__name__] = kind
    reference = {"$ref": f"#/components/schemas/{kind.__name__}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": reference}}}}


_OBJECT = {"type": "object"}
_BINARY = {"type": "string", "format": "binary"}


def takes_file(*media: str) -> dict[str, Any]:
    """``openapi_extra`` of a route whose body is a file of one of these media types, or a form, or free JSON."""
    shapes = {kind: {"schema": _OBJECT if "json" in kind or "form" in kind else _BINARY} for kind in media}
    return {"requestBody": {"required": True, "content": shapes}}


def respond(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """``value`` (records, dicts, datetimes) as JSON."""
    return Response(_encoder.encode(value), status, headers, media_type="application/json")


def packed(request: HTTPConnection, value: Any) -> Response:
    """:func:`respond`, compressed where the client takes that: lists for phones on slow lines shrink to a tenth."""
    body = _encoder.encode(value)
    if len(body) < 1024 or "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(body, media_type="application/json", headers={"Vary": "Accept-Encoding"})
    head = {"Vary": "Accept-Encoding", "Content-Encoding": "gzip"}
    return Response(gzip.compress(body, 5, mtime=0), media_type="application/json", headers=head)


def audit(session: Session, use: Services, who: Principal, action: str, content: Mapping[str, Any]) -> None:
    """A link of the system's audit chain, inside the caller's transaction."""
    if session.get_bind().dialect.name == "postgresql":
        # One chain, several writers: they queue for the length of this transaction.
        session.execute(sql("SELECT pg_advisory_xact_lock(90210)"))
    audit_log.append(session, audit_log.SYSTEM_CHAIN, use.clock.now(), who.actor.user_id, action, content)
