"""What is queued on a phone: sent once, by its owner, with its time; conflicts are shown; nothing is thrown away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

from core.settings import Settings
from tests.acceptance.browserkit import Visit, visit
from tests.acceptance.phonekit import Town, offline, sign_in, sign_out, town
from tests.fake_api import picture
from tests.unit.core.test_filekind import media

pytestmark = pytest.mark.browser
PHOTO = {"name": "after.jpg", "mimeType": "image/jpeg", "buffer": picture("after", False)}


@pytest.fixture
def city(settings: Settings) -> Iterator[Town]:
    with town(settings) as made:
        yield made


@pytest.fixture
def phone(chromium: Browser, city: Town) -> Iterator[Visit]:
    made = visit(
        chromium, city.base, 390, 844, has_touch=True, is_mobile=True,
        geolocation={"longitude": 125.38, "latitude": 43.86}, permissions=["geolocation"],
    )  # fmt: skip
    made.open("/m")
    yield made
    made.context.close()


# A full disk: the browser takes nothing more, and ends the page's connection to its store.
FULL_DISK = """() => {
    const { put } = IDBObjectStore.prototype, begin = IDBDatabase.prototype.transaction;
    IDBObjectStore.prototype.put = function (value, key) {
        const asked = put.apply(this, key === undefined ? [value] : [value, key]);
        if (key === 'seq') this.transaction.abort();
        return asked;
    };
    globalThis.room = () => {
        IDBObjectStore.prototype.put = put;
        IDBDatabase.prototype.transaction = function () {
            IDBDatabase.prototype.transaction = begin;
            this.close();
            throw new DOMException('the connection is closing', 'InvalidStateError');
        };
    };
}"""


def wait_sent(phone: Visit) -> None:
    phone.page.wait_for_function("() => !document.querySelector('.queue:not(.other)')")


def test_a_double_tap_and_a_double_submit_make_one_case(phone: Visit, city: Town) -> None:
    page = phone.page
    sign_in(page, "fireman")
    page.tap('[data-tab="report"]')
    page.fill("form.report input[name=title]", "Hydrant leaks")
    page.set_input_files("#report-photo", [PHOTO])
    page.wait_for_selector(".previews img")
    said: list[str] = []
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.accept()))
    page.evaluate(FULL_DISK)
    page.tap("form.report [type=submit]")
    phone.until(lambda: bool(said), 60)
    assert "没有保存" in said[0]
    expect(page.locator("form.report [type=submit]")).to_be_enabled()  # the form stays, with all that was written
    page.evaluate("() => globalThis.room()")
    page.evaluate(
        """() => {
            const form = document.querySelector('form.report');
            const button = form.querySelector('[type=submit]');
            button.click(); button.click(); form.requestSubmit();
            setTimeout(() => form.requestSubmit(), 30);
        }"""
    )
    phone.until(lambda: city.titles() == ["Hydrant leaks"])
    wait_sent(phone)
    page.wait_for_timeout(800)
    assert city.titles() == ["Hydrant leaks"]
    phone.assert_clean()


def test_what_one_person_queued_is_never_sent_by_the_next(phone: Visit, city: Town) -> None:
    page = phone.page
    sign_in(page, "fireman")
    page.wait_for_function("() => navigator.serviceWorker.ready.then(() => true)")
    offline(phone.context, page, True)
    page.tap('[data-tab="report"]')
    page.fill("form.report input[name=title]", "Seen by the fireman")
    page.tap("form.report [type=submit]")
    expect(page.locator(".queue")).to_contain_text("1")
    sign_out(page)
    expect(page.locator(".queue.other")).to_contain_text("fireman")
    page.reload()
    expect(page.locator("input[name=login]")).to_be_visible()  # the cookie still lives: it must not open the page again
    offline(phone.context, page, False)
    page.reload()
    expect(page.locator("input[name=login]")).to_be_visible()
    sign_in(page, "drainer")
    expect(page.locator(".queue.other")).to_contain_text("fireman")
    assert "Seen by the fireman" not in page.content(), "what it is stays with its owner"
    page.wait_for_timeout(1500)
    assert city.titles() == []
    sign_out(page)
    sign_in(page, "fireman")
    phone.until(lambda: city.titles() == ["Seen by the fireman"])
    wait_sent(phone)
    phone.assert_clean()


def test_another_tab_signs_in_as_somebody_else(phone: Visit, city: Town) -> None:
    page = phone.page
    case_id = city.case("Smoke")
    city.case("The drainer's own", "dept-drainage")
    sign_in(page, "fireman")
    page.tap(f'a.card[data-case="{case_id}"]')
    page.wait_for_selector('[data-do="accept"]')
    phone.context.request.post(f"{city.base}/api/login", data={"login": "drainer", "password": "a-long-enough-word"})
    page.tap('[data-do="accept"]')
    expect(page.locator(".expired")).to_be_visible()
    assert ("accept", city.user_id("drainer")) not in city.moves(case_id)
    page.evaluate("() => { location.hash = '#/'; }")
    expect(page.locator("a.card")).to_have_count(1)  # what the other one has to do is not read into this page
    assert "The drainer's own" not in page.content()
    page.tap(".expired button")
    page.fill("dialog input[name=password]", "a-long-enough-word")
    page.tap("dialog button[type=submit]")
    phone.until(lambda: ("accept", city.user_id("fireman")) in city.moves(case_id))


def test_work_done_offline_counts_when_it_was_done_and_photos_arrive_whole(phone: Visit, city: Town) -> None:
    page = phone.page
    case_id = city.case("Smoke")
    sign_in(page, "fireman")
    page.wait_for_function("() => navigator.serviceWorker.ready.then(() => true)")
    page.tap(f'a.card[data-case="{case_id}"]')
    page.tap('[data-do="accept"]')
    phone.until(lambda: city.moves(case_id)[-1][0] == "accept")
    offline(phone.context, page, True)
    page.set_input_files('[data-do="photo"]', [PHOTO, {**PHOTO, "buffer": picture("second", False)}])
    page.tap('[data-do="finish"]')
    expect(page.locator(".queue")).to_contain_text("3")
    page.wait_for_timeout(2500)
    offline(phone.context, page, False)
    phone.until(lambda: city.moves(case_id)[-1][0] == "finish", 30)
    wait_sent(phone)
    assert [e.purpose for e in city.evidence(case_id)] == ["after", "after"]
    assert all(e.added_at - e.taken_at >= timedelta(seconds=1) and e.lon == 125.38 for e in city.evidence(case_id))
    phone.assert_clean()


def test_a_conflict_names_both_sides_and_the_photograph_is_kept(phone: Visit, city: Town) -> None:
    page = phone.page
    case_id = city.case("Smoke")
    sign_in(page, "fireman")
    page.wait_for_function("() => navigator.serviceWorker.ready.then(() => true)")
    page.tap(f'a.card[data-case="{case_id}"]')
    page.tap('[data-do="accept"]')
    phone.until(lambda: city.moves(case_id)[-1][0] == "accept")
    page.wait_for_timeout(600)
    offline(phone.context, page, True)
    page.set_input_files('[data-do="photo"]', [PHOTO])
    page.tap('[data-do="finish"]')
    boss = city.office.client("operator")
    command = {"name": "transfer", "data": {"department_id": "dept-drainage", "reason": "theirs"}}
    assert boss.post(f"/api/cases/{case_id}/commands", json=command).status_code == 200
    offline(phone.context, page, False)
    card = page.locator(".conflict").first
    expect(card).to_be_visible(timeout=30_000)
    expect(card).to_contain_text("Smoke")
    expect(card).to_contain_text("operator")
    expect(card).to_contain_text("转派")
    assert card.locator('[data-choice="record"]').count() == 1
    while page.locator(".conflict").count():
        first = page.locator(".conflict").first
        key = first.get_attribute("data-key")
        first.locator('[data-choice="record"]').tap()
        page.wait_for_function("key => !document.querySelector(`.conflict[data-key='${key}']`)", arg=key)
        page.wait_for_timeout(500)
    wait_sent(phone)
    phone.until(lambda: any(command == "late_record" for command, _ in city.moves(case_id)))
    assert len(city.evidence(case_id)) == 1, "the photograph is in the file"
    phone.assert_clean()


def test_all_sixty_tasks_are_there(phone: Visit, city: Town) -> None:
    for n in range(120):
        city.case(f"Task {n}", severity=1 + n % 4)
    sign_in(phone.page, "fireman")
    expect(phone.page.locator("a.card")).to_have_count(120)


def test_a_picture_that_nobody_could_see_is_refused_before_it_is_queued(phone: Visit, city: Town) -> None:
    case_id = city.case("Smoke")
    page = phone.page
    sign_in(page, "fireman")
    page.tap(f'a.card[data-case="{case_id}"]')
    page.tap('[data-do="accept"]')
    heic = {"name": "IMG_1.HEIC", "mimeType": "image/heic", "buffer": media(b"heic", b"mif1", tracks=())}
    sound = {"name": "a.m4a", "mimeType": "audio/mp4", "buffer": media(b"M4A ", b"isom", tracks=(b"soun",))}
    for file, word in ((heic, "HEIC"), (sound, "声音")):
        page.set_input_files('[data-do="photo"]', [file])
        expect(page.locator(".finish-box .error")).to_contain_text(word)
    assert page.locator(".previews img").count() == 0
