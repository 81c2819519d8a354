"""Rates of the outside door: by address and by telephone, and how slowly wrong codes are answered.

In memory and bounded: the oldest names are forgotten first.  An address is an IPv4 one, or an IPv6 network of 64 bits.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

from dashboard.outside.problems import TooFast

MOST_NAMES = 50_000


@dataclass(frozen=True)
class Rate:
    """At most ``most`` within ``seconds``."""

    most: int
    seconds: float


REQUESTS = Rate(120, 60)  # anything but the page's own files, from one address
FILES = Rate(900, 60)  # the page and its files, some twenty a visit: many people stand behind one address of a carrier
MOST_READERS = 5_000  # addresses whose files are counted
SENT = Rate(20, 3600)  # reports, help, complaints, from one address: an office or a household behind one
PHOTOS = Rate(60, 3600)
CODES = Rate(10, 3600)  # telephone codes asked for by one address
PHONE = Rate(5, 86_400)  # telephone codes to one number
TRIES = Rate(10, 900)  # telephone codes tried by one address
WRONG = Rate(20, 900)  # wrong progress codes from one address: then none at all for a while
SLOWEST_S = 8.0


class Rates:
    """Counts by rate and name."""

    def __init__(self, now: Callable[[], float] = time.monotonic, most_names: int = MOST_NAMES) -> None:
        self._now, self._most = now, most_names
        self._seen: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def check(self, what: str, rate: Rate, name: str) -> None:
        """:class:`TooFast` when ``name`` has had its share; nothing is counted."""
        times = self._times(what, rate, name)
        if len(times) >= rate.most:
            raise TooFast(retry_after_s=max(1, math.ceil(times[0] + rate.seconds - self._now())))

    def count(self, what: str, rate: Rate, name: str) -> int:
        """One more; how many there are now within the rate's time."""
        times = self._times(what, rate, name)
        times.append(self._now())
        while len(times) > rate.most:
            times.popleft()
        self._seen[what, name] = times
        self._seen.move_to_end((what, name))
        while len(self._seen) > self._most:
            self._seen.popitem(last=False)
        return len(times)

    def take(self, what: str, rate: Rate, name: str) -> None:
        """:meth:`check`, then :meth:`count`."""
        self.check(what, rate, name)
        self.count(what, rate, name)

    def _times(self, what: str, rate: Rate, name: str) -> deque[float]:
        times = self._seen.get((what, name), deque())
        while times and times[0] <= self._now() - rate.seconds:
            times.popleft()
        return times


def neighbourhood(address: str) -> str:
    """What counts as one address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:60]
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def pause_s(wrong: int) -> float:
    """How long the answer to the ``wrong``-th wrong code is held back: doubling, at most :data:`SLOWEST_S`."""
    return min(SLOWEST_S, 0.25 * 2.0 ** min(wrong, 10))
