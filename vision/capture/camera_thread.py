"""One camera's pictures: a thread that opens, paces, decodes, reconnects, and never makes another camera wait.

The newest picture wins: what was not analysed in time is dropped, and while analysing is behind only key frames are
decoded.  Every wait has an end: opening 5 s, reading 5 s, 8 s without a picture, and a stream that floods is read at
a bounded rate (:mod:`vision.capture.timing`).  Only pictures that are analysed are converted, and only what they need
is decoded (:mod:`vision.capture.packet_choice`).

Cameras differ: one that takes longer than 5 s for a picture is waited for longer each time; one that begins between two
key frames that are far apart (smart codecs) is waited for until the next; one that refuses TCP is asked for UDP; one
whose log-in FFmpeg does not know is logged in by a relay; snapshot addresses and motion JPEG are read as pictures.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import av
import av.error

from core.records import CameraConfig
from vision.capture.clips import check_timed
from vision.capture.conversion import check_size, converted, decode_still
from vision.capture.decoding import PacketDecoder
from vision.capture.frames import Frame, make_frame
from vision.capture.packet_choice import PacketChoice, PacketWish
from vision.capture.preroll import JPEG, PacketRing
from vision.capture.reaching import Reach, reason_of
from vision.capture.sources import Source, analysis_source
from vision.capture.status import CaptureStatus
from vision.capture.timing import Pace, camera_time, yield_to_analysis
from vision.detections import Image
from vision.errors import StreamFailed

log = logging.getLogger("yiwang.vision.capture")

STALL_S = 8.0
KEY_S = 300.0  # for the first key frame: nobody can make a camera send it sooner
BACKOFF_S = (0.5, 1.0, 2.0, 4.0, 8.0)  # a camera that returns is seen again in under 10 s
BEHIND_S = 2.0  # pictures that nobody took for so long: only key frames are decoded until somebody does
CLOCK_S = 1.0  # how often the camera's clock is read


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
        self.ring = PacketRing()
        self._due = 0.0
        self._looked = 0.0  # when the last picture was offered
        self._clock_read = 0.0
        self._came, self._came_at = 0, 0.0  # pictures of this session, and when the last one came
        self._choice = PacketChoice()
        self._reach = Reach()
        self._hang_up: Callable[[], None] = lambda: None

    @property
    def resting_s(self) -> float:
        """Seconds between two pictures while nothing moves; 0: as many as are wished."""
        return max(self.rest_s, self._choice.rest_s) if self.economy else 0.0

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
        self._hang_up()

    # the thread ----------------------------------------------------------
    def run(self) -> None:
        """Open, read, and again, until halted."""
        failures = 0
        yield_to_analysis()
        while not self._halt.is_set():
            frames = self.status.frames
            try:
                reason = self._session(analysis_source(self.camera))
            except Exception as error:  # noqa: BLE001 — supervisor: no stream may end its own supervision
                reason = reason_of(error, self.camera.camera_id)
            self.ring.flush(None)
            if self._halt.is_set():
                break
            failures = 0 if self.status.frames > frames else failures + 1
            self._offline(reason)
            at_once, self._reach.at_once = self._reach.at_once, False
            if not at_once:
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
        if source.scheme in {"http", "https"} and self._pictures(source):
            return "the stream ended"
        with self._reach.container(source) as container:
            if not container.streams.video:
                raise StreamFailed(url=source.shown, detail="there is no video in what it sends")
            if source.is_file and not source.rate:
                check_timed(container, source.shown)
            stream = container.streams.video[0]
            check_size(source, stream.codec_context.width, stream.codec_context.height)
            decoder = PacketDecoder(stream)
            recorded = source.is_file or (container.duration or 0) > 0
            try:
                while not self._halt.is_set():
                    ended = self._play(container, decoder, not source.is_file, recorded)
                    if not (source.is_file and source.loop and ended):
                        break
                    container.seek(0)
            finally:
                self.ring.flush(stream)
            return "the recording ended" if recorded else "the stream ended"

    def _pictures(self, source: Source) -> bool:
        """Play an HTTP address that gives pictures; False when it gives something else."""
        with self._reach.pictures(source) as camera:
            self._hang_up = camera.hang_up
            if not camera.open() or self._halt.is_set():
                return False
            self._came = 0
            try:
                for data in camera.pictures(self._interval, self._halt.wait, self._hear):
                    now = time.monotonic()
                    self._between(now)
                    self.status.bad_packets += camera.damaged
                    camera.damaged = 0
                    self._show(source, data, now)
                    self.ring.keep_jpeg(data, now)
                    if self._halt.is_set():
                        break
            finally:
                self.ring.flush(JPEG)
            return True

    def _interval(self) -> float:
        return self.status.interval_s if self._came > 1 else 0.0

    def _hear(self) -> None:
        self.status.heard = time.monotonic()

    def _between(self, now: float) -> None:
        """A picture came: a camera's own rate is the slowest of late."""
        if self._came:
            self.status.interval_s = max(now - self._came_at, 0.7 * self.status.interval_s)
            self._reach.rate(self.status.interval_s)
        self._came, self._came_at = self._came + 1, now

    def _show(self, source: Source, data: bytes, now: float) -> None:
        if now + 0.004 < self._due:
            return
        start = time.thread_time()
        image = decode_still(source, data)
        self.status.cpu_s += time.thread_time() - start
        if image is None:
            self.status.bad_packets += 1
            return
        self.status.decoded += 1
        self._into_slot(image, now)

    def _play(self, container: av.container.InputContainer, decoder: PacketDecoder, live: bool, recorded: bool) -> bool:
        """Decode one pass; True when it ran to its end with pictures."""
        pace, choice, stream = Pace(recorded), self._choice, decoder.stream
        owed: float | None = None  # since when there is data that gave no picture
        given, self._came = self.status.frames, 0
        tick = float(stream.time_base) if stream.time_base else 0.0
        choice.restart()
        for packet in container.demux(stream):
            if self._halt.is_set():
                return False
            now = time.monotonic()
            owed = now if owed is None else owed
            self._stalled(now - owed)
            at = packet.pts * tick if packet.pts is not None and tick else None
            wait, now = pace.step(at, now, unseen=choice.resting and not packet.is_keyframe)
            if wait > 0.002 and self._halt.wait(wait):
                return False
            if packet.size:
                self._between(now)
                self.ring.keep(packet, tick, stream)
                if live and now - self._clock_read >= CLOCK_S:
                    self._clock_read = now
                    self.status.clock_offset_s = camera_time(packet, self.status.clock_offset_s)
            wish = self._wish(now, now - owed)
            decoder.see(packet)
            chosen = choice.choose(packet, at, now, decoder.reordered, wish)
            for wanted in chosen:
                for picture in self._decode(decoder, wanted):
                    owed = None
                    self.status.decoded += 1
                    if wanted is packet:
                        self._offer(picture, time.monotonic())
            if choice.resting and chosen and chosen[-1].is_keyframe:
                decoder.rest()
            self._note(choice)
        return self.status.frames > given

    def _stalled(self, silent_s: float) -> None:
        """End a session that gives data but no pictures.  Before its first key frame no stream can give any."""
        if self._choice.keyed and self._choice.gapless and silent_s > STALL_S:
            raise StreamFailed(url="", detail=f"data but no picture for {STALL_S:.0f} s")
        if silent_s > KEY_S:
            raise StreamFailed(url="", detail=f"data but no key frame for {KEY_S:.0f} s")
        if not self._choice.keyed and silent_s > 2.0 and self.status.state != "online":
            self.status.reason = "waiting for a key frame: shorten the camera's key-frame interval"

    def _wish(self, now: float, silent_s: float) -> PacketWish:
        behind = self._slot is not None and now - self._filled > BEHIND_S
        every = 1.0 / max(self.fps, self.pace)
        return PacketWish(every, self._due, self._looked, self.economy, self.rest_s, silent_s >= STALL_S / 2, behind)

    def _note(self, choice: PacketChoice) -> None:
        self.status.glances = choice.glances
        if choice.woken != self.status.woken:
            self.status.woken = choice.woken
            self.economy = False

    def _decode(self, decoder: PacketDecoder, packet: av.Packet) -> list[av.VideoFrame]:
        start = time.thread_time()
        try:
            return decoder.decode(packet)
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
        start = time.thread_time()
        image = converted(picture)
        self.status.cpu_s += time.thread_time() - start
        self._into_slot(image, now)

    def _into_slot(self, image: Image, now: float) -> None:
        interval = 1.0 / max(self.fps, self.pace)
        self._due = now + interval if now > self._due + interval else self._due + interval
        self._sequence += 1
        offset, status = self.status.clock_offset_s, self.status
        start = time.thread_time()
        frame = make_frame(self.camera.camera_id, image, datetime.now(UTC), now, self._sequence, offset)
        self._looked = now
        status.cpu_s += time.thread_time() - start
        with self._lock:
            if self._slot is not None:
                status.dropped += 1
            else:
                self._filled = now
            self._slot = frame
        if status.size(frame.width, frame.height):
            log.info("camera %s: pictures of %d×%d now", self.camera.camera_id, frame.width, frame.height)
        status.frames += 1
        status.last_frame = now
        if status.state != "online":
            if status.state == "offline":
                log.info("camera %s is back", self.camera.camera_id)
            status.state, status.reason, status.since = "online", self._words(), now
        self._wake()

    def _words(self) -> str:
        return "pictures arrive" + (" over UDP" if self._reach.transport == "udp" else "")
