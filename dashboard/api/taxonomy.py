"""Classes of components and events: filing conditions, limits and units, editable; the older code set by name."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from dashboard.answers.office import ClassLine, ClassTable
from dashboard.api.deps import Use, Who, allow, answers, audit, respond, takes
from dashboard.api.filters import Filters, Text
from dashboard.api.params import body
from events.taxonomy.codesets import old_classes
from events.taxonomy.edit import Change, ClassRow, change, lines
from storage.session import read_scope, session_scope

router = APIRouter(tags=["office"])


class StandardEdit(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``PATCH /api/taxonomy/{standard_id}``: only what shall change."""

    limit_value: float | None = None
    limit_unit: str | None = None
    close_condition: str | None = None
    enabled: bool | None = None


def shown(line: ClassRow) -> dict[str, Any]:
    """A line as the pages read it."""
    return {"standard_id": line.standard_id, "class_code": line.class_code, "own": line.own} | msgspec.structs.asdict(
        line.standard
    )


class ClassFilters(Filters):
    """Filters of ``GET /api/taxonomy``."""

    prefix: Text = Field("", alias="class", description="codes that begin so")
    q: Text = ""
    code_set: Text = Field("", description="2007: the old codes with their equals of 2013")


@router.get("/api/taxonomy", **answers(ClassTable))
def taxonomy(asked: Annotated[ClassFilters, Query()], use: Use, who: Who) -> Response:
    """The classes in force with their limits."""
    del who
    if asked.code_set == "2007":
        return respond({"items": list(old_classes().values()), "next": None})
    with read_scope(use.engine) as session:
        found = lines(session, asked.prefix, asked.q, asked.code_set)
    return respond({"items": [shown(line) for line in found], "next": None})


@router.patch(
    "/api/taxonomy/{standard_id}",
    dependencies=[allow("admin")],
    openapi_extra=takes(StandardEdit),
    **answers(ClassLine),
)
async def edit(standard_id: str, request: Request, use: Use, who: Who) -> Response:
    """Change a limit, its unit, the closing condition, or switch the line off; cases opened from now on go by it."""
    sent = await body(request, StandardEdit)
    return respond(await asyncio.to_thread(_edit, use, who, standard_id, sent))


def _edit(use: Any, who: Any, standard_id: str, sent: StandardEdit) -> dict[str, Any]:
    wish = Change(**msgspec.structs.asdict(sent))
    with session_scope(use.engine) as session:
        line = change(session, standard_id, wish, use.clock.now())
        note = {"standard_id": standard_id, "class_code": line.class_code, **msgspec.to_builtins(wish)}
        audit(session, use, who, "taxonomy_edit", note)
    return shown(line)
