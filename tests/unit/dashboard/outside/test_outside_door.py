"""The outside door as a browser and as an attacker meet it; the inside is a real database."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import Engine, select

from core import one_time
from core.clock import SystemClock
from dashboard.outside import limits, wire
from dashboard.outside.limits import Rate, Rates
from dashboard.outside.problems import TooFast
from storage.session import read_scope
from storage.tables.cases import AuditEntry, Case, CaseAssignment
from storage.tables.files import CaseField
from storage.tables.outside import OutsideRequest
from tests.unit.dashboard.outside.door import (
    COMMUNITY,
    COMPLAINT,
    HELP,
    REPORT,
    BesideDoor,
    door_beside,
    outside_client,
    small_town,
    solution,
)

KEY = "k" * 24


@pytest.fixture
def door(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BesideDoor]:
    monkeypatch.setattr("dashboard.outside.robots.STEPS", 200)
    monkeypatch.setattr(limits, "SLOWEST_S", 0.001)
    small_town(engine)
    yield door_beside(engine, SystemClock(), tmp_path)


def jpeg(width: int = 80) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (width, 60), (30, 90, 160)).save(target, "JPEG", exif=b"Exif\0\0secret place")
    return target.getvalue()


def test_help_goes_to_the_grid_worker_of_the_address_once(door: BesideDoor) -> None:
    client = outside_client(door)
    sent = {"key": KEY, "answers": HELP, "solution": solution(client)}
    first = client.post("/h/api/requests/help", json=sent)
    again = client.post("/h/api/requests/help", json=sent)  # a second tap: the same code, and no second check
    assert first.status_code == again.status_code == 201, first.text
    assert first.json() == again.json()
    with read_scope(door.engine) as session:
        case = session.scalars(select(Case)).one()
        part = session.scalars(select(CaseAssignment)).one()
        fields = {f.name: f.value["value"] for f in session.scalars(select(CaseField))}
        row = session.scalars(select(OutsideRequest).where(OutsideRequest.kind == "help")).one()
    assert (case.definition_id, case.state, case.division_code) == ("help_request", "assigned", COMMUNITY)
    assert (part.department_id, part.user_id) == ("street-220105001", "grid")
    assert fields["person_name"] == "李秀兰"
    assert row.body == {} and b"13812345678" not in (row.sealed or b"")  # at rest only encrypted
    view = client.post("/h/api/read", json={"code": first.json()["code"]}).json()
    assert view["number"] == case.number and view["masked"]["phone"] == "138****5678"
    assert view["masked"]["helped_name"] == "李**" and "13812345678" not in str(view)


@pytest.mark.parametrize(
    ("more", "division"),
    [
        ({"street": None, "community": None}, COMMUNITY),  # the community's name stands in the address
        ({"street": None, "community": None, "address": "幸福路1号"}, None),
    ],
)
def test_the_address_decides_where_nothing_was_chosen(door: BesideDoor, more: dict, division: str | None) -> None:
    client = outside_client(door)
    answers = {k: v for k, v in {**HELP, **more}.items() if v is not None}
    sent = client.post("/h/api/requests/help", json={"key": KEY, "answers": answers, "solution": solution(client)})
    assert sent.status_code == 201, sent.text
    with read_scope(door.engine) as session:
        case = session.scalars(select(Case)).one()
    assert case.division_code == division
    assert case.state == ("assigned" if division else "asked")  # nobody found: a dispatcher gives it out


def test_a_complaint_keeps_the_callers_name_from_the_file(door: BesideDoor) -> None:
    client = outside_client(door)
    sent = {"key": KEY, "answers": COMPLAINT, "solution": solution(client)}
    assert client.post("/h/api/requests/complaint", json=sent).status_code == 201
    with read_scope(door.engine) as session:
        case = session.scalars(select(Case)).one()
        fields = {f.name: f.value["value"] for f in session.scalars(select(CaseField))}
    assert case.definition_id == "hotline_complaint"
    assert fields["caller_name"] == "张*" and "13912345678" not in str(fields) + str(case.form)


def test_a_report_becomes_an_observation_with_its_photograph(door: BesideDoor) -> None:
    client = outside_client(door)
    photo = client.post("/h/api/photos", content=jpeg(3000), headers={"content-type": "image/jpeg"})
    assert photo.status_code == 201
    answers = REPORT | {"photos": [photo.json()["photo_id"]], "place": "43.87 125.38 0 12", "phone": "13812345678",
                        "description": "积水，我的电话13912345678"}  # fmt: skip
    sent = client.post("/h/api/requests/report", json={"key": KEY, "answers": answers, "solution": solution(client)})
    assert sent.status_code == 201, sent.text
    observation = next(h for h in door.handled if h.observations).observations[0]
    assert (observation.kind, observation.source_type) == ("waterlogging", "citizen")
    assert observation.location is not None and observation.location.lat == 43.87
    assert observation.attributes["text"] == "积水，我的电话***********"  # a file read by many holds no number
    kept = door.reception.media.get(observation.evidence[0])
    assert b"secret place" not in kept
    assert Image.open(io.BytesIO(kept)).size[0] == 1600
    with read_scope(door.engine) as session:
        assert not [row for row in session.scalars(select(OutsideRequest)) if row.data]  # no second copy stays


def test_what_is_no_photograph_is_refused(door: BesideDoor) -> None:
    client = outside_client(door)
    for data in (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", b"GIF89a" + b"\0" * 50, b"",
                 b"\xff\xd8\xff\xe0" + b"\0" * 500):  # fmt: skip
        assert client.post("/h/api/photos", content=data).status_code == 422
    assert client.post("/h/api/photos", content=b"\0" * 12_000_001).status_code == 413
    assert door.submitted == 0


def test_a_robot_check_is_ours_fresh_and_used_once(door: BesideDoor) -> None:
    client = outside_client(door)
    solved = solution(client)
    forged = {
        "algorithm": "SHA-256",
        "challenge": "0" * 64,
        "salt": "x?expires=99999999999&",
        "number": 1,
        "signature": "0" * 64,
    }

    def send(key: str, check: object) -> int:
        return client.post("/h/api/requests/help", json={"key": key, "answers": HELP, "solution": check}).status_code

    assert send("a" * 24, {}) == send("b" * 24, forged) == send("c" * 24, solved | {"number": -1}) == 403
    assert send("d" * 24, solved | {"salt": solved["salt"].split("?")[0]}) == 403  # without its end
    assert send("e" * 24, solved) == 201
    assert send("f" * 24, solved) == 403  # the library alone would take it twice


def test_answers_are_held_against_the_form(door: BesideDoor) -> None:
    client = outside_client(door)

    def errors(answers: object) -> list[list[str]]:
        got = client.post("/h/api/requests/help", json={"key": KEY, "answers": answers, "solution": {}})
        assert got.status_code == 422, got.text
        return got.json()["errors"]

    assert ["phone", "constraint"] in errors(HELP | {"phone": "12345"})
    assert ["consent", "required"] in errors({k: v for k, v in HELP.items() if k != "consent"})
    assert ["community", "not-offered"] in errors(HELP | {"community": "220105009009"})
    assert ["nothing", "unknown-field"] in errors(HELP | {"nothing": "x"})
    assert door.submitted == 0


def test_guesses_are_counted_slowed_and_told(door: BesideDoor) -> None:
    client = outside_client(door)
    right = client.post(
        "/h/api/requests/help", json={"key": KEY, "answers": HELP, "solution": solution(client)}
    ).json()["code"]
    guesses = [one_time.new_code() for _ in range(limits.WRONG.most)]
    wrong = [client.post("/h/api/read", json={"code": guess}).status_code for guess in guesses]
    assert set(wrong) == {404}
    throttled = client.post("/h/api/read", json={"code": right})
    assert throttled.status_code == 429 and int(throttled.headers["retry-after"]) > 0
    assert outside_client(door, "192.0.2.99").post("/h/api/read", json={"code": right}).status_code == 200
    with client as running:  # told by a loop of the process; here by hand
        running.portal.call(running.app.state.counter.tell_guesses)  # type: ignore[union-attr,attr-defined]
    with read_scope(door.engine) as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "outside_codes_guessed")).one()
    assert entry.body == {"count": limits.WRONG.most}


def test_pauses_grow_and_end() -> None:
    pauses = [limits.pause_s(n) for n in range(1, 12)]
    assert pauses == sorted(pauses) and pauses[0] >= 0.5 and pauses[-1] == limits.SLOWEST_S


def test_an_address_sends_only_so_much(door: BesideDoor) -> None:
    client = outside_client(door)
    for n in range(limits.SENT.most):
        sent = {"key": f"{n:024}", "answers": COMPLAINT, "solution": solution(client)}
        assert client.post("/h/api/requests/complaint", json=sent).status_code == 201
    sent = {"key": "z" * 24, "answers": COMPLAINT, "solution": solution(client)}
    assert client.post("/h/api/requests/complaint", json=sent).status_code == 429
    assert client.get("/h").status_code == 200  # reading goes on


def test_rates_are_bounded_and_forget() -> None:
    now = [0.0]
    rates = Rates(lambda: now[0], most_names=3)
    for _ in range(2):
        rates.take("x", Rate(2, 10), "a")
    with pytest.raises(TooFast):
        rates.take("x", Rate(2, 10), "a")
    now[0] = 10.1
    rates.take("x", Rate(2, 10), "a")
    for name in "bcde":
        rates.take("x", Rate(2, 10), name)
    assert len(rates._seen) == 3
    assert limits.neighbourhood("2001:db8::1") == limits.neighbourhood("2001:db8::ffff")
    assert limits.neighbourhood("::ffff:192.0.2.1") == "192.0.2.1"


def test_every_answer_is_guarded_and_no_cookie_is_set(door: BesideDoor) -> None:
    client = outside_client(door)
    for path in (
        "/h",
        "/h/site/app.mjs",
        "/h/forms/render.mjs",
        "/h/api/forms/help",
        "/nothing",
        "/h/site/../routes.py",
    ):
        answer = client.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert answer.headers["referrer-policy"] == "no-referrer" and "set-cookie" not in answer.headers
    for path in ("/api/cases", "/api/me", "/login", "/m", "/h/site/%2e%2e%2froutes.py", "/h/forms/..%2fwire.py"):
        assert client.get(path).status_code == 404


def test_rubbish_is_answered_in_words(door: BesideDoor) -> None:
    client = outside_client(door)
    for body in (b"", b"{", b"[]", b"\xff\xfe", b'{"key": 3}', b"[" * 40_000, b'{"key":"' + b"a" * 70_000 + b'"}'):
        answer = client.post("/h/api/requests/help", content=body, headers={"content-type": "application/json"})
        assert answer.status_code in (413, 422) and answer.json()["error"]
    assert client.post("/h/api/requests/help", data={"key": KEY}).status_code == 422  # a form of another site
    assert client.post("/h/api/requests/phone", json={"key": KEY}).status_code == 404
    assert client.get("/h/api/pages/secrets").status_code == 404


def test_while_the_inside_is_away_the_page_says_so(door: BesideDoor) -> None:
    client = outside_client(door)
    assert client.get("/h/api/forms/help").status_code == 200
    door.away = True
    assert client.get("/h/api/forms/help").status_code == 200  # what was read before serves meanwhile
    answer = client.post("/h/api/requests/help", json={"key": KEY, "answers": HELP, "solution": solution(client)})
    assert answer.status_code == 503 and answer.json()["error"] == "door_closed"


def test_codes_are_read_as_people_type_them() -> None:
    code = one_time.new_code()
    assert one_time.plain_code(one_time.shown_code(code)) == code
    typed = one_time.shown_code(code).replace("0", "O").replace("1", "I").replace("-", " ")
    assert one_time.plain_code(f" {typed.lower()} ") == code
    assert one_time.plain_code(code[:-1]) == one_time.plain_code(code + "0") == one_time.plain_code("＊" * 20) == ""
    assert wire.code_for("s", "a" * 20) == wire.code_for("s", "a" * 20) != wire.code_for("t", "a" * 20)


def test_a_telephone_is_confirmed_by_its_code(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.outside.robots.STEPS", 200)
    small_town(engine)
    door = door_beside(engine, SystemClock(), tmp_path, can_send=True)
    client = outside_client(door)

    def help_with(key: str, ticket: str = "", **more: str) -> dict:
        sent = {"key": key, "answers": HELP | more, "solution": solution(client), "ticket": ticket}
        code = client.post("/h/api/requests/help", json=sent).json()["code"]
        return client.post("/h/api/read", json={"code": code}).json()

    assert help_with("a" * 24)["problem"] == "phone_not_confirmed"
    ask = {"key": KEY, "phone": HELP["phone"], "solution": solution(client)}
    ticket = client.post("/h/api/phone", json=ask).json()["ticket"]
    assert help_with("b" * 24, ticket)["state"] == "refused"  # asked for, not confirmed
    digits = "".join(c for c in door.messages[-1].text if c.isdigit())[:6]
    wrong = "000000" if digits != "000000" else "111111"
    assert client.post("/h/api/confirm", json={"ticket": ticket, "digits": wrong}).json() == {
        "confirmed": False,
        "tries_left": 4,
    }
    assert client.post("/h/api/confirm", json={"ticket": ticket, "digits": digits}).json()["confirmed"]
    assert not client.post("/h/api/confirm", json={"ticket": ticket, "digits": digits}).json()["confirmed"]  # once
    assert help_with("c" * 24, ticket)["number"]
    assert help_with("d" * 24, ticket, phone="13800000000")["problem"] == "phone_not_confirmed"  # another telephone
    with read_scope(engine) as session:
        rows = list(session.scalars(select(OutsideRequest).where(OutsideRequest.kind == "phone")))
    assert all(row.body == {} and digits not in str(row.own) for row in rows)


def test_a_telephone_code_dies_after_five_tries(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.outside.robots.STEPS", 200)
    small_town(engine)
    door = door_beside(engine, SystemClock(), tmp_path, can_send=True)
    client = outside_client(door)
    ask = {"key": KEY, "phone": "13812345678", "solution": solution(client)}
    ticket = client.post("/h/api/phone", json=ask).json()["ticket"]
    digits = "".join(c for c in door.messages[-1].text if c.isdigit())[:6]
    wrong = "000000" if digits != "000000" else "111111"
    left = [
        client.post("/h/api/confirm", json={"ticket": ticket, "digits": wrong}).json()["tries_left"] for _ in range(5)
    ]
    assert left == [4, 3, 2, 1, 0]
    assert client.post("/h/api/confirm", json={"ticket": ticket, "digits": digits}).json() == {
        "confirmed": False,
        "tries_left": 0,
    }


def test_many_visitors_behind_one_address_read_the_page_and_a_flood_is_told_in_words(
    door: BesideDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = outside_client(door)
    for _ in range(limits.REQUESTS.most + 5):  # the page's files do not use up what is for asking
        assert client.get("/h").status_code == 200
    assert client.get("/h/api/challenge").status_code == 200
    monkeypatch.setattr(limits, "FILES", Rate(1, 60))
    refused = client.get("/h")
    assert refused.status_code == 429 and refused.headers["retry-after"]
    assert refused.headers["content-type"].startswith("text/html") and "访问过于频繁" in refused.text
    assert client.get("/h/site/app.mjs").json()["error"] == "too_fast"
