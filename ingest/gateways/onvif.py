"""ONVIF: find cameras on the local network, ask for their stream and snapshot addresses, move them.

WS-Discovery over UDP multicast, then SOAP 1.2 with WS-UsernameToken.  The camera's clock is read first (that call needs
no account), because a password digest made at another time is refused.  A camera that answers 401 is asked again as its
challenge says: HTTP Digest (RFC 7616; MD5, SHA-256) or Basic, then without the token, which some refuse beside it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import socket
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit
from xml.sax.saxutils import escape

import defusedxml.ElementTree as ElementTree
import msgspec
from defusedxml.common import DefusedXmlException

from core.addresses import leads_inside
from core.clock import Clock
from core.late import Late
from core.network.fetching import fetch
from ingest.gateways._http_auth import asked_for, auth_for
from ingest.gateways.contract import GatewayLoginFailed, GatewayRefused, GatewayUnreachable

if TYPE_CHECKING:
    import httpx
else:
    httpx = Late("httpx")

MULTICAST = ("239.255.255.250", 3702)
MOST_CAMERAS = 2000
MAX_ANSWER_BYTES = 1 << 20
_TDS = "http://www.onvif.org/ver10/device/wsdl"
_TRT = "http://www.onvif.org/ver10/media/wsdl"
_TT = "http://www.onvif.org/ver10/schema"


class Found(msgspec.Struct, frozen=True):
    """A camera that answered the probe: its addresses and what it says of itself (name, hardware, place)."""

    endpoint: str
    addresses: tuple[str, ...]
    scopes: tuple[str, ...]

    def scope(self, name: str) -> str:
        """The value of a scope, e.g. ``name``, ``hardware``, ``location``."""
        mark = f"/{name}/"
        return next((s.partition(mark)[2] for s in self.scopes if mark in s), "")


class Profile(msgspec.Struct, frozen=True):
    """A media profile: ``token`` names it to the camera."""

    token: str
    name: str
    width: int = 0
    height: int = 0


def probe_message(message_id: str) -> bytes:
    """The WS-Discovery probe for network video transmitters."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
        'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" '
        'xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header>'
        f"<w:MessageID>uuid:{message_id}</w:MessageID>"
        "<w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>"
        "<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header>"
        "<e:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>"
    ).encode()


def parse_matches(datagram: bytes) -> list[Found]:
    """The cameras that a ProbeMatches datagram names; none when it is something else."""
    try:
        root = ElementTree.fromstring(datagram)
    except (ElementTree.ParseError, DefusedXmlException, ValueError):
        return []
    out = []
    for match in each_node(root, "ProbeMatch"):
        addresses = [a for a in text_of(match, "XAddrs").split() if a.startswith(("http://", "https://"))]
        if addresses:
            endpoint = text_of(match, "Address")
            out.append(Found(endpoint, tuple(addresses[:8]), tuple(text_of(match, "Scopes").split()[:64])))
    return out


async def discover(wait_s: float = 3.0, target: tuple[str, int] = MULTICAST, interface: str = "0.0.0.0") -> list[Found]:  # noqa: S104 - sends, does not listen
    """Probe and collect what answers within ``wait_s``; each camera once."""
    found: dict[str, Found] = {}

    class _Collector(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            if len(found) < MOST_CAMERAS and len(data) <= 65_535:
                for camera in parse_matches(data):
                    found.setdefault(camera.endpoint or camera.addresses[0], camera)

    loop = asyncio.get_running_loop()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 2)
    sock.bind((interface, 0))
    transport, _ = await loop.create_datagram_endpoint(_Collector, sock=sock)
    try:
        for _ in range(2):  # UDP loses some
            raw = secrets.token_hex(16)
            name = f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}"
            transport.sendto(probe_message(name), target)
            await asyncio.sleep(wait_s / 2)
    finally:
        transport.close()
    return list(found.values())


def password_digest(nonce: bytes, created: str, password: str) -> str:
    """WS-UsernameToken: Base64(SHA1(nonce + created + password))."""
    raw = hashlib.sha1(nonce + created.encode() + password.encode(), usedforsecurity=False).digest()
    return base64.b64encode(raw).decode("ascii")


