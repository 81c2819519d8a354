"""Files of the city: each broken one is one message with file and remedy, on the page and by ``app check``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.commands.check import check
from core import plugins
from core.settings import Settings
from dashboard.desk.city_files import city_files
from tests.unit.dashboard.web import make_office

BROKEN = {
    "plugins/rules/boom.py": "raise RuntimeError('boom')\n",
    "plugins/rules/quits.py": "raise SystemExit(3)\n",
    "plugins/sources/sl651.py": "ABOUT = None\n",  # a name that ships
    "definitions/odd.json": json.dumps({"definition_id": "odd", "version": 1, "initial": "nowhere"}),
    "sources/pump.yaml": "kind: nonsense\n",
    "boards/b.yaml": "board: {id: x, tiles: [{kind: number, measure: nothing}]}\n",
    "forms/f.json": "[",
    "calendars/default.json": '{"periods": []}',
    "routing.yaml": "fallback: a\narbiter: a\nrules: []\nhanded_over: {a: b, b: a}\n",
}


@pytest.fixture
def city(settings: Settings) -> Iterator[Path]:
    plugins.use_city_folder(settings.data_dir / "plugins")
    for name, text in BROKEN.items():
        path = settings.data_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    yield settings.data_dir
    plugins.use_city_folder(None)


def test_every_broken_file_is_one_message(city: Path, settings: Settings) -> None:
    office = make_office(settings)
    found = {f"{f.folder}/{f.name}".lstrip("/"): f for f in city_files(settings, office.engine)}
    assert {name for name, file in found.items() if not file.ok} == set(BROKEN)
    for name, file in found.items():
        assert file.message and Path(name).name in file.line(), file
    answer = office.client("boss").get("/api/city-files").json()["items"]
    assert {f"{f['folder']}/{f['name']}".lstrip("/") for f in answer} == set(BROKEN)
    assert office.client("operator").get("/api/city-files").status_code == 403


def test_check_tells_each_once(city: Path, settings: Settings) -> None:
    lines = check(settings)  # without a database yet
    for name in BROKEN:
        about = [line for line in lines if Path(name).name in line]
        assert len(about) == 1, (name, lines)
