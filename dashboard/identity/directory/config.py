"""``directory.json`` of the data folder: where departments and staff are read, and which field means what.

The defaults are SCIM 2.0 (RFC 7643 for the fields, RFC 7644 §3.4.2.4 for the pages).  Other directories are described
by JSON pointers (RFC 6901) into their answers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from core.errors import SettingsError
from dashboard.accounts.users import POWERS, ROLES

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
FILE = "directory.json"


class DirectoryList(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A list of the directory: its path below ``url``, and pointers to its rows, their number and their fields."""

    path: str
    items: str = "/Resources"
    total: str = "/totalResults"
    fields: dict[str, str] = {}


PEOPLE = DirectoryList(
    path="/Users",
    fields={
        "subject": "/id", "login": "/userName", "name": "/displayName", "active": "/active",
        "department": f"/{ENTERPRISE}/department", "division": f"/{ENTERPRISE}/division",
        "phone": "/phoneNumbers/0/value", "roles": "/roles",
    },
)  # fmt: skip


class DirectoryConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``issuer``: whose subjects these are (that of ``oidc.json``, so that people log in at once; "": none is bound).

    ``paging``: ``scim`` (startIndex, count), ``page`` (page from 1, size) or ``none``.  ``departments`` None: ours stay
    as they are.  ``roles``: what each of the directory's roles is here; only these are given and taken, never an
    administrator's.  ``default_roles`` for new people.  ``close_at_most``: share of the accounts that one run may
    close; a run that would close more closes none.  ``every_hours``: how often it runs by itself (0: never).
    """

    url: str
    token: str = ""
    issuer: str = ""
    paging: Literal["scim", "page", "none"] = "scim"
    page_size: int = 200
    people: DirectoryList = PEOPLE
    departments: DirectoryList | None = None
    roles: dict[str, list[str]] = {}
    default_roles: tuple[str, ...] = ("viewer",)
    close_at_most: float = 0.1
    every_hours: float = 0.0

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        local = parts.hostname in ("127.0.0.1", "localhost", "::1")
        if parts.scheme != "https" and not (parts.scheme == "http" and local):
            raise ValueError("url must be https://")
        given = {role for roles in (*self.roles.values(), self.default_roles) for role in roles}
        if given & set(POWERS):
            raise ValueError(f"a directory gives no administrators: take out {', '.join(sorted(given & set(POWERS)))}")
        if unknown := given - set(ROLES):
            raise ValueError(f"unknown roles: {', '.join(sorted(unknown))}")
        if not 1 <= self.page_size <= 1000 or not 0 <= self.close_at_most <= 1:
            raise ValueError("page_size must be 1 … 1000 and close_at_most 0 … 1")
        if self.every_hours and not 0.25 <= self.every_hours <= 168:
            raise ValueError("every_hours must be 0, or 0.25 … 168")
        missing = {"subject", "login", "name"} - set(self.people.fields)
        if missing:
            raise ValueError(f"people.fields must name {', '.join(sorted(missing))}")


def read_directory(folder: Path) -> DirectoryConfig | None:
    """The configuration; None where there is none; :class:`SettingsError` for one that is wrong."""
    path = folder / FILE
    if not path.exists():
        return None
    try:
        return msgspec.convert(json.loads(path.read_text(encoding="utf-8")), DirectoryConfig)
    except (OSError, ValueError) as error:
        raise SettingsError(field=str(path), detail=str(error), how="see docs/access.md") from error


def at(value: Any, pointer: str) -> Any:
    """What a JSON pointer (RFC 6901) finds in ``value``; None where there is nothing."""
    for part in pointer.split("/")[1:] if pointer else ():
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isascii() and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value
