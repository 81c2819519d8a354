"""Typed refusals of what devices send.  Codecs return them as values, in stream order; they never raise them out."""

from __future__ import annotations

from typing import Any

from core.errors import YiwangError


class FrameError(YiwangError):
    """A refused piece of a stream; ``raw`` are its bytes."""

    code = "frame_refused"
    message = "{protocol}: frame refused: {detail}"
    remedy = "check the device's protocol version and the line"
    zh = "{protocol}：报文被拒：{detail}"
    zh_remedy = "请核对设备的协议版本和线路"

    def __init__(self, *, raw: bytes = b"", **data: Any) -> None:
        self.raw = raw
        super().__init__(**data)

    def as_dict(self, language: str = "en") -> dict[str, Any]:
        """As in the base class, with the first 64 refused bytes in hex and their number."""
        return {**super().as_dict(language), "raw_hex": self.raw[:64].hex().upper(), "raw_bytes": len(self.raw)}


class FrameNoise(FrameError):
    code = "frame_noise"
    message = "{protocol}: {count} bytes between frames belong to no frame"
    remedy = "nothing, if rare; else check the serial line, the SIM card or the port number"
    zh = "{protocol}：报文之间有 {count} 字节不属于任何报文"
    zh_remedy = "偶尔出现不必处理；否则请检查串口、SIM 卡或端口号"


class FrameChecksum(FrameError):
    code = "frame_checksum"
    message = "{protocol}: checksum is {got}, computed {expected}"
    remedy = "the device sends the frame again; if it persists check the line"
    zh = "{protocol}：校验值为 {got}，计算为 {expected}"
    zh_remedy = "设备会重发；持续出现请检查线路"


class FrameLength(FrameError):
    code = "frame_length"
    message = "{protocol}: length field is {got}: {detail}"
    remedy = "check the device's protocol version"
    zh = "{protocol}：长度字段为 {got}：{detail}"
    zh_remedy = "请核对设备的协议版本"


class FrameEnd(FrameError):
    code = "frame_end"
    message = "{protocol}: the frame does not end with {expected} but with {got}"
    remedy = "check the device's protocol version"
    zh = "{protocol}：报文应以 {expected} 结束，实为 {got}"
    zh_remedy = "请核对设备的协议版本"


class FrameIncomplete(FrameError):
    code = "frame_incomplete"
    message = "{protocol}: {count} bytes are the beginning of a frame whose end is missing"
    remedy = "give the whole frame"
    zh = "{protocol}：{count} 字节是报文的开头，缺少结尾"
    zh_remedy = "请给出完整报文"


class FrameField(FrameError):
    code = "frame_field"
    message = "{protocol}: {field}: {detail}"
    remedy = "compare the frame with docs/protocols.md"
    zh = "{protocol}：{field}：{detail}"
    zh_remedy = "请对照 docs/protocols.md 核对报文"


class FrameParts(FrameError):
    code = "frame_parts"
    message = "{protocol}: parts of message {key} are missing or too many: {detail}"
    remedy = "the device sends it again; check the link if it persists"
    zh = "{protocol}：报文 {key} 的分包缺少或多余：{detail}"
    zh_remedy = "设备会重发；持续出现请检查链路"


class CommandUnsupported(YiwangError):
    code = "command_unsupported"
    message = "{protocol} devices cannot do {command!r}"
    remedy = "use one of: {known}"
    zh = "{protocol} 设备不能执行 {command!r}"
    zh_remedy = "请用其中之一：{known}"
