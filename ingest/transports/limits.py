"""Limits of a listener: how much one peer, and all together, may ask of us."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of a TCP listener.

    A field gateway or carrier NAT brings many devices from one address, hence the generous ``per_address``.
    Bytes above ``bytes_per_s`` (after ``burst_bytes``) are not dropped: reading pauses, TCP pushes back.
    """

    connections: int = 20_000
    per_address: int = 2_000
    first_frame_s: float = 60.0  # a connection that has not sent one good frame by then is closed
    beats_s: float = 93_600.0  # … or by then, if its modem keeps saying a few bytes: some stations report once a day
    beats_per_s: float = 2.0  # such pieces between frames; more of them count as refused frames
    beats_burst: float = 120.0
    unfinished_s: float = 30.0  # a frame that was begun must be finished by then (slow-loris)
    idle_s: float = 600.0
    bytes_per_s: float = 65_536.0
    burst_bytes: float = 262_144.0
    pending_frames: int = 256  # decoded but not yet durable, per connection; reading pauses above
    crowded: float = 0.75  # of ``connections``: above it nobody stays on the strength of a modem's beats
    refusals: int = 50  # refused frames per good one gained; then the connection is closed
    ban_s: float = 60.0  # after being closed for refusals, the address may not connect for so long


class AllowList:
    """Addresses and networks that may connect; everybody where none is named."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks = tuple(ip_network(text, strict=False) for text in networks)

    def admits(self, address: str) -> bool:
        """Whether ``address`` may connect."""
        if not self._networks:
            return True
        try:
            found = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(found, "ipv4_mapped", None)
        return any((mapped or found) in network for network in self._networks)


class Guard:
    """Who is connected and who is banned; decides about a newcomer."""

    def __init__(self, limits: Limits, allow: AllowList | None = None) -> None:
        self.limits = limits
        self.allow = allow or AllowList()
        self.total = 0
        self._per_address: Counter[str] = Counter()
        self._banned: OrderedDict[str, float] = OrderedDict()

    def admit(self, address: str, now: float) -> str | None:
        """``None`` when the peer may stay (and counts), else the reason why not."""
        if not self.allow.admits(address):
            return "not_allowed"
        until = self._banned.get(address)
        if until is not None:
            if now < until:
                return "banned"
            del self._banned[address]
        if self.total >= self.limits.connections:
            return "too_many_connections"
        if self._per_address[address] >= self.limits.per_address:
            return "too_many_from_address"
        self.total += 1
        self._per_address[address] += 1
        return None

    def leave(self, address: str) -> None:
        """An admitted peer went."""
        self.total -= 1
        self._per_address[address] -= 1
        if self._per_address[address] <= 0:
            del self._per_address[address]

    def ban(self, address: str, now: float) -> None:
        """Refuse ``address`` for a while, unless other connections from it behave (a shared gateway)."""
        if self._per_address[address] > 1:
            return
        self._banned[address] = now + self.limits.ban_s
        self._banned.move_to_end(address)
        if len(self._banned) > 10_000:
            self._banned.popitem(last=False)


class TokenBucket:
    """``rate`` tokens a second, at most ``burst``."""

    __slots__ = ("_burst", "_level", "_rate", "_updated")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate, self._burst = rate, burst
        self._level, self._updated = burst, now

    def take(self, amount: float, now: float) -> float:
        """Take ``amount``; returns how many seconds to wait until the level is above zero again (0: none)."""
        self._level = min(self._burst, self._level + (now - self._updated) * self._rate) - amount
        self._updated = now
        return 0.0 if self._level >= 0 else -self._level / self._rate
