"""Kinds of connection against senders on loopback sockets: what they read, what they refuse, where they may lead."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import plugins
from core.bounds import Bounds, check_url
from core.errors import InputInvalid, PluginParamsInvalid, YiwangError
from core.exchange import ORDER, ConnectionConfig
from ingest.connections import mapped
from ingest.connections.contract import ConnectionFailed, Fetched, Wiring
from ingest.connections.cursors import greatest
from ingest.connections.record import REFUSALS, Record
from ingest.connections.starter import starters
from ingest.mapping import MappingInvalid
from ingest.simulate.platforms import senders
from ingest.simulate.platforms.server import Platform

pytestmark = pytest.mark.anyio
HOME = Bounds.parse("127.0.0.0/8")
NOW = datetime(2026, 11, 28, 1, 0, tzinfo=UTC)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def wiring(folder: Path = Path("x"), **secrets: str) -> Wiring:
    return Wiring(bounds=HOME, secrets=secrets, folder=folder)


async def fetch(kind: str, params: dict[str, Any], wired: Wiring, cursor: str = "") -> Fetched:
    connector = plugins.build("connection", kind, params, wiring=wired)
    try:
        found: Fetched = await connector.fetch(cursor)
        await connector.confirm()
        return found
    finally:
        await connector.close()


def config(name: str, url: str = "", **params: Any) -> ConnectionConfig:
    starter = starters()[name]
    given = {**starter["params"], **({"url": url} if url else {}), **params}
    return ConnectionConfig(connection_id=name, kind=starter["kind"], params=given, mapping=starter["mapping"])


def said(name: str, body: Any) -> dict[str, Any]:
    return mapped.shown(*mapped.take(mapped.mapping_of(config(name)), body, NOW))


# where it may lead -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://x/",
        "ftp://x/",
        "http://",
        "https://u:p@x/",
        "http://x y/",
        "//x",
        "",
        "http://x:0/",
    ],
)
def test_only_web_addresses_without_account(url: str) -> None:
    with pytest.raises(InputInvalid):
        check_url("url", url)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:10.0.0.1", "0.0.0.0", "224.0.0.1", "fe80::1"]
)
async def test_private_networks_must_be_listed(host: str) -> None:
    with pytest.raises(InputInvalid):
        await Bounds().host("url", host)


async def test_every_address_of_a_name_must_be_permitted() -> None:
    two = Bounds(resolve=lambda _name: ["8.8.8.8", "127.0.0.1"])
    with pytest.raises(InputInvalid):
        await two.host("url", "sender.example")
    assert await Bounds(resolve=lambda _name: ["8.8.8.8"]).host("url", "sender.example") == "8.8.8.8"
    assert await Bounds.parse("10.0.0.0/8").host("url", "10.1.2.3") == "10.1.2.3"


async def test_a_redirect_is_not_followed() -> None:
    routes = {"GET /here": lambda _q, _h, _b: (302, {"Location": "http://169.254.169.254/"})}
    with Platform(routes) as there, pytest.raises(ConnectionFailed):
        await fetch("rest", {"url": f"{there.url}/here"}, wiring())


# kinds -------------------------------------------------------------------------------------------
async def test_rest_reads_pages_from_its_cursor_and_shows_a_token() -> None:
    with Platform(senders.sanitation()) as there:
        params = {**starters()["sanitation-orders"]["params"], "url": f"{there.url}/api/orders"}
        first = await fetch("rest", params, wiring(token=senders.TOKEN))
        assert [o["id"] for o in first.body["data"]["records"]] == [1, 2]
        then = await fetch("rest", params, wiring(token=senders.TOKEN), first.cursor)
        assert then.body["data"]["records"][0]["id"] == 3
        with pytest.raises(ConnectionFailed, match="401"):
            await fetch("rest", params, wiring(token="wrong"))


async def test_sql_reads_and_cannot_write(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "gas.db") as database:
        database.execute("CREATE TABLE leak (id INTEGER, code TEXT, lel REAL)")
        database.executemany("INSERT INTO leak VALUES (?, ?, ?)", [(1, "a", 3.5), (2, "b", None)])
    params = {"database": "sqlite", "name": "gas.db", "cursor_column": "id",
              "query": "SELECT * FROM leak WHERE id > :cursor ORDER BY id"}  # fmt: skip
    found = await fetch("sql", params, wiring(tmp_path))
    assert found.body == [{"id": 1, "code": "a", "lel": 3.5}, {"id": 2, "code": "b", "lel": None}]
    assert found.cursor == "2" and (await fetch("sql", params, wiring(tmp_path), "2")).body == []
    for query in ("DELETE FROM leak", "SELECT 1; DROP TABLE leak", "PRAGMA user_version = 3", ""):
        with pytest.raises(PluginParamsInvalid):
            plugins.parse_params("connection", "sql", {**params, "query": query})
    sneaky = "WITH x AS (SELECT 1) INSERT INTO leak SELECT 9, 'z', 0 FROM x"
    with pytest.raises(ConnectionFailed):
        await fetch("sql", {**params, "query": sneaky}, wiring(tmp_path))
    with pytest.raises(InputInvalid):
        await fetch("sql", {**params, "name": "../gas.db"}, wiring(tmp_path / "deeper"))


async def test_a_folder_gives_one_file_after_the_other(tmp_path: Path) -> None:
    drop = tmp_path / "levels"
    drop.mkdir()
    (drop / "b.csv").write_bytes("站点,水位\n甲,0.2\n".encode("gb18030"))
    (drop / "a.json").write_text('{"站点": "乙", "水位": 0.3}')
    (drop / "later.csv").write_text("x\n1\n")
    for name, age in (("b.csv", 60), ("a.json", 30)):
        os.utime(drop / name, (time.time() - age, time.time() - age))
    first = await fetch("folder", {"folder": "levels"}, wiring(tmp_path))
    assert first.body == [{"站点": "甲", "水位": "0.2"}] and first.more
    second = await fetch("folder", {"folder": "levels"}, wiring(tmp_path), first.cursor)
    assert second.body == [{"站点": "乙", "水位": 0.3}] and not second.more
    with pytest.raises(InputInvalid):
        await fetch("folder", {"folder": "../.."}, wiring(tmp_path))


class _Everybody(asyncssh.SSHServer):
    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("erdao", "right")


async def test_sftp_reads_a_real_server_whose_key_it_knows(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "orders.csv").write_text("no,title\n1,x\n")
    key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.listen(
        "127.0.0.1", 0, server_factory=_Everybody, server_host_keys=[key],
        sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(tmp_path).encode()),
    )  # fmt: skip
    port = server.get_port()
    params = {"host": "127.0.0.1", "port": port, "user": "erdao", "folder": "/out",
              "fingerprint": key.get_fingerprint("sha256")}  # fmt: skip
    try:
        found = await fetch("sftp", params, wiring(password="right"))
        assert found.body == [{"no": "1", "title": "x"}]
        assert (await fetch("sftp", params, wiring(password="right"), found.cursor)).body == []
        with pytest.raises(ConnectionFailed):
            await fetch("sftp", params, wiring(password="wrong"))
        with pytest.raises(ConnectionFailed):
            await fetch("sftp", {**params, "fingerprint": "SHA256:another"}, wiring(password="right"))
    finally:
        server.close()


async def test_hotline_orders_are_asked_for_signed_page_by_page() -> None:
    centre = senders.HotlineCentre(orders=[senders.hotline_order(n) for n in (1, 2, 3)])
    with Platform(centre.routes()) as there:
        params = {"url": f"{there.url}/order/list", "app_id": senders.APP_ID}
        first = await fetch("hotline", params, wiring(app_secret=senders.APP_SECRET))
        assert len(first.body["data"]["list"]) == 2 and first.more
        then = await fetch("hotline", params, wiring(app_secret=senders.APP_SECRET), first.cursor)
        assert len(then.body["data"]["list"]) == 1 and not then.more
        with pytest.raises(ConnectionFailed, match="4003"):
            await fetch("hotline", params, wiring(app_secret="wrong"))
        with pytest.raises(YiwangError, match="app_secret"):
            await fetch("hotline", params, wiring())


async def test_open311_of_another_platform() -> None:
    asked: list[dict[str, str]] = []

    def requests(query: dict[str, str], _headers: dict[str, str], _body: bytes) -> tuple[int, Any]:
        asked.append(query)
        return 200, [{"service_request_id": "1", "updated_datetime": "2026-11-28T08:00:00+08:00"}]

    with Platform({"GET /v2/requests.json": requests}) as there:
        found = await fetch("open311", {"url": f"{there.url}/v2"}, wiring(token="k"))
        await fetch("open311", {"url": f"{there.url}/v2"}, wiring(token="k"), found.cursor)
    assert asked[0]["api_key"] == "k" and asked[1]["updated_after"] == "2026-11-28T08:00:00+08:00"


def test_a_signed_webhook_is_read_once() -> None:
    import hashlib
    import hmac

    body, at = json.dumps({"events": []}).encode(), str(int(time.time()))
    mac = hmac.new(b"s", at.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {"x-yiwang-signature": f"t={at},v1={mac}"}
    hook = plugins.build("connection", "webhook", {}, wiring=wiring(signing_secret="s"))
    assert hook.read(headers, body) == {"events": []}
    assert hook.read(headers, body) == {"events": []}  # nothing was durable yet: the sender tries again
    hook.took(headers)
    for sent in (headers, {}, {"x-yiwang-signature": f"t={at},v1=00"}, {"x-yiwang-signature": "t=1,v1=" + mac}):
        with pytest.raises(ConnectionFailed):
            hook.read(sent, body)


# mappings that ship ------------------------------------------------------------------------------
async def test_every_shipped_mapping_reads_its_sender() -> None:
    with Platform(senders.sanitation() | senders.gas() | senders.emergency()) as there:
        paths = {"sanitation-vehicles": "/api/vehicles", "sanitation-orders": "/api/orders",
                 "gas-stations": "/gas/v1/stations", "emergency-command": "/events"}  # fmt: skip
        result = {}
        for name, path in paths.items():
            wanted = config(name, f"{there.url}{path}")
            found = await fetch("rest", dict(wanted.params), wiring(token=senders.TOKEN))
            result[name] = said(name, found.body)
    assert [r["refused"] for r in result.values()] == [[], [], [], []]
    assert {r["device"] for r in result["sanitation-vehicles"]["readings"]} >= {"sanitation-vehicles:吉A·HW001"}
    assert result["sanitation-orders"]["orders"][0]["fields"]["title"].startswith("道路遗撒")
    assert [e["state"] for e in result["gas-stations"]["events"]] == ["clear", "open", "clear"]
    assert [r["quality"] for r in result["gas-stations"]["readings"] if r["quantity"] == "gas_lel_pct"][2] == "missing"
    assert [e["kind"] for e in result["emergency-command"]["events"]] == ["waterlogging", "flame_smoke"]


def test_hotline_orders_become_orders_and_unknown_words_are_told() -> None:
    changes: list[dict[str, str]] = [{}, {"action": "催办"}, {"action": "改派"}, {"type": "骚扰"}, {"orderNo": ""}]
    orders = [senders.hotline_order(1, **change) for change in changes]
    found = said("hotline-orders", {"data": {"list": orders}})
    assert [(o["number"][-1], o["command"]) for o in found["orders"]] == [("1", "report"), ("1", "urge")]
    assert found["orders"][0]["fields"]["request_kind"] == "complaint"
    assert [r["item"] for r in found["refused"]] == [3, 4, 5]
    made = mapped.take(mapped.mapping_of(config("hotline-orders")), {"data": {"list": orders[:1]}}, NOW)[1].orders[0]
    assert made.kind == ORDER and made.source_type == "platform"


def test_a_mapping_without_device_or_target_is_refused() -> None:
    for spec in ({"values": [{"path": "x", "quantity": "y"}]}, {"device": "x"}, {"orders": [{"number": "n"}]}):
        with pytest.raises(MappingInvalid):
            mapped.mapping_of(ConnectionConfig(connection_id="x", kind="rest", mapping=spec))


# pieces ------------------------------------------------------------------------------------------
def test_a_cursor_never_goes_back() -> None:
    assert greatest([3, 12, "x"], "9") == "x" and greatest([3, 12], "9") == "12" and greatest([], "9") == "9"
    assert greatest(["2026-01-02", "2026-01-01"], "") == "2026-01-02" and greatest([None, True], "5") == "5"


def test_the_last_hundred_refusals_are_kept_with_their_item() -> None:
    record = Record("x")
    for n in range(REFUSALS + 20):
        record.refuse(ConnectionFailed(where="x", detail=str(n)), NOW, {"n": n}, 2)
    shown = json.loads(record.snapshot())
    assert len(shown["refusals"]) == REFUSALS and shown["refusals"][0]["message"] == '{"n":119}'
    assert shown["refused"] == {"connection_failed": 120}
    again = Record("x", shown)
    again.run("r", NOW, NOW, rows=1, taken=1, refused=0)
    assert json.loads(again.snapshot())["state"] == "ok" and len(json.loads(again.snapshot())["refusals"]) == REFUSALS


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(body=JSON)
def test_no_answer_breaks_a_shipped_mapping(body: Any) -> None:
    for name in starters():
        try:
            said(name, body)
            said(name, [body, body])
        except YiwangError:
            pass
