"""Hold our own files against the signed manifest of the release: changed, missing and added ones are named.

Exit status 0: as released; 1: something differs; 2: no manifest, or not signed with the key that was named.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict
from pathlib import Path

from app.own_files import ROOT, compare
from core.errors import InputInvalid

HELP = "are our own files those that were released?"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--key", type=Path, help="the release's public key (PEM); default: YIWANG_RELEASE_KEY")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    named = args.key or os.environ.get("YIWANG_RELEASE_KEY")
    if not named:
        raise InputInvalid(field="--key", detail="is not given", how="name the release's public key, kept elsewhere")
    try:
        public = Path(named).read_bytes()
    except OSError as error:
        raise InputInvalid(field="--key", detail=str(error), how="name a PEM file") from error
    found = compare(public, args.root)
    if args.json:
        print(json.dumps({"ok": found.ok, **asdict(found)}))
    else:
        for word in ("changed", "missing", "added"):
            for name in getattr(found, word):
                print(f"{word}: {name}")
        print(f"{found.files} files as released, signed by {found.signer[:16]}…" if found.ok else "NOT as released")
    return 0 if found.ok else 1
