"""Check offline that nothing was changed: a sealed evidence package, or the whole audit log.

  python -m app verify PACKAGE.zip [--key public_key.pem]     every byte of a package, its signature, its hash chain
  python -m app verify --log [--media]                        every chain against its anchors, cases and transitions
Exit status 0: nothing was changed; 1: something was, and it says what and where.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import msgspec

from core.errors import InputInvalid
from core.media import MediaStore
from core.settings import load_settings
from events.evidence.anchor import Head, check_anchors
from events.evidence.audit_log import Flaw
from events.evidence.package import check_package
from events.evidence.verify import check_log, check_media
from storage.session import make_engine

HELP = "check an evidence package or the audit log offline"


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("package", nargs="?", type=Path, help="an evidence package (zip)")
    parser.add_argument("--log", action="store_true", help="check the audit log in the database")
    parser.add_argument("--key", type=Path, metavar="PEM", help="the public key that must have signed")
    parser.add_argument(
        "--anchors", type=Path, metavar="FILE", help="anchored heads (default <data>/audit/heads.jsonl)"
    )
    parser.add_argument("--database", metavar="URL", help="database (default: the installation's)")
    parser.add_argument("--media", action="store_true", help="with --log: also every evidence file against its hash")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Check; 1 when a flaw was found."""
    if bool(args.package) == args.log:
        raise InputInvalid(field="verify", detail="nothing to check", how="give a package, or --log")
    return _log(args) if args.log else _package(args)


def _package(args: argparse.Namespace) -> int:
    if not args.package.is_file():
        raise InputInvalid(field="package", detail=f"{args.package} is not a file", how="give a sealed package")
    checked = check_package(args.package, _pem(args.key) if args.key else None)
    if args.json:
        print(json.dumps({"ok": not checked.flaws, **msgspec.to_builtins(checked)}, ensure_ascii=False))
        return int(bool(checked.flaws))
    print(f"case {checked.case_number}, sealed {checked.sealed_at}, {checked.files} files, {checked.links} links")
    trust = " (trusted)" if checked.key_trusted else ": compare it with the published one, or give --key"
    print(f"key {checked.key}{trust}")
    for uri in checked.absent:
        print(f"absent when sealed: {uri}")
    return _verdict(list(checked.flaws))


def _log(args: argparse.Namespace) -> int:
    settings = load_settings()
    anchors = args.anchors or settings.data_dir / "audit" / "heads.jsonl"
    key = args.key or settings.data_dir / "keys" / "evidence_ed25519.pub.pem"
    flaws: list[Flaw] = []
    heads: dict[str, Head] = {}
    lines = 0
    if anchors.exists():
        heads, flaws, lines = check_anchors(anchors, _pem(key))
    engine = make_engine(args.database or settings.database_url)
    chains = files = 0
    try:
        for found in check_log(engine, heads):
            if isinstance(found, int):
                chains = found
            else:
                flaws.append(found)
        for found in check_media(engine, MediaStore(settings.media_url)) if args.media else ():
            if isinstance(found, int):
                files = found
            else:
                flaws.append(found)
    finally:
        engine.dispose()
    if args.json:
        plain = [msgspec.to_builtins(flaw) for flaw in flaws]
        print(
            json.dumps(
                {"ok": not flaws, "chains": chains, "anchors": lines, "files": files, "flaws": plain},
                ensure_ascii=False,
            )
        )
        return int(bool(flaws))
    print(f"{chains} chains, {lines} anchor lines, {len(heads)} anchored heads")
    if not lines:
        print(f"no anchors at {anchors}: a chain rewritten to its end cannot be told from a true one")
    return _verdict(flaws)


def _pem(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputInvalid(field="--key", detail=str(error), how="give the public key (PEM) that signed") from error


def _verdict(flaws: list[Flaw]) -> int:
    for flaw in flaws:
        print(f"CHANGED {flaw.chain_id} {flaw.seq}: {flaw.detail}")
    print("verify: " + (f"{len(flaws)} flaws" if flaws else "nothing was changed"))
    return int(bool(flaws))
