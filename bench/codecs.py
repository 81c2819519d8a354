"""How fast the protocol codecs are: whole frames to readings and answers, on one core.

For each protocol a stream of the notes' frames is decoded through a session in reads of 4 KiB, as the TCP listener
does it: scanning, check sums, readings, observations, the answer's bytes and the fields that the log shows.
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime

from core import plugins
from ingest.contract import Frame, Source

_NOW = datetime(2024, 7, 22, 2, 30, 5, tzinfo=UTC)
_CHUNK = 4096
STREAMS = {
    "gb26875": (
        "404001000101203A091A090C790300000000385B0100000030000202010101280A0002000200"
        + "20" * 30
        + "00023A091A090C462323"
    ),
    "sl651": (
        "7E7E0122010500011234330026020001240722103000F1F1220105000148F0F02407221030392300000270201900012538121210033A11"
    ),
    "hj212": (
        "##0200QN=20240722103000000;ST=22;CN=2011;PW=123456;MN=220105000000000000000001;Flag=5;CP=&&"
        "DataTime=20240722103000;a34004-Rtd=35.0,a34004-Flag=N;a01001-Rtd=24.6,a01001-Flag=N;a01002-Rtd=61.0,"
        "a01002-Flag=N&&0A00\r\n"
    ),
    "jt808": (
        "7E0200002611223344556622B8000000010000000200BA7F0E07E4F11C0028003C000018071510101001040000006402020037577E"
    ),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the benchmark."""
    parser.add_argument("--frames", type=int, default=20_000, help="frames of each protocol")


def run(args: argparse.Namespace) -> dict[str, object]:
    """Frames and readings a second of CPU time, by protocol."""
    return {kind: measure(kind, args.frames) for kind in STREAMS}


def measure(kind: str, count: int) -> dict[str, float]:
    """One protocol."""
    text = STREAMS[kind]
    frame = text.encode() if kind == "hj212" else bytes.fromhex(text)
    data = frame * count
    source: Source = plugins.build("source", kind, {})
    session, buffer = source.session(), b""
    frames = said = 0
    began = time.process_time()
    for at in range(0, len(data), _CHUNK):
        entries, buffer = session.decode(buffer + data[at : at + _CHUNK], received_at=_NOW)
        for entry in entries:
            if isinstance(entry, Frame):
                frames += 1
                said += len(entry.readings) + len(entry.observations)
    spent = time.process_time() - began
    if frames != count:
        raise RuntimeError(f"{kind}: {frames} of {count} frames came out")
    return {
        "frames_per_s": round(frames / spent),
        "records_per_s": round(said / spent),
        "us_per_frame": round(spent / frames * 1e6, 1),
    }
