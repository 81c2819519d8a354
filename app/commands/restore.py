"""Make an installation from a backup: nothing of the old machine is needed but the key that opens the file.

  python -m app restore FILE --into DIR [--identity KEYFILE] [--passphrase-file FILE]

DIR must be empty or not there; a damaged file is refused and leaves nothing behind.  Then:
YIWANG_DATA_DIR=DIR python -m app run.  The backup of a PostgreSQL installation is loaded into the empty database that
YIWANG_DATABASE_URL names.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

HELP = "make an installation from a backup"


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("file", type=Path, metavar="FILE", help="what backup wrote")
    parser.add_argument("--into", type=Path, required=True, metavar="DIR", help="the data folder to make")
    parser.add_argument("--identity", "--key", type=Path, metavar="FILE", help="the private key of a recipient")
    parser.add_argument("--passphrase-file", type=Path, metavar="FILE", help="its first line is the passphrase")


def run(args: argparse.Namespace) -> int:
    """Restore."""
    from app.backup.restore import restore

    about = restore(
        args.file,
        args.into,
        identity=args.identity,
        passphrase=args.passphrase_file,
        database_url=os.environ.get("YIWANG_DATABASE_URL", ""),
    )
    size = f"{about['files']} files, {about['bytes'] / 1e6:.1f} MB"
    print(f"{args.into}: {size}, made {about['made_at']}, all as recorded")
    print(f"start it: YIWANG_DATA_DIR={args.into} python -m app run   (its settings of then: {args.into}/settings.env)")
    return 0
