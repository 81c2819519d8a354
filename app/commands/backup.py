"""Write everything of this installation into one file, while it runs or not.

  python -m app backup FILE [--recipient age1…] [--passphrase-file FILE]
  python -m app backup --new-key FILE          make a key pair; the public key is printed, FILE opens backups again

Database, evidence, keys, anchors, settings, models, city files, maps.  Without a recipient or a passphrase the file is
not encrypted (mode 600, and a warning): it holds every secret of the installation.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from core.settings import load_settings

HELP = "write everything into one file"


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the backup to write; must not exist")
    text = "age or SSH public key (may be given several times)"
    parser.add_argument("--recipient", action="append", default=[], metavar="KEY", help=text)
    parser.add_argument("--passphrase-file", type=Path, metavar="FILE", help="its first line is the passphrase")
    parser.add_argument("--new-key", type=Path, metavar="FILE", help="make a key pair instead; print the public key")


def run(args: argparse.Namespace) -> int:
    """Write the backup."""
    from app.backup.sealing import new_key, read_passphrase, read_recipient
    from app.backup.write import write
    from core.errors import InputInvalid

    if args.new_key is not None:
        print(new_key(args.new_key))
        return 0
    if args.file is None:
        raise InputInvalid(field="FILE", detail="is missing", how="name the file to write")
    recipients = [read_recipient(text) for text in args.recipient]
    passphrase = read_passphrase(args.passphrase_file) if args.passphrase_file else None
    started = time.monotonic()
    made = write(load_settings(), dict(os.environ), args.file, recipients, passphrase)
    seconds = max(time.monotonic() - started, 1e-3)
    print(f"{args.file}: {made.files} files, {made.bytes / 1e6:.1f} MB in {seconds:.1f} s")
    for name in made.absent:
        print(f"went away meanwhile: {name}")
    if not recipients and passphrase is None:
        print(
            "warning: the file is NOT encrypted and holds every secret of this installation; keep it where nobody else"
            " reads it, or use --recipient or --passphrase-file",
            file=sys.stderr,
        )
    return 0
