"""Pins the images of docker compose by digest: ``python -m scripts.digests`` where docker reaches its registry.

Writes ``docker-compose.digests.yml``, an override that names each foreign image with its tag and digest
(``docker compose -f docker-compose.yml -f docker-compose.digests.yml …``).  ``--check`` asks nobody: it fails when the
override is missing, leaves an image out, or was made for other tags.  Our own image is built here and has no digest.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
OVERRIDE = "docker-compose.digests.yml"
OWN = "yiwang"
_PINNED = re.compile(r"(?P<image>[^@]+)@sha256:[0-9a-f]{64}")


def images(compose: str) -> dict[str, str]:
    """Service and the image that it takes from elsewhere."""
    services = (yaml.safe_load(compose) or {}).get("services") or {}
    named = {name: str(service["image"]) for name, service in services.items() if service and "image" in service}
    return {name: image for name, image in named.items() if image.partition(":")[0] != OWN}


def override(found: Mapping[str, str], digest_of: Callable[[str], str]) -> str:
    """The text of the override; each image is looked up once."""
    digests = {image: digest_of(image) for image in sorted(set(found.values()))}
    for image, digest in digests.items():
        if not _PINNED.fullmatch(f"{image}@{digest}"):
            raise ValueError(f"{image}: {digest!r} is no digest")
    services = {name: {"image": f"{image}@{digests[image]}"} for name, image in sorted(found.items())}
    return "# written by python -m scripts.digests\n" + yaml.safe_dump({"services": services}, sort_keys=True)


def problems(compose: str, pinned: str) -> list[str]:
    """What the override does not pin, or pins otherwise than ``compose`` says."""
    wanted, there = images(compose), images(pinned)
    found = []
    for name, image in sorted(wanted.items()):
        match = _PINNED.fullmatch(there.get(name, ""))
        if match is None:
            found.append(f"{name}: {image} is not pinned by digest")
        elif match["image"] != image:
            found.append(f"{name}: pinned for {match['image']}, docker-compose.yml says {image}")
    return found + [f"{name}: there is no such service" for name in sorted(there.keys() - wanted.keys())]


def ask_docker(image: str) -> str:
    """The digest that the registry gives for ``image`` now."""
    command = ["docker", "buildx", "imagetools", "inspect", image, "--format", "{{.Manifest.Digest}}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def main(argv: list[str] | None = None) -> int:
    """0: pinned; 1: ``--check`` found something."""
    parser = argparse.ArgumentParser(prog="python -m scripts.digests", description=__doc__)
    parser.add_argument("--check", action="store_true", help="look at the override alone")
    parser.add_argument("--folder", type=Path, default=ROOT, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    compose = (args.folder / "docker-compose.yml").read_text(encoding="utf-8")
    target = args.folder / OVERRIDE
    if not args.check:
        target.write_text(override(images(compose), ask_docker), encoding="utf-8")
        print(f"{target}: {len(images(compose))} services")
    found = problems(compose, target.read_text(encoding="utf-8") if target.exists() else "")
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
