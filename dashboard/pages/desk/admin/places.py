"""Departments, sites and cameras: lists, new ones, changes."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import html

from core.errors import NotFound
from dashboard import queries
from dashboard.desk import places as desk
from dashboard.desk.camera_sets import Spread, spread
from dashboard.desk.camera_trial import try_camera
from dashboard.desk.cameras import CameraEdit, NewCamera, change_camera, create_camera
from dashboard.pages.camera_words import state_chips
from dashboard.pages.choices import Choice, choices, departments, named_words, own, sites, word
from dashboard.pages.desk.admin.parts import Action, Row, Tab, Values, button, choose, facts, number, text, yes_no
from dashboard.pages.desk.devices.parts import CATEGORIES
from dashboard.pages.frame import Visit
from dashboard.pages.tables import column, named, parts
from storage.session import read_scope

MOST = 20_000
NUMBERS = ("analysis_fps", "priority")


def _plain(values: Values, *names: str) -> dict[str, Any]:
    """Text fields without the space around them."""
    return {name: str(values.get(name) or "").strip() for name in names}


def department_columns(visit: Visit) -> list[Row]:
    t = visit.t
    return [
        column("name", t("fact.name"), cellRenderer="Parts", minWidth=200),
        column("department_id", t("fact.number"), width=170), column("kind", t("fact.kind"), width=110),
        column("phone", t("admin.phone"), width=140),
        column("open", t("overview.open"), width=110, type="rightAligned"),
    ]  # fmt: skip


def department_rows(visit: Visit) -> list[Row]:
    counts = desk.open_cases(visit.services, visit.principal)
    return [
        {"department_id": d["department_id"], "kind": word(visit, "deptkind", d["kind"]), "phone": d["phone"] or "—",
         "open": counts.get(d["department_id"], 0), **named("name", *two(visit, d))}
        for d in desk.departments(visit.services)
    ]  # fmt: skip


def two(visit: Visit, d: Row) -> tuple[str, str]:
    """The name in the visitor's language, the other one below it."""
    return (d["name_en"] or d["name"], d["name"]) if visit.language == "en" else (d["name"], d["name_en"] or "")


def department(visit: Visit, key: str) -> Row:
    found = next((d for d in desk.departments(visit.services) if d["department_id"] == key), None)
    if found is None:
        raise NotFound(what="department", key=key)
    return found


def department_panel(visit: Visit, key: str) -> Any:
    t, d = visit.t, department(visit, key)
    pairs = [(t("fact.number"), key), (t("fact.kind"), word(visit, "deptkind", d["kind"])),
             (t("admin.phone"), d["phone"]), (t("admin.above"), d["parent_id"]),
             (t("admin.division"), d["division_code"])]  # fmt: skip
    return [html.H2(two(visit, d)[0]), button(visit, "departments", "change", key, "act.edit"), facts(pairs)]


def ask_department(visit: Visit, key: str) -> Any:
    t, d = visit.t, department(visit, key) if key else {}
    kinds = choices({k: word(visit, "deptkind", k) for k in desk.KINDS})
    above = [c for c in departments(visit) if c["value"] != key]
    return [
        html.P(key) if key else text("id", t("fact.number"), withAsterisk=True),
        text("name", t("fact.name"), d.get("name"), withAsterisk=True),
        text("name_en", t("admin.name_en"), d.get("name_en")),
        choose("kind", t("fact.kind"), kinds, d.get("kind") or "bureau"),
        choose("parent_id", t("admin.above"), above, d.get("parent_id")),
        text("division_code", t("admin.division"), d.get("division_code")),
        text("phone", t("admin.phone"), d.get("phone")),
    ]


def write_department(visit: Visit, key: str, values: Values) -> None:
    plain = _plain(values, "name", "name_en", "kind", "phone")
    rest: dict[str, Any] = {n: str(values.get(n) or "").strip() or None for n in ("parent_id", "division_code")}
    edit = desk.DepartmentEdit(**plain, **rest)
    desk.write_department(visit.services, visit.principal, key or _plain(values, "id")["id"], edit)


def site_columns(visit: Visit) -> list[Row]:
    t = visit.t
    return [
        column("name", t("fact.name"), cellRenderer="Parts", minWidth=200), column("kind", t("fact.kind"), width=140),
        column("department", t("fact.department"), minWidth=140), column("address", t("admin.address"), minWidth=160),
    ]  # fmt: skip


def site_rows(visit: Visit) -> list[Row]:
    names = {d["value"]: d["label"] for d in departments(visit)}
    return [
        {"site_id": s["site_id"], "kind": word(visit, "sitekind", s["kind"]), "address": s["address"] or "—",
         "department": names.get(s["department_id"], "—"), **named("name", two(visit, s)[0], s["site_id"])}
        for s in desk.sites(visit.services, visit.principal)
    ]  # fmt: skip


