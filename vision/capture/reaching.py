"""How one camera is reached, learnt from how it answered: patience, transport, log-in.

Every time-out makes the next wait twice as long, up to ``MOST_PATIENT_S``: a road camera that gives a picture every ten
seconds is waited for at the second attempt, one that is dead is asked often all the same at first.
"""

from __future__ import annotations

import contextlib
import errno
import logging
from collections.abc import Iterator

import av
import av.container
import av.error

from core.errors import YiwangError
from vision.capture.http_pictures import HttpCamera, unknown_login
from vision.capture.rtsp_login import RtspRelay
from vision.capture.sources import Source, describe
from vision.errors import StreamFailed

log = logging.getLogger("yiwang.vision.capture")

OPEN_S = 5.0
MOST_PATIENT_S = 80.0
SLOWEST_S = 300.0  # patience with a camera whose slow rate is known
_UNSUPPORTED = {errno.EPROTONOSUPPORT, errno.EINVAL, errno.EPROTO}


class Reach:
    """One camera's.  ``at_once``: what was learnt is worth another attempt without a pause."""

    def __init__(self) -> None:
        self.patience_s = OPEN_S
        self.transport = "tcp"
        self.at_once = False
        self._relayed = False
        self._tried_udp = False

    @contextlib.contextmanager
    def container(self, source: Source) -> Iterator[av.container.InputContainer]:
        """Open with FFmpeg; :class:`StreamFailed` in words when that, or reading, fails."""
        relay = RtspRelay(source.address, self.patience_s) if self._relayed and source.scheme == "rtsp" else None
        if relay is not None:
            relay.start()
        timeout = None if source.is_file else (self.patience_s, self.patience_s)
        address = relay.address if relay is not None else source.address
        try:
            options = source.options(self.transport)
            with av.open(address, options=options, timeout=timeout) as container:
                yield container
        except (av.error.FFmpegError, OSError) as error:
            raise StreamFailed(url=source.shown, detail=self._learn(source, error, relay)) from error
        finally:
            if relay is not None:
                relay.close()

    @contextlib.contextmanager
    def pictures(self, source: Source) -> Iterator[HttpCamera]:
        """An HTTP address that may give pictures; same errors as :meth:`container`."""
        camera = HttpCamera(source, self.patience_s)
        try:
            yield camera
        except OSError as error:
            raise StreamFailed(url=source.shown, detail=self._learn(source, error, None)) from error
        finally:
            camera.close()

    def rate(self, interval_s: float) -> None:
        """Pictures come every ``interval_s``: the next connection waits accordingly."""
        self.patience_s = min(max(OPEN_S, 4 * interval_s), SLOWEST_S)

    def _learn(self, source: Source, error: BaseException, relay: RtspRelay | None) -> str:
        if isinstance(error, TimeoutError | av.error.TimeoutError | av.error.ExitError):
            self.patience_s = min(self.patience_s * 2, max(MOST_PATIENT_S, self.patience_s))
            if self.transport == "udp":
                self.transport = "tcp"
        elif source.scheme in {"rtsp", "rtsps"}:
            return self._rtsp(source, error, relay)
        return describe(error)

    def _rtsp(self, source: Source, error: BaseException, relay: RtspRelay | None) -> str:
        if isinstance(error, av.error.HTTPUnauthorizedError):
            if not source.has_user:
                return "it wants a user and a password"
            if relay is not None and relay.refused.startswith("login:"):
                return unknown_login(relay.refused.removeprefix("login:"))
            if relay is None and source.scheme == "rtsp":  # rightly refused, or for want of a log-in that FFmpeg knows
                self._relayed = self.at_once = True
                return "the log-in that FFmpeg knows was refused: the camera's own is tried"
        elif getattr(error, "errno", None) in _UNSUPPORTED:
            if self.transport == "tcp" and not self._tried_udp:
                self.transport, self._tried_udp, self.at_once = "udp", True, True
                return "it does not send over TCP: UDP is tried"
            self.transport, self._tried_udp = "tcp", False
            return "it sends neither over TCP nor over UDP"
        return describe(error)


def reason_of(error: Exception, camera_id: str) -> str:
    """Why a session ended, in words; what nobody expects goes to the log whole."""
    if isinstance(error, YiwangError):
        return str(error.data.get("detail", error))
    if isinstance(error, av.error.FFmpegError | OSError | ValueError | EOFError):
        return str(getattr(error, "strerror", None) or error or type(error).__name__)
    log.error("camera %s: unexpected", camera_id, exc_info=error)
    return f"{type(error).__name__}: {error}"
