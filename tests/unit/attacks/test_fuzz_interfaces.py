"""Mutated requests, files and definitions against the parsers of every interface: a typed refusal, no crash, no hang.

``long`` runs a million for each.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import io
import json
import random
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyogrio
import pytest
import shapely

from core.codes.licences import check_licence_id
from core.errors import YiwangError
from core.legal_time.calendar import statutory_calendar
from core.records import SYSTEM, encode
from core.tables.problem import FileUnreadable, Problems
from core.tables.reader import read_table
from dashboard.interchange.open311_find import find
from dashboard.ogc.asked import box, interval
from dashboard.sensorthings.odata import parse
from dashboard.sensorthings.shapes import properties_of
from events.interchange import open311
from events.taxonomy import importer
from ingest.connections import webhook
from ingest.connections.contract import Wiring
from ingest.sources.folder import Params as FolderParams
from ingest.sources.folder import read_rows
from layers.cityrows import sample_of
from layers.columns import TABLES
from layers.territory import of_code
from layers.vector.placing import of_values
from layers.vector.reading import open_vector
from layers.vector.screening import Screen
from records.publicity.judging import PUBLICITY, figures, judge
from records.registers.definition import shipped_registers
from records.registers.generating import rows
from records.sharing import dataset
from records.sharing.dcat import catalogue
from storage import device_import
from storage.schema import create_all
from storage.session import make_engine, read_scope
from tests.unit.ingest.test_fuzz_codecs import mutate
from tests.unit.ingest.test_fuzz_texts import Target, attack, json_mutant, spoil

NOW = datetime(2026, 11, 27, 11, 0, tzinfo=UTC)
QUERIES = [
    {"$filter": "(location/type eq 'Point' or location/geometry/type eq 'Point') and "
     "geo.intersects(location, geography'POLYGON ((125 43, 126 43, 126 44, 125 44, 125 43))')", "$top": "200"},
    {"$expand": "Things($orderby=id;$top=3;$expand=Datastreams($select=name;$expand=Observations($top=2)))"},
    {"$filter": "phenomenonTime gt now() sub duration'P1DT2H' and result mul 2 ge 0.3", "$orderby": "result desc,id"},
    {"$filter": "not (substringof('x',name) or year(phenomenonTime) eq 2026)", "$count": "true", "$skip": "3"},
]  # fmt: skip
ENTITY = {"@iot.id": "a", "name": "甲", "result": 0.4, "phenomenonTime": "2026-11-27T10:00:00Z",
          "location": {"type": "Point", "coordinates": [125.4, 43.9]}}  # fmt: skip
FORM = {"service_code": "water", "lat": "43.88", "long": "125.37", "description": "深", "attribute[accuracy_m]": "9",
        "address_string": "东盛大街", "device_id": "d", "media_url": "http://x/y.jpg"}  # fmt: skip
FOUND = {"service_code": "water,fire", "status": "open,closed", "page": "2", "page_size": "10", "radius": "100",
         "updated_after": "2026-11-01T00:00:00Z", "lat": "43.9", "long": "125.4",
         "service_request_id": "220105-20261127-00001"}  # fmt: skip
SENSORTHINGS: list[tuple[str, dict[str, Any]]] = [
    ("Things", {"name": "甲", "description": "", "properties": {"a": [1]}, "Locations": [{"@iot.id": "l"}]}),
    ("Locations", {"name": "桥", "description": "", "encodingType": "application/geo+json",
                   "location": {"type": "Polygon", "coordinates": [[[125, 43], [126, 43], [126, 44], [125, 43]]]}}),
    ("Datastreams", {"name": "深", "description": "", "observationType": "OM_Measurement",
                     "unitOfMeasurement": {"name": None, "symbol": "m", "definition": None},
                     "Thing": {"@iot.id": "t"}, "phenomenonTime": "2026-11-27T10:00:00Z/2026-11-28T10:00:00+08:00"}),
    ("Observations", {"result": 0.4, "phenomenonTime": "2026-11-27T10:00:00Z", "parameters": {"by": "hand"}}),
]  # fmt: skip
CSV = 'site_id,name,kind,lon,lat,address\ns1,甲,shop,125.4,43.88,"a,b"\ns2,乙,shop,125.41,43.89,路\n'
PLACES = [("220105001001", 125.4, 43.88)]
SECRET = "a-secret-of-the-sender"
_engine = make_engine("sqlite://")


def _workbook() -> bytes:
    book, target = openpyxl.Workbook(), io.BytesIO()
    for line in CSV.splitlines():
        book.active.append(line.split(","))
    book.save(target)
    return target.getvalue()


XLSX = _workbook()
DECISIONS = {kind: list(rows(shipped_registers()[of.register_id], PLACES, 40)) for kind, of in PUBLICITY.items()}
DATASETS = [
    {name: getattr(shared, name) for name in ("id", "zh", "en", "register", "provider", "theme", "sharing", "cycle")}
    | {"fields": list(shared.fields), "condition": shared.condition, "rules": dict(shared.rules or {})}
    for shared in dataset.shipped().values()
]


def _words(texts: dict[str, str], dice: random.Random) -> dict[str, str]:
    """One or two of the texts changed, lost or exchanged."""
    changed = dict(texts)
    for _ in range(dice.randint(1, 2)):
        name = dice.choice(list(texts))
        changed[name] = mutate(changed[name].encode(), dice).decode("utf-8", "replace")
    return changed


def sensorthings_queries(dice: random.Random) -> int:
    options = parse(_words(dice.choice(QUERIES), dice))
    if options.filter is not None:
        options.filter(ENTITY, lambda _entity, _name: None)
    return 1


def ogc_queries(dice: random.Random) -> int:
    asked = _words({"bbox": "125.3,43.8,125.5,43.9", "datetime": "2026-11-01T00:00:00Z/.."}, dice)
    found = box(asked["bbox"])
    since, until = interval(asked["datetime"])
    assert found is None or found[0] <= found[2]
    assert since is None or until is None or since <= until
    return 1


def open311_reports(dice: random.Random) -> int:
    encode(open311.read_report(_words(FORM, dice), "app", NOW))
    return 1


def open311_searches(dice: random.Random) -> int:
    with read_scope(_engine) as session:
        return 1 + len(find(session, _words(FOUND, dice), SYSTEM, NOW).rows)


def tables(dice: random.Random) -> int:
    raw = CSV.encode(dice.choice(("utf-8", "gb18030", "utf-16")))
    data, name = (mutate(raw, dice), "sites.csv") if dice.random() < 0.8 else (mutate(XLSX, dice), "sites.xlsx")
    problems = Problems()
    taken = list(read_table(io.BytesIO(data), name, TABLES["sites"], problems))
    for problem in problems:
        json.dumps(problem.as_dict())
    return len(taken)


def other_tables(dice: random.Random) -> int:
    """The readers of devices, classes and watched folders: whatever stands in the file, a typed refusal or rows."""
    suffix, raw = dice.choice(((".csv", CSV.encode()), (".xlsx", XLSX)))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, f"a{suffix}")
        file.write_bytes(mutate(raw, dice) if dice.random() < 0.95 else raw)
        read = dice.choice((device_import.read_table, importer.read_table, folder_source))
        return len(read(file)) + 1


def folder_source(file: Path) -> list[Any]:
    mapping = {"name": "f", "device": "site_id", "values": [{"path": "lon", "quantity": "lon_deg"}]}
    return list(read_rows(file, FolderParams(folder=str(file.parent), mapping=mapping)))


def _geodata() -> dict[str, dict[str, bytes]]:
    """A GeoJSON file and a Shapefile, each as its parts by suffix."""
    shapes = np.array([shapely.to_wkb(shapely.box(125.4, 43.88, 125.41, 43.89))] * 3, dtype=object)
    columns, found = [np.array(["a1", "东站", "c"], dtype=object), np.array([1.5, 2.5, 3.5])], {}
    for suffix, driver in ((".geojson", "GeoJSON"), (".shp", "ESRI Shapefile")):
        with tempfile.TemporaryDirectory() as folder:
            how = {"driver": driver, "geometry_type": "Polygon", "crs": "EPSG:4326"}
            pyogrio.raw.write(f"{folder}/a{suffix}", shapes, columns, ["code", "v"], **how)
            found[suffix] = {file.suffix: file.read_bytes() for file in Path(folder).iterdir()}
    return found


_geodata_once = functools.cache(_geodata)


def geodata(dice: random.Random) -> int:
    """Files of geodata, damaged in one of their parts, as the importer of a city reads them."""
    made = _geodata_once()
    suffix = dice.choice(list(made))
    hit = dice.choice(list(made[suffix]))
    territory = of_code("220105")
    with tempfile.TemporaryDirectory() as folder:
        for part, raw in made[suffix].items():
            change = json_mutant if part == ".geojson" else mutate
            Path(folder, f"a{part}").write_bytes(change(raw, dice) if part == hit else raw)
        try:
            with open_vector(Path(folder, f"a{suffix}")) as opened:
                placing = of_values(opened.crs, "auto", sample_of(opened), territory)
                screen = Screen(placing, territory, refuse_outside=False, warn_outside=True)
                return sum(1 for batch in opened.batches() for _ in screen.pass_through(batch))
        except FileUnreadable as refusal:
            assert str(refusal)
            return 0


def decisions(dice: random.Random) -> int:
    """Rows of 双公示, spoilt, through every check."""
    kind = dice.choice(list(PUBLICITY))
    row = dict(dice.choice(DECISIONS[kind]))
    spoil(row, dice)
    pair = [("a", row), ("b", dict(dice.choice(DECISIONS[kind])))]
    judged = judge(kind, pair, date(2026, 11, 27), statutory_calendar())
    return len(figures(judged))


def licence_numbers(dice: random.Random) -> int:
    text = "1.2.156.3005.2.11100000000013338W011.11100000000013338W.0000000001.001.A"
    return len(str(check_licence_id(mutate(text.encode(), dice).decode("utf-8", "replace"))))


def data_sets(dice: random.Random) -> int:
    body = json.loads(json.dumps(dice.choice(DATASETS)))
    spoil(body, dice)
    shared = dataset.parse(body, shipped_registers())
    fresh = dataset.freshness(shared, None, NOW)
    json.dumps(catalogue("https://x.example", "区", [(shared, fresh)], {}, NOW))
    return len(dataset.quality(shared, [{"number": "1"}, {}]))


def webhooks(dice: random.Random) -> int:
    """Signed calls whose signature or body was changed: only the true ones are taken."""
    hook = webhook.build(webhook.Params(), wiring=Wiring(secrets={"signing_secret": SECRET}))
    body, at = b'{"specversion":"1.0","id":"1","source":"/a","type":"t","data":{"a":1}}', str(int(time.time()))
    given = f"t={at},v1={hmac.new(SECRET.encode(), at.encode() + b'.' + body, hashlib.sha256).hexdigest()}"
    if dice.random() < 0.5:
        body = json_mutant(body, dice)
    else:
        given = mutate(given.encode(), dice).decode("latin-1")
    hook.read({hook.params.signature_header.lower(): given}, body)
    return 1


def sensorthings_bodies(dice: random.Random) -> int:
    """What clients send to create entities: kept, or refused by the name of the property."""
    kind, body = dice.choice(SENSORTHINGS)
    body = json.loads(json.dumps(body))
    spoil(body, dice)
    return len(properties_of(kind, body))


TARGETS: dict[str, Target] = {
    "sensorthings_queries": sensorthings_queries, "sensorthings_bodies": sensorthings_bodies,
    "ogc_queries": ogc_queries, "open311_reports": open311_reports, "open311_searches": open311_searches,
    "tables": tables,
    "other_tables": other_tables, "geodata": geodata, "decisions": decisions,
    "licence_numbers": licence_numbers, "data_sets": data_sets, "webhooks": webhooks,
}  # fmt: skip
COUNTS = {"geodata": 60}
SLOW = {"geodata", "tables", "other_tables", "open311_searches", "decisions"}
FEW = {"webhooks"}  # nearly every mutant must be refused


@pytest.fixture(autouse=True, scope="module")
def _tables() -> None:
    create_all(_engine)


@pytest.mark.parametrize("name", list(TARGETS))
def test_mutated_requests(name: str) -> None:
    result = attack(TARGETS[name], COUNTS.get(name, 400 if name in SLOW else 1_500), seed=20261128)
    assert result["taken"] > (0 if name in FEW else 5 if name in COUNTS else 50)
    assert result["slowest_s"] < (10.0 if name in COUNTS else 2.0)


@pytest.mark.long
@pytest.mark.timeout(14_400)
@pytest.mark.parametrize("name", list(TARGETS))
def test_a_million_mutated_requests(name: str) -> None:
    began = time.perf_counter()
    result = attack(TARGETS[name], 1_000_000, seed=311)
    print(f"{name}: {result} in {time.perf_counter() - began:.0f} s")
    assert result["slowest_s"] < 5.0, "a hang"
    assert result["grown_kib"] < 32 * 1024, "memory grew"


def test_an_error_is_said_in_words() -> None:
    with pytest.raises(YiwangError):
        parse({"$filter": "a b"})


def test_lines_that_end_as_old_macintoshes_ended_them() -> None:
    rows = device_import.read_table(Path("a.csv"), b"source,address\rmqtt,1\r\nmqtt,2\nmqtt,3\r4")
    assert [row["address"] for row in rows[:3]] == ["1", "2", "3"]
