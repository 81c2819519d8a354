"""Filings by the interface: what a phone keeps, the same change twice, a sheet tried before it is taken."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from fastapi.testclient import TestClient

from core.clock import ManualClock
from core.settings import load_settings
from dashboard.accounts.users import add_user
from records.filing.store import take_dataset
from records.filing.tree import save_units
from storage.session import session_scope
from storage.tables.registry import Division
from tests.unit.dashboard.web import _HASH, Office, make_office
from tests.unit.records.test_filing import BODY

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
PERIOD, UNIT = "2026-11", "220105001201"
URL = f"/api/filing/poultry/units/{UNIT}/{PERIOD}"
CELLS = {"due": 10, "done": 5}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = make_office(load_settings({"YIWANG_DATA_DIR": str(tmp_path)}), ManualClock(NOW))
    with session_scope(made.engine) as session:
        for code, name, level in ((UNIT[:9], "示例街道", "street"), (UNIT, "一村", "community"),
                                  ("220105001202", "二村", "community")):  # fmt: skip
            session.add(Division(code=code, name=name, level=level))
        session.flush()
        save_units(session, [("220105", "二道区", None), (UNIT[:9], "示例街道", "220105"), (UNIT, "一村", UNIT[:9]),
                             ("220105001202", "二村", UNIT[:9])])  # fmt: skip
        take_dataset(session, BODY, NOW, "test")
        for login, division in (("village", UNIT), ("town", UNIT[:9])):
            user = add_user(session, login=login, name=login, roles=["grid_worker"], department_id=None)
            user.password_hash, user.division_code = _HASH, division
    yield made
    made.engine.dispose()


def due(client: TestClient) -> dict[str, Any]:
    answer = client.get("/api/me/filing")
    assert answer.status_code == 200, answer.text
    return {one["period"]: one for one in answer.json()["filings"]}


def test_a_phone_gets_the_own_tables_with_what_is_known(office: Office) -> None:
    village = office.client("village")
    whole = village.get("/api/me/filing").json()
    assert [one["dataset_id"] for one in whole["datasets"]] == ["poultry"] and whole["datasets"][0]["form"]["questions"]
    found = due(village)
    assert set(found) == {PERIOD, "2026-10"} and {one["unit"] for one in found.values()} == {UNIT}
    assert (found[PERIOD]["state"], found[PERIOD]["open"], found[PERIOD]["version"]) == ("open", True, 0)
    assert village.put(URL, json={"values": CELLS, "version": 0}).status_code == 200
    found = due(village)
    assert found[PERIOD]["values"] == CELLS and found[PERIOD]["version"] == 1
    assert due(office.client("town")) == {}  # a town approves, it does not file
    assert due(office.client("boss")) == {} and due(office.client("fireman")) == {}


def test_a_change_whose_answer_was_lost_comes_again(office: Office) -> None:
    village = office.client("village")
    sent = {"values": CELLS, "version": 0}
    first, again = village.put(URL, json=sent), village.put(URL, json=sent)
    assert first.json() == again.json() == {"state": "saved", "version": 1}
    assert village.put(URL, json={"values": {"due": 11}, "version": 0}).status_code == 409
    comments = {"comments": {"due": "核对过"}}
    assert village.put(URL, json={**sent, **comments, "version": 1}).json()["version"] == 2
    for _ in range(2):
        filed = village.post(f"{URL}/state", json={"action": "submit"})
        assert filed.status_code == 200 and filed.json()["state"] == "filed", filed.text
    assert village.put(URL, json={**sent, **comments}).json()["state"] == "filed"  # the very same: nothing to change
    assert village.put(URL, json={"values": {"due": 12}, "version": 3}).status_code == 409


def sheet(client: TestClient) -> Any:
    return openpyxl.load_workbook(io.BytesIO(client.get(f"{URL}/sheet.xlsx").content))


def sent(client: TestClient, book: Any, **how: Any) -> Any:
    out = io.BytesIO()
    book.save(out)
    url = f"/api/filing/poultry/periods/{how.pop('period', PERIOD)}/sheet"
    return client.post(url, params={"name": "一村.xlsx", **how}, content=out.getvalue())


def test_a_sheet_is_tried_before_what_is_right_is_taken(office: Office) -> None:
    village = office.client("village")
    book = sheet(village)
    book.worksheets[0]["C3"], book.worksheets[0]["D3"] = 10, "不知道"
    tried = sent(village, book, dry_run=True, language="en").json()
    assert (tried["units"], tried["found"]) == ([], [UNIT])
    (problem,) = [p for p in tried["problems"] if p["severity"] == "error"]
    assert (problem["file"], problem["sheet"], problem["row"], problem["column"]) == ("一村.xlsx", "填报", 3, "已免")
    assert problem["what"] == "is no number" and problem["remedy"]
    assert due(village)[PERIOD]["values"] == {}
    assert sent(village, book, take_good_rows=False).json()["units"] == []
    assert due(village)[PERIOD]["values"] == {}
    assert sent(village, book).json()["units"] == [UNIT]
    assert due(village)[PERIOD]["values"] == {"due": 10}
    other = sent(village, book, period="2026-10")
    assert other.status_code == 422 and PERIOD in other.text
