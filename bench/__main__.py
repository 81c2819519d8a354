"""``python -m bench NAME [--json]``: one module a benchmark, each with ``configure`` and ``run -> dict``."""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys

import bench


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark and print its figures, as JSON or as a table."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    subparsers = parser.add_subparsers(dest="name", required=True)
    for found in sorted(pkgutil.iter_modules(bench.__path__), key=lambda m: m.name):
        if found.name.startswith("_"):
            continue
        module = importlib.import_module(f"bench.{found.name}")
        if not hasattr(module, "configure"):
            continue  # a helper of a benchmark
        sub = subparsers.add_parser(found.name, help=(module.__doc__ or "").splitlines()[0])
        module.configure(sub)
        sub.add_argument("--json", action="store_true", help="print one JSON object")
        sub.set_defaults(run=module.run)
    args = parser.parse_args(argv)
    figures = args.run(args)
    if args.json:
        print(json.dumps(figures, ensure_ascii=False))
    else:
        _print_table(figures)
    return 0


def _print_table(figures: dict[str, object], indent: str = "") -> None:
    for name, value in figures.items():
        if isinstance(value, dict):
            print(f"{indent}{name}")
            _print_table(value, indent + "  ")
        else:
            print(f"{indent}{name:<32} {value}")


if __name__ == "__main__":
    sys.exit(main())
