"""A kind's script (``tests/unit/events/trial/scripts``) played by clicks: desk and phone, real Chromium, a set clock.

The people of the script get accounts; the first works on the desk, the second on the phone, and so on.  What a script
expects to be refused is left out (that is the engine's own test); waits move the server's clock and the browsers', and
what falls due happens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, FilePayload, Locator, Page, expect
from sqlalchemy import select

from core.clock import ManualClock
from core.legal_time.calendar import statutory_calendar
from core.settings import Settings
from dashboard.accounts.users import add_user
from events.notify.deadlines import DeadlineSweep
from events.runtime.triggers import TriggerSweep
from events.trial.script import Script, ScriptStep, read_script, waited
from storage.session import read_scope, session_scope
from storage.tables.cases import Case
from storage.tables.registry import Department, Division
from tests.acceptance.phonekit import Town, town
from tests.unit.dashboard.web import _HASH, PASSWORD

SCRIPTS = Path(__file__).parents[1] / "unit" / "events" / "trial" / "scripts"
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)
NOTHING = "#asks-nothing"
DESK_ONLY = frozenset({"request_extension"})  # the phone has a form of its own for it, tested elsewhere


@contextmanager
def kind_play(settings: Settings, chromium: Browser, name: str) -> Iterator[KindPlay]:
    """The office with the script's people, at the script's hour."""
    script = read_script(SCRIPTS / f"{name}.yaml")
    clock = ManualClock(script.start)
    with town(settings, clock) as office:
        _people(office, script)
        play = KindPlay(chromium, office, script, name, clock)
        yield play
        play.close()


def _people(office: Town, script: Script) -> None:
    with session_scope(office.office.engine) as session:
        session.add_all(Division(code=code, name=name, level="community") for code, name in script.divisions.items())
        session.add_all(Department(department_id=key, name=name) for key, name in script.departments.items())
        session.flush()
        for person in script.people.values():
            user = add_user(
                session, login=f"p-{person.user_id}", name=person.user_id, roles=list(person.roles),
                department_id=person.department, division_code=person.division,
            )  # fmt: skip
            user.password_hash = _HASH


class KindPlay:
    """Plays the steps; ``pages`` are the open browsers, by person and device."""

    def __init__(self, chromium: Browser, office: Town, script: Script, kind: str, clock: ManualClock) -> None:
        self.chromium, self.office, self.script, self.kind, self.clock = chromium, office, script, kind, clock
        self.pages: dict[tuple[str, str], Page] = {}
        self.contexts: list[BrowserContext] = []
        self.errors: list[str] = []
        self.clicked: list[tuple[str, str]] = []  # device, command
        self.files: list[str] = []  # case ids in the order of opening
        self.about = 0  # which of them

    # -- the script ------------------------------------------------------
    def run(self) -> None:
        steps = self.script.steps
        for at, step in enumerate(steps):
            wanted = steps[at + 1].expect if at + 1 < len(steps) and steps[at + 1].expect is not None else {}
            refused = bool((wanted or {}).get("error"))
            if step.do and not refused:
                self.press(step)
            elif step.wait:
                self.move_to(waited(statutory_calendar(), self.clock.now(), step.wait, "wait"))
            elif step.at is not None:
                self.move_to(step.at)
            if step.expect is not None and "state" in step.expect:
                assert self.case(step).state == step.expect["state"], f"step {at + 1}: {step}"

    def press(self, step: ScriptStep) -> None:
        """A command, or a report, by clicks; afterwards the case has moved."""
        device = "desk" if step.do in DESK_ONLY else self.device(step.who)
        page = self.page(step.who, device)
        if step.do == "report":
            self.report(page, device, step)
            self.cases()
            self.about = len(self.files)
        else:
            case = self.case(step)
            form = self.opened(page, device, case.case_id, step.do)
            if device == "desk" or asks_something(form):
                self.fill(form, step.data)
            self.until_moved(page, case.case_id, case.version)
        self.clicked.append((device, step.do))
        self.settle()

    def report(self, page: Page, device: str, step: ScriptStep) -> None:
        before = len(self.cases())
        if device == "desk":
            page.goto(f"{self.office.base}/work/new/{self.kind}")
            form = page.locator(".work-form form")
        else:
            page.goto(f"{self.office.base}/m#/new/{self.kind}")
            form = page.locator(".ask form")
        self.fill(form, step.data)
        self.until(page, lambda: len(self.cases()) > before)

    def opened(self, page: Page, device: str, case_id: str, name: str) -> Locator:
        """The opened form of a command; a locator of nothing where one touch was all."""
        if device == "desk":
            page.goto(f"{self.office.base}/work/{case_id}")
            expect(page.locator(".work-head [data-state]")).to_be_visible()
            expect(page.locator(".commands")).to_be_visible()
            button = page.locator(f'[data-command="{name}"]')
            expect(button).to_be_attached()
            if not button.is_visible():
                page.locator(".more-commands > summary").click()
            button.click()
            return page.locator(".command-form form")
        page.goto(f"{self.office.base}/m#/task/{case_id}")
        page.reload()
        expect(page.locator(".task .actions")).to_be_visible()
        button = page.locator(f'.actions [data-do="{name}"]')
        expect(button.first).to_be_attached()  # what the phone kept is shown first, what is true soon after
        button.first.click()
        asks = page.locator(f'details:has(> [data-do="{name}"])')
        return asks.locator("form") if asks.count() else page.locator(NOTHING)  # a big button: one touch was all

    # -- forms -----------------------------------------------------------
    def fill(self, form: Locator, data: dict[str, Any]) -> None:
        """Answer the questions of ``data`` that the form has, and send it."""
        expect(form.locator("button[type=submit]")).to_be_visible()
        for name, value in data.items():
            self.answer(form, name, value)
        form.locator("button[type=submit]").click()

    def answer(self, form: Locator, key: str, value: Any) -> None:
        if isinstance(value, dict):
            for member, inner in value.items():
                self.answer(form, f"{key}.{member}", inner)
            return
        repeat = form.locator(f'fieldset.yf-repeat[data-key="{key}"]')
        if isinstance(value, list) and repeat.count():
            for at, item in enumerate(value):
                if repeat.locator("> .yf-rows > .yf-rowbox").count() <= at:
                    repeat.locator("> .yf-add").click()
                    expect(repeat.locator("> .yf-rows > .yf-rowbox")).to_have_count(at + 1)
                self.row(form, f"{key}[{at}]", item)
            return
        field = form.locator(f'.yf-field[data-key="{key}"]')
        if field.count():
            self.put(field, value)
        elif form.locator(".yf").count() or form.locator(".yf-field").count():
            assert key.partition(".")[0] in ("subjects",), f"no question {key}"  # free JSON: cannot be asked
        else:
            form.locator("textarea").first.fill(str(value))  # the phone's own short form

    def row(self, form: Locator, key: str, item: Any) -> None:
        if not isinstance(item, dict):
            self.answer(form, f"{key}.item", item)
            return
        for member, inner in item.items():
            if member == "name" and "documents" in key:
                file: FilePayload = {"name": f"{inner}.pdf", "mimeType": "application/pdf", "buffer": PDF}
                field = form.locator(f'.yf-field[data-key="{key}.upload_id"]')
                field.locator("input[type=file]").set_input_files(file)
                expect(field.locator(".yf-files li")).to_have_count(1)
            else:
                self.answer(form, f"{key}.{member}", inner)

    def put(self, field: Locator, value: Any) -> None:
        kind = field.get_attribute("class") or ""
        if re.search(r"yf-(unit|person|record)\b", kind):
            box = field.get_by_role("combobox")
            box.click()
            box.press_sequentially(str(value))
            field.locator(".yf-list li", has_text=str(value)).first.click()
        elif "yf-acknowledge" in kind:
            if value:
                field.locator("input[type=checkbox]").check()
        elif field.locator("select").count():
            field.locator("select").select_option(str(value))
        elif field.locator("input[type=radio]").count():
            field.locator(f'input[type=radio][value="{value}"]').check()
        elif "yf-dateTime" in kind:
            field.locator("input").fill(f"{value}T17:00"[:16] if "T" not in str(value) else str(value)[:16])
        else:
            field.locator("input, textarea").first.fill(str(value))

    # -- people and time ---------------------------------------------------
    def device(self, who: str) -> str:
        return ("desk", "phone")[list(self.script.people).index(who) % 2]

    def page(self, who: str, device: str) -> Page:
        """The signed-in page of a person; its clock stands where the server's does."""
        if (who, device) not in self.pages:
            size = {"width": 1366, "height": 768} if device == "desk" else {"width": 390, "height": 844}
            context = self.chromium.new_context(viewport=size, locale="zh-CN", has_touch=device == "phone")  # type: ignore[arg-type]
            context.set_default_timeout(60_000)
            context.clock.set_fixed_time(self.clock.now())
            login = {"login": f"p-{who}", "password": PASSWORD}
            assert context.request.post(f"{self.office.base}/api/login", data=login).ok
            page = context.new_page()
            page.on("pageerror", lambda error: self.errors.append(str(error)))
            self.contexts.append(context)
            self.pages[who, device] = page
        return self.pages[who, device]

    def move_to(self, moment: Any) -> None:
        """Time passes: sessions end, what is due happens."""
        self.clock.set(moment)
        self.close()
        self.settle()

    def settle(self) -> None:
        """What the worker does meanwhile."""
        use = self.office.office.app.state.services
        triggers = TriggerSweep(self.office.office.engine, self.clock, use.cases)
        deadlines = DeadlineSweep(self.office.office.engine, self.clock)
        deadlines.sweep()
        while triggers.sweep():
            deadlines.sweep()

    def close(self) -> None:
        for context in self.contexts:
            context.close()
        self.contexts, self.pages = [], {}
        assert self.errors == []

    # -- what is stored ------------------------------------------------------
    def cases(self) -> list[Case]:
        with read_scope(self.office.office.engine) as session:
            found = {case.case_id: case for case in session.scalars(select(Case).order_by(Case.opened_at, Case.number))}
            session.expunge_all()
        self.files += [case_id for case_id in found if case_id not in self.files]
        return [found[case_id] for case_id in self.files]

    def case(self, step: ScriptStep) -> Case:
        found = self.cases()
        return found[(step.file if isinstance(step.file, int) else self.about) - 1]

    def until_moved(self, page: Page, case_id: str, version: int) -> None:
        self.until(page, lambda: next(c.version for c in self.cases() if c.case_id == case_id) > version)

    def until(self, page: Page, holds: Any, seconds: int = 90) -> None:
        for _ in range(seconds * 4):
            if holds():
                return
            page.wait_for_timeout(250)
        raise AssertionError(f"it never came true; the page shows {page.locator('body').aria_snapshot()[:3000]}")


def asks_something(form: Locator) -> bool:
    """Whether the phone opened a form for it."""
    return NOTHING not in str(form)
