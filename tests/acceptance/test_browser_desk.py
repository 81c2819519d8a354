"""The desk pages on the real processes: rules, zones, calibration, quarantine, records, merging, plans, notices …"""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from app.throwaway import environment, settings_of, throwaway
from core.clock import SystemClock
from core.ids import new_id
from core.media import MediaStore
from core.records import SYSTEM, GeoPoint, Observation, Severity
from core.settings import Settings
from dashboard.accounts.users import add_user, set_password
from events.cases.drafts import CaseDraft, Part, Route
from events.cases.service import CaseService
from events.dispatching.emergency_plans import parse_plan, save_plan
from events.evidence.package import check_package
from events.notify.notices import NoticeDraft, write_notices
from storage.session import make_engine, read_scope, session_scope
from storage.tables.cases import Case, CaseEvidence
from storage.tables.observations import DeadLetter, ObservationRow, Rule
from storage.tables.plans import DutyShift
from storage.tables.registry import Camera, Device, Site
from tests.acceptance.browserkit import Visit, visit
from tests.acceptance.test_browser_whole import HOME, PASSWORD, Whole, _seed
from tests.fake_api import picture

pytestmark = pytest.mark.browser
NOW = datetime.now(UTC)


def _observation(at: datetime) -> Observation:
    return Observation(
        observation_id=new_id(), kind="fire_alarm", state="open", source_type="device", source_id="gb26875:1",
        observed_at=at, received_at=at, site_id="site-1",
    )  # fmt: skip


def _judged(number: int, confidence: float, wrong: bool) -> Case:
    return Case(
        case_id=f"judged-{number}", number=f"J{number}", definition_id="city_management", definition_version=1,
        stage="evaluate", state="closed", open=False, kind="flame_smoke", title="发现烟火", source_type="camera",
        source_id="cam-1", site_id="site-1", confidence=confidence, opened_at=NOW, updated_at=NOW, closed_at=NOW,
        registered_at=NOW, dispatched_at=NOW, department_id="dept-fire", form={"false_alarm": wrong},
    )  # fmt: skip


