"""Addresses that people type and our processes open: judged before they are kept; nobody reaches inside with them.

Cameras: rtsp, rtsps, rtmp, http, https.  A web address (``http``) is fetched by us on somebody's word, so it may not
lead to this machine, to link-local addresses (cloud metadata) or to multicast, and only to the networks of
``YIWANG_CAMERA_NETWORKS`` where that is set.  A name is resolved; every address it has must be permitted.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from core.errors import InputInvalid, SettingsError

LONGEST = 500  # characters
CAMERA_SCHEMES = ("rtsp", "rtsps", "rtmp", "http", "https")
_FILMS = (".mp4", ".mkv", ".mov", ".avi", ".ts", ".ps", ".h264", ".h265", ".webm", ".mjpeg")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str], Sequence[str]]


def read_networks(setting: str, text: str) -> tuple[Network, ...]:
    """Networks with commas; ``SettingsError`` for anything else."""
    try:
        return tuple(ipaddress.ip_network(item.strip(), strict=False) for item in text.split(",") if item.strip())
    except ValueError as error:
        raise SettingsError(field=setting, detail=str(error), how="give networks: 10.1.0.0/16,10.2.0.0/16") from error


def addresses_of(host: str) -> list[str]:
    """Every address of a host name; nothing when it is not known (now)."""
    try:
        return sorted({str(entry[4][0]) for entry in socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)})
    except (OSError, UnicodeError):
        return []


def check_camera(
    field: str, url: str, networks: Sequence[Network], data_dir: Path, resolve: Resolve = addresses_of
) -> None:
    """:class:`InputInvalid` for an address that no camera of ours may have; "" is none yet and is fine.

    A film below ``data_dir`` may stand for a camera (a demonstration); no other file of this machine.
    """
    if not url:
        return
    _check_text(field, url)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _wrong(field, f"is no address ({error})") from error
    scheme = parts.scheme.lower()
    if scheme in {"", "file"}:
        _check_film(field, parts.path if scheme == "file" else url.partition("?")[0], data_dir)
        return
    if scheme not in CAMERA_SCHEMES:
        raise _wrong(field, f"has the scheme {scheme[:20]!r}")
    if not host:
        raise _wrong(field, "names no host")
    if port == 0:
        raise _wrong(field, "names the port 0")
    if scheme in {"http", "https"}:
        check_host(field, host, networks, resolve)


def check_host(field: str, host: str, networks: Sequence[Network], resolve: Resolve = addresses_of) -> None:
    """Every address of ``host`` must be permitted; a name that is not known is refused where networks are listed."""
    plain = _number(host)
    found = [plain] if plain is not None else [ipaddress.ip_address(a.split("%")[0]) for a in resolve(host)]
    if not found and networks:
        raise InputInvalid(field=field, detail=f"{host!r} is not known", how="use its address, or mend your DNS")
    for address in found:
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        if not _is_permitted(mapped or address, networks):
            raise InputInvalid(
                field=field,
                detail=f"leads to {address}, where no web address may lead",
                how="use another address, or add its network to YIWANG_CAMERA_NETWORKS",
            )


def leads_inside(host: str) -> bool:
    """Whether ``host`` is a number that leads to this machine, to link-local addresses or to many at once."""
    address = _number(host)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return address is not None and not _is_permitted(mapped or address, ())


def _is_permitted(address: Address, networks: Sequence[Network]) -> bool:
    if networks:
        return any(address.version == network.version and address in network for network in networks)
    forbidden = address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified
    return not (forbidden or address.is_reserved)


def _number(host: str) -> Address | None:
    """``host`` as an address, in every notation that a system's resolver takes for one (0x7f.1, 2130706433)."""
    try:
        return ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.ip_address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def _check_text(field: str, url: str) -> None:
    if len(url) > LONGEST:
        raise _wrong(field, f"has {len(url)} characters")
    if any(ord(c) <= 32 or 0x7F <= ord(c) <= 0xA0 or 0xD800 <= ord(c) <= 0xDFFF for c in url) or "\\" in url:
        raise _wrong(field, "holds blanks or control characters")


def _check_film(field: str, path: str, data_dir: Path) -> None:
    try:
        found = Path(path).resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise _wrong(field, "is no address") from error
    if not found.is_relative_to(data_dir.resolve()) or found.suffix.lower() not in _FILMS:
        raise _wrong(field, "is a file of this machine")


def _wrong(field: str, detail: str) -> InputInvalid:
    how = f"give {', '.join(f'{s}://' for s in CAMERA_SCHEMES)} with at most {LONGEST} characters"
    return InputInvalid(field=field, detail=detail, how=how)
