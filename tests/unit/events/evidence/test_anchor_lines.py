"""Whatever somebody writes into the anchor file: it is named, no traceback, no memory, and the signing goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.evidence import anchor_store
from events.evidence.anchor_check import check_anchors, check_database_end, check_places
from events.evidence.anchor_store import MAX_LINE_BYTES, file_lines, read_line
from tests.unit.events.evidence.test_anchors import House

GOOD: dict[str, Any] = {"n": 1, "at": "2026-01-01T00:00:00+00:00", "heads": [["c", 3, "ab"]], "prev": "0", "sig": "x"}


def line(**changed: Any) -> bytes:
    return json.dumps({**GOOD, **changed}).encode()


HOSTILE = {
    "deep": b'{"n": 1, "heads": ' + b"[" * 100_000,
    "deep and closed": b"[" * 100_000 + b"]" * 100_000,
    "not UTF-8": b"\xff\xfe" * 50,
    "a number far ahead": line(n=10**9),
    "a number beyond all": line(n=10**30),
    "a number as text": line(n="1"),
    "no number": line(n=True),
    "below one": line(n=0),
    "a time of nobody": line(at="yesterday"),
    "a time without zone": line(at="2026-01-01T00:00:00"),
    "a time as number": line(at=5),
    "heads of text": line(heads="abc"),
    "a head that is short": line(heads=[["c", 1]]),
    "a head that counts in text": line(heads=[["c", "1", "ab"]]),
    "a head beyond SQLite": line(heads=[["c", 2**70, "ab"]]),
    "half a letter": line(heads=[["\ud800", 1, "ab"]]),
    "a signature of nothing": line(sig=None),
    "a list": b"[1, 2]",
    "not a number": b'{"n": NaN}',
    "nothing": b"{}",
}


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    return House(tmp_path, monkeypatch)


@pytest.mark.parametrize("name", [n for n in HOSTILE if n != "a number far ahead"])
def test_what_is_no_line_of_ours_is_none(name: str) -> None:
    assert read_line(HOSTILE[name]) is None


def test_a_line_of_ours_is_read() -> None:
    assert read_line(line()) == GOOD


@settings(deadline=None)
@given(st.one_of(st.binary(max_size=300), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*GOOD, "x"]), inner, max_size=6),
    max_leaves=12,
).map(lambda value: json.dumps(value).encode())))  # fmt: skip
def test_anything_is_none_or_well_formed(data: bytes) -> None:
    found = read_line(data)
    assert found is None or (isinstance(found["n"], int) and all(len(head) == 3 for head in found["heads"]))


def test_hostile_lines_are_named(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.work(2)
    sound, key = house.file.read_bytes(), house.seal.public_pem
    for name, hostile in HOSTILE.items():
        for content in (sound + hostile + b"\n", hostile):
            house.file.write_bytes(content)
            _, flaws, _ = check_anchors(house.file, key)
            placed = [flaw for flaw in check_places(house.file, house.engine) if not isinstance(flaw, int)]
            assert [*flaws, *placed, *check_database_end(house.file, house.engine)], name
    house.file.write_bytes(sound + HOSTILE["deep"] + b"\n")
    assert house.verify() == 1
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("name", ["deep", "a number far ahead", "a head beyond SQLite", "not UTF-8"])
def test_the_signing_goes_on_behind_a_hostile_line(house: House, name: str) -> None:
    house.work(1)
    with house.file.open("ab") as file:
        file.write(HOSTILE[name] + b"\n")
    case = house.town.open()
    house.anchorer().run_once()
    assert case.case_id.encode() in house.file.read_bytes()


def test_a_line_without_end_is_read_in_pieces(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_LINE_BYTES < 10_000_000
    monkeypatch.setattr(anchor_store, "MAX_LINE_BYTES", 2000)
    house.work(1)
    sound = house.file.read_bytes()
    house.file.write_bytes(sound + b"x" * 50_000)
    assert list(file_lines(house.file)) == [sound.rstrip(b"\n")]
    assert house.verify() == 1


def test_a_folder_in_the_files_place_is_a_missing_file_and_is_told(house: House) -> None:
    house.work(2)
    house.file.unlink()
    house.file.mkdir()
    assert house.verify() == 1
