"""Typed refusals of what devices send.  Codecs return them as values, in stream order; they never raise them out."""

from __future__ import annotations

from typing import Any

from core.errors import YiwangError


class FrameError(YiwangError):
    """A refused piece of a stream; ``raw`` are its bytes."""

    code = "frame_refused"
    message = "{protocol}: frame refused: {detail}"
    remedy = "check the device's protocol version and the line"

    def __init__(self, *, raw: bytes = b"", **data: Any) -> None:
        self.raw = raw
        super().__init__(**data)

    def as_dict(self) -> dict[str, Any]:
        """As in the base class, with the first 64 refused bytes in hex and their number."""
        return {**super().as_dict(), "raw_hex": self.raw[:64].hex().upper(), "raw_bytes": len(self.raw)}


class FrameNoise(FrameError):
    code = "frame_noise"
    message = "{protocol}: {count} bytes between frames belong to no frame"
    remedy = "nothing, if rare; else check the serial line, the SIM card or the port number"


class FrameChecksum(FrameError):
    code = "frame_checksum"
    message = "{protocol}: checksum is {got}, computed {expected}"
    remedy = "the device sends the frame again; if it persists check the line"


class FrameLength(FrameError):
    code = "frame_length"
    message = "{protocol}: length field is {got}: {detail}"
    remedy = "check the device's protocol version"


class FrameEnd(FrameError):
    code = "frame_end"
    message = "{protocol}: the frame does not end with {expected} but with {got}"
    remedy = "check the device's protocol version"


class FrameIncomplete(FrameError):
    code = "frame_incomplete"
    message = "{protocol}: {count} bytes are the beginning of a frame whose end is missing"
    remedy = "give the whole frame"


class FrameField(FrameError):
    code = "frame_field"
    message = "{protocol}: {field}: {detail}"
    remedy = "compare the frame with docs/protocols.md"


class FrameParts(FrameError):
    code = "frame_parts"
    message = "{protocol}: parts of message {key} are missing or too many: {detail}"
    remedy = "the device sends it again; check the link if it persists"


class CommandUnsupported(YiwangError):
    code = "command_unsupported"
    message = "{protocol} devices cannot do {command!r}"
    remedy = "use one of: {known}"
