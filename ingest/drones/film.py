"""Films of aircraft: size and length, subtitles beside or inside, KLV in a transport stream, the start point."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import YiwangError
from ingest.drones import misb, subtitles
from ingest.drones.picture_file import FileBroken

_SUBTITLE_BYTES = 64 << 20
_MOST_PACKETS = 4000
_WITHIN = 3.0  # seconds by which a film and its subtitles may differ in length, and 5 %
_ISO6709 = re.compile(r"([+-][0-9]+(?:\.[0-9]+)?)([+-][0-9]+(?:\.[0-9]+)?)")


class WrongSubtitles(YiwangError):
    code = "srt_of_another_film"
    message = "{file} lasts {subtitles} s, the film {film} s"
    remedy = "put the SRT of the same recording beside it"
    zh = "{file} 时长 {subtitles} 秒，影片 {film} 秒"
    zh_remedy = "请放同一次录制的 SRT"


@dataclass(frozen=True, slots=True)
class Film:
    """Size in pixels, seconds, SRT text (own track or file beside), first KLV set, start point, coded telemetry."""

    width: int
    height: int
    seconds: float
    telemetry: str
    klv: dict[str, Any] | None
    start: tuple[float, float] | None
    coded: bool
    problems: tuple[YiwangError, ...] = ()


def read_film(path: Path) -> Film:
    """:class:`ingest.drones.picture_file.FileBroken` when no film can be opened."""
    import av

    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            return _read(path, container)
    except (av.FFmpegError, ValueError, OSError) as error:
        raise FileBroken(file=path.name, kind="a film") from error


def _read(path: Path, container: Any) -> Film:
    video = next(iter(container.streams.video), None)
    if video is None:
        raise FileBroken(file=path.name, kind="a film")
    seconds = float(container.duration / 1_000_000) if container.duration else 0.0
    inside, klv = _tracks(container)
    beside, problems = _beside(path, seconds)
    coded = any(
        "djmd" in str(s.metadata.get("handler_name", "")).lower() or _tag(s) == "djmd" for s in container.streams
    )
    start = _ISO6709.match(container.metadata.get("location", "") or "")
    place = (float(start[2]), float(start[1])) if start else None
    return Film(
        video.codec_context.width, video.codec_context.height, seconds, inside or beside, klv, place, coded, problems
    )


def _tag(stream: Any) -> str:
    return str(getattr(stream.codec_context, "codec_tag", "") or "") if stream.codec_context else ""


def _tracks(container: Any) -> tuple[str, dict[str, Any] | None]:
    """Subtitle text as an SRT file, and the first KLV set that says where the sensor is."""
    wanted = [s for s in container.streams if s.type in ("subtitle", "data")]
    lines: list[str] = []
    klv: dict[str, Any] | None = None
    if not wanted:
        return "", None
    for count, packet in enumerate(container.demux(wanted)):
        if count >= _MOST_PACKETS:
            break
        raw = bytes(packet)
        if packet.stream.type == "data":
            klv = klv or next((s for s in misb.sets(raw) if "sensor_lat" in s), None)
        elif len(raw) > 2:
            lines.append(_block(len(lines) + 1, raw))
        if klv is not None:
            break
    return "\n".join(lines), klv


def _block(number: int, raw: bytes) -> str:
    """A timed-text sample (3GPP TS 26.245: two bytes of length first) or plain text as an SRT block."""
    size = int.from_bytes(raw[:2], "big")
    body = raw[2 : 2 + size] if 0 < size <= len(raw) - 2 else raw
    return f"{number}\n{body.decode('utf-8', 'replace')}\n"


def _beside(path: Path, seconds: float) -> tuple[str, tuple[YiwangError, ...]]:
    """The text of the SRT beside the film; another film's is told and not taken."""
    found = next((path.with_suffix(s) for s in (".srt", ".SRT", ".Srt") if path.with_suffix(s).is_file()), None)
    if found is None or found.stat().st_size > _SUBTITLE_BYTES:
        return "", ()
    text = found.read_text("utf-8", errors="replace")
    span = subtitles.span(text)
    if span is not None and seconds and abs(span - seconds) > max(_WITHIN, 0.05 * seconds):
        return "", (WrongSubtitles(file=found.name, subtitles=round(span, 1), film=round(seconds, 1)),)
    return text, ()
