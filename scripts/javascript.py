"""The browser's modules held to a standard: ``python -m scripts.javascript [lint] [types] [tests]`` (none: all).

ESLint and TypeScript (``--checkJs`` on JSDoc types) are development packages of ``dashboard/package.json``, put there
by the set-up; Node is the wheel's or the system's.  Nothing here needs the network.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from app.node import node_binary

ROOT = Path(__file__).parents[1]
DASHBOARD = ROOT / "dashboard"
TIMEOUT_S = 300


def steps() -> dict[str, list[str]]:
    """Each step's arguments for Node, run in ``dashboard``."""
    tests = sorted(str(path) for path in (ROOT / "tests" / "js").glob("*.test.mjs"))
    return {
        "lint": ["node_modules/eslint/bin/eslint.js", "--config=lint/eslint.config.mjs", "--max-warnings=0", "."],
        "types": ["node_modules/typescript/bin/tsc", "--project", "."],
        "tests": ["--test", "--test-reporter=dot", *tests],
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run the steps that are named; the number of steps that failed."""
    wanted = list(sys.argv[1:] if argv is None else argv) or list(steps())
    if not (DASHBOARD / "node_modules" / "eslint").is_dir():
        print("javascript: the front-end packages are missing: run `make setup`", file=sys.stderr)
        return 2
    return sum(_failed(name, steps()[name]) for name in wanted)


def _failed(name: str, arguments: Sequence[str]) -> bool:
    done = subprocess.run(  # noqa: S603 - our own command, no shell
        [node_binary(), *arguments], cwd=DASHBOARD, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    if done.returncode:
        print(f"javascript {name}:\n{done.stdout}{done.stderr}", file=sys.stderr)
    return done.returncode != 0


if __name__ == "__main__":
    sys.exit(main())
