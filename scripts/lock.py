"""Writes the locks of ``requirements/``: ``make lock`` after a change of one of the three lists.

``runtime.txt`` and ``tests.txt`` bear the hash of every file (``pip install --require-hashes``).  ``training.txt``
bears versions alone: which build of torch fits depends on the machine, and each build has a hash of its own.
``requirements.txt`` joins the three, versions alone, so that one install brings everything.
"""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

HERE = Path(__file__).resolve().parents[1]
LISTS = HERE / "requirements"
COMPILE = (
    "compile", "--quiet", "--generate-hashes", "--allow-unsafe", "--strip-extras", "--no-annotate", "--no-header",
    "--no-emit-index-url", "--no-emit-find-links", "--no-emit-trusted-host",
)  # fmt: skip


def wanted(name: str) -> list[str]:
    """The lines of a list without comments."""
    lines = [line.split("#")[0].strip() for line in (LISTS / f"{name}.in").read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line]


def closure(roots: list[str]) -> dict[str, str]:
    """Name → version of ``roots`` and all they require on this platform; a local suffix (+cpu) is dropped."""
    pins: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    queue = [Requirement(line) for line in roots]
    while queue:
        requirement = queue.pop()
        name = normal(requirement.name)
        for extra in ["", *requirement.extras]:
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            found = metadata.distribution(name)
            pins[name] = found.version.split("+")[0]
            for line in found.requires or []:
                needed = Requirement(line)
                if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                    queue.append(needed)
    return pins


def normal(name: str) -> str:
    """A package's name as the index writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def hashed(name: str, pins: dict[str, str], without: set[str]) -> set[str]:
    """Write ``<name>.txt`` with hashes, at the versions of ``pins``; returns the packages that it lists."""
    constraints = LISTS / ".pins"
    constraints.write_text("".join(f"{n}=={v}\n" for n, v in sorted(pins.items())), encoding="utf-8")
    target = LISTS / f"{name}.txt"
    try:
        subprocess.run(
            [sys.executable, "-m", "piptools", *COMPILE, "-c", str(constraints), "-o", str(target), f"{name}.in"],
            cwd=LISTS,
            check=True,
        )
    finally:
        constraints.unlink()
    blocks = re.findall(r"^\S.*?(?=^\S|\Z)", target.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    kept = [block for block in blocks if "==" in block and _name(block) not in without]
    target.write_text(head(name) + "".join(kept), encoding="utf-8")
    return {_name(block) for block in kept}


def head(name: str) -> str:
    """The first line of a lock."""
    return f"# Written by scripts/lock.py (make lock) from requirements/{name}.in; do not edit.\n"


def _name(block: str) -> str:
    return normal(re.split(r"[=\[ ]", block, maxsplit=1)[0])


def main() -> None:
    """Write all four files."""
    lists = {name: closure(wanted(name)) for name in ("runtime", "tests", "training")}
    every = lists["training"] | lists["tests"] | lists["runtime"]
    runtime = hashed("runtime", every, set())
    hashed("tests", every, runtime)
    training = {n: v for n, v in lists["training"].items() if n not in runtime}
    plain = "".join(f"{n}=={v}\n" for n, v in sorted(training.items()))
    (LISTS / "training.txt").write_text(head("training") + plain, encoding="utf-8")
    joined = "".join(f"{n}=={v}\n" for n, v in sorted(every.items()))
    (HERE / "requirements.txt").write_text(head("*") + joined, encoding="utf-8")


if __name__ == "__main__":
    main()
