"""Video gateways against loopback fakes: WVP, ZLMediaKit, ONVIF; digest and PTZ vectors."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from core.clock import ManualClock
from core.errors import InputInvalid
from ingest.gateways import gb28181, onvif, onvif_ptz, zlm, zlm_hooks
from ingest.gateways.contract import GatewayLoginFailed, GatewayRefused, GatewayUnreachable, PlayTimeout, choose
from ingest.gateways.wvp import Wvp
from tests.conftest import free_port
from tests.unit.ingest.test_polling_sources import http_server

pytestmark = pytest.mark.anyio
NOW = datetime(2024, 7, 22, 2, 30, 5, tzinfo=UTC)
JPEG = b"\xff\xd8\xff\xe0picture\xff\xd9"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


# GB/T 28181 vectors ------------------------------------------------------------------------------
def test_digest_vectors() -> None:
    given: dict[str, str] = {
        "user": "34020000001320000001",
        "realm": "3402000000",
        "password": "12345678",
        "nonce": "5a8f2b7c9d1e4f60a1b2c3d4e5f60718",
        "method": "REGISTER",
        "uri": "sip:34020000002000000001@3402000000",
    }
    assert gb28181.digest(**given) == "3828f94646ddb71cccc82fe3b0abf5c5"
    assert gb28181.digest(**given, nc="00000001", cnonce="0a4f113b") == "0d4064a105851adde9a1ce66bc69cab3"


@pytest.mark.parametrize(
    ("move", "speeds", "wanted"),
    [
        ("stop", {}, "A50F0100000000B5"),
        ("right", {"pan": 0x7F}, "A50F01017F000035"),
        ("left", {"pan": 0x7F}, "A50F01027F000036"),
        ("up", {"tilt": 0x7F}, "A50F0108007F003C"),
        ("zoomin", {"zoom": 5}, "A50F011000005015"),
    ],
)
def test_ptz_vectors(move: str, speeds: dict[str, int], wanted: str) -> None:
    assert gb28181.ptz_command(move, **speeds) == wanted


def test_presets_combined_moves_and_nonsense() -> None:
    assert gb28181.preset_command("call", 1) == "A50F018200010038"
    assert gb28181.ptz_command("upleft", 16, 16)[6:8] == "0A"
    for call in (
        lambda: gb28181.ptz_command("sideways"),
        lambda: gb28181.ptz_command("left", pan=256),
        lambda: gb28181.preset_command("call", 0),
        lambda: gb28181.parse_id("2201"),
    ):
        with pytest.raises(InputInvalid):
            call()


def test_ids() -> None:
    parts = gb28181.parse_id("22010500001320000001")
    assert (parts.domain, parts.type_name, parts.serial) == ("2201050000", "ip_camera", "0000001")


def test_choice_of_addresses() -> None:
    urls = {"rtsp": "rtsp://h/a/b", "flv": "http://h/a/b.flv", "hls": "http://h/h", "key": None, "app": "rtp"}
    chosen = choose(urls)
    assert (chosen.analysis, chosen.browser) == ("rtsp://h/a/b", "http://h/a/b.flv") and "app" not in chosen.all
    assert choose({}).analysis == ""


# WVP ---------------------------------------------------------------------------------------------
class FakeWvp:
    """The shapes of WVP-PRO's replies."""

    def __init__(self) -> None:
        self.token, self.logins, self.late = "t1", 0, 0
        self.calls: list[tuple[str, dict[str, str]]] = []

    def __call__(self, target: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        parts = urlsplit(target)
        query = {k: v[0] for k, v in parse_qs(parts.query).items()}
        if parts.path == "/api/user/login":
            self.logins += 1
            good = query == {"username": "admin", "password": hashlib.md5(b"secret").hexdigest()}
            self.token = f"t{self.logins}"
            return 200, _reply({"accessToken": self.token} if good else None, 0 if good else 100)
        if headers.get("access-token") != self.token:
            return 401, _reply(None, 401)
        self.calls.append((parts.path, query))
        return self.answer(parts.path, query)

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, bytes]:
        if path == "/api/device/query/devices":
            return 200, _reply({"total": 1, "list": [{"deviceId": "D1"}]})
        if path == "/api/device/query/devices/D1/channels":
            page = int(query["page"])
            rows = [{"deviceId": f"C{n}", "name": f"路口{n}", "status": "ON", "ptzType": 1} for n in range(250)]
            rows[0] |= {"longitude": 125.4, "latitude": 43.88}
            return 200, _reply({"total": 250, "list": rows[(page - 1) * 200 : page * 200]})
        if path.startswith("/api/play/start/"):
            if self.late > 0:
                self.late -= 1
                return 200, _reply(None, 486)
            return 200, _reply({"rtsp": "rtsp://h/rtp/s", "flv": "http://h/rtp/s.live.flv", "app": "rtp"})
        if path == "/api/play/snap":
            return (200, JPEG) if query["channelId"] == "C1" else (200, _reply(None, 404))
        if path.startswith("/api/play/stop/"):
            return 200, _reply(None, 404)
        return 200, _reply(None)


