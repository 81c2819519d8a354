"""Memory that a process no longer needs."""

from __future__ import annotations

import ctypes
import threading
import time
from contextlib import suppress


def give_back(library: str | None = None) -> None:
    """Hand what lies free between what is used back to the system: tens of MB that glibc would keep (malloc_trim(3)).

    Not after every picture: what a detection frees is wanted again by the next one.
    """
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(library).malloc_trim(0)


def keep_small(every_s: float = 60.0) -> threading.Thread:
    """Give back every ``every_s`` seconds, in a thread that ends with the process; a few milliseconds each time.

    A server's heap is as large as its busiest moment was; glibc gives back only what is free at its very end.
    """

    def run() -> None:
        while True:
            time.sleep(every_s)
            give_back()

    thread = threading.Thread(target=run, name="memory", daemon=True)
    thread.start()
    return thread
