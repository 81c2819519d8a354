"""``python -m app COMMAND``: finds the command's module and runs it."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys

from app import commands
from core.errors import YiwangError


def build_parser() -> argparse.ArgumentParser:
    """The parser with every command of :mod:`app.commands`."""
    parser = argparse.ArgumentParser(
        prog="python -m app",
        description="Yiwang 一网统管: see what happens, decide who handles it, know that it was handled.",
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for found in sorted(pkgutil.iter_modules(commands.__path__), key=lambda m: m.name):
        module = importlib.import_module(f"app.commands.{found.name}")
        name = getattr(module, "NAME", found.name.replace("_", "-"))
        sub = subparsers.add_parser(name, help=module.HELP, description=module.__doc__)
        module.configure(sub)
        sub.set_defaults(run=module.run)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command; a typed error becomes one clear line and exit status 2."""
    args = build_parser().parse_args(argv)
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
