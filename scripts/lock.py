"""Writes requirements.txt: requirements.in and everything it draws in, each with the installed version."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement


def closure(roots: list[str]) -> dict[str, str]:
    """Name → version of ``roots`` and all they require on this platform; a local suffix (+cpu) is dropped."""
    pins: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    queue = [Requirement(line) for line in roots]
    while queue:
        wanted = queue.pop()
        name = re.sub(r"[-_.]+", "-", wanted.name).lower()
        for extra in ["", *wanted.extras]:
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            found = metadata.distribution(name)
            pins[name] = found.version.split("+")[0]
            for line in found.requires or []:
                requirement = Requirement(line)
                if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                    queue.append(requirement)
    return pins


def main() -> None:
    """Write the file."""
    lines = [line.split("#")[0].strip() for line in Path("requirements.in").read_text().splitlines()]
    pins = closure([line for line in lines if line])
    head = "# Written by scripts/lock.py (make lock) from requirements.in; do not edit.\n"
    Path("requirements.txt").write_text(head + "".join(f"{n}=={v}\n" for n, v in sorted(pins.items())))


if __name__ == "__main__":
    main()
