"""Encryption of a backup by age (https://age-encryption.org/v1), by the library pyrage.

For recipients the file is an age file as it stands (``age -d`` opens it).  With a passphrase a key made for this one
file stands in front, itself encrypted with the passphrase: age's own passphrase format cannot be written as a stream.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import pyrage

from app.backup.errors import RestoreRefused, damaged
from core.errors import InputInvalid

AGE = b"age-encryption.org/v1"
LOCKED = b"YIWANG-BACKUP-PASSPHRASE/1\n"
_SHORTEST = 8  # characters of a passphrase
_HEAD_BYTES = 64 * 1024


def read_recipient(text: str) -> Any:
    """An age (``age1…``) or SSH public key."""
    try:
        if text.startswith("ssh-"):
            return pyrage.ssh.Recipient.from_str(text.strip())
        return pyrage.x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError as error:
        raise InputInvalid(
            field="--recipient", detail=f"{text[:40]!r} is no public key: {error}", how="see backup --new-key FILE"
        ) from error


def new_key(path: Path) -> str:
    """Make a key pair: the private key into ``path`` (mode 600, must not exist); the public one is returned."""
    identity = pyrage.x25519.Identity.generate()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise InputInvalid(field="--new-key", detail=str(error), how="name a new file in a writable folder") from error
    with os.fdopen(descriptor, "w") as file:
        file.write(f"# public key: {identity.to_public()}\n{identity}\n")
    return str(identity.to_public())


def read_passphrase(path: Path) -> str:
    """The first line of a file."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputInvalid(field="--passphrase-file", detail=str(error), how="give a readable text file") from error
    phrase = lines[0].strip() if lines else ""
    if len(phrase) < _SHORTEST:
        how = f"put a phrase of at least {_SHORTEST} characters on its first line"
        raise InputInvalid(field="--passphrase-file", detail="holds no passphrase, or a short one", how=how)
    return phrase


def encrypt(source: Any, target: IO[bytes], recipients: Sequence[Any], passphrase: str | None) -> None:
    """Write ``source`` (an object with ``read``) to ``target``."""
    keys = list(recipients)
    if passphrase is not None:
        identity = pyrage.x25519.Identity.generate()
        keys.append(identity.to_public())
        locked = pyrage.passphrase.encrypt(str(identity).encode(), passphrase)
        head = json.dumps({"key": base64.b64encode(locked).decode()}).encode()
        target.write(LOCKED + head + b"\n")
    pyrage.encrypt_io(source, target, keys)


@contextlib.contextmanager
def opened(path: Path, identity: Path | None, passphrase: Path | None) -> Iterator[IO[bytes]]:
    """The backup's content as a stream, decrypted; typed errors for a wrong or missing key and for damage."""
    with path.open("rb") as file:
        start = file.read(len(LOCKED))
        if start == LOCKED:
            keys = [_unlock(path, file.readline(_HEAD_BYTES), passphrase)]
        elif start.startswith(AGE):
            file.seek(0)
            keys = _identities(path, identity)
        else:
            file.seek(0)
            yield file
            return
        with _decrypted(path, file, keys) as plain:
            yield plain


def _unlock(path: Path, head: bytes, passphrase: Path | None) -> Any:
    if passphrase is None:
        raise RestoreRefused(path=path, detail="it is locked with a passphrase", how="give --passphrase-file FILE")
    try:
        locked = base64.b64decode(json.loads(head)["key"], validate=True)
    except (ValueError, KeyError, TypeError) as error:
        raise damaged(path, "its head cannot be read") from error
    try:
        text = pyrage.passphrase.decrypt(locked, read_passphrase(passphrase)).decode()
        return pyrage.x25519.Identity.from_str(text)
    except (pyrage.DecryptError, pyrage.IdentityError, UnicodeDecodeError) as error:
        how = "give the passphrase that the backup was made with; if it is right, the file is damaged"
        raise RestoreRefused(path=path, detail="the passphrase does not open it", how=how) from error


def _identities(path: Path, identity: Path | None) -> list[Any]:
    if identity is None:
        how = "give the private key: --identity FILE"
        raise RestoreRefused(path=path, detail="it is encrypted for a recipient", how=how)
    try:
        text = identity.read_text(encoding="utf-8")
        if "PRIVATE KEY" in text:
            return [pyrage.ssh.Identity.from_buffer(text.encode())]
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        return [pyrage.x25519.Identity.from_str(line) for line in lines]
    except (OSError, UnicodeDecodeError, pyrage.IdentityError) as error:
        raise InputInvalid(field="--identity", detail=str(error), how="give the file that --new-key made") from error


@contextlib.contextmanager
def _decrypted(path: Path, file: IO[bytes], keys: Sequence[Any]) -> Iterator[IO[bytes]]:
    """age pushes, tar pulls: a pipe and a thread between them."""
    read_end, write_end = os.pipe()
    failed: list[BaseException] = []

    def push() -> None:
        try:
            with os.fdopen(write_end, "wb") as sink:
                pyrage.decrypt_io(file, sink, keys)
        except (pyrage.DecryptError, OSError, ValueError) as error:
            failed.append(error)

    thread = threading.Thread(target=push, name="age", daemon=True)
    thread.start()
    try:
        with os.fdopen(read_end, "rb") as source:
            try:
                yield source
                while source.read(1 << 20):  # age tells at the end whether the file was whole
                    pass
            finally:
                if not failed:
                    source.close()
                thread.join(30)
    finally:
        thread.join(30)
        if failed and not isinstance(failed[0], BrokenPipeError) and "Broken pipe" not in str(failed[0]):
            said = str(failed[0])
            if "No matching keys" in said:
                how = "give the private key of one of its recipients"
                raise RestoreRefused(path=path, detail="this key does not open it", how=how) from failed[0]
            raise damaged(path, said) from failed[0]
