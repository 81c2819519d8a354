"""One camera's pictures: a thread that opens, paces, decodes, reconnects, and never makes another camera wait.

The newest picture wins: what was not analysed in time is dropped, and while analysing is behind only key frames are
decoded.  Every wait has an end: opening 5 s, reading 5 s, 8 s without a picture, and a stream that floods is read at
a bounded rate (:mod:`vision.capture.timing`).  Only pictures that are analysed are converted.  While nothing moves
(``economy``) and key frames come at least every 2 s, only those are decoded; the packets between are judged by their
sizes (:mod:`vision.capture.packet_activity`) and kept: when something stirs, what was skipped since the last key
frame is decoded at once and the newest picture goes on.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import av
import av.error
import numpy as np

from core.errors import YiwangError
from core.records import CameraConfig
from vision.capture.frames import Frame, make_frame
from vision.capture.packet_activity import CompressedGate
from vision.capture.preroll import PacketRing
from vision.capture.sources import Source, analysis_source, describe
from vision.capture.timing import Pace, camera_time
from vision.errors import StreamFailed

log = logging.getLogger("yiwang.vision.capture")

OPEN_S, READ_S, STALL_S = 5.0, 5.0, 8.0
BACKOFF_S = (0.5, 1.0, 2.0, 4.0, 8.0)  # a camera that returns is seen again in under 10 s
MAX_PIXELS = 8192 * 4320
MAX_WIDTH = 1920  # wider pictures are scaled down while converting
ECONOMY_GOP_S = 2.1
BEHIND_S = 2.0  # pictures that nobody took for so long: only key frames are decoded until somebody does
NICER = 4  # by how much decoding yields to analysing
MAX_HELD = 240  # packets
CLOCK_S = 1.0  # how often the camera's clock is read


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


class CameraCapture(threading.Thread):
    """Pictures of one camera in a slot of one."""

    def __init__(self, camera: CameraConfig, wake: Callable[[], None]) -> None:
        super().__init__(name=f"capture-{camera.camera_id}", daemon=True)
        self.camera = camera
        self.fps = max(0.05, camera.analysis_fps)
        self.pace = 0.0  # set by the analyzer: pictures a second for as long as something is suspected
        self.economy = False  # set by the analyzer: nothing moves, key frames will do
        self.rest_s = 0.0  # in economy, key frames sooner than this after the last one are left out too
        self.status = CaptureStatus(since=time.monotonic())
        self._wake = wake
        self._slot: Frame | None = None
        self._filled = 0.0  # since when the slot holds pictures that nobody took
        self._lock = threading.Lock()
        self._halt = threading.Event()
        self._sequence = 0
        self._gop_s = float("inf")
        self.ring = PacketRing()
        self._due = 0.0
        self._looked = 0.0  # when the last picture was offered
        self._clock_read = 0.0
        self._glance = CompressedGate()
        self._held: list[av.Packet] = []  # since the last key frame, not decoded
        self._gapless = True  # the decoder, fed with what is held, can go on

    # for others ----------------------------------------------------------
    def take(self) -> Frame | None:
        """The newest picture not yet taken."""
        with self._lock:
            frame, self._slot = self._slot, None
            return frame

    def serves(self, camera: CameraConfig) -> bool:
        """Whether this stream is what ``camera``, as it is configured now, is analysed from."""
        return self.is_alive() and (camera.sub_url or camera.url) == (self.camera.sub_url or self.camera.url)

    def configure(self, camera: CameraConfig) -> None:
        """Go on with a new configuration of the same stream; a slowed camera starts at full speed again."""
        if camera != self.camera:
            self.camera, self.fps = camera, max(0.05, camera.analysis_fps)

    def halt(self) -> None:
        """Ask the thread to end; it does within the read time-out."""
        self._halt.set()

    # the thread ----------------------------------------------------------
    def run(self) -> None:
        """Open, read, and again, until halted."""
        failures = 0
        _yield_to_analysis()
        while not self._halt.is_set():
            frames = self.status.frames
            try:
                reason = self._session(analysis_source(self.camera))
            except YiwangError as error:
                reason = str(error.data.get("detail", error))
            except (av.error.FFmpegError, OSError, ValueError, EOFError) as error:
                reason = describe(error)
            except Exception as error:  # noqa: BLE001 — supervisor: no stream may end its own supervision
                reason = f"{type(error).__name__}: {error}"
                log.exception("camera %s: unexpected", self.camera.camera_id)
            self.ring.flush(None)
            if self._halt.is_set():
                break
            failures = 0 if self.status.frames > frames else failures + 1
            self._offline(reason)
            self._halt.wait(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])

    def _offline(self, reason: str) -> None:
        if self.status.state != "offline":
            log.info("camera %s offline: %s", self.camera.camera_id, reason)
            self.status.since = time.monotonic()
        self.status.state, self.status.reason = "offline", reason
        self._wake()

    def _session(self, source: Source) -> str:
        """Play the source until it ends or fails; returns or raises why."""
        self.status.connects += 1
        self.status.clock_offset_s = None
        timeout = None if source.is_file else (OPEN_S, READ_S)
        with av.open(source.address, options=source.options(), timeout=timeout) as container:
            if not container.streams.video:
                raise StreamFailed(url=source.shown, detail="there is no video in what it sends")
            stream = container.streams.video[0]
            context = stream.codec_context
            if context.width * context.height > MAX_PIXELS:
                raise StreamFailed(url=source.shown, detail=f"{context.width}×{context.height} pixels are too many")
            context.thread_count = 1  # one core per worker; more threads only add latency
            context.thread_type = "NONE"
            recorded = source.is_file or (container.duration or 0) > 0
            try:
                while not self._halt.is_set():
                    ended = self._play(container, stream, not source.is_file, recorded)
                    if not (source.is_file and source.loop and ended):
                        break
                    container.seek(0)
            finally:
                self.ring.flush(stream)
            return "the recording ended" if recorded else "the stream ended"

    def _play(self, container: av.container.InputContainer, stream: av.VideoStream, live: bool, recorded: bool) -> bool:
        """Decode one pass; True when it ran to its end with pictures."""
        pace = Pace(recorded)
        last_picture = time.monotonic()
        given, last_key = self.status.frames, None
        tick = float(stream.time_base) if stream.time_base else 0.0
        self._held, self._gapless = [], True
        for packet in container.demux(stream):
            if self._halt.is_set():
                return False
            now = time.monotonic()
            if now - last_picture > STALL_S:
                raise StreamFailed(url="", detail=f"data but no picture for {STALL_S:.0f} s")
            at = packet.pts * tick if packet.pts is not None and tick else None
            if packet.is_keyframe and at is not None:
                self._gop_s = at - last_key if last_key is not None and at > last_key else self._gop_s
                last_key = at
            wait = pace.wait_s(at, now)
            if wait > 0.002 and self._halt.wait(wait):
                return False
            if packet.size:
                self.ring.keep(packet, tick, stream)
                if live and now - self._clock_read >= CLOCK_S:
                    self._clock_read = now
                    self.status.clock_offset_s = camera_time(packet, self.status.clock_offset_s)
            for wanted in self._wanted(packet, now, now - last_picture, bool(stream.codec_context.has_b_frames)):
                for picture in self._decode(wanted):
                    last_picture = time.monotonic()
                    self.status.decoded += 1
                    if wanted is packet:
                        self._offer(picture, last_picture)
        return self.status.frames > given

    def _wanted(self, packet: av.Packet, now: float, silent_s: float, reordered: bool) -> list[av.Packet]:
        """What to decode now that ``packet`` is here; pictures of the last one only are wanted."""
        if not packet.size:
            return [packet]  # the end: what the decoder still holds
        behind = self._slot is not None and now - self._filled > BEHIND_S
        slow = self._gop_s <= 1.0 / max(self.fps, self.pace) or (behind and self._gop_s <= ECONOMY_GOP_S)
        resting = self.economy and self._gop_s <= ECONOMY_GOP_S and not reordered
        if packet.is_keyframe:
            self._held, self._gapless = [], True
            early = (slow and now + 0.004 < self._due) or (resting and now - self._looked < self.rest_s - 0.1)
            if early and silent_s < STALL_S / 2:
                self._held.append(packet)
                return []
            return [packet]
        if not self._gapless:
            return []
        if resting and not slow:
            stirs = self._glance.feed(packet.size, now)
            self.status.glances = self._glance.windows
            if not stirs:
                self._hold(packet)
                return []
            self.economy, self._due = False, now
            self.status.woken += 1
        elif slow:
            self._held, self._gapless = [], False
            return []
        wanted, self._held = [*self._held, packet], []
        return wanted

    def _hold(self, packet: av.Packet) -> None:
        self._held.append(packet)
        if len(self._held) > MAX_HELD:
            self._held, self._gapless = [], False  # after a gap only a key frame makes sense again

    def _decode(self, packet: av.Packet) -> list[av.VideoFrame]:
        start = time.thread_time()
        try:
            return list(packet.decode())
        except av.error.EOFError:
            return []
        except (av.error.FFmpegError, ValueError):
            self.status.bad_packets += 1  # the next key frame mends it; no picture at all is caught as a stall
            return []
        finally:
            self.status.cpu_s += time.thread_time() - start

    def _offer(self, picture: av.VideoFrame, now: float) -> None:
        """Into the slot, if a picture is due."""
        if now + 0.004 < self._due:
            return
        interval = 1.0 / max(self.fps, self.pace)
        self._due = now + interval if now > self._due + interval else self._due + interval
        start = time.thread_time()
        if picture.width > MAX_WIDTH:
            picture = picture.reformat(width=MAX_WIDTH, height=round(picture.height * MAX_WIDTH / picture.width))
        image = np.asarray(picture.to_ndarray(format="bgr24"), np.uint8)
        self._sequence += 1
        offset = self.status.clock_offset_s
        frame = make_frame(self.camera.camera_id, image, datetime.now(UTC), now, self._sequence, offset)
        self._looked = now
        self.status.cpu_s += time.thread_time() - start
        with self._lock:
            if self._slot is not None:
                self.status.dropped += 1
            else:
                self._filled = now
            self._slot = frame
        status = self.status
        status.frames += 1
        status.last_frame, status.width, status.height = now, frame.width, frame.height
        if status.state != "online":
            if status.state == "offline":
                log.info("camera %s is back", self.camera.camera_id)
            status.state, status.reason, status.since = "online", "pictures arrive", now
        self._wake()


def _yield_to_analysis() -> None:
    """Many decoding threads would starve the one that analyses: they are a little nicer (per thread, Linux only)."""
    with contextlib.suppress(OSError, AttributeError):
        me = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, me, min(os.getpriority(os.PRIO_PROCESS, me) + NICER, 19))
