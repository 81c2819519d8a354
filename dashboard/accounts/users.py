"""People's accounts: making one, its roles, its password (argon2id)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Engine, delete, func, select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.errors import InputInvalid, NotFound
from core.ids import new_id
from storage.session import session_scope
from storage.tables.people import LoginSession, User, UserRole
from storage.tables.registry import Department

ROLES = (
    "admin", "operator", "dispatcher", "staff", "inspector", "grid_worker", "manager", "drone", "viewer", "security",
    "auditor",
)  # fmt: skip
POWERS = ("admin", "security", "auditor")  # system, security and audit: one person each where they are kept apart
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200
# RFC 9106's second recommendation needs 64 MiB a login; the web process checks at most two at once.
_hasher = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=1)
_DUMMY = "$argon2id$v=19$m=65536,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$6Ds4k2lXOm1VqSAM9ZZ9Vn4nGjEQ1w0oAYYRZfHkXEQ"


def hash_password(password: str) -> str:
    """The argon2id hash; :class:`InputInvalid` for a password that is too short or too long."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InputInvalid(
            field="password",
            detail=f"has {len(password)} characters",
            how=f"choose {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters",
        )
    return _hasher.hash(password)


def password_matches(password_hash: str, password: str) -> bool:
    """Compare; an empty hash (no password set) never matches but costs the same time."""
    try:
        return _hasher.verify(password_hash or _DUMMY, password) and bool(password_hash)
    except (VerificationError, InvalidHashError):
        return False


def make_password() -> str:
    """A password to hand over once: 96 bits, no letters that look alike."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(5)) for _ in range(4))


def ensure_admin(engine: Engine, clock: Clock | None = None) -> str | None:
    """Make the account ``admin`` where no administrator exists; its password is returned this once, else None."""
    del clock  # accounts carry no dates
    with session_scope(engine) as session:
        if session.scalar(select(func.count()).select_from(UserRole).where(UserRole.role == "admin")):
            return None
        password = make_password()
        user = session.get(User, "admin") or User(user_id="admin", login="admin", name="系统管理员")
        user.password_hash, user.must_change_password, user.active = hash_password(password), True, True
        session.add(user)
        session.flush()
        session.add(UserRole(user_id="admin", role="admin"))
        return password


def add_user(
    session: Session,
    *,
    login: str,
    name: str,
    roles: list[str],
    department_id: str | None = None,
    division_code: str | None = None,
) -> User:
    """A new account without password; typed errors for a taken login, an unknown role or department."""
    check_roles(roles)
    if not login or len(login) > 60 or not login.replace(".", "").replace("_", "").replace("-", "").isalnum():
        raise InputInvalid(field="login", detail=f"{login!r} cannot be a login", how="use letters, digits, . _ -")
    if session.scalar(select(User.user_id).where(User.login == login)):
        raise InputInvalid(field="login", detail=f"{login!r} is taken", how="choose another login")
    if department_id and session.get(Department, department_id) is None:
        raise InputInvalid(
            field="department_id", detail=f"{department_id!r} does not exist", how="see /api/departments"
        )
    user = User(
        user_id=new_id(), login=login, name=name or login, department_id=department_id, division_code=division_code
    )
    session.add(user)
    session.flush()
    session.add_all([UserRole(user_id=user.user_id, role=role) for role in sorted(set(roles))])
    return user


def check_separate(roles: Iterable[str]) -> None:
    """Where administrators are kept apart, nobody is two of them."""
    held = sorted(set(roles) & set(POWERS))
    if len(held) > 1:
        how = "give each to a person of its own (YIWANG_SEPARATE_ADMINS)"
        raise InputInvalid(field="roles", detail=f"{' and '.join(held)} are kept apart", how=how)


def check_roles(roles: list[str]) -> None:
    """Every role must exist."""
    for role in roles:
        if role not in ROLES:
            raise InputInvalid(field="roles", detail=f"there is no role {role!r}", how=f"use: {', '.join(ROLES)}")


def user_by_login(session: Session, login: str) -> User:
    """The account, :class:`NotFound` otherwise."""
    user = session.scalar(select(User).where(User.login == login))
    if user is None:
        raise NotFound(what="user", key=login)
    return user


def set_password(session: Session, user: User, password: str | None, *, must_change: bool) -> str:
    """Set ``password`` (None: make one), end the user's sessions; returns it."""
    password = password or make_password()
    user.password_hash, user.must_change_password = hash_password(password), must_change
    session.execute(delete(LoginSession).where(LoginSession.user_id == user.user_id))
    return password
