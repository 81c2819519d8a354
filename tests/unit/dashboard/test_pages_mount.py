"""What the pages answer without a browser: routes, policy, nothing from elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from core.settings import load_settings
from dashboard.pages import centre
from dashboard.pages.files.release import Release
from dashboard.pages.layouts import missing
from tests.fake_api import FakeCity, create_fake_app

ROOT = Path(__file__).parents[3] / "dashboard"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    settings = load_settings({"YIWANG_DATA_DIR": str(tmp_path_factory.mktemp("data"))})
    with TestClient(create_fake_app(settings, FakeCity(cases=3, cameras=3))) as made:
        yield made


@pytest.mark.parametrize("path", ["/", "/cases/01X", "/login", "/m"])
def test_pages_carry_a_strict_policy(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe" not in scripts and "http" not in scripts and "*" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/login", "/m"])
def test_pages_name_no_other_host(client: TestClient, path: str) -> None:
    html = re.sub(r"<meta[^>]*>", "", client.get(path).text)
    assert re.findall(r"(?:src|href)=[\"'](?:https?:)?//", html) == []


def test_inline_scripts_are_allowed_by_their_hash(client: TestClient) -> None:
    import base64
    import hashlib

    answer = client.get("/rules")
    inline = re.findall(r"<script(?: id=\"_dash-renderer\"[^>]*)?>([^<]+)</script>", answer.text)
    assert inline
    for script in inline:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/", "/rules"])
def test_every_script_and_style_of_the_page_is_served(client: TestClient, path: str) -> None:
    html = client.get(path).text
    for url in re.findall(r"(?:src|href)=[\"'](/[^\"']+)[\"']", html):
        if "/vendor/" not in url:  # npm's, absent in a bare checkout
            assert client.get(url).status_code == 200, url


def test_service_worker_has_its_own_route_and_scope(client: TestClient) -> None:
    answer = client.get("/m/sw.js")
    assert answer.headers["service-worker-allowed"] == "/m"
    assert answer.headers["content-type"].startswith("text/javascript")


def test_service_worker_keeps_every_file_of_the_phone(client: TestClient) -> None:
    worker = client.get("/m/sw.js").text
    shell = json.loads(worker.split("const SHELL = ", 1)[1].split(";", 1)[0])
    assert "/m/app.mjs" in shell and "/m" in shell
    for url in shell:
        assert client.get(url).status_code == 200, url


@pytest.mark.parametrize(
    "path", ["/m/../pages/mount.py", "/m/index.html", "/static/i18n/fr.json", "/static/ui/shared/none.mjs"]
)
def test_files_that_are_not_offered_are_not_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404 or path.startswith("/m/..")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_address_without_a_page_says_so_in_both_languages(language: str) -> None:
    assert missing(language, []).to_plotly_json()["props"]["children"]


def test_every_component_module_exists() -> None:
    ui = ROOT / "static" / "ui"
    files = re.findall(r'component\("\w+", "([\w/]+\.mjs)"', (ui / "loader.js").read_text())
    parts = re.findall(r'(\w+): "\.(/|\./)([\w/.]+\.mjs)"', (ui / "wall" / "page.mjs").read_text())
    assert len(files) >= 5 and len(parts) == 5
    assert all(f'id="{place}"' in centre._PAGE for place, _, _ in parts)
    files += [f"wall/{name}" if up == "/" else name for _, up, name in parts]
    assert [name for name in files if not (ui / name).is_file()] == []


def test_the_wall_is_served_without_dash(client: TestClient) -> None:
    html = client.get("/").text
    assert "_dash" not in html and "wall/page.mjs" in html
    assert "_dash" in client.get("/rules").text


def test_what_the_wall_names_is_kept_and_whole(client: TestClient) -> None:
    """Modules, style sheet and words come under addresses that name their content, and no module waits for another."""
    html = client.get("/").text
    named = re.findall(r'(?:src|href)="(/static/v/[^"]+)"', html)
    graph = [url for url in named if url.endswith(".mjs")]
    assert len(graph) > 20 and len(set(graph)) == len(graph)
    for url in [u for u in named if "/vendor/" not in u]:
        answer = client.get(url)
        assert answer.status_code == 200 and "immutable" in answer.headers["cache-control"], url
        plain = client.get(re.sub(r"/v/\w+", "", url))
        assert url.endswith("all.css") or len(answer.text) >= len(plain.text)
        for inner in re.findall(r'from "(/static/[^"]+)"', answer.text):
            assert inner.startswith(url[: url.index("/", 10)]), f"{url} leaves its release for {inner}"
    words = re.search(r'href="(/static/i18n/zh\.json\?v=\w+)"', html)
    assert words is not None and "immutable" in client.get(words[1]).headers["cache-control"]
    assert client.get("/static/i18n/zh.json?v=older").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["ui/../../pages/mount.py", "ui/%2e%2e/login.html", "login.html", "", "ui", "ui/no.mjs"]
)
def test_a_release_holds_the_pages_files_alone(client: TestClient, path: str) -> None:
    assert client.get(f"/static/v/0123456789abcdef/{path}").status_code in {404, 405}


def test_an_older_address_answers_and_is_not_kept(client: TestClient) -> None:
    answer = client.get("/static/v/0123456789abcdef/ui/wall/page.mjs", headers={"accept-encoding": "identity"})
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-cache"
    assert "content-encoding" not in answer.headers


def test_a_changed_file_has_another_address(tmp_path: Path) -> None:
    (tmp_path / "ui").mkdir()
    (tmp_path / "css").mkdir()
    (tmp_path / "css" / "a.css").write_text("a{}")
    file = tmp_path / "ui" / "one.mjs"
    file.write_text('import { x } from "./two.mjs";\nimport "/static/ui/three.mjs";')
    for name in ("two", "three"):
        (tmp_path / "ui" / f"{name}.mjs").write_text("export const x = 1;")
    release = Release(tmp_path, ["/static/css/a.css"])
    before = release.version
    assert release.modules(["ui/one.mjs"]) == ["ui/one.mjs", "ui/two.mjs", "ui/three.mjs"]
    found = release.file("ui/one.mjs")
    assert found is not None and f'"/static/v/{before}/ui/three.mjs"'.encode() in found.body.plain
    sheet = release.file("css/all.css")
    assert sheet is not None and sheet.body.plain == b"a{}"
    file.write_text("export {};")
    release._looked = -1e9
    assert release.version != before and release.modules(["ui/one.mjs"]) == ["ui/one.mjs"]


def test_menu_of_the_wall_is_escaped_json(client: TestClient) -> None:
    props = re.search(r'data-props="([^"]*)"', client.get("/cases/01X").text)
    assert props is not None
    told = json.loads(unescape(props[1]))
    assert {"path": "/rules", "zh": "规则", "en": "Rules"} in told["menu"] and told["page"] == "wall"


def test_modules_import_only_what_is_there() -> None:
    for file in [*(ROOT / "static" / "ui").rglob("*.mjs"), *(ROOT / "mobile").glob("*.mjs")]:
        text = file.read_text(encoding="utf-8")
        for name in re.findall(r'from "(\.{1,2}/[\w./-]+)"', text):
            assert (file.parent / name).resolve().is_file(), f"{file.name} imports {name}"
        assert "innerHTML" not in text and "eval(" not in text, file.name
        assert re.findall(r"https?://(?!www\.w3\.org|localhost)[\w.]+", text) == [], file.name
