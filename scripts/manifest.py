"""Write and sign the manifest of our own files: ``python -m scripts.manifest --key KEY.pem [--new-key]``.

``--new-key`` makes the release's key first (mode 600) and its public key beside it: keep the first away from every
machine that runs the platform, give the second to whoever checks (``python -m app self-check --key``).
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.own_files import MANIFEST, ROOT, SIGNATURE, manifest_of
from events.evidence.signatures import EvidenceSeal


def main(argv: list[str] | None = None) -> int:
    """Write both files into ``--root``."""
    parser = argparse.ArgumentParser(prog="python -m scripts.manifest", description=__doc__)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--new-key", action="store_true")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.new_key:
        _make(args.key)
    key = serialization.load_pem_private_key(args.key.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        print("the key is no Ed25519 key", file=sys.stderr)
        return 2
    raw = manifest_of(args.root)
    (args.root / MANIFEST).write_bytes(raw)
    (args.root / SIGNATURE).write_bytes(key.sign(raw))
    print(f"{args.root / MANIFEST}: signed by {EvidenceSeal(key).fingerprint}")
    return 0


def _make(path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    path.with_suffix(".pub.pem").write_bytes(EvidenceSeal(key).public_pem)


if __name__ == "__main__":
    sys.exit(main())
