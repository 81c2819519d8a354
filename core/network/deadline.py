"""One end for a whole exchange over a blocking socket, whatever the other side does.

A socket's own time-out is one of silence: a server that sends a byte every few seconds holds its thread for ever.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType


class SocketDeadline:
    """Hangs up what it was given (:meth:`watch`) after ``seconds``; whoever reads then finds an end (``OSError``)."""

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._watched: list[socket.socket] = []
        self._lock = threading.Lock()
        self.over = False

    def watch(self, connection: socket.socket) -> None:
        """Hang this up, too; at once when the time is over."""
        with self._lock:
            self._watched.append(connection)
        if self.over:
            self._end()

    def __enter__(self) -> SocketDeadline:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()

    def _end(self) -> None:
        self.over = True
        with self._lock:
            watched, self._watched = self._watched, []
        for connection in watched:
            with contextlib.suppress(OSError):  # below TLS: its own shutdown would wait for the other side
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
