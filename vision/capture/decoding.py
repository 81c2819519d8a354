"""One camera's decoder, held only for as long as it is needed.

A decoder keeps its reference pictures, its tables and a pool of buffers: 1.5 MB of a 640×360 stream, more than all else
that is remembered of a camera where nothing moves.  Such a camera shows a key frame every few seconds, which needs
nothing that came before: between two of them its decoder is let go.  The last key frame's packet is kept, so that what
was left out since can be decoded when something stirs.
"""

from __future__ import annotations

import av

INTRA_APART = {"h264", "hevc"}  # codecs whose decoder can be set up anew before any key frame


class PacketDecoder:
    """Decodes the packets of ``stream``; :meth:`rest` lets the decoder go until the next packet."""

    def __init__(self, stream: av.VideoStream) -> None:
        self.stream = stream
        self._own = stream.codec_context
        self._own.thread_count = 1  # one core per worker; more threads only add latency
        self._own.thread_type = "NONE"
        self._fresh = self._own.name in INTRA_APART
        self._context: av.VideoCodecContext | None = None if self._fresh else self._own
        self._key: av.Packet | None = None
        self.reordered = bool(self._own.has_b_frames)

    def see(self, packet: av.Packet) -> None:
        """A packet came, whether it will be decoded or not."""
        if packet.is_keyframe and packet.size:
            self._key = packet

    def decode(self, packet: av.Packet) -> list[av.VideoFrame]:
        """The pictures that ``packet`` completes; FFmpeg's errors as they are."""
        context = self._context
        if context is None:
            context = self._context = self._open()
            if not packet.is_keyframe and self._key is not None:
                context.decode(self._key)
        found: list[av.VideoFrame] = context.decode(packet if packet.size else None)
        self.reordered = self.reordered or bool(context.has_b_frames)
        if not packet.size:
            self.rest()  # a decoder that was told the end takes nothing more
        return found

    def rest(self) -> None:
        """Nothing is to be decoded for a while."""
        if self._fresh:
            self._context = None

    def _open(self) -> av.VideoCodecContext:
        context = av.CodecContext.create(self._own.name, "r")
        assert isinstance(context, av.VideoCodecContext)
        context.extradata = self._own.extradata
        context.thread_count = 1
        context.thread_type = "NONE"
        return context
