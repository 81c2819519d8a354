"""One happening, followed from the signal to the closed case."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from app.selftest.district import DISPATCHER, INSPECTOR, STAFF, StagedHappening
from app.selftest.office import Office
from app.selftest.report import SelftestReport

CLOSED = {"closed", "force_closed"}


class Watch:
    """Cases as they are pushed; waiters are woken at every push (and every second, should a push be lost)."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._changed = asyncio.Event()
        self.connected = asyncio.Event()
        self.cases: dict[str, dict[str, Any]] = {}
        self.seen_at: dict[str, float] = {}

    async def run(self) -> None:
        """Follow the live push until cancelled; a cut stream is taken up again, as a browser does."""
        while True:
            with contextlib.suppress(httpx.TransportError):
                async for case in self._office.live(self.connected.set):
                    self._note(case)
            await asyncio.sleep(0.5)

    def _note(self, case: dict[str, Any]) -> None:
        known = self.cases.get(case["case_id"])
        self.seen_at.setdefault(case["case_id"], time.perf_counter())
        if known is None or known["version"] < case["version"]:
            self.cases[case["case_id"]] = case
        self._changed.set()

    async def wait(self, wanted: Callable[[dict[str, Any]], bool], seconds: float) -> dict[str, Any] | None:
        """The first case that is ``wanted``; None after ``seconds``."""
        deadline = time.perf_counter() + seconds
        while time.perf_counter() < deadline:
            for case in list(self.cases.values()):
                if wanted(case):
                    return case
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), 1.0)
            except TimeoutError:
                for case in await self._office.cases():
                    self._note(case)
        return None


@dataclass
class People:
    """Everyone's session."""

    offices: dict[str, Office] = field(default_factory=dict)

    def staff_of(self, department_id: str) -> Office:
        return self.offices[STAFF[department_id]]

    @property
    def inspector(self) -> Office:
        return self.offices[INSPECTOR]

    @property
    def dispatcher(self) -> Office:
        return self.offices[DISPATCHER]


async def follow(
    happening: StagedHappening,
    people: People,
    watch: Watch,
    report: SelftestReport,
    *,
    signal: Callable[[], Awaitable[None]],
    settle: Callable[[], Awaitable[None]],
    photograph: bytes,
    timed: bool = True,
) -> None:
    """Cause ``happening`` (``signal``), see its case dispatched, end it (``settle``), handle it, see it closed."""
    started = time.perf_counter()
    await signal()
    case = await watch.wait(lambda c: _is(c, happening) and c["state"] != "reported", 90)
    if case is None:
        report.lost.append(f"no case for: {happening.name}")
        return
    case_id = case["case_id"]
    if timed:
        report.add("signal_to_case", watch.seen_at[case_id] - started)
    case = await watch.wait(lambda c: c["case_id"] == case_id and c["state"] == "dispatched", 20)
    if case is None:
        report.failures.append(f"{happening.name}: never dispatched")
        return
    await settle()
    await _handle(case, people, watch, report, photograph)


async def _handle(
    case: dict[str, Any], people: People, watch: Watch, report: SelftestReport, photograph: bytes
) -> None:
    case_id, staff = case["case_id"], people.staff_of(case["department_id"])
    if case_id not in {t["case_id"] for t in await staff.tasks()}:
        report.failures.append(f"{case['number']} is not among its department's tasks")
    steps: dict[str, Callable[[], Awaitable[object]]] = {
        "accept": lambda: staff.command(case_id, "accept"),
        "photograph": lambda: staff.photograph(case_id, photograph),
        "finish": lambda: staff.command(case_id, "finish", comment="self-test: handled"),
    }
    for stage, step in steps.items():
        began = time.perf_counter()
        await step()
        report.add(stage, time.perf_counter() - began)
    began = time.perf_counter()
    if await _verified(case_id, people, watch, report, staff, began):
        report.cases_closed += 1


async def _verified(
    case_id: str, people: People, watch: Watch, report: SelftestReport, staff: Office, began: float
) -> bool:
    """The same sensor or camera looks again; where it cannot tell, the inspector goes and sees."""

    async def reaches(states: set[str], seconds: float) -> dict[str, Any] | None:
        return await watch.wait(lambda c: c["case_id"] == case_id and c["state"] in states, seconds)

    for _ in range(3):
        case = await reaches({"rework", *CLOSED}, 20)
        if case is None:  # neither clear nor contradicted: a person decides
            await people.inspector.command(case_id, "check_pass", comment="self-test: seen on site")
            case = await reaches(CLOSED, 5)
            if case is None:
                await people.dispatcher.command(case_id, "close")
            case = await reaches(CLOSED, 10)
        if case is not None and case["state"] in CLOSED:
            report.add("verify_and_close", time.perf_counter() - began)
            return True
        await asyncio.sleep(3)  # it was not clear yet: the department takes it up and finishes once more
        for name in ("accept", "finish"):
            if name in await _allowed(staff, case_id):
                await staff.command(case_id, name)
    detail = await people.dispatcher.case(case_id)
    report.failures.append(f"{detail['case']['number']} stayed in {detail['case']['state']}")
    return False


async def _allowed(office: Office, case_id: str) -> set[str]:
    return {command["name"] for command in (await office.case(case_id))["allowed"]}


def _is(case: dict[str, Any], happening: StagedHappening) -> bool:
    return bool(case["site_id"] == happening.site_id and case["kind"] == happening.kind)
