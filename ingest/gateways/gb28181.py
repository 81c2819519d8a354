"""GB/T 28181: what a client of a gateway meets of it: ids, digest authentication, PTZ commands.  Pure."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from core.errors import InputInvalid

_TYPES = {
    "111": "dvr",
    "118": "nvr",
    "131": "camera",
    "132": "ip_camera",
    "134": "alarm_input",
    "200": "sip_server",
    "215": "business_group",
    "216": "virtual_organisation",
}
_MOVES = {"right": 0x01, "left": 0x02, "down": 0x04, "up": 0x08, "zoomin": 0x10, "zoomout": 0x20, "stop": 0x00}


class DeviceId(NamedTuple):
    """A 20-digit id: centre (8), industry (2), type (3), serial (7)."""

    centre: str
    industry: str
    type_code: str
    type_name: str
    serial: str
    domain: str


def parse_id(text: str) -> DeviceId:
    """The parts of an id; :class:`InputInvalid` when it is not 20 digits."""
    if len(text) != 20 or not (text.isascii() and text.isdecimal()):
        raise InputInvalid(field="GB/T 28181 id", detail=f"{text!r} is not 20 digits", how="copy it from the gateway")
    code = text[10:13]
    return DeviceId(text[:8], text[8:10], code, _TYPES.get(code, "other"), text[13:], text[:10])


def digest(
    user: str, realm: str, password: str, nonce: str, method: str, uri: str, *, nc: str = "", cnonce: str = ""
) -> str:
    """The ``response`` of a digest (RFC 2617, MD5), with ``qop=auth`` when ``cnonce`` is given."""
    ha1, ha2 = _md5(f"{user}:{realm}:{password}"), _md5(f"{method}:{uri}")
    middle = f"{nonce}:{nc}:{cnonce}:auth" if cnonce else nonce
    return _md5(f"{ha1}:{middle}:{ha2}")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def ptz_command(move: str, pan: int = 0, tilt: int = 0, zoom: int = 0) -> str:
    """``A50F01…``: ``move`` may combine (``upleft``); speeds 0 to 255, zoom 0 to 15."""
    bits, rest = 0, move
    for name, bit in _MOVES.items():
        if name in rest:
            bits |= bit
            rest = rest.replace(name, "", 1)
    if rest:
        raise InputInvalid(field="move", detail=f"{move!r} is no movement", how=f"use {', '.join(_MOVES)}")
    if not (0 <= pan <= 255 and 0 <= tilt <= 255 and 0 <= zoom <= 15):
        raise InputInvalid(field="speed", detail=f"{pan}, {tilt}, {zoom}", how="pan and tilt 0 to 255, zoom 0 to 15")
    return _command(bits, pan, tilt, zoom << 4)


def preset_command(action: str, number: int) -> str:
    """Set, call or delete a preset (1 to 255)."""
    codes = {"set": 0x81, "call": 0x82, "delete": 0x83}
    if action not in codes or not 1 <= number <= 255:
        raise InputInvalid(field="preset", detail=f"{action} {number}", how="set, call or delete 1 to 255")
    return _command(codes[action], 0, number, 0)


def _command(code: int, first: int, second: int, third: int) -> str:
    raw = bytes((0xA5, 0x0F, 0x01, code, first, second, third))
    return (raw + bytes((sum(raw) & 0xFF,))).hex().upper()
