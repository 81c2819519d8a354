"""Guided tours and the handbook: whole in both languages, true in what they name, seen once by each person."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient

from app.cli import names as commands
from core.errors import InputInvalid
from core.settings import load_settings
from dashboard.accounts.users import ROLES
from dashboard.pages.menu import entries
from dashboard.training.guides import HANDBOOK, JOBS, TOURS, handbook_page, handbook_pages, parse_tour, tours
from tests.unit.dashboard.web import Office, make_office

MOBILE = Path(__file__).parents[4] / "dashboard" / "mobile"
BODY: dict[str, Any] = {
    "id": "sample", "page": "/work", "zh": "样例", "en": "Sample", "steps": [
        {"selector": "#work-list", "zh": {"title": "甲", "text": "乙"}, "en": {"title": "A", "text": "B"}}],
}  # fmt: skip


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = make_office(load_settings({"YIWANG_DATA_DIR": str(tmp_path)}))
    yield made
    made.engine.dispose()


def phone_screens() -> set[str]:
    """What ``#/…`` the phone knows."""
    text = (MOBILE / "app.mjs").read_text(encoding="utf-8")
    lazy = text[text.index("const LAZY") : text.index("};", text.index("const LAZY"))]
    return {*re.findall(r"^  (\w+): \(\)", lazy, re.MULTILINE), "task", "password"}


def test_every_role_and_job_has_a_page_in_both_languages() -> None:
    assert {*ROLES, *JOBS} == set(handbook_pages())
    assert len(list(HANDBOOK.glob("*.md"))) == 2 * len(handbook_pages())
    for name in handbook_pages():
        zh, en = handbook_page(name, "zh"), handbook_page(name, "en")
        assert zh["title"] and en["title"] and zh["title"] != en["title"]
        assert zh["text"].count("\n## ") == en["text"].count("\n## "), name


@pytest.mark.parametrize("file", sorted(HANDBOOK.glob("*.md")), ids=lambda path: path.name)
def test_what_the_handbook_names_is_there(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    pages = {"/", "/m", "/pilot", "/h", *(entry.path for entry in entries())}
    for said in re.findall(r"`([^`]+)`", text):
        if said.startswith("/m#/"):
            assert said.removeprefix("/m#/") in phone_screens(), said
        elif said.startswith("/"):
            assert said in pages, said
        elif said.startswith("python -m app "):
            assert said.split()[3] in commands(), said
    own = file.name.partition(".")[0]
    whose = set(JOBS.get(own, (own,)))
    for path in re.findall(r"`(/[\w/-]*)`", text):
        page = next((entry for entry in entries() if entry.path == path), None)
        assert page is None or not page.roles or whose & set(page.roles), f"{own} may not open {path}"


@pytest.mark.parametrize("file", sorted(TOURS.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_tour_names_elements_that_are_in_the_pages_code(file: Path) -> None:
    tour = parse_tour(yaml.safe_load(file.read_text(encoding="utf-8")))
    assert tour.id == file.stem and tour.page in {"/", "/m", *(entry.path for entry in entries())}
    assert set(tour.roles) <= set(ROLES)
    root = MOBILE.parent
    code = "\n".join(p.read_text(encoding="utf-8") for p in [
        *(root / "pages").rglob("*.py"), *(root / "static" / "ui").rglob("*.mjs"), *MOBILE.rglob("*.mjs")])  # fmt: skip
    for step in tour.steps:
        for name in re.findall(r"[#.]([\w-]+)", step["selector"]):
            made = rf"""f"{name.partition("-")[0]}-\{{"""  # ids of a row of buttons: f"fil-{name}"
            assert re.search(rf"""["' `]{name}["' $`]""", code) or re.search(made, code), step["selector"]
        assert step["zh"]["title"] != step["en"]["title"]


def test_every_home_has_a_tour() -> None:
    wall = {role for tour in tours().values() if tour.page == "/" for role in tour.roles}
    phone = {role for tour in tours().values() if tour.page == "/m" for role in tour.roles}
    assert wall | phone == set(ROLES)
    assert {"staff", "grid_worker", "inspector", "manager", "dispatcher", "drone"} <= phone


def listed(client: TestClient, page: str) -> dict[str, bool]:
    return {tour["tour_id"]: tour["seen"] for tour in client.get("/api/tours", params={"page": page}).json()["items"]}


def test_a_tour_is_seen_by_each_person_and_offered_again_when_it_changes(office: Office) -> None:
    operator, fireman = office.client("operator"), office.client("fireman")
    assert listed(operator, "/") == {"wall_home": False}
    assert listed(fireman, "/") == {} and listed(fireman, "/m") == {"phone_staff": False}
    assert operator.post("/api/tours/wall_home/seen", json={"skipped": True}).status_code == 200
    assert operator.post("/api/tours/wall_home/seen", json={}).status_code == 200
    assert listed(operator, "/") == {"wall_home": True}
    assert listed(office.client("boss"), "/") == {"wall_home": False}
    assert fireman.post("/api/tours/wall_home/seen", json={}).status_code == 404
    folder = office.settings.data_dir / "tours"
    folder.mkdir()
    own = {**BODY, "id": "wall_home", "page": "/", "zh": "本区大屏"}
    (folder / "wall.yaml").write_text(yaml.safe_dump(own), encoding="utf-8")
    (folder / "broken.yaml").write_text("steps: [", encoding="utf-8")
    (folder / "bytes.yaml").write_bytes(b"\xff\x00")
    assert listed(operator, "/") == {"wall_home": False}
    assert listed(fireman, "/") == {"wall_home": False}  # the city's is for everybody


@pytest.mark.parametrize(
    "wrong",
    [{"id": ""}, {"id": "A b"}, {"page": "work"}, {"page": ""}, {"steps": []}, {"steps": "x"}, {"steps": ["x"]},
     {"steps": [{"selector": "", "zh": {"title": "a", "text": "b"}}]}, {"steps": [{"selector": "#x"}]},
     {"steps": [{"selector": "#x", "zh": {"title": "a"}}]}, {"roles": "admin"}, {"zh": ""},
     {"steps": BODY["steps"] * 31}],
)  # fmt: skip
def test_a_wrong_tour_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputInvalid):
        parse_tour({**BODY, **wrong})


def test_the_handbook_is_read_in_both_languages(office: Office) -> None:
    fireman = office.client("fireman")
    found = fireman.get("/api/handbook", params={"language": "en"}).json()["items"]
    assert {page["name"] for page in found if page["own"]} == {"staff", "counter_clerk", "filer", "approver"}
    assert fireman.get("/api/handbook/staff", params={"language": "en"}).json()["title"] == "Department staff"
    assert fireman.get("/api/handbook/staff").json()["title"] == "部门处置人员"
    for wrong in ("nothing", "..%2F..%2FREADME", "staff.zh"):
        assert fireman.get(f"/api/handbook/{wrong}").status_code == 404
