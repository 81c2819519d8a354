"""Motion told from packet sizes."""

from __future__ import annotations

import random

from vision.capture.packet_activity import CompressedGate


def story(sizes: list[int], every_s: float = 0.08) -> tuple[CompressedGate, list[float]]:
    """The times at which packets of these sizes woke somebody."""
    gate = CompressedGate()
    return gate, [i * every_s for i, size in enumerate(sizes) if gate.feed(size, i * every_s)]


def test_noise_is_quiet_and_is_looked_at_twice_a_second() -> None:
    chance = random.Random(1)
    gate, woken = story([round(chance.gauss(400, 60)) for _ in range(1500)])
    assert woken == []
    assert 1.9 * 120 <= gate.windows + 6 <= 2.2 * 120


def test_something_stirs_and_a_level_that_stays_becomes_the_new_quiet() -> None:
    quiet, rain = [400] * 400, [900] * 400
    _, woken = story(quiet + rain)
    assert woken and 32.0 <= woken[0] <= 33.0
    assert woken[-1] < 32.0 + 12.0


def test_nothing_is_said_before_the_quiet_is_known_or_where_the_bit_rate_is_constant() -> None:
    assert story([100] * 12 + [5000] * 12)[1] == []
    assert story([4000, 4100, 3900] * 300)[1] == []


def test_a_pause_begins_a_new_window() -> None:
    gate = CompressedGate()
    for i in range(200):
        gate.feed(300, i * 0.08)
    assert not gate.feed(100_000, 60.0), "one packet after a pause proves nothing"


def test_tiny_packets_beside_a_key_frame_tell_much_and_full_ones_nothing() -> None:
    gate, _ = story([120] * 200)
    assert gate.tells(40_000) and not gate.tells(2_500), "constant bit rate fills the packets between"
    new, _ = story([120] * 40)
    assert not new.tells(40_000), "not known for long enough"
