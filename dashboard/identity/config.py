"""``oidc.json`` of the data folder: which provider, who its people are, which of its roles are which of ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from core.errors import SettingsError

FILE = "oidc.json"
TITLE = {"zh": "统一身份认证登录", "en": "Log in with the district's identity"}


class ProviderFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``roles_claim``: a claim with the provider's roles; ``roles``: what each is here (only these are ever given).

    ``bind``: ``administrator`` (each identity is bound by hand) or ``staff_number``: an account whose login is exactly
    the claim ``staff_number_claim`` and whose department is the claim ``department_claim`` (where that is set).
    ``password_login`` False: passwords are for the logins ``break_glass`` alone.
    """

    issuer: str
    client_id: str
    title: dict[str, str] = msgspec.field(default_factory=lambda: dict(TITLE))
    scopes: str = "openid profile"
    bind: Literal["administrator", "staff_number"] = "administrator"
    staff_number_claim: str = "staff_number"
    department_claim: str = ""
    roles_claim: str = "roles"
    roles: dict[str, list[str]] = {}
    password_login: bool = True
    break_glass: list[str] = []
    session_hours: float = 12.0


class OidcConfig(ProviderFacts, frozen=True, kw_only=True):
    """What ``oidc.json`` holds: the facts and the client's secret."""

    client_secret: str

    def __post_init__(self) -> None:
        parts = urlsplit(self.issuer)
        local = parts.hostname in ("127.0.0.1", "localhost", "::1")
        if parts.scheme != "https" and not (parts.scheme == "http" and local):
            raise ValueError("issuer must be https://")
        if not self.client_id or "openid" not in self.scopes.split() or not 0 < self.session_hours <= 168:
            raise ValueError("client_id is missing, scopes lack openid, or session_hours is not 0 … 168")
        if not self.password_login and not 1 <= len(self.break_glass) <= 2:
            raise ValueError("break_glass must name one or two logins when password_login is off")


def read_config(folder: Path) -> OidcConfig | None:
    """The configuration; None where there is none; :class:`SettingsError` for one that is wrong."""
    path = folder / FILE
    if not path.exists():
        return None
    try:
        return msgspec.convert(json.loads(path.read_text(encoding="utf-8")), OidcConfig)
    except (OSError, ValueError) as error:
        raise SettingsError(field=str(path), detail=str(error), how="see docs/access.md") from error
