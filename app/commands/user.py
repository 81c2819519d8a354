"""Accounts: add one, give a new password (printed once), set roles, list."""

from __future__ import annotations

import argparse
import csv
import getpass
import json
import os
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.errors import InputInvalid, NotFound
from core.settings import load_settings
from core.tables.safe_cells import safe_cell

HELP = "add accounts one by one or from a table, set a password or roles, list accounts"


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
    batch = actions.add_parser("import", help="accounts from a table (XLSX, CSV …), each with an invitation code")
    batch.add_argument("file", help="columns: login, name, roles, department, division, phone (or their Chinese names)")
    batch.add_argument("--dry-run", action="store_true", help="only say what is wrong")
    batch.add_argument("--codes", help="write login, name and code as CSV here (mode 600) instead of showing them")
    batch.add_argument("--json", action="store_true")
    invite = actions.add_parser("invite", help="a new invitation code for an account, printed once")
    invite.add_argument("login")
    listing = actions.add_parser("list", help="accounts (only those with a password, unless --all)")
    listing.add_argument("--all", action="store_true")
    listing.add_argument("--department")
    listing.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> int:
    from storage.session import make_engine

    engine = make_engine(load_settings().database_url)
    try:
        actions = {"add": _add, "password": _password, "role": _role, "close": _close, "list": _list,
             "import": _import, "invite": _invite}
        return actions[args.action](args, engine)
    finally:
        engine.dispose()


def _add(args: argparse.Namespace, engine: Engine) -> int:
    from dashboard.accounts.users import add_user, set_password
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
    from dashboard.accounts.users import set_password, user_by_login
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
    from dashboard.accounts.users import check_roles, user_by_login
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
    from core.clock import SystemClock
    from dashboard.accounts.users import user_by_login
    from events.dispatching.duty_roster import shifts_ahead
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
        for shift in shifts_ahead(session, user.user_id, SystemClock().now()):
            print(f"  still on the roster: {shift.department_id} {shift.post} {shift.starts_at} - {shift.ends_at}")
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


def _import(args: argparse.Namespace, engine: Engine) -> int:
    import msgspec

    from core.clock import SystemClock
    from dashboard.accounts.batch import import_accounts
    from storage.session import session_scope

    path = Path(args.file)
    if not path.is_file():
        raise InputInvalid(field="file", detail=f"{args.file} does not exist", how="name a table file")
    with session_scope(engine) as session, path.open("rb") as file:
        now = SystemClock().now()
        made = import_accounts(session, file, path.name, "cli", now, dry_run=args.dry_run, language="en")
    if args.json:
        print(json.dumps(msgspec.to_builtins(made), ensure_ascii=False))
        return 1 if made.problems else 0
    for problem in made.problems:
        where = " ".join(str(problem[k]) for k in ("file", "sheet") if problem[k])
        print(f"{where} row {problem['row']} {problem['field']}: {problem['what']} — {problem['remedy']}")
    counts = (f"{len(made.created)} new", f"{len(made.existing)} there already", f"{len(made.problems)} problems")
    print(f"{made.rows} rows, {', '.join(counts)}")
    _give_codes(args, [(a.login, a.name, a.code) for a in made.created])
    return 1 if made.problems else 0


def _give_codes(args: argparse.Namespace, codes: list[tuple[str, str, str]]) -> None:
    if args.dry_run or not codes:
        return
    if not args.codes:
        for login, name, code in codes:
            print(f"{login:<20} {name:<12} {code}   (shown this once)")
        return
    descriptor = os.open(args.codes, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([("login", "name", "code"), *(tuple(map(safe_cell, line)) for line in codes)])
    print(f"codes written to {args.codes}")


def _invite(args: argparse.Namespace, engine: Engine) -> int:
    from core.clock import SystemClock
    from dashboard.accounts.invitations import invite
    from dashboard.accounts.users import user_by_login
    from storage.session import session_scope

    with session_scope(engine) as session:
        code = invite(session, user_by_login(session, args.login), "cli", SystemClock().now())
    print(f"{args.login}: code {code}   (shown this once; valid for 14 days)")
    return 0


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