def _reply(data: Any, code: int = 0) -> bytes:
    return json.dumps({"code": code, "msg": "ok" if code == 0 else "nein", "data": data}).encode()


async def nap(_seconds: float) -> None:
    """No waiting in tests."""


async def test_wvp_catalogue_streams_and_ptz() -> None:
    fake = FakeWvp()
    async with http_server(fake) as url:
        gateway = Wvp(url, "admin", "secret", sleep=nap)
        cameras = await gateway.cameras()
        assert len(cameras) == 250 and cameras[0].camera_id == "D1/C0" and cameras[0].online and cameras[0].ptz
        assert cameras[0].location is not None and cameras[1].location is None
        urls = await gateway.stream("D1/C1")
        assert (urls.analysis, urls.browser) == ("rtsp://h/rtp/s", "http://h/rtp/s.live.flv")
        await gateway.ptz("D1/C1", "left")
        assert fake.calls[-1][0] == "/api/front-end/ptz/D1/C1" and fake.calls[-1][1]["command"] == "left"
        await gateway.call_preset("D1/C1", 3)
        await gateway.stop("D1/C1")
        assert await gateway.snapshot("D1/C1") == JPEG
        with pytest.raises(GatewayRefused):
            await gateway.snapshot("D1/C2")
        await gateway.close()
    assert fake.logins == 1


async def test_wvp_logs_in_again_once_when_the_token_expired() -> None:
    fake = FakeWvp()
    async with http_server(fake) as url:
        gateway = Wvp(url, "admin", "secret")
        await gateway.stream("D1/C1")
        fake.token = "expired"
        await gateway.stream("D1/C1")
        assert fake.logins == 2
        with pytest.raises(GatewayLoginFailed):
            await Wvp(url, "admin", "wrong").stream("D1/C1")


async def test_wvp_tries_again_when_the_camera_is_late() -> None:
    fake = FakeWvp()
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)

    async with http_server(fake) as url:
        gateway = Wvp(url, "admin", "secret", sleep=note)
        fake.late = 2
        assert (await gateway.stream("D1/C1")).analysis
        assert waits == [1.0, 2.0]
        fake.late = 3
        with pytest.raises(PlayTimeout):
            await gateway.stream("D1/C1")
        await gateway.close()


@pytest.mark.parametrize("answer", [(200, b"<html>login</html>"), (502, b"bad gateway"), (200, b"[1]")])
async def test_wvp_that_is_something_else(answer: tuple[int, bytes]) -> None:
    async with http_server(lambda *_: answer) as url:
        with pytest.raises((GatewayUnreachable, GatewayLoginFailed)):
            await Wvp(url, "admin", "secret").cameras()
    with pytest.raises(GatewayUnreachable):
        await Wvp(f"http://127.0.0.1:{free_port()}", "a", "b").cameras()


