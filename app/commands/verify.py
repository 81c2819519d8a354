"""Check offline that nothing was changed: a sealed evidence package, or the whole audit log.

  python -m app verify PACKAGE.zip [--key public_key.pem]     every byte of a package, its signature, its hash chain
  python -m app verify --log [--media]                        every chain against its anchors, cases, evidence, moves

A package must be signed by this installation's key (<data>/keys), or by the one that --key names.
Exit status 0: nothing was changed; 1: something was, and it says what and where; 2: it cannot be said (a package signed
by an unknown key; chains without any anchor; a file that cannot be read).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import zipfile
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from core.bus import connect
from core.errors import BusUnavailable, InputInvalid
from core.media import MediaStore
from core.settings import Settings, load_settings
from events.evidence.anchor_check import check_anchors, check_database_end, check_places
from events.evidence.anchor_store import BusAnchors, Head
from events.evidence.audit_log import ChainFlaw
from events.evidence.package import SIGNER, Checked, check_package
from events.evidence.sm2 import is_signed_sm2
from events.evidence.verify import check_log, check_media
from storage.session import make_engine

OWN_KEY = "evidence_ed25519.pub.pem"
OWN_SM2_KEY = "evidence_sm2.pub.pem"
MOST_MANIFEST = 64 << 20
HELP = "check an evidence package or the audit log offline"


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("package", nargs="?", type=Path, help="an evidence package (zip)")
    parser.add_argument("--sm2", type=Path, metavar="PEM", help="the SM2 key that must have signed, too")
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


def _is_signed_sm2(package: Path, public: bytes) -> bool:
    """Whether FILE.sm2 beside the package is the SM2 signature of its manifest."""
    try:
        with zipfile.ZipFile(package) as archive:
            info = archive.getinfo("manifest.json")
            manifest = archive.read(info) if info.file_size <= MOST_MANIFEST else b""
        signature = package.with_name(package.name + ".sm2").read_bytes()[:200]
    except (OSError, KeyError, zipfile.BadZipFile, ValueError):
        return False
    return is_signed_sm2(public, signature, manifest)


def _package(args: argparse.Namespace) -> int:
    if not args.package.is_file():
        raise InputInvalid(field="package", detail=f"{args.package} is not a file", how="give a sealed package")
    own = load_data_dir() / "keys" / OWN_KEY
    pinned = _pem(args.key) if args.key else own.read_bytes() if own.is_file() else None
    checked = check_package(args.package, pinned)
    if args.sm2 and not _is_signed_sm2(args.package, _pem(args.sm2)):
        flaw = ChainFlaw(chain_id="manifest.json", seq=0, detail="the SM2 signature does not fit")
        checked = msgspec.structs.replace(checked, flaws=(*checked.flaws, flaw))
    changed = [flaw for flaw in checked.flaws if flaw.chain_id != SIGNER]
    status = 1 if changed else 0 if checked.key_trusted else 2
    if args.json:
        plain = msgspec.to_builtins(checked)
        print(json.dumps({"ok": status == 0, "signer": _signer(checked, pinned), **plain}, ensure_ascii=False))
        return status
    print(f"case {checked.case_number}, sealed {checked.sealed_at}, {checked.files} files, {checked.links} links")
    print(f"key {checked.key}: {_signer(checked, pinned)}")
    for uri in checked.absent:
        print(f"absent when sealed: {uri}")
    if status == 2:
        print("verify: sound in itself, but nobody vouches for the signer: give --key with the published key")
        return status
    return _verdict(changed)


def _signer(checked: Checked, pinned: bytes | None) -> str:
    if checked.key_trusted:
        return "trusted"
    return "unknown: not the key of this installation, or of --key" if pinned else "unknown: no key to compare with"


def load_data_dir() -> Path:
    """The data folder, without making anything in it: an auditor's machine has none."""
    return Path(os.environ.get("YIWANG_DATA_DIR", "var")).expanduser().resolve()


def _log(args: argparse.Namespace) -> int:
    settings = load_settings()
    anchors = args.anchors or settings.data_dir / "audit" / "heads.jsonl"
    key = args.key or settings.data_dir / "keys" / OWN_KEY
    flaws: list[ChainFlaw] = []
    heads: dict[str, Head] = {}
    lines = chains = files = known = 0
    engine = make_engine(args.database or settings.database_url)
    try:
        bus_last = asyncio.run(_bus_last(settings)) if args.anchors is None and args.database is None else None
        for flaw_or_count in check_places(anchors, engine, bus_last):
            if isinstance(flaw_or_count, int):
                known = flaw_or_count
            else:
                flaws.append(flaw_or_count)
        if anchors.is_file():
            heads, wrong, lines = check_anchors(anchors, _pem(key), _sm2_of_anchors(args))
            flaws += wrong
        flaws += check_database_end(anchors, engine)
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
    anchored = bool(lines or known or bus_last)
    status = 1 if flaws else 2 if chains and not anchored else 0
    if args.json:
        plain = [msgspec.to_builtins(flaw) for flaw in flaws]
        report = {"ok": status == 0, "chains": chains, "anchors": lines, "files": files, "flaws": plain}
        print(json.dumps(report, ensure_ascii=False))
        return status
    print(f"{chains} chains, {lines} anchor lines, {len(heads)} anchored heads")
    if status == 2:
        print(f"no anchors at {anchors}: a chain rewritten to its end cannot be told from a true one")
        return status
    return _verdict(flaws)


def _sm2_of_anchors(args: argparse.Namespace) -> bytes | None:
    """The SM2 key named, or this installation's, where there is one."""
    own = load_data_dir() / "keys" / OWN_SM2_KEY
    return _pem(args.sm2) if args.sm2 else own.read_bytes() if own.is_file() else None


async def _bus_last(settings: Settings) -> tuple[int, bytes] | None:
    """The bus's last anchor line, where a bus answers; without one nobody waits for it to start."""
    if not await _listens(settings):
        return None
    with suppress(BusUnavailable, TimeoutError):
        async with asyncio.timeout(4):
            bus = await connect(settings, "verify", wait_s=0.5)
            try:
                return await BusAnchors(bus).last()
            finally:
                await bus.close()
    return None


async def _listens(settings: Settings) -> bool:
    for node in settings.nats_url.split(","):
        place = urlsplit(node)
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(2):
                _reader, writer = await asyncio.open_connection(place.hostname, place.port)
            writer.close()
            return True
    return False


def _pem(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputInvalid(field="--key", detail=str(error), how="give the public key (PEM) that signed") from error


def _verdict(flaws: list[ChainFlaw]) -> int:
    for flaw in flaws:
        print(f"{flaw.kind.upper()} {flaw.chain_id} {flaw.seq}: {flaw.detail}")
    print("verify: " + (f"{len(flaws)} flaws" if flaws else "nothing was changed"))
    return int(bool(flaws))
