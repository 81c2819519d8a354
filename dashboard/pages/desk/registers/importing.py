"""Import into the register: headings mapped by the user, suggested and saved; a dry run first, then for good."""

from __future__ import annotations

import base64
import io
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State, dcc, html, no_update

from core.errors import Forbidden, InputInvalid
from core.tables.problem import Language
from dashboard.pages.desk.registers.base import PAGE
from dashboard.pages.frame import Visit, in_thread, tell
from dashboard.pages.presses import pressed
from dashboard.registers.keeping import KeepingDesk
from records.registers.access import must_write
from records.registers.definition import Register

MOST_BYTES = 20 << 20  # larger files: the API or the command line
SHOWN = 200


def import_panel(visit: Visit) -> Any:
    """Button and dialog; the dialog is filled when a file was chosen."""
    t = visit.t
    upload = dcc.Upload(dmc.Button(t("registers.import_file"), variant="outline"), id="reg-file", max_size=MOST_BYTES,
                        accept=".xlsx,.xls,.csv,.ods,.geojson,.json,.zip,.gpkg")  # fmt: skip
    return html.Div(
        [
            dmc.Button(t("registers.import"), id="reg-import-open", variant="subtle"),
            dmc.Modal(
                [html.P(t("registers.import_about"), className="quiet"), upload,
                 html.Div(id="reg-import-map", style={"marginTop": "12px"}),
                 html.Div(id="reg-import-report", **{"aria-live": "polite"}),
                 dcc.Store(id="reg-import-file"), dcc.Store(id="reg-import-heads")],
                id="reg-import", title=t("registers.import"), size="xl",
            ),
        ]
    )  # fmt: skip


@PAGE.callback(
    Output("reg-import", "opened"), Input("reg-import-open", "n_clicks"), State("reg-register", "value"), True
)
async def opens(visit: Visit, clicks: int | None, register_id: str | None) -> Any:
    """The dialog, for whoever may change the register."""
    if not clicks or not register_id:
        return no_update
    must_write(visit.principal.actor, _desk(visit).register(register_id))
    return True


@PAGE.callback(
    Output("reg-import-map", "children"), Output("reg-import-file", "data"), Output("reg-import-heads", "data"),
    Output("reg-import-report", "children"), Input("reg-file", "contents"), State("reg-file", "filename"),
    State("reg-register", "value"), True,
)  # fmt: skip
async def chosen(visit: Visit, contents: str | None, name: str | None, register_id: str | None) -> Any:
    """The file's headings, each with the field that it seems to mean."""
    if not contents or not register_id:
        return (no_update,) * 4
    kept = {"name": (name or "upload")[:200], "body": contents.partition(",")[2]}
    found = await in_thread(_desk(visit).headings, register_id, _bytes(kept), kept["name"], _language(visit))
    heads = [one["heading"] for one in found["headings"]]
    drawn = mapping_form(visit, found, _desk(visit).register(register_id)) if heads else problems_of(visit, found)
    return drawn, kept, heads, ""


@PAGE.callback(
    Output({"type": "reg-map-field", "index": ALL}, "value"), Input("reg-map-saved", "value"),
    State("reg-import-heads", "data"), State("reg-register", "value"), True,
)  # fmt: skip
async def saved(visit: Visit, name: str | None, heads: list[str], register_id: str) -> Any:
    """The mapping that was saved under a name."""
    rows = await in_thread(_desk(visit).mappings, register_id)
    mapping: dict[str, str] = next((row["mapping"] for row in rows if row["name"] == name), {})
    return [mapping.get(head) for head in heads] if mapping else [no_update for _ in heads]


