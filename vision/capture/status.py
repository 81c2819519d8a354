"""What is known of a camera's stream."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class CaptureStatus:
    """What is known of the stream; written by the capture thread, read by others."""

    state: str = "connecting"  # connecting, online, offline
    reason: str = "connecting"
    since: float = 0.0  # monotonic
    last_frame: float = 0.0  # monotonic; 0: never
    frames: int = 0
    decoded: int = 0
    dropped: int = 0
    bad_packets: int = 0
    glances: int = 0  # half seconds judged by packet sizes alone
    woken: int = 0  # times that ended the economy
    connects: int = 0
    width: int = 0
    height: int = 0
    cpu_s: float = 0.0
    clock_offset_s: float | None = None  # the camera's clock minus ours; None: the stream bears no time
    interval_s: float = 0.0  # between the pictures of a camera that is slower than it is looked at; 0: not known
    heard: float = 0.0  # monotonic; when a snapshot address answered last, be it with the picture we had
    sizes: int = 0  # times that the size of the pictures changed

    def size(self, width: int, height: int) -> bool:
        """Take the size of the newest picture; whether it is another than before."""
        changed = bool(self.frames) and (self.width, self.height) != (width, height)
        self.sizes += changed
        self.width, self.height = width, height
        return changed
