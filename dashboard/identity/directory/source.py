"""Reads departments and staff page by page from the directory; what an answer lacks is a problem of its row."""

from __future__ import annotations

import json
from typing import Any

import httpx

from core.errors import YiwangError
from core.network.fetching import fetch
from dashboard.identity.directory.config import DirectoryConfig, DirectoryList, at
from dashboard.identity.directory.plan import DirectoryPerson, DirectoryUnit

MOST_ROWS = 50_000
MOST_BYTES = 8 << 20
TIMEOUT_S = 20.0
_NO = {"false", "0", "no", "inactive", "disabled", "离职", "停用"}


class DirectoryAway(YiwangError):
    code = "directory_away"
    message = "the directory cannot be read: {detail}"
    remedy = "nothing was changed; look at directory.json and the directory, then run it again"
    zh = "组织目录读不到：{detail}"
    zh_remedy = "什么都没有改动；请检查 directory.json 和目录，再运行一次"


async def people_of(config: DirectoryConfig) -> tuple[list[DirectoryPerson], bool]:
    """Everybody in the directory, and whether it said that these are all; :class:`DirectoryAway` when it is not read
    to its end."""
    names = config.people.fields
    found = []
    rows, whole = await _rows(config, config.people)
    for n, row in enumerate(rows):
        said = {name: at(row, pointer) for name, pointer in names.items()}
        found.append(DirectoryPerson(
            at=f"{config.people.path}[{n}]",
            active=said["active"] is not False and str(said["active"]).strip().lower() not in _NO
            if "active" in said and said["active"] is not None else True,
            roles=_names(said.get("roles")),
            **{name: _text(said.get(name)) for name in ("subject", "login", "name", "department", "division", "phone")},
        ))  # fmt: skip
    return found, whole


async def units_of(config: DirectoryConfig) -> list[DirectoryUnit]:
    """Every department of the directory; none where the configuration names no list of them."""
    if config.departments is None:
        return []
    names = {"id": "/id", "name": "/displayName", "parent": "/parent", **config.departments.fields}
    return [
        DirectoryUnit(at=f"{config.departments.path}[{n}]",
                      **{name: _text(at(row, names[name])) for name in ("id", "name", "parent")})
        for n, row in enumerate((await _rows(config, config.departments))[0])
    ]  # fmt: skip


def _text(value: Any) -> str:
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _names(value: Any) -> tuple[str, ...]:
    """Roles as SCIM writes them (``[{"value": …}]``), as a list of names, or as one name."""
    found = value if isinstance(value, list) else [value]
    names = [_text(one.get("value") or one.get("display") if isinstance(one, dict) else one) for one in found[:100]]
    return tuple(name for name in names if name)


async def _rows(config: DirectoryConfig, wanted: DirectoryList) -> tuple[list[Any], bool]:
    """All rows, and whether the directory itself said that there are no more: a number, or one answer without pages."""
    head = {"Accept": "application/scim+json, application/json"}
    if config.token:
        head["Authorization"] = f"Bearer {config.token}"
    rows: list[Any] = []
    async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False, headers=head) as client:
        while True:
            page = await _page(config, client, wanted, len(rows))
            came, total = at(page, wanted.items), at(page, wanted.total)
            if not isinstance(came, list):
                raise DirectoryAway(detail=f"{wanted.path} has no list at {wanted.items}")
            rows += came
            if len(rows) > MOST_ROWS:
                raise DirectoryAway(detail=f"{wanted.path} has more than {MOST_ROWS} rows")
            counted = isinstance(total, int) and not isinstance(total, bool)
            if counted and len(rows) < total and (not came or config.paging == "none"):
                # half a directory would close the other half
                raise DirectoryAway(detail=f"{wanted.path} ended after {len(rows)} of {total} rows")
            if config.paging == "none":
                return rows, True
            if not came or (counted and len(rows) >= total and len(came) < config.page_size):
                return rows, counted  # a full page may be a number of its own page alone: one more is asked for


async def _page(config: DirectoryConfig, client: httpx.AsyncClient, wanted: DirectoryList, have: int) -> Any:
    size = config.page_size
    asked = {"scim": {"startIndex": have + 1, "count": size}, "page": {"page": have // size + 1, "size": size}}
    url = config.url.rstrip("/") + wanted.path
    try:
        answer, raw = await fetch(client, "GET", url, most=MOST_BYTES, params=asked.get(config.paging))
    except httpx.HTTPError as error:
        raise DirectoryAway(detail=f"{wanted.path}: {type(error).__name__}") from error
    if answer.status_code != 200:
        raise DirectoryAway(detail=f"{wanted.path} answers HTTP {answer.status_code}")
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise DirectoryAway(detail=f"{wanted.path} answers no JSON") from error
