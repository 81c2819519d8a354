"""Keys with which other platforms call the API (Open311): made, listed, revoked.  A key is shown once."""

from __future__ import annotations

import argparse
import hashlib
import secrets

from sqlalchemy import select

from core.clock import SystemClock
from core.errors import InputInvalid, NotFound
from core.settings import load_settings
from storage.session import make_engine, session_scope
from storage.tables.people import ApiKey, User

HELP = "make, list or revoke keys of other platforms"
SCOPES = ("open311", "sensorthings", "sensorthings_write", "ogc")


def configure(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="what", required=True, metavar="create|list|revoke")
    create = commands.add_parser("create", help="make a key and show it once")
    create.add_argument("name")
    create.add_argument("--user", required=True, help="login of the person who answers for it")
    create.add_argument("--scope", choices=SCOPES, default="open311")
    commands.add_parser("list", help="the keys, without their secrets")
    revoke = commands.add_parser("revoke", help="end a key at once")
    revoke.add_argument("name")


def run(args: argparse.Namespace) -> int:
    engine = make_engine(load_settings().database_url)
    now = SystemClock().now()
    with session_scope(engine) as session:
        if args.what == "list":
            for row in session.scalars(select(ApiKey).order_by(ApiKey.name)):
                print(f"{row.name:<30} {row.scope:<10} {row.user_id:<20} {'revoked' if row.revoked_at else 'valid'}")
            return 0
        known = session.scalars(select(ApiKey).where(ApiKey.name == args.name)).one_or_none()
        if args.what == "revoke":
            if known is None:
                raise NotFound(what="key", key=args.name)
            known.revoked_at = known.revoked_at or now
            print(f"{args.name}: revoked")
            return 0
        if known is not None:
            raise InputInvalid(field="name", detail=f"{args.name!r} exists already", how="choose another name")
        user = session.scalars(select(User).where(User.login == args.user)).one_or_none()
        if user is None:
            raise NotFound(what="user", key=args.user)
        key = secrets.token_urlsafe(24)
        digest = hashlib.sha256(key.encode()).hexdigest()
        session.add(ApiKey(key_hash=digest, name=args.name, user_id=user.user_id, scope=args.scope, created_at=now))
    print(key)
    return 0