def _more(settings: Settings) -> None:
    """On top of the whole way's district: a calibratable camera, judged cases, a past alarm, a dead letter."""
    engine = make_engine(settings.database_url)
    ref = MediaStore(settings.media_url).put(
        picture("still", False), kind="snapshot", media_type="image/jpeg", taken_at=NOW
    )
    with session_scope(engine) as session:
        camera = session.get(Camera, "cam-1")
        assert camera is not None
        camera.lon, camera.lat = HOME
        camera.algorithms = [{"kind": "flame_smoke"}]
        judged = [(0.8, False), (0.85, False), (0.9, False), (0.4, True), (0.5, True), (0.45, True)]
        session.add_all([_judged(n, confidence, wrong) for n, (confidence, wrong) in enumerate(judged)])
        session.flush()
        session.add(
            CaseEvidence(
                evidence_id=new_id(), case_id="judged-5", kind="snapshot", purpose="finding", uri=ref.uri,
                sha256=ref.sha256, media_type="image/jpeg", taken_at=NOW, added_at=NOW, added_by="system",
            )
        )  # fmt: skip
        past = _observation(NOW - timedelta(days=2))
        session.add(
            ObservationRow(
                observation_id=past.observation_id, kind=past.kind, state=past.state, source_type="device",
                source_id=past.source_id, site_id=past.site_id, observed_at=past.observed_at,
                received_at=past.received_at, stored_at=past.received_at, body=msgspec.to_builtins(past),
            )
        )  # fmt: skip
        session.add(
            DeadLetter(
                dead_letter_id=new_id(), stream="OBS", subject="obs.0.site-1", payload="{broken", error="no JSON",
                deliveries=5, happened_at=NOW,
            )
        )  # fmt: skip
        for login, role in (("second", "dispatcher"), ("checker", "inspector")):
            user = add_user(session, login=login, name=login, roles=[role], department_id="dept-command")
            set_password(session, user, PASSWORD, must_change=False)
    engine.dispose()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """nats-server, worker, ingest and web on free ports in a folder of their own."""
    folder: Path = tmp_path_factory.mktemp("desk")
    env = environment(folder)
    settings = settings_of(env)
    _seed(settings)
    _more(settings)
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    def call(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(120)

    instance = throwaway(env, print, {"nats-server", "worker", "ingest", "web"})
    call(instance.__aenter__())
    try:
        yield Whole(settings, call)
    finally:
        call(instance.__aexit__(None, None, None))
        loop.call_soon_threadsafe(loop.stop)


@pytest.fixture
def boss(desk: Whole, chromium: Browser) -> Iterator[Visit]:
    made = visit(chromium, desk.base, 1920, 1080)
    made.context.add_init_script("localStorage.setItem('yiwang_layout', 'desk')")
    made.log_in("boss", PASSWORD)
    made.page.on("dialog", lambda dialog: dialog.accept("同一事件" if dialog.type == "prompt" else ""))
    yield made
    made.assert_clean()
    made.context.close()


def _phone(desk: Whole, chromium: Browser, login: str) -> Visit:
    made = visit(
        chromium, desk.base, 390, 844, has_touch=True, is_mobile=True, permissions=["geolocation"],
        geolocation={"longitude": HOME[0], "latitude": HOME[1]},
    )  # fmt: skip
    made.log_in(login, PASSWORD)
    made.open("/m")
    return made


def _shot(page: Page, name: str) -> None:
    """Keep a picture of the page where YIWANG_SHOTS names a folder."""
    if folder := os.environ.get("YIWANG_SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png")


def _row(desk: Whole, table: Any, key: str) -> Any:
    engine = make_engine(desk.settings.database_url)
    with read_scope(engine) as session:
        row = session.get(table, key)
        session.expunge_all()
    engine.dispose()
    return row


def _rule_field(page: Page, name: str) -> Any:
    """A parameter's field on the page of rules."""
    return page.locator(f"#rules-editor .desk-field[title={name}]")


def test_a_rule_is_tried_on_the_past_then_saved(desk: Whole, boss: Visit, tmp_path: Path) -> None:
    page = boss.page
    boss.open("/rules")
    page.locator("#rules-table [row-id=fire-alarm-panel] [col-id=name]").click()
    expect(page).to_have_url(re.compile("rule=fire-alarm-panel"))  # the address leads back to it
    page.get_by_role("button", name="试算").click()
    expect(page.locator("#rule-outcome h2", has_text="将立案 1 件")).to_be_visible()
    expect(page.locator("#rule-cases")).to_contain_text("东盛商厦")
    with page.expect_download() as waiting:
        page.locator("#rule-csv").click()
    assert "东盛商厦" in Path(waiting.value.path()).read_text(encoding="utf-8-sig")
    _shot(page, "rules")
    page.locator("#rule-name").fill("改过的规则 / Edited rule")
    page.locator("#rule-save").click()
    expect(page.locator("#rules-table [row-id=fire-alarm-panel]")).to_contain_text("改过的规则")
    assert _row(desk, Rule, "fire-alarm-panel").version == 2


def test_what_is_wrong_with_a_rule_stands_beside_its_field(desk: Whole, boss: Visit) -> None:
    page = boss.page
    boss.open("/rules?rule=waterlogging-gauge")
    successive = _rule_field(page, "successive")
    successive.locator("input").fill("50")
    page.locator("#rule-save").click()
    expect(successive.locator(".field-error")).to_contain_text("between 1 and 10")
    expect(page.locator("#rule-wrong")).to_be_visible()
    assert _row(desk, Rule, "waterlogging-gauge").version == 1
    successive.locator("input").fill("3")
    levels = _rule_field(page, "levels")
    levels.locator("[row-index='0'] [col-id=name]").click()
    page.keyboard.press("Escape")
    levels.get_by_role("button", name="删除一行").click()  # the line that was picked is taken out
    expect(levels.locator(".ag-center-cols-container [role=row]")).to_have_count(3)
    levels.locator("[row-index='0'] [col-id=at]").click()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("0.16")
    page.keyboard.press("Enter")
    expect(levels.locator("[row-index='0'] [col-id=at]")).to_have_text("0.16")
    page.locator("#rule-save").click()
    page.locator("#rules-table .ag-body-viewport").evaluate("(e) => { e.scrollTop = e.scrollHeight; }")  # far down
    expect(page.locator("#rules-table [row-id=waterlogging-gauge]")).to_contain_text("v2")
    params = _row(desk, Rule, "waterlogging-gauge").params
    assert params["successive"] == 3 and [level["at"] for level in params["levels"]] == [0.16, 0.27, 0.4]


def test_a_new_rule_begins_switched_off(desk: Whole, boss: Visit) -> None:
    page = boss.page
    boss.open("/rules")
    page.locator("#rules-new").click()
    page.locator("#new-rule-id").fill("deep-water")
    page.locator("#new-rule-save").click()
    expect(page.locator("#new-rule-wrong")).to_contain_text("name")  # says what is missing, and stays open
    page.locator("#new-rule-name").fill("深积水 / Deep water")
    page.locator("#new-rule-applies").fill("water_level_m")
    page.keyboard.press("Enter")
    page.locator("#new-rule-save").click()
    expect(page.locator("#rules-editor h2")).to_have_text("深积水")
    made = _row(desk, Rule, "deep-water")
    assert made.enabled is False and made.applies_to == ["water_level_m"]


def _on_picture(page: Page, identifier: str, x: float, y: float) -> None:
    """Click on a camera's picture; x and y are shares of it."""
    box = page.locator(f"#{identifier} .plot-container").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])


