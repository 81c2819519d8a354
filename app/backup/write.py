"""Writes the backup file: beside its place first, then into it."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import psycopg

from app.backup.contents import BLOCK, Packer, scratch_beside
from app.backup.errors import BackupRefused
from app.backup.sealing import encrypt
from core.settings import Settings


def write(
    settings: Settings, env: dict[str, str], path: Path, recipients: Sequence[Any], passphrase: str | None
) -> Packer:
    """Write the backup to ``path`` (mode 600; must not exist); what was packed.  Nothing is left after a failure."""
    if path.exists():
        raise BackupRefused(path=path, detail="there is such a file already", how="name a new file")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with scratch_beside(path) as scratch, _new(partial) as file:
            packer = Packer(settings, env, Path(scratch))
            if recipients or passphrase is not None:
                encrypt(packer, file, recipients, passphrase)
            else:
                shutil.copyfileobj(packer, file, BLOCK)
            file.flush()
            os.fsync(file.fileno())
        os.link(partial, path)  # fails when somebody else wrote one meanwhile
        return packer
    except FileExistsError as error:
        raise BackupRefused(path=path, detail="there is such a file already", how="name a new file") from error
    except (sqlite3.Error, psycopg.Error) as error:
        how = "start the database, or migrate it first"
        raise BackupRefused(path=path, detail=f"the database: {error}", how=how) from error
    except OSError as error:
        how = "make room, or choose a folder that you may write to"
        raise BackupRefused(path=path, detail=error.strerror or str(error), how=how) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()


def _new(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
