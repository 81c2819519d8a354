"""Accounts: add one, give a new password (printed once), set roles, list."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.errors import InputInvalid, NotFound
from core.settings import load_settings

HELP = "add an account, set a password or roles, list accounts"


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = actions.add_parser("add", help="a new account; its password is printed once")
    add.add_argument("login")
    add.add_argument("--name", default="")
    add.add_argument("--role", action="append", required=True, help="may be given several times")
    add.add_argument("--department")
    add.add_argument("--division", help="a grid worker's or inspector's beat")
    password = actions.add_parser("password", help="a new password, printed once; open sessions end")
    password.add_argument("login")
    password.add_argument("--ask", action="store_true", help="type the password instead of having one made")
    role = actions.add_parser("role", help="set the roles of an account")
    role.add_argument("login")
    role.add_argument("roles", nargs="+")
    close = actions.add_parser("close", help="close an account; its sessions end")
    close.add_argument("login")
    listing = actions.add_parser("list", help="accounts (only those with a password, unless --all)")
    listing.add_argument("--all", action="store_true")
    listing.add_argument("--department")
    listing.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> int:
    from storage.session import make_engine

    engine = make_engine(load_settings().database_url)
    try:
        return {"add": _add, "password": _password, "role": _role, "close": _close, "list": _list}[args.action](
            args, engine
        )
    finally:
        engine.dispose()


def _add(args: argparse.Namespace, engine: Engine) -> int:
    from dashboard.auth import add_user, set_password
    from storage.session import session_scope

    with session_scope(engine) as session:
        user = add_user(
            session,
            login=args.login,
            name=args.name,
            roles=args.role,
            department_id=args.department,
            division_code=args.division,
        )
        password = set_password(session, user, None, must_change=True)
        _note(session, "user_create", {"user_id": user.user_id, "login": args.login, "roles": sorted(set(args.role))})
    print(f"{args.login}: password {password}   (shown this once; to be changed after logging in)")
    return 0


def _password(args: argparse.Namespace, engine: Engine) -> int:
    from dashboard.auth import set_password, user_by_login
    from storage.session import session_scope

    given = None
    if args.ask:
        given = getpass.getpass("password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        if not given:
            raise InputInvalid(field="password", detail="is empty", how="type one, or leave out --ask")
    with session_scope(engine) as session:
        user = user_by_login(session, args.login)
        password = set_password(session, user, given, must_change=given is None)
        _note(session, "user_password", {"user_id": user.user_id, "login": args.login})
    print(f"{args.login}: password set" if given else f"{args.login}: password {password}   (shown this once)")
    return 0


def _role(args: argparse.Namespace, engine: Engine) -> int:
    from dashboard.auth import check_roles, user_by_login
    from storage.session import session_scope
    from storage.tables.people import UserRole

    check_roles(args.roles)
    with session_scope(engine) as session:
        user = user_by_login(session, args.login)
        before = sorted(session.scalars(select(UserRole.role).where(UserRole.user_id == user.user_id)))
        for row in session.scalars(select(UserRole).where(UserRole.user_id == user.user_id)):
            session.delete(row)
        session.flush()
        roles = sorted(set(args.roles))
        session.add_all([UserRole(user_id=user.user_id, role=role) for role in roles])
        _note(session, "user_roles", {"user_id": user.user_id, "login": args.login, "from": before, "to": roles})
    print(f"{args.login}: {', '.join(sorted(set(args.roles)))}")
    return 0


def _close(args: argparse.Namespace, engine: Engine) -> int:
    from dashboard.auth import user_by_login
    from storage.session import session_scope
    from storage.tables.people import LoginSession

    with session_scope(engine) as session:
        user = user_by_login(session, args.login)
        if not user.active:
            raise NotFound(what="open account", key=args.login)
        user.active = False
        for row in session.scalars(select(LoginSession).where(LoginSession.user_id == user.user_id)):
            session.delete(row)
        _note(session, "user_close", {"user_id": user.user_id, "login": args.login})
    print(f"{args.login}: closed")
    return 0


def _note(session: Session, action: str, body: dict[str, Any]) -> None:
    """A link of the audit chain: who at this machine did it."""
    from core.clock import SystemClock
    from events.evidence.audit_log import SYSTEM_CHAIN, append

    try:
        person = getpass.getuser()
    except (KeyError, OSError):
        person = "?"
    append(session, SYSTEM_CHAIN, SystemClock().now(), f"cli:{person}"[:40], action, body)


def _list(args: argparse.Namespace, engine: Engine) -> int:
    from dashboard.people import user_page
    from storage.session import read_scope

    with read_scope(engine) as session:
        rows, _ = user_page(session, {"department": args.department, "all": args.all}, 100_000, 0)
    hidden = 0 if args.all else sum(not r["can_log_in"] for r in rows)
    rows = [r for r in rows if args.all or r["can_log_in"]]
    if args.json:
        print(json.dumps(rows, ensure_ascii=False))
        return 0
    for row in rows:
        state = "" if row["can_log_in"] else "  (no password)" if row["active"] else "  (closed)"
        print(f"{row['login']:<20} {row['name']:<12} {','.join(row['roles']):<30} {row['department_id'] or ''}{state}")
    if hidden:
        print(f"and {hidden} without a password: --all shows them, 'user password LOGIN' lets one in")
    return 0