def _with_picture(boss: Visit, tab: str, identifier: str) -> None:
    """The editor of cam-1, its picture in place and in its own shape."""
    boss.open(f"/vision?tab={tab}&camera=cam-1")
    expect(boss.page.locator(f"#{identifier} .imagelayer image").first).to_be_attached()


def test_a_polygon_and_parameters_reach_the_camera(desk: Whole, boss: Visit) -> None:
    page = boss.page
    before = _row(desk, Camera, "cam-1").revision
    _with_picture(boss, "zones", "zone-picture")
    page.locator("#zone-new").click()
    expect(page.locator("#zone-cancel")).to_be_enabled()
    for n, (x, y) in enumerate(((0.02, 0.03), (0.8, 0.25), (0.7, 0.8)), 1):
        _on_picture(page, "zone-picture", x, y)
        expect(page.locator("#zone-picture .scatterlayer .point")).to_have_count(n)
        page.wait_for_timeout(350)  # two quick clicks would be a double click
    page.locator("#zone-finish").click()
    expect(page.locator("#zone-picture .shapelayer path")).to_have_count(1)
    page.locator("#algorithm-new").click()
    dialog = page.locator("#algorithm-dialog-held")
    dialog.get_by_role("textbox", name="类型").click()
    page.get_by_role("option", name="离岗", exact=True).click()
    dialog.locator(".mantine-MultiSelect-input").click()
    page.get_by_role("option", name="区域 1").click()
    dialog.locator("[title=after_s] input").fill("30")
    dialog.locator("#algorithm-apply").click()
    expect(page.locator("#algorithm-list")).to_contain_text("离岗区域 1")
    page.locator("#zone-list").get_by_role("button", name="布防时段").click()
    schedule = page.locator("#zone-dialog-held")
    schedule.get_by_role("button", name="添加抑制时段").click()
    schedule.locator("#sched-apply").click()
    expect(schedule.locator("#sched-wrong")).to_contain_text("no reason")  # who silences a zone says why
    schedule.get_by_placeholder("原因").fill("设备检修")
    schedule.locator("#sched-apply").click()
    expect(page.locator("#zone-list .chip")).to_have_text("抑制中")
    _shot(page, "zones")
    page.locator("#zone-save").click()
    expect(page.locator("#zone-unsaved")).to_have_text("")
    camera = _row(desk, Camera, "cam-1")
    assert camera.revision == before + 1
    corners = camera.zones[0]["polygon"]
    assert [[round(v, 1) for v in corner] for corner in corners] == [[0.0, 0.0], [0.8, 0.2], [0.7, 0.8]]
    assert camera.algorithms[1] == camera.algorithms[1] | {"kind": "absence", "params": {"after_s": 30}}
    assert camera.algorithms[1]["zones"] == [camera.zones[0]["zone_id"]]
    (window,) = camera.zones[0]["schedule"]["suppress"]
    assert window["reason"] == "设备检修" and window["author"] == "boss"


def test_a_corner_is_dragged_and_a_zone_named_and_taken_away(desk: Whole, boss: Visit) -> None:
    page = boss.page
    _with_picture(boss, "zones", "zone-picture")
    name = page.locator("#zone-list input").first
    name.fill("门口")
    name.blur()
    expect(page.locator("#zone-unsaved")).not_to_have_text("")
    expect(page.locator("#zone-picture .shapelayer", has_text="门口")).to_be_attached()
    _on_picture(page, "zone-picture", 0.41, 0.14)  # its edge: the zone shows its corners
    corner = page.locator("#zone-picture .outline-controllers .cursor-grab").nth(1)
    expect(corner).to_be_attached()
    box, stage = corner.bounding_box(), page.locator("#zone-picture .plot-container").bounding_box()
    assert box is not None and stage is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(stage["x"] + 0.9 * stage["width"], stage["y"] + 0.1 * stage["height"], steps=6)
    page.mouse.up()
    page.locator("#zone-save").click()
    expect(page.locator("#zone-unsaved")).to_have_text("")
    (zone,) = _row(desk, Camera, "cam-1").zones
    assert zone["name"] == "门口" and [0.9, 0.1] in [[round(v, 1) for v in corner] for corner in zone["polygon"]]
    page.get_by_role("button", name="删除 门口").click()
    expect(page.locator("#zone-unsaved")).not_to_have_text("")
    expect(page.locator("#algorithm-list")).to_contain_text("整个画面")
    page.locator("#zone-save").click()
    expect(page.locator("#zone-unsaved")).to_have_text("")
    camera = _row(desk, Camera, "cam-1")
    assert camera.zones == [] and not camera.algorithms[1].get("zones")


