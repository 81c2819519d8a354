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
    given = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(prog="python -m bench")
    subparsers = parser.add_subparsers(dest="name", required=True)
    names = sorted(m.name for m in pkgutil.iter_modules(bench.__path__) if not m.ispkg and not m.name.startswith("_"))
    for name in given[:1] if given[:1] and given[0] in names else names:  # the others need not even be importable
        module = importlib.import_module(f"bench.{name}")
        if not hasattr(module, "configure"):
            continue  # a helper of a benchmark
        sub = subparsers.add_parser(name, help=(module.__doc__ or "").splitlines()[0].replace("%", "%%"))
        module.configure(sub)
        sub.add_argument("--json", action="store_true", help="print one JSON object")
        sub.set_defaults(run=module.run)
    args = parser.parse_args(given)
    figures = args.run(args)
    if isinstance(figures, int):
        return figures  # a run of checks: it has printed its lines, and this is its exit status
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
