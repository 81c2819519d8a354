"""Brackets without end and letters where none belong: a refusal in words, never a broken request."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import InputInvalid
from core.settings import Settings
from dashboard.uploads.protocol import checksum, metadata
from tests.unit.dashboard.web import Office, make_office

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("app", "core", "dashboard", "events", "ingest", "layers", "measures", "records", "storage", "vision")
DEEP = (b'{"a":' * 3000, b"[" * 100_000, b'{"a":' * 3000 + b"1" + b"}" * 3000, b"[" * 9000 + b"]" * 9000)


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    office = make_office(settings)
    yield office
    office.engine.dispose()


def test_brackets_without_end_are_refused(office: Office) -> None:
    client = office.client("boss")
    for address in ("/api/rules/simulate", "/api/items/import", "/api/cases", "/api/connections", "/api/forms"):
        for body in DEEP:
            answer = client.post(address, content=body, headers={"content-type": "application/json"})
            assert 400 <= answer.status_code < 500 and answer.json()["error"], (address, body[:9], answer.text[:200])


def test_letters_outside_ascii_are_no_key(office: Office) -> None:
    client = office.client()
    for given in (b"Basic \xff", b"Basic \xe4\xb8\xad", b"Basic ====", b"Basic", b"Basic /w=="):
        answer = client.post("/api/sensorthings/v1.1/Things", json={}, headers={"authorization": given})
        assert answer.status_code in {401, 403}, (given, answer.status_code)


@pytest.mark.parametrize("given", ["name \xff", "name 中", "name =", "name /w=="])
def test_an_uploads_own_words_are_base64_or_refused(given: str) -> None:
    with pytest.raises(InputInvalid):
        metadata(given)
    with pytest.raises(InputInvalid):
        checksum("sha256 " + given.partition(" ")[2][:1] + "\xff")


def test_who_reads_base64_expects_any_letter() -> None:
    """Text with letters outside ASCII is a plain ``ValueError`` to the decoder, no ``binascii.Error``."""
    narrow = re.compile(r"except \(?[^:\n]*binascii\.Error")
    found = [
        str(path.relative_to(ROOT))
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if narrow.search(path.read_text(encoding="utf-8"))
    ]
    assert not found