def test_four_clicks_calibrate_with_a_stated_error(desk: Whole, boss: Visit) -> None:
    page = boss.page
    _with_picture(boss, "calibration", "cal-picture")
    page.wait_for_selector(".calib-map .cam-pin", timeout=60_000)
    corners = ((0.2, 0.9, 0.4, 0.7), (0.8, 0.9, 0.6, 0.7), (0.7, 0.5, 0.65, 0.3), (0.3, 0.5, 0.35, 0.3))
    for n, (x, y, east, south) in enumerate(corners, 1):
        _on_picture(page, "cal-picture", x, y)
        expect(page.locator("#cal-picture .scatterlayer .point")).to_have_count(n)
        chart = page.locator(".calib-map canvas").bounding_box()
        assert chart is not None
        page.mouse.click(chart["x"] + east * chart["width"], chart["y"] + south * chart["height"])
        expect(page.locator(".mark.on-map")).to_have_count(n)
        page.wait_for_timeout(350)  # two quick clicks would be a double click, which zooms
    expect(page.locator("#cal-verdict")).to_contain_text("再加一个点")
    pins = [pin.bounding_box() for pin in page.locator(".mark.on-map").all()]
    assert abs(pins[0]["y"] - pins[1]["y"]) < 2, "two points of one latitude stand at one height"  # type: ignore[index]
    _shot(page, "calibration")
    page.locator("#cal-save").click()
    expect(page.locator(".calib-saved")).to_be_visible()
    saved = _row(desk, Camera, "cam-1").calibration
    expect(page.locator(".calib-saved")).to_contain_text(f"误差 {saved['error_m']:g} 米")
    assert len(saved["points"]) == 4 and saved["error_m"] > 0 and saved["field_of_view"]["type"] == "Polygon"


def _push(settings: Settings, **body: Any) -> None:
    """A reading of a gauge over HTTP, with the shared account."""
    account = (settings.mqtt_device_user, settings.mqtt_device_password)
    url = f"http://127.0.0.1:{settings.ingest_http_port}/readings"
    assert httpx.post(url, json={"device": "gauge-9", **body}, auth=account, timeout=20).status_code < 500


def test_an_unknown_device_is_accepted_and_its_readings_drawn(desk: Whole, boss: Visit) -> None:
    page = boss.page
    _push(desk.settings, seq=1, water_level_m=0.31)
    boss.open("/devices?tab=quarantine")
    row = page.locator('#dev-table .ag-center-cols-container [row-id="http:gauge-9"]')
    for _ in range(40):
        if row.count():
            break
        page.wait_for_timeout(500)
        page.locator("#dev-refresh").click()
    row.locator("[col-id=name]").click()
    page.get_by_role("button", name="接入", exact=True).click()
    form = page.locator("#dev-dialog-held")
    form.get_by_label("名称").fill("九号水尺")
    form.get_by_role("textbox", name="所属点位").click()
    page.get_by_role("option", name="东盛商厦").click()
    expect(form.get_by_role("textbox", name="所属点位")).to_have_value("东盛商厦")
    _shot(page, "accept")
    form.get_by_role("button", name="接入").click()
    expect(row).to_have_count(0)
    for seq in range(2, 6):
        _push(desk.settings, seq=seq, water_level_m=0.3 + seq / 100)
        page.wait_for_timeout(300)
    boss.open("/devices?tab=all")
    row.locator("[col-id=name]").click()
    expect(page).to_have_url(re.compile("device=http%3Agauge-9"))
    expect(page.locator("#dev-panel .facts")).to_contain_text("东盛商厦")
    expect(page.locator("#dev-chart .js-plotly-plot .scatterlayer path").first).to_be_attached()
    expect(page.locator("#dev-latest")).to_contain_text("水位")
    _shot(page, "device")


def test_what_a_device_sent_in_vain_is_shown_and_its_registration_changed(desk: Whole, boss: Visit) -> None:
    page = boss.page
    _push(desk.settings, seq=1, water_level_m=0.31)
    _push(desk.settings, seq=9, water_level_m=0.39, time="yesterday")
    boss.open("/devices?device=http%3Agauge-9")
    expect(page.locator("#dev-live")).to_contain_text("拒收 1 条")  # by itself, a moment later
    page.reload()
    expect(page.locator("#dev-panel .refused")).to_contain_text("yesterday")
    page.get_by_role("button", name="编辑").click()
    scale = page.locator("#dev-measures [col-id=scale]").last
    scale.click()
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    expect(scale).to_have_text("2")
    form = page.locator("#dev-dialog-held")
    form.get_by_label("名称").fill("九号水尺")
    form.get_by_label("上报间隔").fill("120")
    form.get_by_role("button", name="保存").click()
    expect(page.locator("#dev-panel .facts")).to_contain_text("120 s")
    kept = _row(desk, Device, "http:gauge-9")
    assert kept.calibration == {"water_level_m": {"scale": 2.0}} and kept.expected_interval_s == 120


