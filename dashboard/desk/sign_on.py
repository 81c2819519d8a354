"""The identity provider as routes and the administration page use it: what is set, a change, a trial, taking it away.

The client's secret is written and never read: an answer says whether there is one.
"""

from __future__ import annotations

import asyncio

import msgspec
from sqlalchemy import func, select

from core.errors import InputInvalid, NotFound, SettingsError
from dashboard.accounts.confirming import must_be_confirmed
from dashboard.accounts.users import ROLES
from dashboard.api.deps import audit, must_be
from dashboard.auth import Principal
from dashboard.identity.config import FILE, OidcConfig, ProviderFacts, read_config
from dashboard.identity.files import write_settings
from dashboard.identity.provider import Provider
from dashboard.identity.sign_on import CALLBACK, LOGGED_OUT
from dashboard.services import Services
from storage.session import read_scope, session_scope
from storage.tables.accounts import ExternalIdentity
from storage.tables.people import User


class SignOnWish(ProviderFacts, frozen=True, kw_only=True):
    """Body of ``PUT /api/identity-provider``: as in ``oidc.json``; an empty ``client_secret`` keeps what there is."""

    client_secret: str = ""


class SignOnView(msgspec.Struct, kw_only=True):
    """What is set, without the secret; ``callback`` and ``backchannel`` are registered at the provider.

    ``bound``: identities of this issuer that are bound to accounts; ``problem``: why the file as it is now is not used.
    """

    configured: bool
    has_secret: bool = False
    settings: dict[str, msgspec.Raw] | None = None
    callback: str
    backchannel: str
    bound: int = 0
    problem: str = ""


class ProviderCheck(msgspec.Struct):
    """One thing that the provider must have: ``code``, whether it has it, and what was found."""

    code: str
    ok: bool
    found: str = ""


class ProviderTrial(msgspec.Struct):
    """``ok``: people could log in."""

    ok: bool
    checks: list[ProviderCheck]


def state(use: Services, who: Principal) -> SignOnView:
    """What is set now."""
    must_be(who, "security")
    base = use.settings.public_url
    view = SignOnView(configured=False, callback=base + CALLBACK, backchannel=base + LOGGED_OUT)
    view.problem = use.sign_on.problem if use.sign_on is not None else ""
    try:
        config = read_config(use.settings.data_dir)
    except SettingsError as error:
        view.problem = str(error)
        return view
    if config is None:
        return view
    kept = msgspec.json.decode(msgspec.json.encode(config), type=dict[str, msgspec.Raw])
    del kept["client_secret"]
    view.configured, view.has_secret, view.settings = True, bool(config.client_secret), kept
    with read_scope(use.engine) as session:
        bound = select(func.count()).where(ExternalIdentity.issuer == config.issuer)
        view.bound = session.scalar(bound) or 0
    return view


def change(use: Services, who: Principal, wish: SignOnWish) -> SignOnView:
    """Write it; every web process takes it up within a second."""
    must_be(who, "security")
    must_be_confirmed(who, use.clock.now())  # it decides who comes in
    config = _checked(use, wish)
    with session_scope(use.engine) as session:
        told = msgspec.to_builtins(wish) | {"client_secret": "changed" if wish.client_secret else "kept"}
        audit(session, use, who, "sign_on_changed", told)
        write_settings(use.settings.data_dir / FILE, config)
    if use.sign_on is not None:
        use.sign_on.look_now()
    return state(use, who)


def take_away(use: Services, who: Principal) -> None:
    """People log in by password again; bindings stay for when it comes back."""
    must_be(who, "security")
    must_be_confirmed(who, use.clock.now())
    path = use.settings.data_dir / FILE
    if not path.exists():
        raise NotFound(what="identity provider", key=FILE)
    with session_scope(use.engine) as session:
        audit(session, use, who, "sign_on_removed", {})
        path.unlink()
    if use.sign_on is not None:
        use.sign_on.look_now()


async def trial(use: Services, who: Principal) -> ProviderTrial:
    """Ask the provider that is set: its description, its keys, what we need of it."""
    must_be(who, "security")
    config = await asyncio.to_thread(read_config, use.settings.data_dir)
    if config is None:
        raise NotFound(what="identity provider", key=FILE)
    checks = [ProviderCheck(*found) for found in await Provider(config, use.settings.public_url + CALLBACK).tried()]
    return ProviderTrial(all(c.ok for c in checks if c.code not in Provider.WISHED), checks)


def _checked(use: Services, wish: SignOnWish) -> OidcConfig:
    """:class:`InputInvalid` for what could not work or would shut everybody out."""
    unknown = sorted({role for roles in wish.roles.values() for role in roles} - set(ROLES))
    if unknown:
        how = f"use: {', '.join(ROLES)}"
        raise InputInvalid(field="roles", detail=f"there is no role {', '.join(unknown)}", how=how)
    secret = wish.client_secret
    if not secret:
        try:
            before = read_config(use.settings.data_dir)
        except SettingsError:
            before = None
        secret = before.client_secret if before is not None and before.issuer == wish.issuer else ""
    if not secret:
        raise InputInvalid(field="client_secret", detail="is missing", how="write the provider's secret for us")
    try:
        kept = msgspec.to_builtins(wish) | {"client_secret": secret}
        config = msgspec.convert(kept, OidcConfig)
    except ValueError as error:
        raise InputInvalid(field="issuer", detail=str(error), how="see docs/access.md") from error
    if not config.password_login:
        with read_scope(use.engine) as session:
            query = select(User.login).where(
                User.login.in_(config.break_glass), User.active.is_(True), User.password_hash.is_not(None)
            )
            missing = set(config.break_glass) - set(session.scalars(query))
        if missing:
            how = "name accounts that can log in by password"
            raise InputInvalid(field="break_glass", detail=f"{', '.join(sorted(missing))} cannot log in", how=how)
    return config