# ZLMediaKit --------------------------------------------------------------------------------------
class FakeZlm:
    def __init__(self) -> None:
        self.calls: list[str] = []
        self.online = False

    def __call__(self, target: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        parts = urlsplit(target)
        query = {k: v[0] for k, v in parse_qs(parts.query).items()}
        name = parts.path.removeprefix("/index/api/")
        self.calls.append(name)
        if query.get("secret") != "s3cret":
            return 200, json.dumps({"code": -100, "msg": "Incorrect secret"}).encode()
        if name == "isMediaOnline":
            return 200, json.dumps({"code": 0, "online": self.online}).encode()
        if name == "addStreamProxy":
            assert query["url"] == "rtsp://camera/1" and query["stream"] == "cam%2F1"
            self.online = True
            return 200, json.dumps({"code": 0, "data": {"key": "k1"}}).encode()
        if name == "getSnap":
            return 200, JPEG if query["url"] == "rtsp://camera/1" else b'{"code": -1, "msg": "no"}'
        if name == "getMediaList":
            return 200, json.dumps({"code": 0, "data": [{"app": "live", "stream": "a"}]}).encode()
        return 200, b'{"code": 0}'


async def test_zlm_pulls_once_and_names_the_addresses() -> None:
    fake = FakeZlm()
    source: Callable[[str], str | None] = {"cam/1": "rtsp://camera/1", "cam/2": "rtsp://camera/2"}.get
    async with http_server(fake) as url:
        gateway = zlm.Zlm(url, "s3cret", source, rtsp_port=8554)
        urls = await gateway.stream("cam/1")
        assert urls.analysis == "rtsp://127.0.0.1:8554/live/cam%2F1"
        assert urls.browser == f"{url}/live/cam%2F1.live.flv" and "whep" in urls.all
        await gateway.stream("cam/1")
        assert fake.calls.count("addStreamProxy") == 1
        assert await gateway.snapshot("cam/1") == JPEG
        with pytest.raises(GatewayRefused):
            await gateway.snapshot("cam/2")
        assert [c.camera_id for c in await gateway.cameras()] == ["a"]
        await gateway.stop("cam/1")
        assert fake.calls[-1] == "delStreamProxy"
        await gateway.stop("cam/1")
        assert fake.calls[-1] == "close_streams"
        with pytest.raises(GatewayRefused):
            await gateway.stream("cam/9")
        with pytest.raises(GatewayLoginFailed):
            await zlm.Zlm(url, "other", source).stream("cam/1")
        await gateway.close()


def test_zlm_default_secret_is_refused() -> None:
    for secret in ("", "035c73f7-bb6b-4889-a715-d9eb2d1925cc"):
        with pytest.raises(GatewayLoginFailed):
            zlm.Zlm("http://h", secret, lambda _: None)


def test_zlm_hooks() -> None:
    hook, answer = zlm_hooks.read_hook("on_stream_none_reader", b'{"app": "live", "stream": "a", "schema": "rtsp"}')
    assert (hook.app, hook.stream, answer) == ("live", "a", {"code": 0, "msg": "success", "close": True})
    hook, answer = zlm_hooks.read_hook("on_stream_changed", b'{"regist": true, "stream": "a"}')
    assert hook.online is True and answer == {"code": 0, "msg": "success"}
    for name, body in (("on_nothing", b"{}"), ("on_play", b"["), ("on_play", b"[]")):
        with pytest.raises(GatewayRefused):
            zlm_hooks.read_hook(name, body)


# ONVIF -------------------------------------------------------------------------------------------
def test_password_digest_vector() -> None:
    nonce = base64.b64decode("LKqI6G/AikKCQrN0zqZFlg==")
    assert onvif.password_digest(nonce, "2010-09-16T07:50:45Z", "userpassword") == "tuOSpGlFlIXsozq4HFNeeGeFLEI="


MATCH = (
    '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><e:Body><d:ProbeMatches><d:ProbeMatch>'
    "<a:EndpointReference><a:Address>urn:uuid:1</a:Address></a:EndpointReference>"
    "<d:Scopes>onvif://www.onvif.org/name/Gate onvif://www.onvif.org/hardware/IPC</d:Scopes>"
    "<d:XAddrs>http://10.0.0.8/onvif/device_service</d:XAddrs></d:ProbeMatch></d:ProbeMatches></e:Body></e:Envelope>"
)


async def test_discovery_collects_each_camera_once_and_survives_rubbish() -> None:
    class Camera(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: Any) -> None:
            assert b"NetworkVideoTransmitter" in data
            for answer in (b"\xff\xfe", b"<x>", b'<!DOCTYPE x [<!ENTITY y "z">]><x>&y;</x>', MATCH.encode()):
                self.transport.sendto(answer, addr)

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Camera, local_addr=("127.0.0.1", 0))
    try:
        (found,) = await onvif.discover(0.2, transport.get_extra_info("sockname"))
    finally:
        transport.close()
    assert found.addresses == ("http://10.0.0.8/onvif/device_service",)
    assert (found.scope("name"), found.scope("hardware"), found.scope("location")) == ("Gate", "IPC", "")


