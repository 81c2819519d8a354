"""``python -m app COMMAND``: finds the command's module and runs it.

Only the module of the command that was asked for is imported: what the others say of themselves in the list of
``--help`` is read from their text.
"""

from __future__ import annotations

import argparse
import ast
import gc
import importlib
import os
import sys
from pathlib import Path

from core import plugins
from core.errors import YiwangError
from core.settings import data_dir

COMMANDS = Path(__file__).parent / "commands"


def names() -> dict[str, Path]:
    """Every command and its file."""
    files = sorted(path for path in COMMANDS.rglob("*.py") if not path.name.startswith("_"))
    return {_constants(path).get("NAME", path.stem.replace("_", "-")): path for path in files}


def build_parser(asked: str | None = None) -> argparse.ArgumentParser:
    """The parser; the arguments of ``asked`` alone, or of every command when it is None."""
    parser = argparse.ArgumentParser(
        prog="python -m app",
        description="Yiwang 一网统管: see what happens, decide who handles it, know that it was handled.",
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    alone = _file_of(asked)
    for name, path in {asked: alone}.items() if asked and alone else names().items():
        if asked not in (None, name):
            subparsers.add_parser(name, help=_constants(path).get("HELP", ""))
            continue
        inside = path.relative_to(COMMANDS).with_suffix("").parts
        module = importlib.import_module(".".join(["app", "commands", *inside]))
        sub = subparsers.add_parser(name, help=module.HELP, description=module.__doc__)
        module.configure(sub)
        sub.set_defaults(run=module.run)
    return parser


def _file_of(asked: str | None) -> Path | None:
    """The file of a command that is named like it: no other file has to be read."""
    found = list(COMMANDS.rglob(f"{asked.replace('-', '_')}.py")) if asked and asked.replace("-", "").isalnum() else []
    return found[0] if len(found) == 1 and "NAME" not in _constants(found[0]) else None


def main(argv: list[str] | None = None) -> int:
    """Run one command; a typed error becomes one clear line and exit status 2."""
    os.umask(0o077)  # whatever we write is for this account alone
    given = sys.argv[1:] if argv is None else argv
    args = build_parser(next(iter(given), "")).parse_args(given)
    gc.enable()
    plugins.use_city_folder(data_dir() / "plugins")
    try:
        status: int = args.run(args)
        return status
    except YiwangError as error:
        print(f"{args.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 141


def _constants(path: Path) -> dict[str, str]:
    """``HELP`` and ``NAME`` of a command's module, without importing it."""
    found: dict[str, str] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        if isinstance(node, ast.Assign) and isinstance(target, ast.Name) and target.id in ("HELP", "NAME"):
            found[target.id] = str(ast.literal_eval(node.value))
    return found
