"""Answers about people: session, accounts, duty, places, devices, subscriptions, notices."""

from __future__ import annotations

from datetime import datetime
from typing import NotRequired, TypedDict


class LastLogin(TypedDict):
    """The login before this one."""

    at: str
    address: str


class SignedInPerson(TypedDict):
    """The signed-in person."""

    user_id: str
    login: str
    name: str
    roles: list[str]
    department_id: str | None
    department_name: str
    division_code: str | None
    language: str
    must_change_password: bool
    last_login: LastLogin | None


class SignedIn(TypedDict):
    """The person and the token that every change carries."""

    user: SignedInPerson
    csrf_token: str


class LoggedOut(TypedDict):
    """``logout_url``: where the browser ends the identity provider's session, where there is one."""

    ok: bool
    logout_url: NotRequired[str]


class Me(SignedInPerson):
    """The signed-in person, once as ``user`` and once at the top, with the token."""

    user: SignedInPerson
    csrf_token: str


class Account(TypedDict):
    """An account as lists show it; no secrets."""

    user_id: str
    login: str
    name: str
    department_id: str | None
    department_name: str | None
    department_name_en: str | None
    division_code: str | None
    division_name: str | None
    roles: list[str]
    active: bool
    can_log_in: bool


class AccountPage(TypedDict):
    """A page of accounts."""

    items: list[Account]
    total: int
    next: int | None


class ShiftLeft(TypedDict):
    """A running or coming duty shift of a person whose account was closed."""

    shift_id: str
    department_id: str
    department_name: str
    department_name_en: str | None
    post: str
    starts_at: str
    ends_at: str


class AccountChanged(TypedDict):
    """The account was changed; ``shifts``: where a closed one still stands on the duty roster."""

    ok: bool
    shifts: list[ShiftLeft]


class FirstPassword(TypedDict):
    """A password that is shown this once."""

    user_id: str
    password: str
    login: NotRequired[str]


class InvitationCode(TypedDict):
    """A one-time code and the address that takes it."""

    user_id: str
    code: str
    link: str


class LoginName(TypedDict):
    """The login that a code belonged to."""

    login: str


class FactorState(TypedDict):
    """Whether a code of the second factor is asked for."""

    on: bool


class FactorSecret(TypedDict):
    """The secret of an authenticator, also as ``otpauth:`` address."""

    secret: str
    uri: str


class DutyState(TypedDict):
    """Whether the person is on duty and gives the place away."""

    on_duty: bool
    sharing: bool
    changed_at: datetime | None
    kept_days: int


class PersonPlace(TypedDict):
    """Where a person on duty was last (WGS-84 degrees)."""

    user_id: str
    name: str
    department_id: str | None
    lon: float
    lat: float
    accuracy_m: float | None
    at: datetime


class PersonPlaces(TypedDict):
    """The places of people on duty who share them."""

    items: list[PersonPlace]
    next: None


class OwnDevice(TypedDict):
    """A browser or phone that is signed in as this person."""

    device_id: str
    user_agent: str
    address: str
    created_at: datetime
    last_seen_at: datetime | None
    this: bool


class OwnDevices(TypedDict):
    """Where the person is signed in."""

    items: list[OwnDevice]
    next: None


class CaseClass(TypedDict):
    """A class that may be reported, with what finds it."""

    code: str
    name: str
    group: str
    pinyin: str
    initials: str
    limit_value: float | None
    limit_unit: str | None


class CaseClasses(TypedDict):
    """The classes that may be reported."""

    items: list[CaseClass]
    next: None


class Subscription(TypedDict):
    """A browser that Web Push reaches."""

    subscription_id: str
    service: str | None
    user_agent: str
    created_at: datetime
    last_used_at: datetime | None
    last_error: str | None


class Subscriptions(TypedDict):
    """Whether Web Push is on, its public key, one's own browsers."""

    enabled: bool
    public_key: str | None
    items: list[Subscription]
    next: None


class SubscriptionId(TypedDict):
    """The browser's subscription."""

    subscription_id: str


class NoticeRow(TypedDict):
    """A notice to a person, a department or a role."""

    notice_id: str
    case_id: str | None
    user_id: str | None
    department_id: str | None
    role: str | None
    kind: str
    title: str
    body: str
    severity: int | None
    created_at: datetime
    read_at: datetime | None


class NoticePage(TypedDict):
    """Notices, newest first."""

    items: list[NoticeRow]
    next: None


class NoticeRead(TypedDict):
    """Whether the notice had been unread."""

    ok: bool
    changed: bool
