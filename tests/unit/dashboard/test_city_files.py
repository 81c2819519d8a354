"""Files of the city: each broken one is one message with file and remedy, on the page and by ``app check``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from fastapi.testclient import TestClient

from app.commands.check import check
from core import plugins
from core.settings import Settings
from dashboard.desk.city_files import city_files
from events.rules.rulebook import default_rules
from layers.catalogue.kinds import surest
from layers.contract import Likeness
from storage.migrate import migrate
from storage.session import make_engine, session_scope
from storage.tables.exchange import Connection
from storage.tables.observations import Rule
from storage.tables.registry import Camera
from tests.unit.dashboard.web import make_office

BROKEN = {
    "plugins/rules/boom.py": "raise RuntimeError('boom')\n",
    "plugins/rules/quits.py": "raise SystemExit(3)\n",
    "plugins/sources/sl651.py": "ABOUT = None\n",  # a name that ships
    "definitions/odd.json": json.dumps({"definition_id": "odd", "version": 1, "initial": "nowhere"}),
    "plugins/channels/siren.py": "from core.plugins import About\nABOUT = About(zh='a', en='a')\nParams = dict\n"
    "def build(params): pass\n",
    "sources/pump.yaml": "kind: nonsense\n",
    "sources/late.yaml": "kind: late\nparams: {}\n",
    "layers/parks/layer.json": '{"name": "parks"}',
    "boards/columns.yaml": "measures:\n- {id: x, zh: x, en: x, source: cases, where: {colour: 1}}\n",
    "boards/b.yaml": "board: {id: x, tiles: [{kind: number, measure: nothing}]}\n",
    "forms/f.json": "[",
    "calendars/default.json": '{"periods": []}',
    "routing.yaml": "fallback: a\narbiter: a\nrules: []\nhanded_over: {a: b, b: a}\n",
}
GOOD = {
    "plugins/sources/late.py": "import msgspec\nfrom core.plugins import About\nABOUT = About(zh='迟', en='Late')\n"
    "class Params(msgspec.Struct, frozen=True):\n    pass\n"
    "def build(params, **wiring):\n    raise ZeroDivisionError('not today')\n",
}


@pytest.fixture
def city(settings: Settings) -> Iterator[Path]:
    plugins.use_city_folder(settings.data_dir / "plugins")
    for name, text in (BROKEN | GOOD).items():
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
        assert file.ok or (file.message and file.remedy and Path(name).name in file.line()), file
    answer = office.client("boss").get("/api/city-files").json()["items"]
    assert {f"{f['folder']}/{f['name']}".lstrip("/") for f in answer} == set(BROKEN) | set(GOOD)
    assert office.client("operator").get("/api/city-files").status_code == 403


def test_check_tells_each_once(city: Path, settings: Settings) -> None:
    lines = check(settings)  # without a database yet
    for name in BROKEN:
        about = [line for line in lines if name.removeprefix("layers/") in line or Path(name).name in line]
        assert len(about) == 1, (name, lines)


def test_check_builds_what_files_and_tables_name(settings: Settings) -> None:
    plugins.use_city_folder(settings.data_dir / "plugins")
    for group, build in (("sources", "params"), ("rules", "params, *, spec"), ("connections", "params, *, wiring")):
        path = settings.data_dir / "plugins" / group / f"late_{group}.py"
        path.parent.mkdir(parents=True)
        about = "zh='迟', en='Late', transport='tcp', port=19999" if group == "sources" else "zh='迟', en='Late'"
        path.write_text(
            f"import msgspec\nfrom core.plugins import About\nABOUT = About({about})\n"
            "class Params(msgspec.Struct, frozen=True):\n    pass\n"
            f"def build({build}):\n    raise ZeroDivisionError('{group} not today')\n",
            encoding="utf-8",
        )
    (settings.data_dir / "notify.json").write_text('{"webhook:sms": {"url": 7}, "pigeon": {}}')
    try:
        migrate(settings.database_url)
        engine = make_engine(settings.database_url)
        with session_scope(engine) as session:
            draft = msgspec.to_builtins(default_rules().rules[0].draft)
            names = {"name": "x", "applies_to": ["fire"], "draft": draft, "params": {}, "updated_at": datetime.now(UTC)}
            session.add(Rule(rule_id="r-1", kind="late_rules", **names))
            sender = {"connection_id": "c-1", "kind": "late_connections", "name": "x", "direction": "in"}
            session.add(Connection(**sender, enabled=True, updated_at=datetime.now(UTC)))
            wanted = [{"kind": "crowding", "zones": ["nowhere"]}]
            about = {"name": "x", "category": "x", "url": "rtsp://192.0.2.1/", "algorithms": wanted}
            session.add_all(Camera(camera_id=f"cam-{n}", **about) for n in "ab")
        engine.dispose()
        lines = check(settings)
        told = ("source late_sources", "rule r-1", "connection c-1", "cam-a", "cam-b", "webhook:sms", "pigeon")
        for said in told:
            assert len([line for line in lines if said in line]) == 1, (said, lines)
        for group in ("sources", "rules", "connections"):
            assert any(f"{group} not today" in line and "docs/howto" in line for line in lines), (group, lines)
    finally:
        plugins.use_city_folder(None)


def _page(client: TestClient, path: str) -> str:
    asked = {
        "output": "page.children", "outputs": {"id": "page", "property": "children"},
        "inputs": [{"id": "url", "property": "pathname", "value": path}], "changedPropIds": ["url.pathname"],
    }  # fmt: skip
    answer = client.post("/_dash-update-component", json=asked)
    assert answer.status_code == 200, answer.text
    return json.dumps(answer.json(), ensure_ascii=False)


def test_pages_stand_beside_broken_files_and_name_them(settings: Settings) -> None:
    plugins.use_city_folder(settings.data_dir / "plugins")
    beside = {"/rules": "rules", "/vision": "algorithms", "/connections": "connections"}
    for folder in (*beside.values(), "layers"):
        path = settings.data_dir / "plugins" / folder / "boom.py"
        path.parent.mkdir(parents=True)
        path.write_text(
            "from core.plugins import About\nABOUT = About(zh='砰', en='Boom')\nraise RuntimeError('boom')\n"
        )
    path = settings.data_dir / "definitions" / "odd.json"
    path.parent.mkdir()
    path.write_text(BROKEN["definitions/odd.json"])
    try:
        office = make_office(settings, pages=True)
        boss = office.client("boss")
        for page, folder in beside.items():
            shown = _page(boss, page)
            assert "RuntimeError: boom" in shown and f"plugins/{folder}/boom.py" in shown and "/city-files" in shown
        assert "odd.json" in _page(boss, "/kinds")
        kinds = {row["kind"] for row in boss.get("/api/rules").json()["kinds"]}
        assert "threshold" in kinds and "boom" not in kinds
        assert surest(Likeness("roads", frozenset(), "line")) in plugins.kinds("layer")
        good = settings.data_dir / "plugins" / "rules" / "boom.py"
        good.write_text(
            "import msgspec\nfrom core.plugins import About\nABOUT = About(zh='砰', en='Boom')\n"
            "class Params(msgspec.Struct, frozen=True):\n    pass\n\ndef build(params, *, spec):\n    pass\n"
        )
        assert "boom" in {row["kind"] for row in boss.get("/api/rules").json()["kinds"]}  # no restart
        for language, word in (("zh", "不存在"), ("en", "does not exist")):
            boss.cookies.set("yiwang_lang", language)
            assert word in _page(boss, "/boards/nothing")  # a page that refuses says so in its place
        office.engine.dispose()
    finally:
        plugins.use_city_folder(None)

