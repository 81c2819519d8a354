"""XMP tags of aircraft, whoever built them: by name space, as attributes or elements, nested or flat.

DJI, Autel and Parrot write ``Gimbal…Degree`` or ``Camera…Degree``, Skydio a structure ``CameraOrientationNED``, Pix4D
``Camera:Yaw``.  A packet that is no XML is read by its names alone (standards/10 §3).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import defusedxml.ElementTree as SafeXml

_MOST = 4 << 20
_LOOSE = re.compile(r"\b([A-Za-z][\w-]*):(\w+)\s*(?:=\s*\"([^\"<]*)\"|=\s*'([^'<]*)'|>([^<]*)<)")
_COMMON = ("/tiff/", "/exif/", "/xap/", "/dc/", "/photoshop/", "camera-raw", "22-rdf-syntax", "/mm/", "adobe:ns:meta")


class Tags(dict[str, str]):
    """``name → text`` without name spaces; names inside a structure carry its name before a dot."""

    broken = False


def tags(packets: Iterable[str]) -> Tags:
    """Every vendor's tags of all packets; the first that says something counts."""
    found = Tags()
    for packet in packets:
        text = packet[:_MOST].strip("\0 \n\r\t\ufeff")
        try:
            root = SafeXml.fromstring(text)
        except Exception:  # noqa: BLE001 - the parser raises whatever broken XML and refused entities lead to
            found.broken = True
            pairs: Iterable[tuple[str, str]] = _loose(text)
        else:
            pairs = _walk(root, "")
        for name, value in pairs:
            if value:
                found.setdefault(name, value)
    return found


def _walk(element: Any, inside: str) -> Iterator[tuple[str, str]]:
    for child in element:
        space, name = _split(child.tag)
        plain = space.startswith("http://www.w3.org") or not name
        path = inside if plain else f"{inside}{name}."
        for attribute, value in child.attrib.items():
            yield from _named(attribute, value, path if not plain else inside)
        if not plain and not len(child):
            yield from _named(child.tag, child.text or "", inside)
        yield from _walk(child, path)


def _named(tag: str, value: str, inside: str) -> Iterator[tuple[str, str]]:
    space, name = _split(tag)
    if not name or any(part in space for part in _COMMON):
        return
    prefix = "Camera:" if "pix4d" in space else ""
    yield inside + prefix + name, value.strip()


def _split(tag: Any) -> tuple[str, str]:
    if not isinstance(tag, str):
        return "", ""
    space, _, name = tag.rpartition("}")
    return space.lstrip("{"), name


def _loose(text: str) -> Iterator[tuple[str, str]]:
    for prefix, name, *values in _LOOSE.findall(text):
        if prefix.lower() not in ("tiff", "exif", "xmp", "dc", "rdf", "crs", "xmpmm", "photoshop", "xmlns", "x"):
            yield ("Camera:" if prefix == "Camera" else "") + name, next((v for v in values if v), "").strip()