def test_a_device_gets_a_credential_of_its_own_and_loses_it(desk: Whole, boss: Visit) -> None:
    page = boss.page
    boss.open("/devices?device=gb26875%3A1")
    page.get_by_role("button", name="生成专用凭据").click()
    expect(page.locator("#dev-secret-held")).to_contain_text("gb26875:1")
    page.keyboard.press("Escape")
    expect(page.locator("#dev-panel .chip", has_text="专用凭据")).to_be_visible()
    assert "token_sha256" in _row(desk, Device, "gb26875:1").attributes
    page.get_by_role("button", name="撤销专用凭据").click()
    expect(page.locator("#dev-panel .chip", has_text="共用凭据")).to_be_visible()
    assert "token_sha256" not in _row(desk, Device, "gb26875:1").attributes


def test_cameras_and_sources_have_lists_of_their_own(desk: Whole, boss: Visit) -> None:
    page = boss.page
    boss.open("/devices?tab=cameras")
    page.locator("#cam-table [row-id=cam-1] [col-id=name]").click()
    expect(page.locator("#cam-panel .camera-stage")).to_be_visible()
    page.get_by_role("tab", name="接入协议").click()
    expect(page).to_have_url(re.compile("tab=sources"))
    expect(page.locator("#src-table")).to_contain_text("HTTP")


def test_how_well_we_see_becomes_a_threshold_and_a_hard_negative(desk: Whole, boss: Visit) -> None:
    page = boss.page
    boss.open("/vision?tab=precision")
    row = page.locator('#prec-table .ag-center-cols-container [row-id="cam-1:flame_smoke"]')
    expect(row).to_contain_text("50 %")
    row.locator("[col-id=closed]").click()
    expect(page.locator("#prec-panel .js-plotly-plot")).to_be_visible()  # the interval
    page.get_by_role("button", name="试算 0.79").click()
    expect(page.locator("#prec-said")).to_contain_text("3")
    _shot(page, "precision")
    page.locator("#prec-apply").click()
    expect(page.get_by_text("已保存")).to_be_visible()
    algorithms = {a["kind"]: a["params"] for a in _row(desk, Camera, "cam-1").algorithms}
    assert algorithms["flame_smoke"] == {"fire_confidence": 0.79, "smoke_confidence": 0.79}
    page.locator("#prec-hard").click()
    expect(page.locator("#prec-said")).to_contain_text("已加入 1 张图")
    boss.open("/cases/judged-5")
    _tab(page, "records")
    page.get_by_role("button", name="加入难例集").click()
    expect(page.get_by_role("button", name="已加入")).to_be_visible()
    assert len(list((desk.settings.data_dir / "hard_negatives" / "flame_smoke" / "images").iterdir())) == 1