def site(visit: Visit, key: str) -> Row:
    found = next((s for s in desk.sites(visit.services, visit.principal) if s["site_id"] == key), None)
    if found is None:
        raise NotFound(what="site", key=key)
    return found


def site_panel(visit: Visit, key: str) -> Any:
    t, s = visit.t, site(visit, key)
    pairs = [(t("fact.number"), key), (t("fact.kind"), word(visit, "sitekind", s["kind"])),
             (t("admin.address"), s["address"]), (t("admin.division"), s["division_code"]),
             (f"{t('devices.lon')} / {t('devices.lat')}", f"{s['lon']:.6f}, {s['lat']:.6f}")]  # fmt: skip
    look = html.A(t("admin.on_map"), href=f"/?site={key}", className="button")
    tools = [button(visit, "sites", "change", key, "act.edit"), look]
    return [html.H2(two(visit, s)[0]), dmc.Group(tools, gap=6), facts(pairs)]


def ask_site(visit: Visit, key: str) -> Any:
    t, s = visit.t, site(visit, key) if key else {}
    kinds = choices(named_words(visit, "sitekind"))
    return [
        html.P(key) if key else text("id", t("fact.number"), withAsterisk=True),
        text("name", t("fact.name"), s.get("name"), withAsterisk=True),
        text("name_en", t("admin.name_en"), s.get("name_en")),
        choose("kind", t("fact.kind"), kinds, s.get("kind"), withAsterisk=True),
        text("lon", t("devices.lon"), s.get("lon"), withAsterisk=True),
        text("lat", t("devices.lat"), s.get("lat"), withAsterisk=True),
        choose("department_id", t("fact.department"), departments(visit), s.get("department_id")),
        text("address", t("admin.address"), s.get("address")),
    ]


def write_site(visit: Visit, key: str, values: Values) -> None:
    edit = desk.SiteEdit(**_plain(values, "name", "name_en", "kind", "address"), lon=number(values, "lon"),
                         lat=number(values, "lat"), department_id=values.get("department_id") or None)  # fmt: skip
    desk.write_site(visit.services, visit.principal, key or _plain(values, "id")["id"], edit)


def camera_columns(visit: Visit) -> list[Row]:
    t = visit.t
    return [
        column("name", t("fact.name"), cellRenderer="Parts", minWidth=200), column("kind", t("fact.kind"), width=130),
        column("site", t("fact.site"), minWidth=130), column("department", t("fact.department"), minWidth=140),
        column("state", t("fact.state"), cellRenderer="Parts", minWidth=150),
    ]  # fmt: skip


def camera_rows(visit: Visit) -> list[Row]:
    use = visit.services
    with read_scope(use.engine) as session:
        found, _ = queries.camera_page(session, visit.principal.actor, use.hub.states, {}, MOST, 0)
    return [
        {"camera_id": c["camera_id"], "kind": word(visit, "category", c["category"]), "site": c["site_name"] or "—",
         "department": c["department_name"] or "—", **named("name", own(visit, c), c["camera_id"]),
         **parts("state", *state_chips(c, visit))}
        for c in found
    ]  # fmt: skip


def camera(visit: Visit, key: str) -> Row:
    with read_scope(visit.services.engine) as session:
        services = visit.services
        return queries.camera_detail(session, visit.principal.actor, services.hub.states, key, services.camera_seal)


def camera_panel(visit: Visit, key: str) -> Any:
    t, c = visit.t, camera(visit, key)
    zones = html.A(t("camera.zones"), href=f"/vision?camera={key}", className="button")
    pairs = [(t("fact.number"), key), (t("admin.fps"), c["analysis_fps"]), (t("admin.priority"), c["priority"]),
             (t("devices.analysed"), t("rules.on" if c["enabled"] else "rules.off"))]  # fmt: skip
    names = ("change", "try", "spread")
    acts = [button(visit, "cameras", name, key, CAMERAS.actions[name].title) for name in names]
    return [html.H2(own(visit, c)), dmc.Group([*acts, zones], gap=6), facts(pairs)]


def ask_camera(visit: Visit, key: str) -> Any:
    t, c = visit.t, camera(visit, key)
    return [
        text("name", t("fact.name"), c["name"], withAsterisk=True),
        yes_no("enabled", t("devices.analysed"), c["enabled"], visit),
        text("analysis_fps", t("admin.fps"), c["analysis_fps"]), text("priority", t("admin.priority"), c["priority"]),
        yes_no("ptz", t("admin.ptz"), bool(c["attributes"].get("ptz")), visit),
        text("onvif", t("admin.onvif"), c["attributes"].get("onvif")),
        text("gateway_id", t("admin.gateway_id"), c["attributes"].get("gateway_id")),
    ]  # fmt: skip


