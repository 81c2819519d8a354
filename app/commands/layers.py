"""Map layers of one's own: take a geodata file or a picture in, list them, take one away; see docs/layers.md."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputInvalid, YiwangError
from core.settings import load_settings

if TYPE_CHECKING:
    from layers.catalogue.report import LayerReport

HELP = "map layers: import FILE, list, remove NAME"
SHOWN = 50


def configure(parser: argparse.ArgumentParser) -> None:
    """Subcommands ``import``, ``list`` and ``remove``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    take = actions.add_parser(
        "import", help="take FILE in as a layer: GeoPackage, Shapefile, GeoJSON, CSV, OSM PBF, GeoTIFF …"
    )
    take.add_argument("file", type=Path)
    take.add_argument(
        "--crs", default="auto", help="EPSG:4551, gcj02, bd09 …; auto: the file's own, else by its values"
    )
    take.add_argument("--as", dest="kind", default="", metavar="KIND", help="roads, buildings …; left out: by the file")
    take.add_argument("--name", default="", help="name of the layer; left out: the file's")
    take.add_argument("--layer", default="", help="which layer of a file that holds several")
    take.add_argument("--towgs84", default="", help="dx,dy,dz or seven parameters, for Beijing 1954 and Xian 1980")
    take.add_argument("--swap-axes", action="store_true", help="the file's x is north and its y is east")
    take.add_argument(
        "--set", dest="params", action="append", default=[], metavar="KEY=VALUE", help="a parameter of the kind"
    )
    take.add_argument("--title", default="", help="title on the map")
    for name in ("source", "date", "licence", "attribution"):
        take.add_argument(f"--{name}", default="", help=f"{name} shown with the layer")
    take.add_argument("--json", action="store_true", help="print the report as one JSON object")
    listed = actions.add_parser("list", help="the layers that there are")
    listed.add_argument("--json", action="store_true")
    actions.add_parser("remove", help="take a layer away").add_argument("name")


def run(args: argparse.Namespace) -> int:
    """Import: 0 taken as it is; 1 taken, with problems; 2 nothing taken."""
    return {"import": _import, "list": _list, "remove": _remove}[args.action](args)


def _import(args: argparse.Namespace) -> int:
    from layers.catalogue.report import LayerReport
    from layers.catalogue.take import name_of, take_in
    from layers.territory import of_database
    from storage.migrate import migrate
    from storage.session import make_engine

    report = LayerReport(args.name or name_of(args.file), args.kind)
    if not args.file.is_file():
        report.problems.tell(args.file.name, "not_geodata", detail="there is no such file")
    else:
        settings = load_settings()
        migrate(settings.database_url)
        engine = make_engine(settings.database_url)
        try:
            territory = of_database(engine)
        finally:
            engine.dispose()
        try:
            report = take_in(settings, args.file, territory, _wish(args))
        except YiwangError as error:
            if not args.json:
                raise
            told = error.as_dict()
            report.problems.tell(args.file.name, "not_taken", detail=told["message"], how=told["remedy"])
    if args.json:
        print(json.dumps(report.as_dict(), ensure_ascii=False))
    else:
        _show(report)
    return report.exit_status


def _wish(args: argparse.Namespace) -> Any:
    from layers.catalogue.kinds import LayerWish
    from layers.catalogue.take import name_of

    try:
        towgs84 = tuple(float(v) for v in args.towgs84.split(",") if v.strip())
    except ValueError:
        towgs84 = (0.0,)
    if len(towgs84) not in {0, 3, 7}:
        raise InputInvalid(field="--towgs84", detail=f"{args.towgs84!r} are not 3 or 7 numbers", how="give dx,dy,dz")
    params: dict[str, Any] = {}
    for pair in args.params:
        key, mark, value = pair.partition("=")
        if not mark:
            raise InputInvalid(field="--set", detail=f"{pair!r} has no =", how="write KEY=VALUE")
        params[key] = value.split(",") if key == "roles" else value
    return LayerWish(
        name=name_of(Path(args.name)) if args.name else "", kind=args.kind, crs=args.crs, layer=args.layer,
        towgs84=towgs84, swap_axes=args.swap_axes, params=params, source=args.source, date=args.date,
        licence=args.licence, attribution=args.attribution,
        title=dict.fromkeys(("zh", "en"), args.title) if args.title else {},
    )  # fmt: skip


def _show(report: LayerReport) -> None:
    found = report.as_dict()
    print(f"{report.layer} ({report.kind or '?'}): {report.features} features taken, {report.refused} refused; "
          f"{report.crs or '?'}, {report.encoding or '?'}, {report.bbox}")  # fmt: skip
    for number, problem in enumerate(found["problems"]):
        if number == SHOWN:
            print(f"… and {len(found['problems']) - SHOWN} more (--json lists all)")
            break
        place = f"feature {problem['feature']}" if problem["feature"] else "file"
        print(f"{place}: {problem['what']}; {problem['remedy']}")


def _list(args: argparse.Namespace) -> int:
    from layers.catalogue.record import layers

    found = layers(load_settings())
    if args.json:
        import msgspec

        print(json.dumps([msgspec.to_builtins(record) for record in found], ensure_ascii=False))
        return 0
    for record in found:
        whose = record.attribution or record.source
        print(f"{record.name:<24} {record.kind:<12} {record.features:>8}  {record.date:<10} {whose}")
    return 0


def _remove(args: argparse.Namespace) -> int:
    from layers.catalogue.record import remove

    remove(load_settings(), args.name)
    print(f"{args.name}: removed")
    return 0