def test_a_shift_is_planned_and_handed_over(desk: Whole, boss: Visit) -> None:
    page = boss.page
    boss.open("/plans?tab=duty")
    page.locator("#duty-add").click()
    form = page.locator("#duty-dialog-held")
    form.get_by_role("textbox", name="人员").click()
    page.get_by_role("option", name="second (second)").click()
    now = datetime.now(UTC) + timedelta(hours=8)
    for name, hours in (("从", -1), ("到", 2)):
        form.get_by_label(name, exact=True).fill((now + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M"))
    form.get_by_role("button", name="保存").click()
    cell = page.locator('#duty-table [row-id="dept-command"] [col-id=d0]')
    expect(cell).to_contain_text("second")
    cell.click()
    card = page.locator("#duty-panel .shift", has_text="second").first
    card.get_by_role("button", name="交接").click()
    form.get_by_role("textbox", name="交给").click()
    page.get_by_role("option", name="boss (boss)").click()
    form.get_by_label("交接事项").fill("二号泵检修中")
    form.get_by_role("button", name="保存").click()
    expect(card).to_contain_text("二号泵检修中")
    _shot(page, "duty")


def test_a_dead_letter_is_settled_and_stands_in_the_audit(desk: Whole, boss: Visit) -> None:
    page = boss.page
    boss.open("/admin?tab=dead")
    row = page.locator("#adm-dead .ag-center-cols-container [role=row]")
    expect(row.first).to_contain_text("no JSON")
    row.first.locator("[col-id=error]").click()
    expect(page.locator("#adm-panel")).to_contain_text("{broken")
    _shot(page, "dead")
    page.locator("#adm-panel").get_by_role("button", name="重新投递").click()
    expect(page.locator(".mantine-Notification-root").last).to_contain_text("cannot be read")
    page.locator("#adm-panel").get_by_role("button", name="标记已处理").click()
    expect(row.first).to_contain_text("已处理")  # settled ones stay in the list, below those that wait
    expect(page.locator("#adm-panel").get_by_role("button")).to_have_count(0)
    page.get_by_role("tab", name="操作审计").click()
    first = page.locator("#adm-audit .ag-center-cols-container [role=row]").first
    expect(first).to_contain_text("死信标记已处理")
    expect(first).to_contain_text("boss")


def test_phone_reports_refuses_and_checks_and_the_desk_keeps_the_records(
    desk: Whole, boss: Visit, chromium: Browser, tmp_path: Path
) -> None:
    page = boss.page
    desk.alarm()
    staff = _phone(desk, chromium, "staff")
    checker = _phone(desk, chromium, "checker")
    try:
        staff.page.locator("a[href='#/report']").first.tap()
        staff.page.locator("form.report select").first.select_option("fire")
        staff.page.locator("form.report input[name=title]").fill("东盛商厦冒烟")
        _shot(staff.page, "phone_report")
        staff.page.locator("form.report button[type=submit]").tap()
        boss.open("/")
        rows = page.locator("li.case")
        alarm = rows.filter(has_text="火灾报警")
        expect(alarm).to_have_count(1)
        expect(alarm.locator(".chip")).to_have_text("已派遣")
        case_id = alarm.get_attribute("data-case")
        _shot(page, "wall")

        staff.page.locator("nav.foot a").first.tap()
        staff.page.locator(f'a.card[data-case="{case_id}"]').tap()
        expect(staff.page.locator('[data-do="accept"]')).to_be_visible()
        _shot(staff.page, "phone_task")
        staff.page.locator("details.reason summary", has_text="拒收").tap()
        staff.page.locator("details.reason[open] textarea").fill("不归我单位")
        staff.page.locator("details.reason[open] button").tap()
        expect(alarm.locator(".chip")).not_to_have_text("已派遣")

        boss.open(f"/cases/{case_id}")
        _tab(page, "history")
        expect(page.locator(".timeline").first).to_contain_text("不归我单位")
        _tab(page, "records")
        joined = page.locator("details.section", has_text="已并入的案件")  # staff saw the fire that the panel told of
        expect(joined).to_contain_text("东盛商厦冒烟")
        page.locator("summary", has_text="审计链").click()
        expect(page.locator(".good-text")).to_contain_text("审计链完整")
        page.locator("summary", has_text="应急预案").click()
        page.locator("summary", has_text="疑似重复案件").click()
        opened = page.locator("details.section[open]")
        expect(opened.filter(has_text="疑似重复案件").locator(".skeleton")).to_have_count(0)
        expect(opened.filter(has_text="疑似重复案件").locator(".form-error")).to_have_count(0)
        page.locator("summary", has_text="证据包").click()
        page.locator(".section form input").last.fill("交消防调查")
        _shot(page, "case_records")
        with page.expect_download() as waiting:
            page.locator(".section form button[type=submit]").last.click()
        sealed = tmp_path / "case.zip"
        waiting.value.save_as(sealed)
        assert check_package(sealed).flaws == ()
        _started(page)
        _checked(desk, boss, staff, checker)
    finally:
        for phone in (staff, checker):
            phone.assert_clean()
            phone.context.close()


def _pick(page: Page, key: str, words: str) -> None:
    """Search in a question of the opened form and take the first that is found."""
    field = page.locator(f'.command-form .yf-field[data-key="{key}"]')
    box = field.get_by_role("combobox")
    box.click()
    box.fill("")  # whatever was suggested
    box.press_sequentially(words)
    field.locator(".yf-list li", has_text=words).first.click()


def _started(page: Page) -> None:
    """The plan that fits the case is offered in its panel."""
    expect(page.locator("details.section", has_text="应急预案")).not_to_contain_text("此服务器")


def _checked(desk: Whole, boss: Visit, staff: Visit, checker: Visit) -> None:
    """Dispatched anew, the case is accepted and finished on the phone, and an inspector checks it on the phone."""
    page, phone = boss.page, staff.page
    page.click('[data-command="dispatch"]')
    _pick(page, "department_id", "消防")
    page.click(".command-form button[type=submit]")
    expect(page.locator(".case-number .chip")).to_have_text("已派遣")
    phone.goto(desk.base + "/m")
    phone.locator("a.card", has_text="火灾报警").tap()
    phone.tap('[data-do="accept"]')
    phone.set_input_files(
        '[data-do="photo"]', [{"name": "after.jpg", "mimeType": "image/jpeg", "buffer": picture("after", False)}]
    )
    phone.tap('[data-do="finish"]')
    _tab(page, "history")
    expect(page.locator(".timeline").first).to_contain_text("处置完成")
    checker.page.goto(checker.base + "/m")
    checker.page.locator("a.card", has_text="火灾报警").tap()
    checker.page.tap('[data-do="check_pass"]')
    expect(page.locator(".timeline").first).to_contain_text("核查通过")


def _fire(desk: Whole, place: str, **more: Any) -> str:
    """A dispatched fire case near the mall; its id."""
    service = CaseService(make_engine(desk.settings.database_url), SystemClock())
    draft = CaseDraft(
        title=f"{place} 火灾报警", kind="fire_alarm", class_code="event-05-94", source_type="device", source_id=place,
        severity=Severity.ORANGE, location=GeoPoint(lon=HOME[0], lat=HOME[1]), division_code="220105",
        auto_register=True, route=Route(lead=Part(department_id="dept-fire")), **more,
    )  # fmt: skip
    with session_scope(service.engine) as session:
        case_id = service.open_in(session, draft, SYSTEM).case_id
    service.engine.dispose()
    return case_id


def test_two_cases_are_merged_and_taken_apart_again(desk: Whole, chromium: Browser) -> None:
    first, second = _fire(desk, "东门"), _fire(desk, "西门")
    wall = visit(chromium, desk.base, 1280, 720)
    wall.log_in("second", PASSWORD)  # a dispatcher
    page = wall.page
    wall.open(f"/cases/{second}", ready=False)
    number = str(_row(desk, Case, first).number)
    _command(page, "merge")
    _pick(page, "other_case_id", number)
    page.locator(".command-form textarea").fill("两个门的探测器报的是同一处火")
    page.click(".command-form button[type=submit]")
    expect(page.locator(".case-number .chip")).to_have_text("已并案")
    _tab(page, "history")
    expect(page.locator(".timeline").first).to_contain_text("两个门的探测器报的是同一处火")
    expect(page.locator(".timeline").first).to_contain_text("second")
    expect(page.locator(f'li.case[data-case="{second}"]')).to_have_count(0)  # one happening, one line
    wall.open(f"/cases/{first}", ready=False)
    _tab(page, "records")
    expect(page.locator("details.section", has_text="已并入的案件")).to_contain_text("西门")
    _shot(page, "merged")
    wall.open(f"/cases/{second}", ready=False)
    _command(page, "unmerge")
    page.locator(".command-form textarea").fill("查明是两处火")
    page.click(".command-form button[type=submit]")
    expect(page.locator(".case-number .chip")).to_have_text("已派遣")
    _tab(page, "history")
    for word in ("并案", "撤销并案", "查明是两处火"):
        expect(page.locator(".timeline").first).to_contain_text(word)
    expect(page.locator(f'li.case[data-case="{second}"]')).to_have_count(1)
    _tab(page, "records")
    page.locator("summary", has_text="审计链").click()
    chain = page.locator("details.section", has_text="审计链")
    expect(chain.locator(".good-text")).to_contain_text("审计链完整")
    expect(chain).to_contain_text("撤销并案")
    expect(chain.locator(".timeline")).to_contain_text("second")  # names, not ids
    assert number and _row(desk, Case, second).merged_into_id is None
    _shot(page, "unmerged")
    wall.assert_clean()
    wall.context.close()


def _tab(page: Page, name: str) -> None:
    """Turn to a tab of the case's panel."""
    page.locator(f'[data-tab="{name}"][role="tab"]').click()


def _command(page: Page, name: str) -> None:
    """Open the form of a command, wherever its button stands."""
    button = page.locator(f'[data-command="{name}"]')
    button.wait_for(state="attached")
    if not button.is_visible():
        page.locator("details.more-commands summary").click()
    button.click()


def test_a_plan_calls_up_tasks_people_stores_and_cameras(desk: Whole, chromium: Browser) -> None:
    engine = make_engine(desk.settings.database_url)
    now = datetime.now(UTC)
    with session_scope(engine) as session:
        session.add(Site(site_id="store-1", name="一号物资库", kind="warehouse", lon=HOME[0] + 0.01, lat=HOME[1]))
        chief = add_user(session, login="chief", name="消防值班长", roles=["staff"], department_id="dept-fire")
        session.flush()
        session.add(
            DutyShift(shift_id="s-chief", department_id="dept-fire", post="leader", user_id=chief.user_id,
                      starts_at=now - timedelta(hours=1), ends_at=now + timedelta(hours=8))
        )  # fmt: skip
        spec = {
            "plan_id": "mall-fire", "name": "商场火灾预案", "level": 2,
            "applies_to": {"classes": ["event-05-94"], "min_severity": 3},
            "tasks": [
                {"title": "到场灭火", "department": "dept-fire", "post": "leader",
                 "due": {"value": 0.25, "unit": "urgent_hour"}, "cameras": {"within_m": 500}},
                {"title": "调运灭火器材", "department": "dept-command", "site": "warehouse"},
            ],
        }  # fmt: skip
        save_plan(session, parse_plan(spec), "system", now)
    engine.dispose()
    case_id = _fire(desk, "北门")
    wall = visit(chromium, desk.base, 1280, 720)
    wall.page.on("dialog", lambda dialog: dialog.accept())
    wall.log_in("second", PASSWORD)
    page = wall.page
    wall.open(f"/cases/{case_id}", ready=False)
    _tab(page, "records")
    page.locator("summary", has_text="应急预案").click()
    part = page.locator("details.section", has_text="应急预案")
    part.locator('[data-plan="mall-fire"]').click()
    attack, stores = part.locator("li", has_text="到场灭火"), part.locator("li", has_text="调运灭火器材")
    for word in ("消防救援大队", "消防值班长", "消控室"):
        expect(attack).to_contain_text(word)
    expect(stores).to_contain_text("一号物资库")
    _shot(page, "plan")
    attack.locator("[data-do=accepted]").click()
    expect(attack.locator(".chip")).to_have_text("执行中")
    attack.locator("[data-do=done]").click()
    expect(attack.locator(".chip")).to_have_text("已完成")
    expect(part.locator('[data-plan="mall-fire"]')).to_have_count(0)  # in force once
    wall.open("/plans?tab=plans")
    run = page.locator("#run-table .ag-center-cols-container [role=row]", has_text="商场火灾预案").last
    expect(run).to_contain_text("1 / 2")
    run.locator("[col-id=plan]").click()
    stores = page.locator("#plan-panel li", has_text="调运灭火器材")
    stores.get_by_role("button", name="完成").click()
    expect(run).to_contain_text("2 / 2")
    wall.open(f"/cases/{case_id}", ready=False)
    _tab(page, "history")
    expect(page.locator(".timeline").first).to_contain_text("启动预案")
    wall.assert_clean()
    wall.context.close()


def test_a_notice_is_found_behind_the_bell(desk: Whole, chromium: Browser) -> None:
    engine = make_engine(desk.settings.database_url)
    case_id = _fire(desk, "南门")
    notice = NoticeDraft(key="bell", kind="urged", title="督办 / Urged: 南门 火灾报警", body="<b>请速办</b>",
                         case_id=case_id, role="dispatcher", severity=3)  # fmt: skip
    with session_scope(engine) as session:
        write_notices(session, [notice], ["in_app"], datetime.now(UTC))
    engine.dispose()
    desk_page = visit(chromium, desk.base, 1280, 720)
    desk_page.log_in("second", PASSWORD)
    page = desk_page.page
    desk_page.open("/plans")
    expect(page.locator(".bell-count")).to_be_visible()
    page.locator(".bell").click()
    entry = page.locator(".notices li", has_text="南门").filter(has_text="督办：")
    expect(entry.first).to_contain_text("<b>请速办</b>")  # text, never markup
    expect(page.locator(".bell-count")).to_be_hidden()
    _shot(page, "bell")
    page.reload()
    expect(page.locator(".bell")).to_be_visible()
    expect(page.locator(".bell-count")).to_be_hidden()  # seen stays seen
    page.locator(".bell").click()
    entry.first.click()
    expect(page).to_have_url(re.compile(f"/cases/{case_id}"))
    desk_page.assert_clean()
    desk_page.context.close()


def test_indicators_open_their_cases_and_go_out_as_csv(boss: Visit) -> None:
    page = boss.page
    boss.open("/indicators")
    expect(page.locator("#ind-chart .js-plotly-plot")).to_be_visible()
    figure = page.locator("#ind-table [row-id='-'] [col-id='registered']")  # the six without a department
    figure.scroll_into_view_if_needed()
    expect(figure).to_have_text("6")
    figure.click()
    expect(page.locator("#ind-cases .ag-row a[href^='/cases/']")).to_have_count(6)
    _shot(page, "indicators")
    with page.expect_download() as waiting:
        page.get_by_role("link", name=re.compile("CSV")).click()
    assert "消防救援大队" in Path(waiting.value.path()).read_text(encoding="utf-8-sig")


def test_english_titles_are_the_kind_and_the_place(desk: Whole, chromium: Browser) -> None:
    wall = visit(chromium, desk.base, 1920, 1080)
    wall.context.add_cookies([{"name": "yiwang_lang", "value": "en", "url": desk.base}])
    wall.log_in("boss", PASSWORD)
    wall.open("/cases/judged-5")
    expect(wall.page.locator(".panel-head h2").first).to_have_text("Flame or smoke · Dongsheng Mall")
    expect(wall.page.locator(".original-title")).to_have_text("发现烟火")
    _shot(wall.page, "english")
    wall.assert_clean()
    wall.context.close()
