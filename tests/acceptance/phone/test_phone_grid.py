"""My grid on the phone: the own division only, read and found without a network, visits and corrections queued."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from core.sealing import Seal
from core.settings import Settings
from dashboard.accounts.users import add_user
from records.registers.definition import shipped_registers
from records.registers.preparing import Preparer
from records.registers.storing import Origin, write_batch
from storage.session import read_scope, session_scope
from storage.tables.people import User
from storage.tables.records import RecordChangeRequest, RecordVisit, RegisterRecord
from storage.tables.registry import Division
from tests.acceptance.browserkit import Visit, visit
from tests.acceptance.phonekit import Town, offline, sign_in, sign_out, town
from tests.unit.dashboard.web import _HASH

pytestmark = pytest.mark.browser
HERE, THERE = "220105001001", "220105002001"
PHONE = "12012345678"


@pytest.fixture
def city(settings: Settings) -> Iterator[Town]:
    with town(settings) as made:
        seal, now = Seal(made.office.settings.records_key), datetime.now(UTC)
        with session_scope(made.office.engine) as session:
            for code, name in ((HERE, "东盛社区"), (THERE, "远达社区")):
                session.add(Division(code=code, name=name, level="community"))
            session.flush()
            user = add_user(session, login="grid", name="网格员甲", roles=["grid_worker"], division_code=HERE)
            session.flush()
            session.get_one(User, user.user_id).password_hash = _HASH
            _write(session, seal, now, "building", [{"number": "B1", "name": "1号楼", "division": HERE, "floors": 6}])
            rows = [
                {"name": "王秀英", "care": "elderly_alone", "division": HERE, "building": "B1", "phone": PHONE},
                {"name": "李建国", "care": "none", "division": HERE, "building": "B1", "work": "退休"},
                {"name": "赵远方", "care": "elderly_alone", "division": THERE},
            ]
            _write(session, seal, now, "person", rows)
            home = {"number": "H1", "head": "王秀英", "division": HERE, "building": "B1", "floor": 2, "room": "201"}
            _write(session, seal, now, "household", [home])
        yield made


def _write(session: Any, seal: Seal, now: datetime, register: str, rows: list[dict[str, Any]]) -> None:
    known = shipped_registers()[register]
    preparer = Preparer(known, seal, now.date() - timedelta(days=1))
    origin = Origin("import", now - timedelta(days=30), "test")
    write_batch(session, [(preparer.natural_key(row), row) for row in rows], known, preparer, seal, origin)


@pytest.fixture
def phone(chromium: Browser, city: Town) -> Iterator[Visit]:
    made = visit(chromium, city.base, 390, 844, has_touch=True, is_mobile=True)
    made.open("/m")
    yield made
    made.context.close()


def kept(phone: Visit) -> str:
    """Everything in the phone's own store, as text."""
    return str(
        phone.page.evaluate(
            """() => new Promise((done, no) => {
                const open = indexedDB.open('yiwang-phone');
                open.onerror = () => no(open.error);
                open.onsuccess = () => {
                    const all = open.result.transaction('cache').objectStore('cache');
                    const keys = all.getAllKeys(), values = all.getAll();
                    values.onsuccess = () => done(JSON.stringify(keys.result.map((k, n) => [k, values.result[n]])));
                };
            })"""
        )
    )


def test_my_grid_works_without_a_network_and_is_gone_after_the_log_out(phone: Visit, city: Town) -> None:
    page = phone.page
    sign_in(page, "grid")
    page.wait_for_function("() => navigator.serviceWorker.ready.then(() => true)")
    page.tap('[data-tab="grid"]')
    expect(page.locator("a.card[data-record]")).to_have_count(1)  # who lives alone is due; the others are not
    expect(page.locator("main")).to_contain_text("王秀英")
    page.tap('[data-register="person"]')
    expect(page.locator("a.card[data-record]")).to_have_count(2)
    assert "赵远方" not in page.content(), "another community's people are nobody's business here"
    page.fill("main input[type=search]", "wxy")
    expect(page.locator("a.card[data-record]")).to_have_count(1)
    page.tap("a.card[data-record]")
    expect(page.locator("main dl")).to_contain_text("120****5678")
    expect(page.locator("main")).to_contain_text("201")  # the household of the same building
    known = kept(phone)
    assert "grid:lines:person" in known and "王秀英" not in known and PHONE not in known, "it lies there encrypted"

    offline(phone.context, page, True)
    page.reload()
    page.tap('[data-tab="grid"]')
    page.tap('[data-register="person"]')
    expect(page.locator("a.card[data-record]")).to_have_count(2)
    page.fill("main input[type=search]", "王秀")
    expect(page.locator("a.card[data-record]")).to_have_count(1)
    page.tap("a.card[data-record]")
    page.tap('[data-fold="visit"] summary')
    page.locator('[data-fold="visit"] label', has_text="已见面").tap()
    page.locator('[data-fold="visit"] button[type=submit]').tap()
    expect(page.locator(".queue")).to_contain_text("1")
    expect(page.locator("main")).to_contain_text("走访待发送")
    page.fill("main input[type=search]", "lijg")
    expect(page.locator("a.card[data-record]")).to_have_count(0)
    page.fill("main input[type=search]", "ljg")
    page.locator("a.card", has_text="李建国").tap()  # never opened before: what the list knows of him is enough
    page.tap('[data-fold="correction"] summary')
    page.locator('[data-fold="correction"] [data-key="work"] input').fill("保洁")
    page.locator('[data-fold="correction"] button[type=submit]').tap()
    expect(page.locator(".queue")).to_contain_text("2")

    offline(phone.context, page, False)
    phone.until(lambda: len(_all(city, RecordVisit)) == 1 and len(_all(city, RecordChangeRequest)) == 1)
    page.wait_for_function("() => !document.querySelector('.queue:not(.other)')")
    done = _all(city, RecordVisit)[0]
    assert done.result == "met" and done.next_due is not None
    page.tap('[data-tab="grid"]')
    page.fill("main input[type=search]", "王秀")
    expect(page.locator("a.card[data-record]", has_text=done.next_due.isoformat())).to_have_count(1)  # not today's
    asked = _all(city, RecordChangeRequest)[0]
    assert asked.fields == "work" and asked.state == "open"
    person = next(row for row in _all(city, RegisterRecord) if row.name == "李建国")
    assert person.data["work"] == "退休", "a correction is decided by somebody else first"

    sign_out(page)
    left = json.loads(kept(phone))
    assert {key for key, _ in left} <= {"seq", "lease", "settings", "signed_out"}, "nothing to read is left"
    phone.assert_clean()


def _all(city: Town, table: Any) -> list[Any]:
    with read_scope(city.office.engine) as session:
        return list(session.scalars(select(table)))
