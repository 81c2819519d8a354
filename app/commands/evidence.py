"""Seal the evidence of a case into one zip that can be checked without us (python -m app verify FILE)."""

from __future__ import annotations

import argparse
import zipfile
from pathlib import Path

from sqlalchemy import or_, select

from core.clock import SystemClock
from core.errors import InputInvalid, NotFound
from core.media import MediaStore
from core.records import SYSTEM
from core.settings import load_settings
from events.evidence.package import seal_case
from events.evidence.signatures import open_seal
from events.evidence.sm2 import open_sm2_key
from storage.session import make_engine, read_scope
from storage.tables.cases import Case

HELP = "seal a case's evidence into a package"


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("case", help="case number or id")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the zip to write; must not exist")
    parser.add_argument("--sm2", action="store_true", help="also FILE.sm2: SM2/SM3 signature of its manifest")
    parser.add_argument("--reason", required=True, help="who asked for it and why; goes into the audit chain")


def run(args: argparse.Namespace) -> int:
    """Write the package."""
    settings = load_settings()
    engine = make_engine(settings.database_url)
    try:
        with read_scope(engine) as session:
            case_id = session.scalar(
                select(Case.case_id).where(or_(Case.number == args.case, Case.case_id == args.case))
            )
        if case_id is None:
            raise NotFound(what="case", key=args.case)
        seal = open_seal(settings.data_dir / "keys")
        try:
            with args.out.open("xb") as target:
                number = seal_case(
                    engine, SystemClock(), MediaStore(settings.media_url), seal, SYSTEM, case_id, args.reason, target
                )
        except OSError as error:
            raise InputInvalid(field="--out", detail=str(error), how="name a new file in a writable folder") from error
        if args.sm2:
            _sign_sm2(args.out, settings.data_dir / "keys")
        print(f"{number} sealed in {args.out}, key {seal.fingerprint}")
    finally:
        engine.dispose()
    return 0


def _sign_sm2(package: Path, keys: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        manifest = archive.read("manifest.json")
    package.with_name(package.name + ".sm2").write_bytes(open_sm2_key(keys).sign(manifest))
