"""Mutated frames against every decoder: no crash, no hang, no growth.

Mutants come from the notes' vectors.  Most get a valid length and check sum again, so that the bodies' decoders are
reached and not only the check of the sum.  ``long`` runs a million for each decoder.
"""

from __future__ import annotations

import gc
import json
import random
import resource
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import ModuleType

import pytest

from core.records import Record, encode
from ingest.contract import Frame
from ingest.sources import gb26875, hj212, jt808, sl651
from ingest.sources._jt808_frame import unescape
from tests.unit.ingest import test_gb26875, test_hj212, test_jt808, test_sl651

NOW = datetime(2024, 7, 22, 2, 30, 5, tzinfo=UTC)
Mutant = Callable[[random.Random], bytes]


def mutate(data: bytes, dice: random.Random) -> bytes:
    """One to four random edits: flips, edge values, cuts, insertions, repetitions."""
    out = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(out) + 1)
        match dice.randrange(6):
            case 0 if at < len(out):
                out[at] ^= 1 << dice.randrange(8)
            case 1 if at < len(out):
                out[at] = dice.choice((0, 1, 0x7D, 0x7E, 0x7F, 0x80, 0xFE, 0xFF, 0x23, 0x40, dice.randrange(256)))
            case 2:
                del out[at : at + dice.randint(1, 8)]
            case 3:
                out[at:at] = dice.randbytes(dice.randint(1, 8))
            case 4:
                out[at:at] = out[at : at + dice.randint(1, 16)]
            case _:
                del out[at:]
    return bytes(out)


def gb26875_mutant(dice: random.Random) -> bytes:
    raw = bytes.fromhex(dice.choice(test_gb26875.ALL))
    if dice.random() < 0.3:
        return mutate(raw, dice)
    adu = mutate(raw[27:-3] or b"\x02\x01", dice)[:1024]
    command = dice.choice((2, 2, 2, 5, 3, 6, 1, 4, 128))
    label = mutate(raw[6:12], dice)[:6].ljust(6)
    return gb26875.encode(command=command, serial=1, source=889, destination=1, time=label, adu=adu)


def sl651_mutant(dice: random.Random) -> bytes:
    raw = bytes.fromhex(dice.choice(test_sl651.ALL))
    if dice.random() < 0.3:
        return mutate(raw, dice)
    is_ascii = dice.random() < 0.25
    bodies = (raw[14:-3], raw[14:22] + bytes.fromhex(test_sl651.STATION + test_sl651.BASIC + test_sl651.RUN))
    payload = mutate(test_sl651.ASCII_BODY if is_ascii else dice.choice(bodies), dice)[:4000]
    part = (dice.randint(1, 3), dice.randint(0, 4)) if dice.random() < 0.1 else None
    function = dice.choice((*range(0x2F, 0x39), *range(0x40, 0x4A), 0x50, dice.randrange(256)))
    end = dice.choice((3, 3, 0x17, 5, 0x1B))
    return sl651.encode(
        station="2201050001", centre=1, password="1234", function=function, payload=payload, part=part, end=end,
        ascii_form=is_ascii,
    )  # fmt: skip


def hj212_mutant(dice: random.Random) -> bytes:
    text = dice.choice([*test_hj212.GOOD, test_hj212.WRONG_2005, test_hj212.WRONG_PART])
    if dice.random() < 0.3:
        return mutate(text.encode(), dice)
    return hj212.encode(mutate(text[6:-4].encode(), dice)[:4000].decode("latin-1"))


def jt808_mutant(dice: random.Random) -> bytes:
    raw = bytes.fromhex(dice.choice(test_jt808.ALL))
    if dice.random() < 0.3:
        return mutate(raw, dice)
    body = mutate(unescape(raw[1:-1])[12:-1], dice)[:1023]
    known = (0x0200, 0x0704, 0x0100, 0x0102, 0x0001, 0x0201, 0x0801, 0x8100, 0x8300)
    message = dice.choice((*known, dice.randrange(65536)))
    part = (dice.randint(1, 3), dice.randint(0, 4)) if dice.random() < 0.1 else None
    phone = dice.choice(("000000000501", "00000000000000000501"))
    return jt808.encode(message=message, phone=phone, serial=dice.randrange(65536), body=body, part=part)


CODECS: dict[str, tuple[ModuleType, Mutant]] = {
    "gb26875": (gb26875, gb26875_mutant),
    "sl651": (sl651, sl651_mutant),
    "hj212": (hj212, hj212_mutant),
    "jt808": (jt808, jt808_mutant),
}


def memory_kib() -> int:
    """Resident memory of this process now (its peak where /proc is missing)."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize() // 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def attack(name: str, count: int, seed: int) -> dict[str, float]:
    """Feed ``count`` mutants through one session as a stream; everything that comes out must be usable."""
    module, mutant = CODECS[name]
    source = module.build(module.Params())
    dice = random.Random(seed)
    session, buffer = source.session(), b""
    frames = refused = 0
    slowest = 0.0
    first = 0
    for n in range(count):
        if n % 5000 == 0:
            gc.collect()
            first = memory_kib() if n == count // 10 // 5000 * 5000 else first
        data = mutant(dice)
        began = time.perf_counter()
        entries, buffer = session.decode(buffer + data, received_at=NOW)
        slowest = max(slowest, time.perf_counter() - began)
        assert len(buffer) <= source.max_frame_bytes
        for entry in entries:
            if isinstance(entry, Frame):
                frames += 1
                if n % 20 == 0:
                    check(entry)
            else:
                refused += 1
        if n % 1000 == 0:
            session.expire(NOW)
    gc.collect()
    return {"frames": frames, "refused": refused, "slowest_s": slowest, "grown_kib": memory_kib() - first}


def check(frame: Frame) -> None:
    """What goes on the bus or the screen must be encodable, its times aware."""
    json.dumps(frame.fields, allow_nan=False)
    records: list[Record] = [*frame.readings, *frame.observations]
    for record in records:
        encode(record)
        assert record.observed_at.tzinfo is not None  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", list(CODECS))
def test_mutated_frames(name: str) -> None:
    result = attack(name, 3_000, seed=20261121)
    assert result["frames"] > 300 and result["refused"] > 100
    assert result["slowest_s"] < 1.0


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", list(CODECS))
def test_a_million_mutated_frames(name: str) -> None:
    began = time.perf_counter()
    result = attack(name, 1_000_000, seed=651)
    print(f"{name}: {result} in {time.perf_counter() - began:.0f} s")
    assert result["frames"] > 100_000 and result["refused"] > 100_000
    assert result["slowest_s"] < 5.0, "a hang"
    assert result["grown_kib"] < 16 * 1024, "memory grew"
