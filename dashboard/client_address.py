"""From where a request came: the connection's address, or what a trusted proxy says of it.

``X-Forwarded-For`` is believed only when the connection itself comes from a proxy named by ``YIWANG_TRUSTED_PROXIES``;
then its entries are read from the right, past trusted proxies, to the first that is none.  What a client put there
itself stands further left and is never reached.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from core.errors import SettingsError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Proxies:
    """The proxies that are believed."""

    def __init__(self, networks: Sequence[Network] = ()) -> None:
        self._networks = tuple(networks)

    @classmethod
    def parse(cls, text: str) -> Proxies:
        """From the setting: addresses and networks with commas; ``SettingsError`` for anything else."""
        try:
            return cls([ipaddress.ip_network(item.strip(), strict=False) for item in text.split(",") if item.strip()])
        except ValueError as error:
            raise SettingsError(
                field="YIWANG_TRUSTED_PROXIES", detail=str(error), how="give addresses or networks: 172.28.1.0/24,::1"
            ) from error

    def trusts(self, address: str) -> bool:
        """Is ``address`` one of them?"""
        if not self._networks:
            return False
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        return any(found.version == network.version and found in network for network in self._networks)

    def client(self, peer: str, forwarded: Sequence[str]) -> str:
        """The client's address: ``peer`` itself unless it is trusted; ``forwarded``: the header's values in order."""
        if not self.trusts(peer):
            return peer
        entries = [entry.strip() for value in forwarded for entry in value.split(",")]
        for entry in reversed(entries):
            address = _plain(entry)
            if address is None:
                return peer  # not written by a proxy of ours: the last thing that is sure
            if not self.trusts(address):
                return address
        return peer


def _plain(entry: str) -> str | None:
    """An address without port or brackets; None when it is none."""
    if entry.startswith("["):
        entry = entry[1:].split("]", 1)[0]
    elif entry.count(":") == 1:
        entry = entry.split(":", 1)[0]
    try:
        return str(ipaddress.ip_address(entry))
    except ValueError:
        return None


class ClientAddress:
    """ASGI: puts the client's true address and scheme into the scope before anything looks at them."""

    def __init__(self, app: ASGIApp, proxies: Proxies) -> None:
        self.app, self._proxies = app, proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"} and scope.get("client"):
            host, port = scope["client"][0], scope["client"][1]
            if self._proxies.trusts(host):
                headers = Headers(scope=scope)
                scope["client"] = (self._proxies.client(host, headers.getlist("x-forwarded-for")), port)
                secure = headers.getlist("x-forwarded-proto")[-1:] == ["https"]
                scope["scheme"] = {"http": ("http", "https"), "websocket": ("ws", "wss")}[scope["type"]][secure]
        await self.app(scope, receive, send)
