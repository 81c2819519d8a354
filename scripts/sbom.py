"""The bill of materials (CycloneDX 1.6, JSON): ``python -m scripts.sbom [FILE]`` (default sbom.json).

Python packages of the installation with the hashes of their lock, licences as the installed packages say; the pages'
packages from their lock file.  Nothing is fetched.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import uuid
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote

HERE = Path(__file__).resolve().parents[1]
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def python_parts(lock: Path) -> Iterator[dict[str, Any]]:
    """The components of a ``requirements`` lock."""
    text = lock.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        pin = _PIN.match(line)
        if pin is None:
            continue
        name, version = pin.groups()
        part: dict[str, Any] = {
            "type": "library", "name": name, "version": version, "purl": f"pkg:pypi/{name.lower()}@{version}",
            "bom-ref": f"pypi:{name.lower()}@{version}",
        }  # fmt: skip
        licence = _licence(name)
        if licence:
            part["licenses"] = [{"license": {"name": licence}}]
        hashes = _HASH.findall(line)
        if hashes:  # one for each file of the release; any of them may be installed
            part["properties"] = [{"name": "yiwang:sha256", "value": value} for value in sorted(hashes)]
        yield part


def _licence(name: str) -> str:
    try:
        found = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ""
    lines = str(found.get("License-Expression") or found.get("License") or "").strip().splitlines()
    return lines[0][:120] if lines else ""


def page_parts(lock: Path) -> Iterator[dict[str, Any]]:
    """The components of a ``package-lock.json`` that are shipped (not those for development alone)."""
    packages: dict[str, Any] = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    for path, package in sorted(packages.items()):
        if not path or package.get("dev"):
            continue
        name, version = path.rsplit("node_modules/", 1)[-1], str(package["version"])
        part: dict[str, Any] = {
            "type": "library", "name": name, "version": version, "purl": f"pkg:npm/{quote(name, safe='/')}@{version}",
            "bom-ref": f"npm:{path}@{version}",
        }  # fmt: skip
        algorithm, _, digest = str(package.get("integrity", "")).partition("-")
        if algorithm == "sha512" and digest:
            part["hashes"] = [{"alg": "SHA-512", "content": base64.b64decode(digest).hex()}]
        if package.get("license"):
            part["licenses"] = [{"license": {"name": str(package["license"])}}]
        yield part


def bill() -> dict[str, Any]:
    """The whole document; the same for the same locks."""
    parts = [*python_parts(HERE / "requirements/runtime.txt"), *page_parts(HERE / "dashboard/package-lock.json")]
    number = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([part["bom-ref"] for part in parts]))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{number}",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "yiwang", "version": "0.1.0", "bom-ref": "yiwang"}},
        "components": parts,
    }


def main() -> int:
    """Write the file."""
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "sbom.json")
    target.write_text(json.dumps(bill(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