@PAGE.callback(
    Output("reg-import-report", "children", allow_duplicate=True),
    Input({"type": "reg-import-do", "index": ALL}, "n_clicks"), State({"type": "reg-map-field", "index": ALL}, "value"),
    State("reg-import-heads", "data"), State("reg-import-file", "data"), State("reg-register", "value"),
    State("reg-import-good", "checked"), State("reg-map-name", "value"), True,
)  # fmt: skip
async def does(
    visit: Visit, _clicks: Any, fields: list[str | None], heads: list[str], file: dict[str, str], register_id: str,
    good: bool | None, name: str | None,
) -> Any:  # fmt: skip
    """Try, take or save the mapping, as the button says."""
    button, _ = pressed()
    if not button:
        return no_update
    mapping = {head: field for head, field in zip(heads, fields, strict=True) if field}
    desk, action = _desk(visit), button["index"]
    if action == "save":
        row = await in_thread(desk.save_mapping, register_id, name or "", mapping)
        tell(visit.t("registers.mapping_saved", name=row["name"]))
        return no_update
    tried = action == "try"
    report = await in_thread(desk.take_file, register_id, _bytes(file), file["name"], mapping, tried, bool(good))
    shown = [problem.as_dict(_language(visit)) for problem in report.problems]
    return report_of(visit, {**report.as_dict(), "problems": shown})


def mapping_form(visit: Visit, found: dict[str, Any], register: Register) -> Any:
    """A line a heading: what stands in the file, and the field that takes it."""
    t, zh = visit.t, visit.language == "zh"
    data = [{"value": f.name, "label": f"{f.zh if zh else f.en}{' *' if f.required else ''}"} for f in register.fields]
    rows = [
        html.Tr([
            html.Td(one["heading"]), html.Td("、".join(v for v in one["examples"] if v), className="quiet"),
            html.Td(dmc.Select(id={"type": "reg-map-field", "index": number}, data=data, clearable=True,
                               searchable=True, allowDeselect=False, value=found["suggested"].get(one["heading"]),
                               **{"aria-label": one["heading"]})),
        ])
        for number, one in enumerate(found["headings"])
    ]  # fmt: skip
    heads = html.Tr([html.Th(t(f"registers.map_{word}")) for word in ("heading", "examples", "field")])
    names = [one["name"] for one in found["saved"]]
    return html.Div([
        dmc.Select(id="reg-map-saved", data=names, placeholder=t("registers.mapping_saved_ones"), clearable=True, w=260,
                   disabled=not names, **{"aria-label": t("registers.mapping_saved_ones")}),
        html.Table([html.Thead(heads), html.Tbody(rows)], className="plain"),
        dmc.Group([
            dmc.TextInput(id="reg-map-name", placeholder=t("registers.mapping_name"), value="",
                          **{"aria-label": t("registers.mapping_name")}),
            _button(visit, "save", "subtle"),
            dmc.Checkbox(id="reg-import-good", label=t("registers.import_good"), checked=False),
            _button(visit, "try", "outline"), _button(visit, "take", "filled"),
        ], gap="sm", mt="sm"),
        problems_of(visit, found),
    ])  # fmt: skip


def _button(visit: Visit, action: str, how: str) -> Any:
    text = visit.t(f"registers.import_{action}")
    return dmc.Button(text, id={"type": "reg-import-do", "index": action}, variant=how)


def problems_of(visit: Visit, found: dict[str, Any]) -> Any:
    """Every problem by sheet, row and field, with what to do."""
    lines = [
        html.Li(" ".join(str(part) for part in (p.get("sheet"), p.get("row") or "", p.get("field"), p.get("what"),
                                                p.get("remedy")) if part))
        for p in found["problems"][:SHOWN]
    ]  # fmt: skip
    return html.Ul(lines, className="quiet") if lines else html.Div()


def report_of(visit: Visit, report: dict[str, Any]) -> Any:
    """Counts, then problems."""
    word = "registers.import_tried" if report["dry_run"] else "registers.import_done"
    counts = {name: report[name] for name in ("rows", "created", "changed", "unchanged", "refused")}
    return html.Div([html.P(visit.t(word, **counts), className="strong"), problems_of(visit, report)])


def _bytes(file: dict[str, str] | None) -> io.BytesIO:
    if not file:
        raise InputInvalid(field="file", detail="is missing", how="choose a file first")
    if len(file["body"]) > MOST_BYTES * 4 // 3 + 4:
        raise Forbidden(action="send a file above 20 MB here; use the command line")
    try:
        return io.BytesIO(base64.b64decode(file["body"], validate=True))
    except ValueError as error:
        raise InputInvalid(field="file", detail="did not arrive whole", how="choose it again") from error


def _language(visit: Visit) -> Language:
    return "zh" if visit.language == "zh" else "en"


def _desk(visit: Visit) -> KeepingDesk:
    return KeepingDesk(visit.services, visit.principal.actor)
