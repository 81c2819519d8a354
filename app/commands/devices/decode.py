"""Print what a device sent: ``python -m app decode PROTOCOL HEX`` or ``… PROTOCOL -`` (standard input).

One JSON object a frame, one a line.  The bytes may be hex (blanks, colons and ``0x`` are skipped) or, for text
protocols, the text itself; the path of a capture file (hex, text or raw bytes) does as well.  A refused frame prints
its error as JSON here and as a sentence on standard error, and the exit status is 2.  Noise between whole frames is
only reported.
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import sys
from pathlib import Path

from core import plugins
from core.errors import InputInvalid
from ingest.contract import Decoded
from ingest.errors import FrameError, FrameIncomplete, FrameNoise

HELP = "print the frames of a protocol as JSON"
_NOT_HEX = re.compile(rb"0[xX]|[\s:,;-]+")
_PRINTABLE = re.compile(rb"[\t\r\n -~]*")


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("protocol", choices=protocols(), help="how the device speaks")
    parser.add_argument("data", nargs="+", metavar="HEX|-", help="hex, text, a capture file, or - for standard input")
    parser.add_argument("--lenient", action="store_true", help="hj212: show frames with a wrong CRC too")


def protocols() -> list[str]:
    """The sources whose devices send us frames."""
    return [kind for kind in plugins.titles("source", "en") if plugins.about("source", kind).transport == "tcp"]


def run(args: argparse.Namespace) -> int:
    """Decode and print; 0 when every frame was good."""
    given = sys.stdin.buffer.read() if args.data == ["-"] else _given(" ".join(args.data))
    decoded = _decode(args.protocol, to_bytes(args.protocol, given), args.lenient)
    entries = list(decoded.frames)
    if decoded.rest and not (entries and decoded.rest == b"\x7e"):  # a refused frame's own closing mark is no frame
        entries.append(FrameIncomplete(protocol=args.protocol, count=len(decoded.rest), raw=decoded.rest))
    whole = sum(not isinstance(entry, FrameError) for entry in entries)
    status = 0 if whole else 2
    for entry in entries:
        if not isinstance(entry, FrameError):
            _print(entry.as_json())
            continue
        print(f"decode: {entry}", file=sys.stderr)
        if isinstance(entry, FrameNoise) and whole:
            continue
        _print(entry.as_dict())
        status = 2
    if not entries:
        raise InputInvalid(field="data", detail="there are no bytes", how="give the frame in hex, or - and pipe it in")
    return status


def _print(shown: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(shown, ensure_ascii=False) + "\n")


def _given(text: str) -> bytes:
    try:
        if len(text) < 256 and Path(text).is_file():
            return Path(text).read_bytes()
    except (OSError, ValueError) as error:
        raise InputInvalid(field="data", detail=str(error), how="give the path of a readable file") from error
    return text.encode("utf-8", errors="surrogateescape")


def to_bytes(protocol: str, given: bytes) -> bytes:
    """The frame's bytes: from hex, from the text of a text protocol, or as they are (a raw capture)."""
    mark = plugins.about("source", protocol).text_mark.encode("ascii")
    if mark and given.lstrip().startswith(mark):
        return given
    compact = _NOT_HEX.sub(b"", given)
    if re.fullmatch(rb"[0-9a-fA-F]*", compact):
        if len(compact) % 2:
            raise InputInvalid(
                field="data", detail=f"{len(compact)} hex digits are not whole bytes", how="give two digits a byte"
            )
        return bytes.fromhex(compact.decode("ascii"))
    if not mark and _PRINTABLE.fullmatch(given):
        bad = next(c for c in compact.decode("ascii") if c not in "0123456789abcdefABCDEF")
        raise InputInvalid(field="data", detail=f"{bad!r} is no hex digit", how="give the frame in hex: 40 40 01 00 …")
    return given


def _decode(protocol: str, data: bytes, lenient: bool) -> Decoded:
    module = plugins.load("source", protocol)
    takes_lenient = "lenient" in inspect.signature(module.decode).parameters
    decoded: Decoded = module.decode(data, lenient) if takes_lenient else module.decode(data)
    return decoded
