"""Where a connection may lead.  An address that an administrator types is opened by our machine, so it is bounded:

``https`` and ``http`` alone on the web; public addresses freely, private ones only in the networks of
``YIWANG_CONNECTION_NETWORKS``; never this machine, link-local addresses (cloud metadata) or multicast, unless listed.
The name is resolved once for each request and that very address is opened, so that a name cannot change in between.
Nobody is followed anywhere else.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from core.addresses import Network, Resolve, addresses_of, read_networks
from core.errors import InputInvalid
from core.late import Late

if TYPE_CHECKING:
    import httpx
else:
    httpx = Late("httpx")

SETTING = "YIWANG_CONNECTION_NETWORKS"
SCHEMES = ("https", "http")


@dataclass(frozen=True)
class Bounds:
    """The networks that are permitted beside the public internet."""

    networks: Sequence[Network] = ()
    resolve: Resolve = addresses_of

    @classmethod
    def parse(cls, text: str) -> Bounds:
        """From the setting; :class:`~core.errors.SettingsError`."""
        return cls(read_networks(SETTING, text))

    async def url(self, field: str, url: str) -> tuple[str, str]:
        """(address to open, host name) of a web address; :class:`~core.errors.InputInvalid` says why not."""
        parts = check_url(field, url)
        host = parts.host
        return await self.host(field, host), host

    async def host(self, field: str, host: str) -> str:
        """An address of ``host`` that may be opened; all of them must be permitted."""
        try:
            found = [ipaddress.ip_address(host.strip("[]"))]
        except ValueError:
            names = await asyncio.to_thread(self.resolve, host)
            found = [ipaddress.ip_address(name.split("%")[0]) for name in names]
        if not found:
            raise InputInvalid(field=field, detail=f"{host!r} is not known", how="use its address, or mend your DNS")
        for address in found:
            mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
            if not self._permits(mapped or address):
                how = f"ask operations to add its network to {SETTING}"
                raise InputInvalid(field=field, detail=f"{host} is {address}, a private address", how=how)
        return str(found[0])

    def _permits(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        if any(address.version == network.version and address in network for network in self.networks):
            return True
        return address.is_global and not address.is_multicast


def check_url(field: str, url: str) -> httpx.URL:
    """A web address with a host, without a password in it; :class:`~core.errors.InputInvalid`."""
    how = "write https://host/path"
    if len(url) > 2000 or any(ord(c) <= 32 or ord(c) == 127 for c in url) or "\\" in url:
        raise InputInvalid(field=field, detail="holds blanks or control characters, or is too long", how=how)
    try:
        parts, plain = httpx.URL(url), urlsplit(url)
        port = plain.port
    except (httpx.InvalidURL, ValueError) as error:
        raise InputInvalid(field=field, detail=f"is no address ({error})", how=how) from error
    if parts.scheme not in SCHEMES or not parts.host or port == 0:
        raise InputInvalid(field=field, detail=f"{url[:80]!r} is no web address", how=how)
    if parts.userinfo:
        raise InputInvalid(field=field, detail="holds an account", how="type the password under Secrets")
    return parts
