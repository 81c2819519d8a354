"""``/api/sensorthings/v1.1``: OGC SensorThings 1.1 for other departments' clients (FROST client, QGIS, GDAL).

Signed in, or with a key (``python -m app api-key create … --scope sensorthings``) as ``X-API-Key``, ``Authorization:
Bearer``, HTTP Basic password or ``api_key``.  Entities are created with a key of scope ``sensorthings_write``: Things
as devices in quarantine, Observations the way of every device's readings.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from core.errors import InputInvalid, NotFound
from core.records import Actor
from dashboard.answers.standards import SensorThingsEntity, SensorThingsRoot
from dashboard.api.deps import Use, answers, respond, takes_file
from dashboard.interchange.partners import SENSORTHINGS, SENSORTHINGS_WRITE, actor_of
from dashboard.sensorthings.create import INVERSE
from dashboard.sensorthings.model import LARGEST, NAVIGATION, PAGE, SETS, Entity, Page, Store
from dashboard.sensorthings.odata import Options, parse
from dashboard.sensorthings.posting import create_many, create_one
from dashboard.services import Services
from storage.session import read_scope

router = APIRouter(tags=["sensorthings"])

ROOT = "/api/sensorthings/v1.1"
_STEP = re.compile(r"([A-Za-z]+|\$value|\$ref)(?:\((?:'((?:[^']|'')*)'|([^')]+))\))?")
CONFORMANCE = [
    f"http://www.opengis.net/spec/iot_sensing/1.1/req/{part}"
    for part in ("datamodel", "resource-path/resource-path-to-entities", "request-data",
                 "create-update-delete/create-entity", "data-array/data-array")
]  # fmt: skip


@router.get(ROOT, **answers(SensorThingsRoot))
@router.get(ROOT + "/", include_in_schema=False)
def root(request: Request, use: Use) -> Response:
    """What is served: only the entity sets that there are."""
    actor_of(use, request, SENSORTHINGS, SENSORTHINGS_WRITE)
    base = _base(request)
    sets = [{"name": name, "url": f"{base}/{name}"} for name in SETS]
    return respond({"value": sets, "serverSettings": {"conformance": CONFORMANCE}})


class ODataOptions(BaseModel):
    """OData's query options as SensorThings has them (18-088, clause 9.3); others are refused by name."""

    model_config = ConfigDict(extra="allow")
    filter: str | None = Field(None, alias="$filter")
    orderby: str | None = Field(None, alias="$orderby")
    top: str | None = Field(None, alias="$top", description="0 … 1,000")
    skip: str | None = Field(None, alias="$skip")
    count: str | None = Field(None, alias="$count")
    select: str | None = Field(None, alias="$select")
    expand: str | None = Field(None, alias="$expand", description="may be nested")
    api_key: str | None = None

    def given(self) -> dict[str, str]:
        """As sent."""
        return {k: str(v) for k, v in self.model_dump(by_alias=True, exclude_unset=True).items()}


@router.get(ROOT + "/{path:path}", **answers(SensorThingsEntity))
def read(path: str, request: Request, asked: Annotated[ODataOptions, Query()], use: Use) -> Response:
    """An entity set, an entity, what it leads to, one property, ``$value`` or ``$ref``; with OData's query options."""
    actor = actor_of(use, request, SENSORTHINGS, SENSORTHINGS_WRITE)
    given = asked.given()
    options = parse(given)
    with read_scope(use.engine) as session:
        store = Store(session, actor, use.hub.states, _base(request))
        found, last = _walk(store, path, options)
        if isinstance(found, Page):
            return respond(_listed(store, found, path, options, given, refs=last == "$ref"))
        if isinstance(found, dict) and "_" in found:
            return respond(_out(store, found, options))
    if last == "$value":
        text = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
        return Response(text, media_type="text/plain; charset=utf-8")
    return respond({last: found})


def _base(request: Request) -> str:
    """Absolute, under the name that the client called: relative links break clients on the second page."""
    return f"{request.url.scheme}://{request.url.netloc}{ROOT}"


def _walk(store: Store, path: str, options: Options) -> tuple[Any, str]:
    """What the path leads to, and its last step."""
    steps = _steps(path)
    at: Any = None
    for number, (name, key) in enumerate(steps):
        rest = steps[number + 1 :]
        if name in {"$ref", "$value"}:
            return at, name
        if at is None:
            at = store.one(name, key) if key is not None else _set(store, name, options, rest)
        elif isinstance(at, dict) and "_" in at:
            at = _next(store, at, name, key, options)
            if not isinstance(at, (dict, Page)) or "_" not in (at if isinstance(at, dict) else ("_",)):
                return at, rest[0][0] if rest else name
        else:
            raise NotFound(what="path", key=path[:120])
    return at, steps[-1][0] if steps else ""


def _steps(path: str) -> list[tuple[str, str | None]]:
    steps: list[tuple[str, str | None]] = []
    at = 0
    while at < len(path):
        found = _STEP.match(path, at)
        if not found or (found.end() < len(path) and path[found.end()] != "/"):
            raise NotFound(what="path", key=path[:120])
        quoted, bare = found[2], found[3]
        steps.append((found[1], quoted.replace("''", "'") if quoted is not None else bare))
        at = found.end() + 1
    return steps


def _set(store: Store, name: str, options: Options, rest: list[Any]) -> Page:
    if name not in SETS or [step for step, _ in rest] not in ([], ["$ref"]):
        raise NotFound(what="entity set", key=name[:60])
    if name == "Observations":
        return store.all_observations(options)
    return store.page(store.every(name), options)


