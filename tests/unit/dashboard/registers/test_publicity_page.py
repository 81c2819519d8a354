"""The page of 双公示: figures an authority and problems with element and remedy, in both languages, by right."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from core.clock import ManualClock
from core.records import Actor
from core.settings import load_settings
from dashboard.pages.desk.publicity import figure_row
from dashboard.registers.desk import RegisterDesk
from records.publicity.judging import figures
from records.registers.definition import shipped_registers
from tests.unit.dashboard.web import Office, make_office
from tests.unit.records.registry import csv_of
from tests.unit.records.test_publicity import LICENCE, PENALTY

NOW = datetime(2026, 11, 28, 2, 0, tzinfo=UTC)
BAD = {**PENALTY, "CF_WSH": "2", "CF_NR_FK": 500}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    settings = load_settings({"YIWANG_DATA_DIR": str(tmp_path_factory.mktemp("publicity"))})
    made = make_office(settings, ManualClock(NOW), pages=True)
    desk = RegisterDesk(made.app.state.services, Actor("boss", "command", ("admin",), None))
    for register, rows in (("licence_publicity", [LICENCE]), ("penalty_publicity", [PENALTY, BAD])):
        body = csv_of(rows, shipped_registers()[register])
        report = desk.take_file(register, io.BytesIO(body), "rows.csv", None, dry_run=False, good=False)
        assert report.created == len(rows)
    yield made
    made.engine.dispose()


def _ask(client: TestClient, kind: str) -> dict[str, Any]:
    outputs = [("pub-authorities", "rowData"), ("pub-problems", "rowData"), ("pub-total", "children")]
    asked = {
        "output": ".." + "...".join(f"{i}.{p}" for i, p in outputs) + "..",
        "outputs": [{"id": i, "property": p} for i, p in outputs],
        "inputs": [{"id": "pub-kind", "property": "value", "value": kind}],
        "changedPropIds": ["pub-kind.value"],
    }
    answer = client.post("/_dash-update-component", json=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["response"]
    return found


@pytest.mark.parametrize(
    ("language", "element", "remedy"),
    [
        ("zh", "罚款金额（万元） CF_NR_FK", "除以10000后重报"),
        ("en", "fine (10,000 yuan) CF_NR_FK", "divide it by 10,000"),
    ],
)
def test_problems_stand_by_record_element_and_remedy(office: Office, language: str, element: str, remedy: str) -> None:
    client = office.client("fireman")
    client.cookies.set("yiwang_lang", language)
    found = _ask(client, "penalty")
    (line,) = found["pub-authorities"]["rowData"]
    assert (line["decisions"], line["overdue"], line["faulty"], line["compliance_rate"]) == (2, 2, 1, "—")
    rows = [r for r in found["pub-problems"]["rowData"] if r["element"] == element]
    assert [(r["number"], r["remedy"]) for r in rows] == [("2", remedy)]
    shown = str(found["pub-problems"]["rowData"])
    assert "pub." not in shown and "2026-11-19" in shown  # every word is there; the last day to publish


def test_a_good_licence_in_time_has_no_problem(office: Office) -> None:
    found = _ask(office.client("boss"), "licence")
    (line,) = found["pub-authorities"]["rowData"]
    assert (line["on_time"], line["on_time_rate"], found["pub-problems"]["rowData"]) == (1, "100%", [])


def test_whoever_reads_no_register_gets_nothing(office: Office) -> None:
    from dashboard.registers.publicity import PublicityDesk

    stranger = Actor("x", "nobody", ("viewer",), None)
    assert PublicityDesk(office.app.state.services, stranger).judged("licence") == []
    assert [figure_row(one) for one in figures([])] == []
