"""An entry to another platform (OA, 公共资源交易, 信易贷, 吉事办): a link that signs people in there.

``sign_on``: ``none`` a plain link; ``oidc`` the platform uses the same identity provider (it is asked with a
``login_hint``); ``ticket`` a signed ticket in the address: a compact JWS (RFC 7515, HS256 with the shared secret) with
``iss``, ``aud`` (the platform's name), ``sub`` and what ``claims`` lists, valid for a minute and with a ``jti`` that
the platform takes once.  Nothing of the platform is copied here: no second portal.
"""

from __future__ import annotations

import secrets
from typing import Any, Literal

import msgspec

from core.bounds import check_url
from core.plugins import About, Words
from ingest.connections.contract import Wiring

ABOUT = About(
    zh="应用入口（单点登录）",
    en="Entry to another platform (single sign-on)",
    direction="link",
    secrets=("ticket_secret",),
    help=Words(
        "在 /entries 页面给人员一个入口。登录方式：none 普通链接；oidc 对方接同一身份平台；"
        "ticket 地址里带一分钟有效的签名票据，签名密钥填在“密钥”。",
        "Gives people an entry on the page /entries. Sign-on: none is a plain link; oidc where the platform uses the "
        "same identity provider; ticket puts a signed ticket into the address, its key goes under Secrets.",
    ),
    params={
        "url": Words("地址", "Address"),
        "title_en": Words("英文名称", "English name"),
        "group": Words("分组", "Group"),
        "roles": Words("哪些角色可见（空：全部）", "Roles that see it (empty: all)"),
        "sign_on": Words("登录方式", "Sign-on"),
        "parameter": Words("票据参数名", "Parameter of the ticket"),
        "audience": Words("对方标识", "The platform's name in tickets"),
        "claims": Words("票据内容", "What the ticket tells"),
    },
)
CLAIMS = ("login", "name", "department_id", "roles", "phone")
TICKET_S = 60
LEAST_SECRET = 32


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """``claims``: what the ticket tells of the person beside the user id."""

    url: str
    title_en: str = ""
    group: str = ""
    roles: list[str] = []
    sign_on: Literal["none", "oidc", "ticket"] = "none"
    parameter: str = "ticket"
    audience: str = ""
    claims: list[Literal["login", "name", "department_id", "roles", "phone"]] = []

    def __post_init__(self) -> None:
        check_url("url", self.url)
        if self.sign_on == "ticket" and not self.parameter.isidentifier():
            raise ValueError("parameter: letters, digits and _")


def build(params: Params, *, wiring: Wiring) -> Params:
    """Nothing to carry here: the parameters themselves."""
    del wiring
    return params


def ticket(params: Params, secret: str, issuer: str, person: dict[str, Any], now: int) -> str:
    """A ticket for ``person`` (``user_id`` and what :data:`CLAIMS` names), valid for a minute from ``now`` (Unix s)."""
    from joserfc import jwt
    from joserfc.jwk import OctKey

    told: dict[str, Any] = {name: person[name] for name in params.claims if person.get(name) not in (None, "", [])}
    claims: dict[str, Any] = {
        "iss": issuer, "aud": params.audience or check_url("url", params.url).host, "sub": person["user_id"],
        "iat": now, "nbf": now - 5, "exp": now + TICKET_S, "jti": secrets.token_urlsafe(16), **told,
    }  # fmt: skip
    return jwt.encode({"alg": "HS256", "typ": "JWT"}, claims, OctKey.import_key(secret))


def address(params: Params, **added: str) -> str:
    """The address with ``added`` parameters; the ones that it has stay."""
    return str(check_url("url", params.url).copy_merge_params(added)) if added else params.url
