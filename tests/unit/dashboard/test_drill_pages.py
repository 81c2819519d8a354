"""The pages of a drill: of its own database, with a password of its own, marked as a drill."""

from __future__ import annotations

import asyncio
import json

import pytest

from app.commands.serve import drill_pages
from core.clock import SystemClock
from core.errors import InputInvalid
from core.records import Actor
from core.settings import Settings
from dashboard.accounts.users import add_user
from dashboard.auth import Principal
from dashboard.live import LiveHub
from events.runtime.drill import drill_settings, prepare
from storage.session import make_engine, session_scope
from tests.databases import create_all


def test_a_drill_is_looked_at_apart_from_the_live_city(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    engine = make_engine(settings.database_url)
    create_all(engine)
    with session_scope(engine) as session:
        add_user(session, login="admin", name="admin", roles=["admin"], department_id=None)
    engine.dispose()
    for wrong in ("rain", "../..", ""):
        with pytest.raises(InputInvalid, match="no drill"):
            drill_pages(settings, wrong, 8700)
    prepare(settings, drill_settings(settings, "rain")).dispose()
    (settings.data_dir / "tiles").mkdir()
    own = drill_pages(settings, "rain", 8701)
    said = capsys.readouterr().out
    assert "http://localhost:8701" in said and "log in as admin, password:" in said
    assert own.database_url != settings.database_url and own.subject_prefix == "drill.rain."
    assert own.tiles_dir.resolve() == settings.tiles_dir.resolve()


@pytest.mark.parametrize(("prefix", "name"), [("", None), ("drill.rain.", "rain")])
def test_every_page_is_told_whether_it_shows_a_drill(settings: Settings, prefix: str, name: str | None) -> None:
    engine = make_engine(settings.database_url)
    hub = LiveHub(settings.with_(subject_prefix=prefix), engine, SystemClock())
    principal = Principal(
        actor=Actor(user_id="u", name="u", roles=("admin",)), login="u", csrf_token="t", session_hash="h",
        language="zh", department_name="", must_change_password=False,
    )  # fmt: skip

    async def hello() -> bytes:
        stream = hub.stream(principal, lambda: None)
        first = await anext(stream)
        await stream.aclose()
        return first

    event, _, data = asyncio.run(hello()).decode().partition("\n")
    assert event == "event: hello"
    assert json.loads(data.removeprefix("data: "))["drill"] == name
    engine.dispose()