class FakeCamera:
    """A camera whose clock is an hour ahead and which checks the digest."""

    ahead = timedelta(hours=1)

    def __init__(self) -> None:
        self.bodies: list[str] = []

    def __call__(self, target: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        text = body.decode()
        self.bodies.append(text)
        if "GetSystemDateAndTime" in text:
            t = NOW + self.ahead
            return 200, _soap(
                f"<UTCDateTime><Time><Hour>{t.hour}</Hour><Minute>{t.minute}</Minute><Second>{t.second}</Second></Time>"
                f"<Date><Year>{t.year}</Year><Month>{t.month}</Month><Day>{t.day}</Day></Date></UTCDateTime>"
            )
        if not self.authorised(text):
            return 400, _soap("<s:Fault><s:Reason><s:Text>Sender not Authorized</s:Text></s:Reason></s:Fault>")
        if "GetCapabilities" in text:
            inner = "<Media><XAddr>http://192.168.1.1/onvif/media</XAddr></Media>"
            return 200, _soap(inner + "<PTZ><XAddr>http://192.168.1.1/onvif/ptz</XAddr></PTZ>")
        if "GetProfiles" in text:
            small = '<Profiles token="p2"><Name>sub</Name></Profiles>'
            size = "<Resolution><Width>1920</Width><Height>1080</Height></Resolution>"
            return 200, _soap(small + f'<Profiles token="p1"><Name>main</Name>{size}</Profiles>')
        if "GetStreamUri" in text:
            return 200, _soap("<MediaUri><Uri>rtsp://10.0.0.8:554/main?a=1</Uri></MediaUri>")
        if "GetSnapshotUri" in text:
            return 200, _soap("<MediaUri><Uri>http://10.0.0.8/snap.jpg</Uri></MediaUri>")
        if "GetDeviceInformation" in text:
            return 200, _soap("<Manufacturer>Acme</Manufacturer><Model>IPC</Model>")
        return 200, _soap("")

    def authorised(self, text: str) -> bool:
        account = r"<Username>admin</Username><Password [^>]+>([^<]+)</Password>"
        found = re.search(account + r"<Nonce>([^<]+)</Nonce><Created [^>]+>([^<]+)<", text)
        if found is None:
            return False
        created = datetime.fromisoformat(found[3].replace("Z", "+00:00"))
        fresh = abs(created - (NOW + self.ahead)) < timedelta(seconds=5)
        return fresh and found[1] == onvif.password_digest(base64.b64decode(found[2]), found[3], "pass&word")


def _soap(inner: str) -> bytes:
    return (
        f'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>{inner}</s:Body></s:Envelope>'
    ).encode()


async def test_onvif_camera_with_another_clock() -> None:
    fake = FakeCamera()
    async with http_server(fake) as url:
        camera = onvif.Onvif(url + "/onvif/device_service", "admin", "pass&word", ManualClock(NOW))
        assert (await camera.information())["Manufacturer"] == "Acme"
        profiles = await camera.profiles()
        assert [(p.token, p.width) for p in profiles] == [("p1", 1920), ("p2", 0)]
        assert await camera.stream_uri("p1") == "rtsp://admin:pass%26word@10.0.0.8:554/main?a=1"
        assert await camera.snapshot_uri("p1") == "http://10.0.0.8/snap.jpg"
        await onvif_ptz.move(camera, "p1", 5.0, 0.0)
        assert 'x="1" y="0"' in fake.bodies[-1]
        await onvif_ptz.move(camera, "p1", 0, 0)
        assert "<Stop" in fake.bodies[-1]
        await camera.close()
        with pytest.raises(GatewayLoginFailed):
            await onvif.Onvif(url, "admin", "wrong", ManualClock(NOW)).information()


async def test_onvif_that_is_no_camera() -> None:
    for answer in ((200, b"<html>"), (200, b""), (500, b"x" * 100)):
        async with http_server(lambda *_, answer=answer: answer) as url:  # type: ignore[misc]
            with pytest.raises(GatewayUnreachable):
                await onvif.Onvif(url, "admin", "x", ManualClock(NOW)).information()
