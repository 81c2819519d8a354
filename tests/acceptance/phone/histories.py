"""Random histories of two phones, three people and a desk against the real web process, and what must hold after each.

A history is a tuple of steps; :func:`play` carries it out, brings every phone back to a good network, lets the people
decide every conflict, and compares what was written on the phones with what stands in the database.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import uuid4

import cv2
import httpx
import numpy as np
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from core.clock import SystemClock
from events.cases.drafts import CaseDraft, Part, Route
from events.runtime.wiring import case_service
from storage.session import read_scope, session_scope
from storage.tables.cases import Case, CaseEvidence, CaseTransition
from storage.tables.uploads import Upload
from tests.unit.dashboard.web import PASSWORD

PEOPLE = (("fireman", "second"), ("second", "drainer"))  # who shares which phone
STEPS = ("accept", "finish", "finish_photo", "comment", "photo", "arrive")
ROUNDS = 32  # every one of 14 forms of two steps may be refused, one after another

cut = st.sampled_from(["", "", "", "before", "after", "after", "middle", "die"])
phones, cases = st.integers(0, 1), st.integers(0, 1)
step = st.one_of(
    st.tuples(st.just("act"), phones, cases, st.sampled_from(STEPS)),
    st.tuples(st.just("act"), phones, cases, st.sampled_from(STEPS)),
    st.tuples(st.just("report"), phones, st.integers(0, 2)),
    st.tuples(st.just("again"), phones),
    st.tuples(st.just("look"), phones, cases),
    st.tuples(st.just("send"), phones, st.lists(cut, max_size=5)),
    st.tuples(st.just("swap"), phones),
    st.tuples(st.just("expire"), phones),
    st.tuples(st.just("clock"), phones, st.sampled_from([0, 7200, -86400])),
    st.tuples(st.just("desk"), cases, st.sampled_from(["to_drainage", "to_fire", "urge"])),
    st.tuples(st.just("decide"), phones, st.sampled_from(["anyway", "record", "discard"])),
)
histories = st.lists(step, min_size=4, max_size=14)


class Handset(Protocol):
    """A phone under a test's hands: answers what ``tests/js/driver/phone.mjs`` answers."""

    def ask(self, op: str, **wish: Any) -> Any: ...
    def cookie(self, value: str) -> None: ...


@dataclass
class Written:
    """What a person put into a phone's queue, and what became of it there."""

    owner: str
    kind: str
    name: str
    case_id: str | None
    sha256: str | None
    at: float
    parent: str | None
    refusals: int = 0
    fate: str = "sent"  # sent, recorded, dropped: the last two only by a person's choice


@dataclass
class Session:
    """A login on one phone."""

    user: dict[str, Any]
    csrf: str
    cookie: str
    client: httpx.Client