class Onvif:
    """One camera; ``address`` is its device service, e.g. ``http://10.0.0.8/onvif/device_service``."""

    def __init__(self, address: str, user: str, password: str, clock: Clock, *, timeout_s: float = 8.0) -> None:
        self.address, self._user, self._password, self._clock = address, user, password, clock
        self._client = httpx.AsyncClient(timeout=timeout_s, follow_redirects=False, trust_env=False)
        self._shift: timedelta | None = None
        self._services: dict[str, str] = {}
        self._auth: httpx.Auth | None = None
        self._token = True

    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()

    async def clock_shift(self) -> timedelta:
        """How far the camera's clock is ahead of ours."""
        root = await self._send(self.address, f'<GetSystemDateAndTime xmlns="{_TDS}"/>', signed=False)
        utc = next(iter(each_node(root, "UTCDateTime")), None)
        if utc is None:
            return timedelta(0)
        date = [_whole(text_of(utc, name)) for name in ("Year", "Month", "Day", "Hour", "Minute", "Second")]
        try:
            return datetime(date[0], date[1], date[2], date[3], date[4], date[5], tzinfo=UTC) - self._clock.now()
        except ValueError:
            return timedelta(0)

    async def information(self) -> dict[str, str]:
        """Maker, model, firmware, serial number."""
        root = await self._call(self.address, f'<GetDeviceInformation xmlns="{_TDS}"/>')
        names = ("Manufacturer", "Model", "FirmwareVersion", "SerialNumber", "HardwareId")
        return {name: text_of(root, name) for name in names}

    async def profiles(self) -> list[Profile]:
        """Media profiles, the largest picture first."""
        root = await self._call(await self._service("Media"), f'<GetProfiles xmlns="{_TRT}"/>')
        out = []
        for node in each_node(root, "Profiles"):
            size = next(iter(each_node(node, "Resolution")), None)
            width, height = (0 if size is None else _whole(text_of(size, n)) for n in ("Width", "Height"))
            out.append(Profile(node.get("token", ""), text_of(node, "Name"), width, height))
        return sorted(out, key=lambda p: -p.width * p.height)

    async def stream_uri(self, profile: str) -> str:
        """The RTSP address of a profile, with the account in it."""
        body = (
            f'<GetStreamUri xmlns="{_TRT}"><StreamSetup><Stream xmlns="{_TT}">RTP-Unicast</Stream>'
            f'<Transport xmlns="{_TT}"><Protocol>RTSP</Protocol></Transport></StreamSetup>'
            f"<ProfileToken>{escape(profile)}</ProfileToken></GetStreamUri>"
        )
        return self._with_account(text_of(await self._call(await self._service("Media"), body), "Uri"))

    async def snapshot_uri(self, profile: str) -> str:
        """Where a JPEG of a profile can be fetched."""
        body = f'<GetSnapshotUri xmlns="{_TRT}"><ProfileToken>{escape(profile)}</ProfileToken></GetSnapshotUri>'
        return text_of(await self._call(await self._service("Media"), body), "Uri")

    async def call(self, service: str, body: str) -> Any:
        """Ask ``service`` (Media, PTZ, Events) with ``body``; the answer's root."""
        return await self._call(await self._service(service), body)

    async def _service(self, name: str) -> str:
        if not self._services:
            body = f'<GetCapabilities xmlns="{_TDS}"><Category>All</Category></GetCapabilities>'
            root = await self._call(self.address, body)
            for kind in ("Media", "PTZ", "Events"):
                for node in each_node(root, kind):
                    self._services[kind] = self._own_host(text_of(node, "XAddr"))
        if not self._services.get(name):
            raise GatewayRefused(call=name, detail="the camera has no such service", number=0)
        return self._services[name]

    def _own_host(self, url: str) -> str:
        """Cameras behind NAT name an inner address: keep ours."""
        inner, outer = urlsplit(url), urlsplit(self.address)
        return inner._replace(scheme=outer.scheme, netloc=outer.netloc).geturl() if inner.path else ""

    def _with_account(self, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme != "rtsp" or not parts.hostname:
            raise GatewayRefused(call="GetStreamUri", detail=f"{url[:80]!r} is no RTSP address", number=0)
        if parts.hostname != urlsplit(self.address).hostname and leads_inside(parts.hostname):
            raise GatewayRefused(call="GetStreamUri", detail=f"{url[:80]!r} leads to this machine", number=0)
        if not self._user or parts.username:
            return url
        account = f"{quote(self._user, safe='')}:{quote(self._password, safe='')}"
        return parts._replace(netloc=f"{account}@{parts.netloc}").geturl()

    async def _call(self, url: str, body: str) -> Any:
        if self._shift is None:
            self._shift = await self.clock_shift()
        return await self._send(url, body, signed=True)

    async def _send(self, url: str, body: str, signed: bool) -> Any:
        status, raw, challenges = await self._post(url, body, signed)
        if status == 401 and self._user and self._auth is None:
            self._auth = auth_for(challenges, self._user, self._password)
            if self._auth is not None:
                status, raw, challenges = await self._post(url, body, signed)
        if status == 401 and self._auth is not None and signed and self._token:
            self._token = False
            status, raw, challenges = await self._post(url, body, signed)
        if status == 401:
            raise GatewayLoginFailed(url=self.address, detail=asked_for(challenges))
        try:
            root = ElementTree.fromstring(raw)
        except (ElementTree.ParseError, DefusedXmlException, ValueError) as error:
            raise GatewayUnreachable(url=self.address, detail=f"status {status}, the answer is no XML") from error
        fault = next(iter(each_node(root, "Fault")), None)
        if fault is not None:
            reason = text_of(fault, "Text") or "fault"
            if "NotAuthorized" in "".join(fault.itertext()) or "authoriz" in reason.lower():
                raise GatewayLoginFailed(url=self.address, detail=reason)
            raise GatewayRefused(call=body[1:40].partition(" ")[0], detail=reason, number=status)
        return root

    async def _post(self, url: str, body: str, signed: bool) -> tuple[int, bytes, list[str]]:
        """Status, answer and the challenges of a 401."""
        header = self._security() if signed and self._user and self._token else ""
        envelope = (
            '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">'
            f"<s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
        )
        headers = {"content-type": "application/soap+xml; charset=utf-8"}
        options: dict[str, Any] = {"content": envelope.encode(), "headers": headers, "auth": self._auth}
        try:
            response, raw = await fetch(self._client, "POST", url, most=MAX_ANSWER_BYTES, **options)
            return response.status_code, raw, response.headers.get_list("www-authenticate")
        except httpx.HTTPError as error:
            raise GatewayUnreachable(url=self.address, detail=f"{type(error).__name__} {error}".strip()) from error

    def _security(self) -> str:
        nonce = secrets.token_bytes(16)
        moment = self._clock.now() + (self._shift or timedelta(0))
        created = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        base = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
        return (
            f'<Security xmlns="{base}wssecurity-secext-1.0.xsd" s:mustUnderstand="true"><UsernameToken>'
            f"<Username>{escape(self._user)}</Username>"
            f'<Password Type="{base}username-token-profile-1.0#PasswordDigest">'
            f"{password_digest(nonce, created, self._password)}</Password>"
            f"<Nonce>{base64.b64encode(nonce).decode('ascii')}</Nonce>"
            f'<Created xmlns="{base}wssecurity-utility-1.0.xsd">{created}</Created></UsernameToken></Security>'
        )


def each_node(node: Any, name: str) -> Iterable[Any]:
    """The elements called ``name`` in any namespace."""
    return (n for n in node.iter() if isinstance(n.tag, str) and n.tag.rpartition("}")[2] == name)


def text_of(node: Any, name: str) -> str:
    """The text of the first element called ``name``; "" where there is none."""
    found = next(iter(each_node(node, name)), None)
    return (found.text or "").strip() if found is not None else ""


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 0
