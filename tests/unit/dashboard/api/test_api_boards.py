"""Boards over HTTP: figures by right, rows behind a tile, workbook, wrong requests."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from openpyxl import load_workbook

from core.settings import Settings
from core.tables.safe_cells import safe_cell
from events.cases.drafts import CaseDraft, Part, Route
from storage.session import session_scope
from tests.unit.dashboard.web import Office, make_office


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    office = make_office(settings, pages=True)
    with session_scope(office.engine) as session:
        for number, title in enumerate(("Fire", "=1+1")):
            draft = CaseDraft(
                title=title, kind="fire_alarm", class_code="event-05-94", source_type="device", source_id=f"d{number}",
                severity=3, auto_register=True, route=Route(lead=Part(department_id="dept-fire")),
            )  # fmt: skip
            office.app.state.services.cases.open_case(session, draft)
    yield office
    office.engine.dispose()


def test_figures_and_the_rows_behind_them(office: Office) -> None:
    boss = office.client("boss")
    listed = boss.get("/api/boards").json()
    assert {"public_management", "public_service", "public_safety", "economy"} <= {b["id"] for b in listed["items"]}
    figures = {f["measure"]: f for f in boss.get("/api/boards/public_safety").json()["items"]}
    assert figures["fire_cases"]["value"] == 2 and figures["fire_cases"]["before"] == 0
    assert figures["special_places"]["value"] is None, "an empty register has no figure"
    tile = 1  # fire_cases
    rows = boss.get(f"/api/boards/public_safety/tiles/{tile}/rows").json()
    assert {row["title"] for row in rows["items"]} == {"Fire", "=1+1"}
    grouped = boss.get(f"/api/boards/public_safety/tiles/{tile}/rows?by=department&key=dept-fire").json()
    assert len(grouped["items"]) == 2
    assert not boss.get(f"/api/boards/public_safety/tiles/{tile}/rows?by=department&key=dept-x").json()["items"]


def test_a_department_counts_its_own_cases(office: Office) -> None:
    for login, count in (("fireman", 2), ("drainer", 0)):
        figures = office.client(login).get("/api/boards/public_safety").json()["items"]
        assert next(f["value"] for f in figures if f["measure"] == "fire_cases") == count
    assert office.client("inspector").get("/api/boards").status_code == 403
    assert office.client().get("/api/boards").status_code == 401


def test_a_workbook_holds_no_formula(office: Office) -> None:
    answer = office.client("boss").get("/api/boards/public_management.xlsx?days=7")
    book = load_workbook(io.BytesIO(answer.content))
    first = list(book.worksheets[0].values)
    assert first[0][:2] in (("指标", "数值"), ("measure", "value")) and len(first) > 12
    for sheet in book.worksheets:
        assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    assert safe_cell("=1+1") == "'=1+1" and safe_cell("＋1") == "'＋1"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/boards/nothing", 404),
        ("/api/boards/economy?days=0", 422),
        ("/api/boards/economy/tiles/999/rows", 404),
        ("/api/boards/economy/tiles/0/rows?by=colour&key=x", 400),
    ],
)
def test_wrong_requests_are_named(office: Office, path: str, status: int) -> None:
    answer = office.client("boss").get(path)
    wanted = {400, 422} if status in {400, 422} else {status}
    assert answer.status_code in wanted, answer.text
