"""Proving again that one is there (re-authentication), before what gives power away or takes much out of the house."""

from __future__ import annotations

from datetime import datetime, timedelta

from core.errors import YiwangError
from dashboard.accounts.users import POWERS
from dashboard.auth import Principal

CONFIRMED_FOR = timedelta(minutes=15)


class ConfirmationRequired(YiwangError):
    code = "confirmation_required"
    message = "this asks you to prove again that it is you"
    remedy = "type your password at /login?confirm=1 (POST /api/me/confirm), then do it again"
    zh = "这一步要再次确认是您本人"
    zh_remedy = "请在 /login?confirm=1 输入密码（POST /api/me/confirm），再做一次"


def must_be_confirmed(who: Principal, now: datetime) -> None:
    """:class:`ConfirmationRequired` unless the person logged in or confirmed within the last quarter of an hour."""
    if who.confirmed_at is None or now - who.confirmed_at > CONFIRMED_FOR:
        raise ConfirmationRequired()


def gives_power(roles: object) -> bool:
    """Are there administrators' roles among ``roles``?"""
    return isinstance(roles, list) and bool(set(roles) & set(POWERS))
