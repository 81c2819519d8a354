"""Reads a route file from outside: bounded before it is unfolded, XML without entities, faults as codes."""

from __future__ import annotations

import zipfile
from io import BytesIO
from typing import Any

import defusedxml.ElementTree as SafeXml

from core.errors import InputInvalid
from ingest.drones.wpml.check import Route

MOST_BYTES, MOST_RATIO, MOST_ENTRIES = 5 << 20, 200, 200


def read(data: bytes, gateway: str = "rc") -> Route:
    """The facts of a KMZ; :class:`core.errors.InputInvalid` for what is none, leads outside or unfolds too far."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            files = _entries(archive)
            name = next((f for f in files if f.rsplit("/", 1)[-1] == "waylines.wpml"), None)
            body = archive.read(name) if name else None
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, ValueError, EOFError) as error:
        raise _refused("is no readable KMZ") from error
    if body is None:
        return Route(files, gateway, 0.0, -1, -1, "", (), ())
    try:
        return _route(files, gateway, SafeXml.fromstring(body))
    except InputInvalid:
        raise
    except Exception as error:  # noqa: BLE001 - the parser raises whatever broken XML and refused entities lead to
        raise _refused(f"holds XML that cannot be read ({type(error).__name__})") from error


def _refused(detail: str) -> InputInvalid:
    return InputInvalid(field="route", detail=detail, how="save the route again in Pilot 2")


def _entries(archive: zipfile.ZipFile) -> list[str]:
    entries = archive.infolist()
    if len(entries) > MOST_ENTRIES:
        raise _refused(f"holds more than {MOST_ENTRIES} files")
    for entry in entries:
        if ".." in entry.filename.split("/") or entry.filename.startswith(("/", "\\")):
            raise _refused(f"leads outside: {entry.filename[:80]}")
        if entry.file_size > MOST_BYTES or entry.file_size > MOST_RATIO * max(entry.compress_size, 1):
            raise _refused(f"unfolds too far: {entry.filename[:80]}")
    return [entry.filename for entry in entries if not entry.is_dir()]


def _texts(root: Any, name: str) -> list[str]:
    return [(e.text or "").strip() for e in root.iter() if isinstance(e.tag, str) and e.tag.rpartition("}")[2] == name]


def _number(texts: list[str], missing: float) -> float:
    return float(texts[0]) if texts else missing


def _route(files: list[str], gateway: str, root: Any) -> Route:
    starts, ends = _texts(root, "actionGroupStartIndex"), _texts(root, "actionGroupEndIndex")
    poi = next((p for p in _texts(root, "waypointPoiPoint") if not p.startswith("0.0")), None)
    return Route(
        files, gateway, _number(_texts(root, "takeOffSecurityHeight"), 0.0),
        int(_number(_texts(root, "droneEnumValue"), -1)), int(_number(_texts(root, "payloadEnumValue"), -1)),
        next(iter(_texts(root, "executeHeightMode")), ""), [int(i) for i in _texts(root, "index")],
        [[int(a), int(b)] for a, b in zip(starts, ends, strict=False)], poi,
    )  # fmt: skip
