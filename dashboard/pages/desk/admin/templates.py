"""Named templates of cameras' algorithms: made, changed, given to many cameras, taken away."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import html

from core.ids import new_id
from core.records import AlgorithmConfig
from dashboard.desk import camera_templates as desk
from dashboard.desk.camera_sets import Spread
from dashboard.desk.cameras import algorithm_kinds
from dashboard.pages.choices import choices, departments, named_words, sites, word
from dashboard.pages.desk.admin.parts import Action, Row, Tab, Values, button, choose, facts, several, text, yes_no
from dashboard.pages.desk.devices.parts import CATEGORIES
from dashboard.pages.frame import Visit
from dashboard.pages.moments import shown
from dashboard.pages.tables import column, named


def columns(visit: Visit) -> list[Row]:
    t = visit.t
    return [
        column("name", t("fact.name"), cellRenderer="Parts", minWidth=180),
        column("algorithms", t("admin.algorithms"), minWidth=220), column("made", t("admin.made"), width=170),
    ]  # fmt: skip


def rows(visit: Visit) -> list[Row]:
    return [
        {"template_id": each["template_id"], "algorithms": _words(visit, each["algorithms"]),
         "made": shown(each["made_at"]), **named("name", *_two(visit, each))}
        for each in desk.templates(visit.services, visit.principal)
    ]  # fmt: skip


def panel(visit: Visit, key: str) -> Any:
    t, each = visit.t, desk.template(visit.services, visit.principal, key)
    names = ("apply", "change", "remove")
    acts = [button(visit, "templates", name, key, TEMPLATES.actions[name].title) for name in names]
    pairs = [(word(visit, "kind", a["kind"]), ", ".join(f"{n} = {v}" for n, v in (a.get("params") or {}).items())
              or t("admin.usual_values")) for a in each["algorithms"]]  # fmt: skip
    return [html.H2(_two(visit, each)[0]), dmc.Group(acts, gap=6), facts(pairs)]


def ask(visit: Visit, key: str) -> Any:
    """Names, and the algorithms: chosen by kind, or those of a camera with its parameters."""
    t, each = visit.t, desk.template(visit.services, visit.principal, key) if key else {}
    kinds = choices({a["kind"]: word(visit, "kind", a["kind"]) for a in algorithm_kinds(visit.services)})
    has = [a["kind"] for a in each.get("algorithms", [])]
    return [
        text("name", t("fact.name"), each.get("name"), withAsterisk=True),
        text("name_en", t("admin.name_en"), each.get("name_en")),
        several("kinds", t("admin.algorithms"), kinds, has, searchable=True),
        text("like", t("admin.like_camera"), description=t("admin.like_camera_hint")),
    ]


def write(visit: Visit, key: str, values: Values) -> None:
    """Kinds that the template has already keep their zones and parameters."""
    has = {a["kind"]: a for a in desk.template(visit.services, visit.principal, key)["algorithms"]} if key else {}
    wanted = [
        AlgorithmConfig(kind=kind, zones=tuple(old.get("zones") or ()), params=dict(old.get("params") or {}))
        for kind in values.get("kinds") or [] if (old := has.get(kind, {})) is not None
    ]  # fmt: skip
    plain = {n: str(values.get(n) or "").strip() for n in ("name", "name_en", "like")}
    edit = desk.TemplateEdit(**plain, algorithms=wanted)
    desk.save_template(visit.services, visit.principal, key or new_id().lower(), edit)


def ask_apply(visit: Visit, key: str) -> Any:
    """To which cameras; what is left empty does not narrow the choice."""
    t, each = visit.t, desk.template(visit.services, visit.principal, key)
    categories = choices({name: word(visit, "category", name) for name in CATEGORIES})
    return [
        html.P(t("admin.apply_hint", algorithms=_words(visit, each["algorithms"]))),
        choose("category", t("fact.kind"), categories),
        choose("site_kind", t("admin.site_kind"), choices(named_words(visit, "sitekind"))),
        choose("site_id", t("fact.site"), sites(visit)),
        choose("department_id", t("fact.department"), departments(visit)),
        yes_no("replace", t("admin.spread_replace"), False, visit),
        yes_no("enable", t("devices.analysed"), True, visit),
        yes_no("preview", t("admin.only_count"), False, visit),
    ]


def apply(visit: Visit, key: str, values: Values) -> Any:
    """Do it, or only count; the numbers stay in the dialog."""
    chosen: dict[str, Any] = {
        n: str(values.get(n) or "") for n in ("category", "site_kind", "site_id", "department_id")
    }
    preview = bool(values.get("preview"))
    wish = Spread(**chosen, replace=bool(values.get("replace")), enable=bool(values.get("enable")), preview=preview)
    told = desk.apply_template(visit.services, visit.principal, key, wish)
    return [html.P(visit.t("admin.spread_counted" if preview else "admin.spread_done", **told))]


def ask_remove(visit: Visit, _key: str) -> Any:
    return [html.P(visit.t("admin.remove_template_hint"))]


def remove(visit: Visit, key: str, _values: Values) -> None:
    desk.remove_template(visit.services, visit.principal, key)


def _two(visit: Visit, each: Row) -> tuple[str, str]:
    if visit.language == "en":
        return each["name_en"] or each["name"], each["name"] if each["name_en"] else ""
    return each["name"], each["name_en"]


def _words(visit: Visit, algorithms: list[Row]) -> str:
    return ("、" if visit.language == "zh" else ", ").join(word(visit, "kind", a["kind"]) for a in algorithms)


TEMPLATES = Tab(
    "admin.templates", "template_id", columns, rows, panel,
    {"new": Action("admin.new_template", write, ask), "change": Action("act.edit", write, ask),
     "apply": Action("admin.apply_template", apply, ask_apply),
     "remove": Action("act.delete", remove, ask_remove)}, new=("new",), tall=True,
)  # fmt: skip
