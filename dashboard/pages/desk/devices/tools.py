"""What may be done with a device: commands, registration, its own credential; and the dialogs for it."""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import dcc, html

from dashboard.desk.devices import ACTIONS, COMMANDED_BY, EDITED_BY
from dashboard.pages.choices import choices, departments, named_words, sites, word
from dashboard.pages.frame import Visit
from dashboard.pages.tables import locale_text

SYSTEMS = ("wgs84", "gcj02", "bd09", "cgcs2000")
STATUSES = ("accepted", "quarantine", "disabled")
DUTY_CHECKED = ("gb26875",)  # protocols whose devices ask a person to answer


def tools(visit: Visit, d: dict[str, Any]) -> Any:
    """The buttons that this person may use."""
    t, who, accepted = visit.t, visit.principal, d["status"] == "accepted"
    plain: list[Any] = []
    if who.has(*COMMANDED_BY) and accepted:
        names = [n for n in ACTIONS if n != "duty_check" or d["source"] in DUTY_CHECKED]
        plain += [_command(visit, name) for name in names]
    if who.has(*EDITED_BY):
        if not accepted:
            plain.append(dmc.Button(t("act.accept"), id={"dev": "accept"}, size="xs"))
        plain.append(dmc.Button(t("act.edit"), id={"dev": "edit"}, size="xs", variant="default"))
    said = html.P(id="dev-said", className="quiet", role="status")
    return html.Div([dmc.Group(plain, gap=8), said, own_credential(visit, d)])


def _command(visit: Visit, name: str) -> Any:
    """A command's button; a restart is asked again."""
    label = word(visit, "devcommand", name)
    if name != "restart":
        return dmc.Button(label, id={"command": name}, size="xs", variant="default")
    button = dmc.Button(label, size="xs", variant="default")
    return dcc.ConfirmDialogProvider(button, id="dev-restart", message=visit.t("devices.really_restart"))


def own_credential(visit: Visit, d: dict[str, Any]) -> Any:
    """Whether the device has a user and password of its own; administrators give and take it."""
    t = visit.t
    has = html.Span(t("devices.own_credential" if d["own_credential"] else "devices.shared_credential"),
                    className=f"chip {'good' if d['own_credential'] else 'off'}")  # fmt: skip
    if not visit.principal.has("admin"):
        return has
    give = dmc.Button(t("devices.new_credential"), size="xs", variant="default")
    buttons = [dcc.ConfirmDialogProvider(give, id="dev-give", message=t("devices.really_new_credential"))]
    if d["own_credential"]:
        take = dmc.Button(t("devices.revoke_credential"), size="xs", variant="default")
        buttons.append(dcc.ConfirmDialogProvider(take, id="dev-take", message=t("devices.really_revoke")))
    return dmc.Group([has, *buttons], gap=8)


def secret(visit: Visit, made: dict[str, Any]) -> Any:
    """A new credential, shown this once."""
    t = visit.t
    rows = [
        (t("devices.user"), made["user"]), (t("devices.password"), made["password"]),
        (t("devices.client_ids"), " ".join(made["client_ids"])), (t("devices.topics"), " ".join(made["topics"])),
    ]  # fmt: skip
    lines = [part for name, value in rows for part in (html.Dt(name), html.Dd(html.Code(value)))]
    return [html.H2(t("devices.credential_once")), html.Dl(lines, className="facts")]


def field(name: str) -> dict[str, str]:
    """The id of a field of the registration."""
    return {"registration": name}


def registration(visit: Visit, d: dict[str, Any], *, accept: bool) -> Any:
    """The form of a device: what an acceptance asks for, or everything."""
    t = visit.t
    parts: list[Any] = [
        dmc.TextInput(id=field("name"), label=t("fact.name"), value=d["name"] or "", withAsterisk=True),
        dmc.Autocomplete(id=field("device_type"), label=t("devices.type"), value=d["device_type"] or "",
                         data=sorted(named_words(visit, "devicetype"))),
        dmc.Select(id=field("site_id"), label=t("fact.site"), data=sites(visit), value=d["site_id"], searchable=True,
                   clearable=True, limit=50),
        dmc.Select(id=field("department_id"), label=t("fact.department"), data=departments(visit),
                   value=d["department_id"], searchable=True, clearable=True),
        dmc.NumberInput(id=field("expected_interval_s"), label=t("devices.interval"), min=1, hideControls=True,
                        value="" if d["expected_interval_s"] is None else d["expected_interval_s"]),
    ]  # fmt: skip
    if not accept:
        parts += _more(visit, d)
    wrong = html.P(id="dev-wrong", className="form-error", role="alert")
    save = dmc.Button(t("act.accept" if accept else "act.save"), id={"keep": "accept" if accept else "edit"}, mt="md")
    title = t("devices.accept_title" if accept else "devices.edit_title", id=d["device_id"])
    grid = None if accept else measures(visit, d)
    return [html.H2(title), html.Div(parts, className="desk-fields"), grid, wrong, save]


def _more(visit: Visit, d: dict[str, Any]) -> list[Any]:
    t = visit.t
    statuses = {s: word(visit, "devstatus", s) for s in STATUSES}
    systems = {s: s.upper() for s in SYSTEMS}
    places: list[Any] = [
        dmc.NumberInput(id=field(n), label=t(f"devices.{n}"), value="" if d[n] is None else d[n], hideControls=True)
        for n in ("lon", "lat")
    ]
    return [
        *places,
        dmc.Select(id=field("coord_sys"), label=t("devices.coord_sys"), data=choices(systems), allowDeselect=False,
                   value=d["coord_sys"] or SYSTEMS[0]),
        dmc.Select(id=field("status"), label=t("fact.state"), data=choices(statuses), allowDeselect=False,
                   value=d["status"]),
    ]  # fmt: skip


def measures(visit: Visit, d: dict[str, Any]) -> Any:
    """Calibration and range by quantity, typed into a table."""
    t = visit.t
    calibration, ranges = d["calibration"] or {}, d["ranges"] or {}
    known = [*(k.split("/")[0] for k in d["values"] or {}), *(r.quantity for r in d["latest"]), *calibration, *ranges]
    rows = [
        {"quantity": q, "title": word(visit, "kind", q), "scale": calibration.get(q, {}).get("scale"),
         "offset": calibration.get(q, {}).get("offset"), "low": (ranges.get(q) or (None, None))[0],
         "high": (ranges.get(q) or (None, None))[1]}
        for q in dict.fromkeys(known)
    ]  # fmt: skip
    if not rows:
        return None
    names = {"scale": "devices.scale", "offset": "devices.offset", "low": "devices.low", "high": "devices.high"}
    first = {"field": "title", "headerName": t("devices.quantity"), "editable": False, "tooltipField": "quantity"}
    columns: list[dict[str, Any]] = [
        {**first, "flex": 2, "cellDataType": "text"},
        *({"field": n, "headerName": t(key)} for n, key in names.items()),
    ]
    grid = dag.AgGrid(
        id="dev-measures", rowData=rows, columnDefs=columns, getRowId="params.data.quantity", className="desk-grid",
        defaultColDef={"flex": 1, "editable": True, "sortable": False, "cellDataType": "number"},
        dashGridOptions={"domLayout": "autoHeight", "singleClickEdit": True, "stopEditingWhenCellsLoseFocus": True,
                         "localeText": locale_text(visit, "lines")},
        style={"height": None, "width": "100%"},
    )  # fmt: skip
    return html.Div([html.Span(t("devices.calibration_ranges"), className="label"), grid], className="mt")