@dataclass
class World:
    """The town, its phones, and the moments that the test itself saw."""

    base: str
    engine: Engine
    make: Callable[[int], Handset]
    handsets: list[Handset] = field(default_factory=list)
    sessions: dict[tuple[int, str], Session] = field(default_factory=dict)
    interrupt: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.handsets = [self.make(0), self.make(1)]
        self.desk = self.log_in("operator")

    def log_in(self, login: str) -> Session:
        client = httpx.Client(base_url=self.base, timeout=60)
        answer = client.post("/api/login", json={"login": login, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        told = answer.json()
        client.headers["X-CSRF-Token"] = told["csrf_token"]
        cookie = "; ".join(f"{c.name}={c.value}" for c in client.cookies.jar)
        return Session(told["user"], told["csrf_token"], cookie, client)

    def close(self) -> None:
        for session in (self.desk, *self.sessions.values()):
            session.client.close()


class Play:
    """One history."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.here = [PEOPLE[0][0], PEOPLE[1][0]]
        self.written: dict[str, Written] = {}
        self.forms: dict[int, dict[str, Any]] = {}
        self.seen: dict[tuple[str, str], int] = {}
        service = case_service(world.engine, SystemClock())
        with session_scope(world.engine) as session:
            route = Route(lead=Part(department_id="dept-fire"))
            drafts = [CaseDraft(title=f"{uuid4()}", auto_register=True, route=route) for _ in range(2)]
            self.cases = [service.open_case(session, draft, {}).case_id for draft in drafts]
        for phone in (0, 1):
            self.sign_in(phone)
            self.clock(phone, 0)

    def session(self, phone: int) -> Session:
        key = (phone, self.here[phone])
        if key not in self.world.sessions:
            self.world.sessions[key] = self.world.log_in(key[1])
        return self.world.sessions[key]

    def sign_in(self, phone: int) -> None:
        session = self.session(phone)
        self.world.handsets[phone].cookie(session.cookie)
        self.world.handsets[phone].ask("session", user=session.user, csrf=session.csrf)

    # the steps -----------------------------------------------------------
    def swap(self, phone: int) -> None:
        pair = PEOPLE[phone]
        self.here[phone] = pair[1 - pair.index(self.here[phone])]
        self.sign_in(phone)

    def expire(self, phone: int) -> None:
        session = self.world.sessions.pop((phone, self.here[phone]), None)
        if session is None:
            return  # ended already
        assert session.client.post("/api/logout").status_code == 200
        session.client.close()

    def clock(self, phone: int, seconds: int) -> None:
        self.world.handsets[phone].ask("clock", seconds=seconds)

    def look(self, phone: int, case: int) -> None:
        key = (phone, self.here[phone])
        if key not in self.world.sessions:
            return
        found = self.world.sessions[key].client.get(f"/api/cases/{self.cases[case]}")
        if found.status_code == 200:
            self.seen[(self.here[phone], self.cases[case])] = found.json()["case"]["version"]

    def act(self, phone: int, case: int, what: str) -> None:
        case_id = self.cases[case]
        if (self.here[phone], case_id) not in self.seen:
            self.look(phone, case)
        version = self.seen.get((self.here[phone], case_id))
        if version is None:
            return  # a case that this person never saw
        photo = {"kind": "photo", "case_id": case_id, "purpose": "after", "bytes": picture()}
        command = {"kind": "command", "case_id": case_id, "seen_version": version, "name": what, "data": {}}
        if what == "comment":
            command["data"] = {"comment": str(uuid4())}
        elif what == "finish":
            command["data"] = {"no_photo_reason": "dark"}
        steps = {"photo": [photo], "finish_photo": [photo, command | {"name": "finish", "data": {}}]}
        self.submit(phone, steps.get(what, [command]))

    def report(self, phone: int, photographs: int) -> None:
        photo = {"kind": "photo", "case_id": None, "purpose": "finding"}
        body = {"title": str(uuid4()), "kind": "other", "severity": 1}
        self.submit(
            phone, [{"kind": "report", "data": body}, *({**photo, "bytes": picture()} for _ in range(photographs))]
        )

    def submit(self, phone: int, steps: list[dict[str, Any]]) -> None:
        self.forms[phone] = {"form": str(uuid4()), "steps": steps, "owner": self.here[phone]}
        self._put(phone)

    def again(self, phone: int) -> None:
        """The second tap on the same form."""
        if phone in self.forms and self.forms[phone]["owner"] == self.here[phone]:
            self._put(phone)

    def _put(self, phone: int) -> None:
        form, now = self.forms[phone], time.time()
        answer = self.world.handsets[phone].ask("submit", form=form["form"], steps=form["steps"])
        waiting = {i["key"] for i in answer["items"]} & set(self.written)
        if not answer["added"]:
            assert waiting, "a form that was never queued was taken for a second tap"
        for item in answer["items"]:
            self.written.setdefault(item["key"], Written(
                item["owner"], item["kind"], item["name"] or "", item["case_id"], item["sha256"], now, item["parent"],
            ))  # fmt: skip

    def send(self, phone: int, cuts: list[str]) -> None:
        told = self.world.handsets[phone].ask("drain", cuts=cuts)["stopped"]
        if told and told["status"] == -1:
            self.sign_in(phone)  # the phone died: its page is opened anew
        if told and told["status"] == 401:
            self.sign_in(phone)

    def desk(self, case: int, what: str) -> None:
        where = {"to_drainage": "dept-drainage", "to_fire": "dept-fire"}.get(what)
        name, data = (
            ("transfer", {"department_id": where, "reason": "theirs"}) if where else ("urge", {"reason": "late"})
        )
        path = f"/api/cases/{self.cases[case]}/commands"
        self.world.desk.client.post(
            path, json={"name": name, "data": data}
        )  # refused where the state does not allow it

    def decide(self, phone: int, choice: str) -> None:
        refused = self.refused(phone)
        if refused:
            self._choose(phone, refused[0], choice)

    def refused(self, phone: int) -> list[dict[str, Any]]:
        """Conflicts that this phone shows to whoever is signed in."""
        me = self.session(phone).user["user_id"]
        items = self.world.handsets[phone].ask("list")
        found = [i for i in items if i["state"] == "refused" and i["owner"] == me]
        for item in found:
            assert item["problem"]["code"] or item["problem"]["text"], "a conflict without a word"
        return found

    def _choose(self, phone: int, item: dict[str, Any], choice: str) -> None:
        self.written[item["key"]].refusals += 1
        before = {i["key"] for i in self.world.handsets[phone].ask("list")}
        self.world.handsets[phone].ask("decide", key=item["key"], choice=choice)
        after = {i["key"]: i for i in self.world.handsets[phone].ask("list")}
        for key in before:
            if key not in after:
                self.written[key].fate = "dropped"
            elif after[key]["kind"] == "late":
                self.written[key].fate = "recorded"

    # the end -------------------------------------------------------------
    def settle(self) -> None:
        """A good network for everybody; every conflict is decided by its owner."""
        for _ in range(ROUNDS):
            for phone in (0, 1):
                for login in PEOPLE[phone]:
                    self.here[phone] = login
                    self.sign_in(phone)
                    self.send(phone, [])
                    for item in self.refused(phone):
                        if any(i["key"] == item["key"] for i in self.refused(phone)):
                            self._choose(phone, item, "anyway" if item["case_id"] is None else "record")
            if not any(handset.ask("list") for handset in self.world.handsets):
                return
        left = [handset.ask("list") for handset in self.world.handsets]
        raise AssertionError(f"something stayed on a phone: {left}")


def picture() -> str:
    """A small JPEG unlike any other, in base64."""
    noise = np.random.default_rng().integers(0, 255, (16, 16, 3), np.uint8)
    return base64.b64encode(bytes(cv2.imencode(".jpg", noise)[1])).decode()


def play(world: World, history: list[tuple[Any, ...]]) -> Play:
    """Carry it out to its end and check it."""
    made = Play(world)
    for name, *given in history:
        getattr(made, name)(*given)
        world.interrupt()
    made.settle()
    check(made)
    return made


def check(made: Play) -> None:
    """Nothing lost, doubled, misattributed, misdated or silently cut."""
    with read_scope(made.world.engine) as session:
        reports = [key for key, w in made.written.items() if w.kind == "report"]
        opened = session.scalars(select(CaseTransition).where(CaseTransition.idempotency_key.in_(reports))).all()
        case_of = {row.idempotency_key: row.case_id for row in opened}
        ids = {*made.cases, *case_of.values()}
        rows = session.scalars(select(CaseTransition).where(CaseTransition.case_id.in_(ids))).all()
        titles = session.scalars(select(Case.title).where(Case.case_id.in_(ids))).all()
        evidence = session.scalars(select(CaseEvidence).where(CaseEvidence.case_id.in_(ids))).all()
        claimed = session.scalars(select(Upload).where(Upload.claimed_by.in_([f"case:{i}" for i in ids]))).all()
    assert len(titles) == len(ids)
    by_key: dict[str, list[CaseTransition]] = {}
    for row in rows:
        if row.idempotency_key:
            by_key.setdefault(row.idempotency_key, []).append(row)
    photographs = 0
    for key, w in made.written.items():
        sent, late = by_key.get(key, []), by_key.get(f"{key}:late", [])
        about = f"{key} {w} sent={[r.command for r in sent]} late={len(late)}"
        assert (len(sent), len(late)) == {"sent": (1, 0), "recorded": (0, 1), "dropped": (0, 0)}[w.fate], about
        asked = w.refusals or (w.parent and made.written[w.parent].refusals)
        assert w.fate == "sent" or asked, f"nobody was asked: {about}"
        for row in (*sent, *late):
            assert row.actor_id == w.owner, about
            _dated(row, w, about)
        if w.sha256 is not None:
            if w.fate == "dropped" and w.parent and made.written[w.parent].fate == "dropped":
                continue  # the report that it was taken for was never taken, and its writer threw it away
            photographs += 1
            assert w.fate != "dropped", f"a photograph was thrown away: {about}"
            mine = [u for u in claimed if u.expected_sha256 == w.sha256]
            assert len(mine) == 1 and mine[0].sha256 == w.sha256 and mine[0].owner == f"user:{w.owner}", about
            assert mine[0].claimed_by == f"case:{w.case_id or case_of[w.parent or '']}", about
    assert len(evidence) == photographs
    known = {*made.written, *(f"{key}:late" for key in made.written)}
    assert not [r.command for r in rows if r.idempotency_key and r.idempotency_key not in known]
    _nothing_over_a_move(made, rows)


def _dated(row: CaseTransition, w: Written, about: str) -> None:
    recorded = row.data.get("recorded") or {}
    if recorded.get("clock") in ("as_told", "corrected"):
        at = datetime.fromisoformat(recorded["at"]).timestamp()
        assert w.at - 3 <= at <= row.at.timestamp() + 1, f"misdated {recorded} {about}"


def _nothing_over_a_move(made: Play, rows: Any) -> None:
    """A command that saw version v, and was never sent anyway by a choice, has no other person's move after v."""
    for row in rows:
        w = made.written.get(row.idempotency_key or "")
        seen = (row.data.get("recorded") or {}).get("seen_version")
        if w is None or w.kind != "command" or w.refusals or seen is None:
            continue
        over = [r for r in rows if r.case_id == row.case_id and seen < r.seq < row.seq and r.actor_id != row.actor_id
                and r.actor_id != "system" and r.from_state != r.to_state]  # fmt: skip
        assert not over, f"{w.name} went over {over[0].command}"
