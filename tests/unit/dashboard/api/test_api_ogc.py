"""OGC API Features and Tiles: links that lead somewhere, rights, boxes, times, pages; opened by GDAL's own driver."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyogrio
import pytest
import shapely
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from core.records import GeoPoint
from core.settings import Settings
from dashboard.ogc.point_tiles import point_tile, tile_box
from events.cases.drafts import CaseDraft
from layers.catalogue.kinds import LayerWish
from layers.catalogue.take import take_in
from layers.territory import of_code
from storage.session import session_scope
from storage.tables.people import ApiKey, User
from storage.tables.registry import Site
from tests.unit.dashboard.web import Office, make_office

KEY = "o" * 24


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    from core.settings import load_settings

    folder = tmp_path_factory.mktemp("ogc")
    settings = load_settings({"YIWANG_DATA_DIR": str(folder / "data")})
    office = make_office(settings)
    _roads(folder, settings)
    with session_scope(office.engine) as session:
        for k in range(12):
            session.add(Site(site_id=f"o{k}", name=f"点{k}", kind="well", lon=125.3 + k / 100, lat=43.88))
        user = session.query(User).filter(User.login == "fireman").one()
        digest = hashlib.sha256(KEY.encode()).hexdigest()
        session.add(
            ApiKey(key_hash=digest, name="qgis", user_id=user.user_id, scope="ogc", created_at=datetime.now(UTC))
        )
        draft = CaseDraft(title="积水", kind="water_level", source_type="device", source_id="d", severity=2,
                          location=GeoPoint(lon=125.4, lat=43.88))  # fmt: skip
        office.app.state.services.cases.open_case(session, draft)
    yield office
    office.engine.dispose()


def _roads(folder: Path, settings: Settings) -> None:
    features = [
        {"type": "Feature", "properties": {"name": f"路{k}", "fclass": "primary"},
         "geometry": {"type": "LineString", "coordinates": [[125.4 + k / 50, 43.88], [125.41 + k / 50, 43.885]]}}
        for k in range(7)
    ]  # fmt: skip
    file = folder / "roads.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    take_in(
        settings, file, of_code("220105"), LayerWish(licence="ODbL-1.0", attribution="© OpenStreetMap contributors")
    )
    take_in(settings, file, of_code("220105"), LayerWish(name="secret", params={"roles": ["manager"]}))


def got(office: Office, path: str, **query: str) -> Any:
    answer = office.client().get(path, params={"api_key": KEY, **query})
    assert answer.status_code == 200, (path, answer.text)
    return answer.json()


def test_every_link_of_the_landing_page_leads_somewhere(office: Office) -> None:
    seen, waiting = set(), ["/ogc"]
    while waiting:
        address = waiting.pop()
        if address in seen or "{" in address or not (address.startswith("/ogc") or "/ogc" in address):
            continue
        seen.add(address)
        body = got(office, address)
        for part in [body, *body.get("collections", []), *body.get("tilesets", []), *body.get("tileMatrixSets", [])]:
            waiting += [link["href"] for link in part.get("links", [])]
    assert any(a.endswith("/items") for a in seen) and any(a.endswith("/tiles/WebMercatorQuad") for a in seen)
    assert (
        "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in got(office, "/ogc/conformance")["conformsTo"]
    )


def test_collections_by_right(office: Office) -> None:
    names = {c["id"] for c in got(office, "/ogc/collections")["collections"]}
    assert names == {"sites", "cameras", "cases", "divisions", "roads"}
    client = office.client()
    assert client.get("/ogc/collections/secret", params={"api_key": KEY}).status_code == 404
    hidden = "/ogc/collections/secret/tiles/WebMercatorQuad/1/0/0"
    assert client.get(hidden, params={"api_key": KEY}).status_code == 404
    assert client.get("/ogc").status_code == 401 and client.get("/ogc/collections?api_key=wrong").status_code == 401
    assert office.client("boss").get("/ogc/collections/secret/items").status_code == 200
    roads = got(office, "/ogc/collections/roads")
    assert roads["attribution"] and any(link["rel"] == "license" for link in roads["links"])


def test_pages_box_and_one_feature(office: Office) -> None:
    every, address = [], "/ogc/collections/sites/items?limit=5"
    while address:
        page = got(
            office, address.partition("?")[0], **dict(p.split("=") for p in address.partition("?")[2].split("&"))
        )
        assert page["type"] == "FeatureCollection" and page["numberReturned"] == len(page["features"])
        every += page["features"]
        address = next((link["href"] for link in page["links"] if link["rel"] == "next"), "")
        assert KEY not in address
    assert len(every) == page["numberMatched"] == len({f["id"] for f in every}) >= 12
    box = got(office, "/ogc/collections/sites/items", bbox="125.295,43.8,125.315,43.9")
    assert {f["id"] for f in box["features"]} == {"o0", "o1"}
    one = got(office, "/ogc/collections/sites/items/o3")
    assert one["geometry"] == {"type": "Point", "coordinates": [125.33, 43.88]} and one["properties"]["name"] == "点3"
    roads = got(office, "/ogc/collections/roads/items", bbox="125.40,43.87,125.405,43.89")
    (road,) = roads["features"]
    assert got(office, f"/ogc/collections/roads/items/{road['id']}")["properties"] == road["properties"]
    assert got(office, "/ogc/collections/roads/items", limit="3")["numberMatched"] == 7


def test_times(office: Office) -> None:
    boss = office.client("boss")
    for interval, count in (
        ("2020-01-01T00:00:00Z/..", 1),
        ("../2020-01-01T00:00:00Z", 0),
        ("2020-01-01T00:00:00Z", 0),
    ):
        found = boss.get("/ogc/collections/cases/items", params={"datetime": interval}).json()
        assert found["numberMatched"] == count, interval
        assert "title" in str(found) or not count


@pytest.mark.parametrize(
    "query",
    ["nothing=1", "bbox=1,2,3", "bbox=a,b,c,d", "bbox=5,5,1,9", "limit=0", "limit=x", "datetime=yesterday", "f=html",
     "datetime=2026-01-02T00:00:00Z/2026-01-01T00:00:00Z", "offset=-1"],
)  # fmt: skip
def test_what_is_not_understood_is_refused(office: Office, query: str) -> None:
    answer = office.client().get(f"/ogc/collections/sites/items?api_key={KEY}&{query}")
    assert answer.status_code == 400, (query, answer.text)


def test_tiles_have_their_row_before_their_column(office: Office) -> None:
    tileset = got(office, "/ogc/collections/roads/tiles/WebMercatorQuad")
    limit = tileset["tileMatrixSetLimits"][2]
    base = "/ogc/collections/roads/tiles/WebMercatorQuad"
    row, column, matrix = limit["minTileRow"], limit["minTileCol"], limit["tileMatrix"]
    answer = office.client().get(f"{base}/{matrix}/{row}/{column}", params={"api_key": KEY})
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    assert "路0".encode() in answer.content or gzip.decompress(answer.content)
    assert office.client().get(f"{base}/{matrix}/{column}/{row}", params={"api_key": KEY}).status_code in {204, 404}
    assert office.client().get(f"{base}/3/9/0", params={"api_key": KEY}).status_code == 404
    assert office.client().get(f"{base.replace('Quad', 'X')}/3/1/1", params={"api_key": KEY}).status_code == 404
    assert got(office, "/ogc/tileMatrixSets/WebMercatorQuad")["tileMatrices"][1]["matrixWidth"] == 2


def test_points_come_as_tiles_too(office: Office, tmp_path: Path) -> None:
    base = "/ogc/collections/sites/tiles/WebMercatorQuad"
    assert got(office, base)["layers"] == [{"id": "sites", "dataType": "vector"}]
    z, (x, y) = 8, (int((125.33 + 180) / 360 * 256), 93)
    answer = office.client().get(f"{base}/{z}/{y}/{x}", params={"api_key": KEY})
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    (tmp_path / f"{z}" / f"{x}").mkdir(parents=True)
    file = tmp_path / f"{z}" / f"{x}" / f"{y}.pbf"
    file.write_bytes(answer.content)
    meta, _, shapes, columns = pyogrio.raw.read(f"MVT:{file}", layer="sites")
    found = dict(zip(dict(zip(meta["fields"], columns, strict=True))["site_id"], shapely.from_wkb(shapes), strict=True))
    lon, lat = wgs84(found["o3"])
    assert (lon, lat) == (pytest.approx(125.33, abs=0.001), pytest.approx(43.88, abs=0.001))
    for wrong, status in ((f"{z}/{x}/{y}", 204), ("3/9/0", 404), ("40/0/0", 404)):
        assert office.client().get(f"{base}/{wrong}", params={"api_key": KEY}).status_code == status
    assert office.client().get(f"{base}/{z}/{y}/{x}").status_code == 401
    cases = f"/ogc/collections/cases/tiles/WebMercatorQuad/{z}/{y}/{x}"
    assert office.client("boss").get(cases).status_code in {200, 204}


def wgs84(point: shapely.Point) -> tuple[float, float]:
    """Degrees of a point in web Mercator metres."""
    lon, lat = Transformer.from_crs(3857, 4326, always_xy=True).transform(point.x, point.y)
    return float(lon), float(lat)


PLAIN = st.one_of(st.text(max_size=9), st.integers(-(2**60), 2**60), st.booleans(), st.floats(), st.none())


@given(
    places=st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), max_size=20),
    extra=st.dictionaries(st.text(max_size=5), PLAIN, max_size=4),
    z=st.integers(0, 22),
)
def test_any_points_make_a_tile(places: list[tuple[float, float]], extra: dict[str, Any], z: int) -> None:
    features = [{"geometry": {"type": "Point", "coordinates": list(at)}, "properties": extra} for at in places]
    data = point_tile("l", [*features, {"geometry": None, "properties": {}}], z, 2**z // 2, 2**z // 2)
    assert bool(data) == bool(places)
    west, south, east, north = tile_box(z, 2**z // 2, 2**z // 2)
    assert west < east and south < north


_GDAL = """
import json, sys
import pyogrio, shapely
how = {"layer": "roads", "USERPWD": sys.argv[2], "PAGE_SIZE": "3"}
meta, _, shapes, columns = pyogrio.raw.read(sys.argv[1], **how)
names = dict(zip(meta["fields"], columns))["name"]
few = pyogrio.raw.read(sys.argv[1], bbox=(125.40, 43.87, 125.405, 43.89), **how)[2]
kinds = sorted({s.geom_type for s in shapely.from_wkb(shapes)})
print(json.dumps([len(shapes), kinds, sorted(names), len(few)]))
"""


def test_gdal_opens_it(office: Office) -> None:
    server = uvicorn.Server(uvicorn.Config(office.app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        # A process of its own: GDAL waits for the answer with Python's lock in its hand.
        asked = [sys.executable, "-c", _GDAL, f"OAPIF:http://127.0.0.1:{port}/ogc", f"x:{KEY}"]
        answer = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
        assert answer.returncode == 0, answer.stderr
        count, kinds, names, few = json.loads(answer.stdout)
        assert count == 7 and kinds == ["LineString"] and few == 1
        assert names == [f"路{k}" for k in range(7)]
    finally:
        server.should_exit = True
        thread.join(10)
