"""Each role finds its own home on the phone and does its first job there, from logging in to what the server has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, expect

from core.settings import Settings
from dashboard.accounts.users import add_user
from storage.session import session_scope
from tests.acceptance.browserkit import Visit, visit
from tests.acceptance.phonekit import Town, sign_in, town
from tests.unit.dashboard.web import _HASH

pytestmark = pytest.mark.browser
PEOPLE = {
    "leader": (["manager"], "dept-fire", None),
    "coordinator": (["dispatcher"], "dept-command", "220105"),
    "warden": (["grid_worker"], "dept-command", "220105"),
    "pilot": (["drone"], "dept-command", None),
}


def people(city: Town) -> None:
    with session_scope(city.office.engine) as session:
        for login, (roles, department, division) in PEOPLE.items():
            user = add_user(session, login=login, name=login, roles=roles, department_id=department)
            user.division_code = division
            user.password_hash = _HASH


@contextmanager
def phone(chromium: Browser, city: Town, login: str) -> Iterator[Visit]:
    made = visit(chromium, city.base, 390, 844, has_touch=True, is_mobile=True)
    made.open("/m")
    sign_in(made.page, login)
    yield made
    made.assert_clean()
    made.context.close()


@pytest.fixture
def city(settings: Settings) -> Iterator[Town]:
    with town(settings) as made:
        people(made)
        yield made


@pytest.mark.slow
def test_each_role_has_its_home_and_does_its_job(chromium: Browser, city: Town) -> None:
    case_id = city.case("Smoke in the mall", division_code="220105", site_id="s-fire")
    fireman = city.office.client("fireman")
    for name, data in (
        ("accept", {}),
        ("request_extension", {"value": 4, "unit": "work_hour", "reason": "the owner is away"}),
    ):
        answer = fireman.post(f"/api/cases/{case_id}/commands", json={"name": name, "data": data})
        assert answer.status_code == 200, answer.text
    with phone(chromium, city, "leader") as made:
        page = made.page
        expect(page.locator('[data-part="approvals"] .number')).to_have_text("1")
        page.tap('[data-part="approvals"]')
        expect(page.locator("[data-approval]")).to_contain_text("the owner is away")
        page.tap('[data-do="approve_extension"]')
        made.until(lambda: ("approve_extension", city.user_id("leader")) in city.moves(case_id), 40)
    with phone(chromium, city, "coordinator") as made:
        page = made.page
        page.tap('[data-part="approvals"]')
        page.tap('summary[data-do="refuse_extension"]')
        page.fill("[data-approval] textarea", "four hours are enough")
        page.tap('[data-send="refuse_extension"]')
        made.until(lambda: ("refuse_extension", city.user_id("coordinator")) in city.moves(case_id), 40)
    assert city.office.client("leader").get("/api/work/approvals").json()["items"] == []
    with phone(chromium, city, "warden") as made:
        page = made.page
        expect(page.locator('[data-part="grid"] .number')).to_have_text("0")
        page.tap('[data-part="site"]')
        page.fill("form.report input[name=place]", "Mall")
        page.fill("form.report input[name=matter]", "fire inspection")
        page.tap('[data-send="site"]')
        expect(page.locator("img.qr")).to_be_visible()
        assert page.locator("img.qr").evaluate("image => image.decode().then(() => image.naturalWidth)") > 50
    with phone(chromium, city, "pilot") as made:
        made.page.tap('[data-part="missions"]')
        expect(made.page.locator(".tasks .empty")).to_be_visible()