def _next(store: Store, entity: Entity, name: str, key: str | None, options: Options) -> Any:
    kind, identifier = entity["_"]
    target = NAVIGATION[kind].get(name)
    if target is None:
        if name not in entity or name.startswith("@"):
            raise NotFound(what="property", key=name[:60])
        return entity[name]
    if key is not None:
        found = store.one(target[0], key)
        if target[0] != "Observations" and found["@iot.id"] not in {e["@iot.id"] for e in store.related(entity, name)}:
            raise NotFound(what=name, key=key[:120])
        return found
    if name == "Observations":
        return _observations(store, entity, options)
    found = store.related(entity, name)
    if found is None:
        raise NotFound(what=name, key=identifier[:120])
    return store.page(found, options) if isinstance(found, list) else found


def _listed(
    store: Store, page: Page, path: str, options: Options, query: Mapping[str, str], *, refs: bool = False
) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if options.count:
        out["@iot.count"] = page.total
    top = min(PAGE if options.top is None else options.top, LARGEST)
    if top and options.skip + len(page.items) < page.total:
        more = {**query, "$top": str(top), "$skip": str(options.skip + top)}
        more.pop("api_key", None)
        out["@iot.nextLink"] = f"{store.base}/{path.removesuffix('/$ref')}?{urlencode(more)}"
    shown = [{"@iot.selfLink": e["@iot.selfLink"]} for e in page.items] if refs else [
        _out(store, e, options) for e in page.items
    ]  # fmt: skip
    return {**out, "value": shown}


def _out(store: Store, entity: Entity, options: Options) -> dict[str, Any]:
    """The entity as sent: selected properties, expanded relations, nothing of ours."""
    kind, _ = entity["_"]
    names = {"@iot.id" if n == "id" else n for n in options.select}
    if unknown := names - set(entity) - set(NAVIGATION[kind]):
        raise InputInvalid(field="$select", detail=f"{sorted(unknown)[0][:40]!r}", how="use the entity's properties")
    always = {"@iot.id", "@iot.selfLink"} | {f"{n}@iot.navigationLink" for n in names}
    out = {k: v for k, v in entity.items() if k != "_" and (not names or k in names or k in always)}
    for name, inner in options.expand:
        if name not in NAVIGATION[kind]:
            raise InputInvalid(
                field="$expand", detail=f"{name[:40]!r}", how=f"use {', '.join(NAVIGATION[kind]) or '-'}"
            )
        out.pop(f"{name}@iot.navigationLink", None)
        found = _related(store, entity, name, inner)
        if isinstance(found, Page):
            more = _listed(store, found, f"{kind}('{entity['@iot.id']}')/{name}", inner, {})
            out[name] = more.pop("value")
            out.update({f"{name}{k}": v for k, v in more.items()})
        else:
            out[name] = _out(store, found, inner) if found is not None else None
    return out


def _observations(store: Store, entity: Entity, options: Options) -> Page:
    kind, key = entity["_"]
    return store.observations(key, options) if kind == "Datastreams" else store.all_observations(options, key)


def _related(store: Store, entity: Entity, name: str, inner: Options) -> Any:
    if name == "Observations":
        return _observations(store, entity, inner)
    found = store.related(entity, name)
    return store.page(found, inner) if isinstance(found, list) else found


@router.post(
    ROOT + "/{path:path}",
    openapi_extra=takes_file("application/json"),
    **answers(SensorThingsEntity, 201, shape="either"),
)
async def create(path: str, request: Request, use: Use) -> Response:
    """Create an entity in its set or below another one, with whatever hangs on it; or many by ``CreateObservations``.

    Answers 201 with ``Location``, all or nothing.  Things wait for an administrator's acceptance unless the account may
    register devices.  Observations are stored by the worker, for which up to 2 s are waited.
    """
    actor = await asyncio.to_thread(actor_of, use, request, SENSORTHINGS_WRITE, session=False)
    try:
        body = json.loads(await request.body(), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise InputInvalid(field="body", detail="is no JSON", how="send application/json") from error
    base = _base(request)
    if path.strip("/") == "CreateObservations":
        return respond(await create_many(use, actor, body, base), 201)
    kind, parent = await asyncio.to_thread(_place_of, use, actor, path.strip("/"), base)
    entity = await create_one(use, actor, base, kind, body, parent)
    shown = {name: value for name, value in entity.items() if name != "_"}
    return respond(shown, 201, {"Location": entity["@iot.selfLink"]})


def _no_number(text: str) -> float:
    raise ValueError(text)


def _place_of(use: Services, actor: Actor, path: str, base: str) -> tuple[str, dict[str, str]]:
    """The set that a path creates in, and what the path links the new entity with."""
    steps = _steps(path)
    if not steps or steps[-1][1] is not None or steps[-1][0].startswith("$"):
        raise HTTPException(405, "entities are created in a set", {"Allow": "GET, HEAD"})
    if len(steps) == 1:
        if steps[0][0] not in SETS:
            raise NotFound(what="entity set", key=steps[0][0][:60])
        return steps[0][0], {}
    with read_scope(use.engine) as session:
        at, _ = _walk(Store(session, actor, use.hub.states, base), path.rpartition("/")[0], Options())
    if not isinstance(at, dict) or "_" not in at:
        raise NotFound(what="path", key=path[:120])
    kind, key = at["_"]
    target, many = NAVIGATION[kind].get(steps[-1][0], ("", False))
    if not many:
        raise NotFound(what="entity set", key=path[:120])
    return target, {INVERSE[kind, target]: key}
