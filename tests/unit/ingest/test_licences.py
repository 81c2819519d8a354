"""E-licences: the verdict, another platform's words, and a real question to a simulated platform."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from core import plugins
from core.bounds import Bounds
from core.errors import InputInvalid, PluginParamsInvalid
from core.licences import LicenceFound, identifier_problems, verdict
from ingest.connections.contract import ConnectionFailed, SecretMissing, Wiring
from ingest.connections.licence import Params, read_answer
from ingest.simulate.platforms import senders
from ingest.simulate.platforms.server import Platform

pytestmark = pytest.mark.anyio
TODAY = date(2026, 11, 28)
GOOD = senders.licence_id("TEST1")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize(
    ("found", "holder", "problems"),
    [
        (None, "", ("not_found",)),
        (LicenceFound(identifier=GOOD, holder="甲公司", state="valid"), "甲公司", ()),
        (LicenceFound(identifier=GOOD, holder="甲（二道）公司", state="valid"), "甲(二道) 公司", ()),
        (LicenceFound(identifier=GOOD, holder="甲公司", state="valid"), "乙公司", ("holder_differs",)),
        (LicenceFound(identifier=GOOD, state="valid", valid_until=TODAY), "", ()),
        (LicenceFound(identifier=GOOD, state="valid", valid_until=date(2026, 11, 27)), "", ("expired",)),
        (LicenceFound(identifier=GOOD, state="revoked", valid_until=date(2026, 11, 27)), "", ("expired",)),
        (LicenceFound(identifier=GOOD, state="revoked"), "", ("state_revoked",)),
        (LicenceFound(identifier=GOOD, state="valid", issued=date(2026, 12, 1)), "", ("not_yet_valid",)),
        (LicenceFound(identifier=senders.licence_id("X"), state="valid"), "", ("identifier_differs",)),
        (LicenceFound(), "", ("state_other",)),
    ],
)
def test_verdicts(found: LicenceFound | None, holder: str, problems: tuple[str, ...]) -> None:
    assert verdict(GOOD, holder, found, TODAY) == problems


def test_identifiers() -> None:
    assert identifier_problems(GOOD) == ()
    assert identifier_problems(GOOD[:-1] + ("A" if GOOD[-1] != "A" else "B")) == ("identifier_check",)
    assert identifier_problems("吉食许 2026-001") == ("identifier_parts",)


def test_another_platforms_names_and_words() -> None:
    params = Params(
        url="https://x.example/v", app_id="a", fields={"holder": "owner.name", "state": "zt", "valid_until": "to"},
        states={"在用": "valid"},
    )  # fmt: skip
    found = read_answer({"licenceId": GOOD, "owner": {"name": " 甲 "}, "zt": "在用", "to": "2027年1月5日"}, params)
    assert (found.holder, found.state, found.valid_until) == ("甲", "valid", date(2027, 1, 5))
    odd = read_answer({"zt": "冻结", "to": 20270105, "issueDate": "soon", "owner": 3}, params)
    assert (odd.state, odd.state_word, odd.valid_until, odd.issued) == ("other", "冻结", date(2027, 1, 5), None)


@pytest.mark.parametrize("wrong", [{"fields": {"colour": "x"}}, {"states": {"好": "good"}}, {"url": "file:///x"}])
def test_parameters_that_mean_nothing_are_refused(wrong: dict[str, Any]) -> None:
    given = {"url": "https://x.example/v", "app_id": "a", **wrong}
    with pytest.raises((PluginParamsInvalid, InputInvalid)):
        plugins.parse_params("connection", "licence", given)


async def ask(url: str, identifier: str, secret: str = senders.APP_SECRET) -> LicenceFound | None:
    wired = Wiring(bounds=Bounds.parse("127.0.0.0/8"), secrets={"app_secret": secret} if secret else {})
    connector = plugins.build("connection", "licence", {"url": url, "app_id": senders.APP_ID}, wiring=wired)
    try:
        found: LicenceFound | None = await connector.verify(identifier)
        assert (await connector.fetch("")).body["code"] == 0  # what the connection test shows
        return found
    finally:
        await connector.close()


async def test_a_simulated_platform_is_asked_over_a_socket() -> None:
    with Platform(senders.licences()) as there:
        url = f"{there.url}/licence/verify"
        found = await ask(url, GOOD)
        assert found is not None and found.state == "valid" and found.holder.startswith("二道区")
        revoked = await ask(url, senders.licence_id("TEST2"))
        assert revoked is not None and revoked.state == "revoked"
        assert await ask(url, senders.licence_id("UNKNOWN")) is None
        with pytest.raises(ConnectionFailed, match="4003"):
            await ask(url, GOOD, "another secret")
        with pytest.raises(SecretMissing):
            await ask(url, GOOD, "")
