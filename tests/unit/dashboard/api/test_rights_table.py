"""The written table (docs/api.md, docs/access.md) × every role: routes, tiles, streams, clips."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from core.clock import SystemClock
from core.ids import new_id
from core.settings import load_settings
from dashboard.accounts.users import ROLES, add_user
from layers.catalogue.kinds import LayerWish
from layers.catalogue.take import take_in
from layers.territory import of_code
from storage.session import session_scope
from storage.tables.cases import Case, CaseAssignment, CaseEvidence
from storage.tables.registry import Department
from tests.unit.dashboard.api.test_api_layers import ROADS
from tests.unit.dashboard.api.test_api_rights import filled
from tests.unit.dashboard.web import _HASH, Office, make_office

API = Path(__file__).parents[4] / "docs" / "api.md"
ROW = re.compile(r"^\| `(GET|POST|PUT|PATCH|DELETE) ([^`]+)` \| ([^|]+) \|", re.MULTILINE)
CENTRE = {"admin", "operator", "dispatcher", "manager", "viewer"}
POWERS = {"security", "auditor"}  # an administrator has these too where they are not kept apart


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("rights")
    office = make_office(load_settings({"YIWANG_DATA_DIR": str(folder / "data")}))
    with session_scope(office.engine) as session:
        session.add(Department(department_id="dept-other", name="dept-other"))
        session.flush()
        for role in ROLES:
            user = add_user(session, login=f"r-{role}", name=role, roles=[role], department_id="dept-other")
            user.password_hash = _HASH
            user.division_code = "220105" if role in {"inspector", "grid_worker"} else None
    yield office
    office.engine.dispose()


@pytest.fixture(scope="module")
def clients(office: Office) -> dict[str, TestClient]:
    return {role: office.client(f"r-{role}") for role in ROLES}


def written() -> list[tuple[str, str, set[str]]]:
    """Method, address and roles of every route for which the table names roles."""
    rows = [(m, p, {r.strip() for r in who.split(",")}) for m, p, who in ROW.findall(API.read_text("utf-8"))]
    named = [(m, p, who) for m, p, who in rows if who <= set(ROLES)]
    assert len(named) > 120 and len(rows) > 300
    return named


def test_a_role_that_the_table_does_not_name_is_refused(clients: dict[str, TestClient]) -> None:
    wrong = []
    for method, path, who in written():
        allowed = who | ({"admin"} if who & POWERS else set())
        for role in set(ROLES) - allowed:
            answer = clients[role].request(method, filled(path), json={} if method != "GET" else None)
            if answer.status_code != 403:
                wrong.append(f"{role}: {method} {path}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


def test_a_role_that_the_table_names_may_ask(clients: dict[str, TestClient]) -> None:
    wrong = []
    for method, path, who in written():
        if method != "GET" or "stream" in path:
            continue
        for role in who:
            answer = clients[role].get(filled(path))
            if answer.status_code == 403 and answer.json()["error"] == "forbidden":
                wrong.append(f"{role}: {path}: {answer.text[:100]}")
    assert not wrong, "\n".join(wrong)


def test_tiles_by_the_roles_of_their_layer(office: Office, clients: dict[str, TestClient], tmp_path: Path) -> None:
    file = tmp_path / "roads.geojson"
    file.write_text(json.dumps(ROADS), encoding="utf-8")
    kept = {"everybody": (), "managers": ("manager",), "two": ("drone", "grid_worker")}
    for name, roles in kept.items():
        params = {"roles": list(roles)} if roles else {}
        take_in(office.settings, file, of_code("220105"), LayerWish(name=name, params=params))
    for role, client in clients.items():
        listed = {item["name"] for item in client.get("/api/layers").json()["items"]}
        for name, roles in kept.items():
            may = not roles or role in roles or role == "admin"
            status = client.get(f"/tiles/layer/{name}/12/3474/1491.pbf").status_code
            assert (name in listed, status in {200, 204}) == (may, may), (role, name, status)
            assert may or status == 404, (role, name, status)
        assert client.get("/tiles/sites/1/1/1.pbf").status_code in {204, 404}
    stranger = office.client()
    assert {stranger.get(f"/tiles/layer/{name}/12/3474/1491.pbf").status_code for name in kept} == {401}


def file_of(office: Office, *, department: str, confidential: bool = False) -> str:
    """The address of a clip that belongs to a case of ``department``."""
    now, case_id, uri = SystemClock().now(), new_id(), f"ab/{new_id()}.mp4"
    with session_scope(office.engine) as session:
        session.add(
            Case(case_id=case_id, number=case_id, definition_id="city_management", definition_version=1, stage="handle",
                 state="handling", title="x", opened_at=now, updated_at=now, confidential=confidential,
                 department_id=department, division_code="220105")
        )  # fmt: skip
        session.flush()
        session.add(
            CaseAssignment(assignment_id=new_id(), case_id=case_id, department_id=department, dispatched_at=now)
        )
        session.add(
            CaseEvidence(evidence_id=new_id(), case_id=case_id, kind="clip", uri=uri, sha256="0" * 64, added_by="x",
                         media_type="video/mp4", taken_at=now, added_at=now)
        )  # fmt: skip
    folder = Path(office.settings.media_url)
    (folder / uri).parent.mkdir(parents=True, exist_ok=True)
    (folder / uri).write_bytes(b"\x00\x00\x00\x18ftypmp42" + bytes(64))
    return f"/media/{uri}"


@pytest.mark.parametrize(
    ("department", "confidential", "who"),
    [
        ("dept-fire", False, CENTRE | {"inspector", "grid_worker"}),  # the beat's
        ("dept-other", False, CENTRE | {"inspector", "grid_worker", "staff"}),  # one's own department's
        ("dept-fire", True, set()),
        ("dept-other", True, {"staff", "manager"}),  # as the kind's definition says
    ],
)
def test_a_clip_is_seen_by_whom_its_case_is_seen(
    office: Office, clients: dict[str, TestClient], department: str, confidential: bool, who: set[str]
) -> None:
    address = file_of(office, department=department, confidential=confidential)
    seen = {role for role, client in clients.items() if client.get(address).status_code == 200}
    assert seen == who
    assert {clients[role].get(address).status_code for role in set(ROLES) - who} == {404}
    assert office.client().get(address).status_code in {303, 401}


def test_streams_stills_and_the_past_of_a_camera(office: Office, clients: dict[str, TestClient]) -> None:
    for role, client in clients.items():
        sees = role in CENTRE  # the camera is another department's
        assert (client.get("/api/cameras/c-water").status_code == 200) == sees, role
        assert client.get("/api/cameras/c-water/snapshot.jpg").status_code == 404, role  # there is no picture yet
        past = client.get("/api/cameras/c-water/past.mp4").status_code
        assert past == (503 if role in CENTRE else 403), role
        with client.websocket_connect("/api/cameras/c-water/video") as socket:
            assert (socket.receive_json().get("error") == "not_found") is not sees, role


def test_every_role_hears_of_the_cases_that_it_sees(office: Office, clients: dict[str, TestClient]) -> None:
    """The list and the live stream rest on one condition; the list shows it here, test_live_rights holds the stream."""
    file_of(office, department="dept-drainage")
    for role, client in clients.items():
        found = client.get("/api/cases")
        if role in POWERS:
            assert found.status_code == 403 or found.json()["items"] == [], role
        else:
            sees = any(c["department_id"] == "dept-drainage" for c in found.json()["items"])
            assert sees == (role in CENTRE | {"inspector", "grid_worker"}), role