def change(visit: Visit, key: str, values: Values) -> None:
    edit = CameraEdit(name=_plain(values, "name")["name"], enabled=bool(values.get("enabled")),
                      analysis_fps=number(values, "analysis_fps"),
                      priority=int(number(values, "priority")), ptz=bool(values.get("ptz")),
                      **_plain(values, "onvif", "gateway_id"))  # fmt: skip
    change_camera(visit.services, visit.principal, key, edit)


def ask_new_camera(visit: Visit, _key: str) -> Any:
    t = visit.t
    kinds: list[Choice] = choices({c: word(visit, "category", c) for c in CATEGORIES})
    return [
        text("camera_id", t("fact.number"), withAsterisk=True), text("name", t("fact.name"), withAsterisk=True),
        text("url", t("admin.url")), text("sub_url", t("admin.sub_url")),
        choose("category", t("fact.kind"), kinds, CATEGORIES[0]), choose("site_id", t("fact.site"), sites(visit)),
        choose("department_id", t("fact.department"), departments(visit)),
        text("lon", t("devices.lon")), text("lat", t("devices.lat")),
    ]  # fmt: skip


def new_camera(visit: Visit, _key: str, values: Values) -> None:
    place: dict[str, Any] = {n: number(values, n) for n in ("lon", "lat") if str(values.get(n) or "").strip()}
    rest: dict[str, Any] = {n: values.get(n) or None for n in ("site_id", "department_id")}
    plain = _plain(values, "camera_id", "name", "url", "sub_url")
    sent = NewCamera(**plain, category=str(values.get("category") or "general"), **rest, **place)
    create_camera(visit.services, visit.principal, sent)


def ask_try(visit: Visit, _key: str) -> Any:
    return [html.P(visit.t("admin.try_hint"))]


async def tried(visit: Visit, key: str, _values: Values) -> Any:
    """What the camera's streams hold, beside its picture as it is now."""
    t, told = visit.t, await try_camera(visit.services, visit.principal, key)
    lines = [
        html.P(
            [html.B(t(f"admin.{one['name']}")), " ", t("admin.tried", **one) if one["ok"] else one["problem"],
             "" if one["playable"] or not one["ok"] else f" {t('video.codec')}"],
            className="" if one["ok"] and one["playable"] else "warn-text",
        )
        for one in told["streams"]
    ]  # fmt: skip
    picture = html.Img(src=f"/api/cameras/{key}/snapshot.jpg", alt="", style={"width": "100%"}) if told["ok"] else None
    return [*(lines or [html.P(t("video.no_stream"), className="warn-text")]), picture]


def ask_spread(visit: Visit, key: str) -> Any:
    t, c = visit.t, camera(visit, key)
    kinds = choices({name: word(visit, "category", name) for name in CATEGORIES})
    has = "、".join(word(visit, "kind", a["kind"]) for a in c["algorithm_configs"]) or "—"
    return [
        html.P(t("admin.spread_hint", algorithms=has)),
        choose("category", t("fact.kind"), kinds, c["category"]),
        choose("site_id", t("fact.site"), sites(visit)),
        choose("department_id", t("fact.department"), departments(visit)),
        yes_no("replace", t("admin.spread_replace"), False, visit),
        yes_no("enable", t("devices.analysed"), True, visit),
    ]


def spread_on(visit: Visit, key: str, values: Values) -> Any:
    """Do it; how many changed stays in the dialog."""
    chosen: dict[str, Any] = {n: str(values.get(n) or "") for n in ("category", "site_id", "department_id")}
    wish = Spread(**chosen, replace=bool(values.get("replace")), enable=bool(values.get("enable")))
    return [html.P(visit.t("admin.spread_done", **spread(visit.services, visit.principal, key, wish)))]


DEPARTMENTS = Tab(
    "admin.departments", "department_id", department_columns, department_rows, department_panel,
    {"new": Action("admin.new_department", write_department, ask_department),
     "change": Action("act.edit", write_department, ask_department)}, new=("new",), tall=True,
)  # fmt: skip
SITES = Tab(
    "admin.sites", "site_id", site_columns, site_rows, site_panel,
    {"new": Action("admin.new_site", write_site, ask_site), "change": Action("act.edit", write_site, ask_site)},
    new=("new",), tall=True,
)  # fmt: skip
CAMERAS = Tab(
    "layer.cameras", "camera_id", camera_columns, camera_rows, camera_panel,
    {"new": Action("admin.new_camera", new_camera, ask_new_camera), "change": Action("act.edit", change, ask_camera),
     "try": Action("admin.try_camera", tried, ask_try), "spread": Action("admin.spread", spread_on, ask_spread)},
    new=("new",), tall=True,
)  # fmt: skip
