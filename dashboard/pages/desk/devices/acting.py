"""What happens when a button of a device is pressed: commands, registration, its own credential."""

from __future__ import annotations

from typing import Any

from dash import ALL, Input, Output, State, ctx, no_update

from core.errors import InputInvalid, YiwangError
from dashboard.desk import devices as desk
from dashboard.pages.choices import word
from dashboard.pages.desk.devices.page import PAGE
from dashboard.pages.desk.devices.tools import registration, secret
from dashboard.pages.frame import Visit, in_thread, tell
from dashboard.pages.presses import pressed

NUMBERS = ("lon", "lat", "expected_interval_s")


@PAGE.callback(
    Output("dev-said", "children"), Input({"command": ALL}, "n_clicks"), Input("dev-restart", "submit_n_clicks"),
    State("dev-at", "data"), True, running=[(Output({"command": ALL}, "disabled"), True, False)],
)  # fmt: skip
async def commanded(visit: Visit, _clicks: Any, _restarts: int | None, device_id: str | None) -> Any:
    """Send a command and say what the device answered."""
    button, _ = pressed()
    if not device_id or not button:
        return no_update
    name = button["command"] if isinstance(button, dict) else "restart"
    action = desk.DeviceAction(name=name, timeout_s=60 if name == "duty_check" else 20)
    answer = await desk.command_device(visit.services, visit.principal, device_id, action)
    done = visit.t("devices.ok") if answer.ok else visit.t("devices.failed")
    return f"{word(visit, 'devcommand', name)}: {done} {answer.detail or ''}"


@PAGE.callback(
    Output("dev-dialog", "opened"), Output("dev-dialog-held", "children"), Input({"dev": ALL}, "n_clicks"),
    State("dev-at", "data"), True,
)  # fmt: skip
async def asked(visit: Visit, _clicks: Any, device_id: str | None) -> Any:
    """The form of the registration, as it stands."""
    button, _ = pressed()
    if not device_id or not button:
        return no_update, no_update
    d = await in_thread(desk.one_device, visit.services, visit.principal, device_id)
    accept = button["dev"] == "accept"
    return True, await in_thread(lambda: registration(visit, d, accept=accept))


@PAGE.callback(
    Output("dev-wrong", "children"), Output("dev-dialog", "opened", allow_duplicate=True),
    Output("dev-changed", "data"), Input({"keep": ALL}, "n_clicks"), State("dev-at", "data"),
    State({"registration": ALL}, "value"),
    State("dev-measures", "rowData", allow_optional=True), True,
)  # fmt: skip
async def kept(visit: Visit, _clicks: Any, device_id: str | None, _values: Any, rows: Any) -> Any:
    """Keep the registration; ingest follows within seconds."""
    button, _ = pressed()
    if not device_id or not button:
        return no_update, no_update, no_update
    given = {entry["id"]["registration"]: entry.get("value") for entry in ctx.states_list[1]}
    accept = button["keep"] == "accept"
    try:
        change = edit_of(given, rows, accept=accept)
        action = "device_accept" if accept else "device_change"
        made = await in_thread(desk.change_device, visit.services, visit.principal, device_id, change, action)
    except YiwangError as error:
        return error.told(visit.language), no_update, no_update
    tell(visit.t("devices.accepted", id=device_id) if accept else visit.t("vision.saved"))
    return "", False, f"{device_id} {made['revision']}"


def edit_of(given: dict[str, Any], rows: list[dict[str, Any]] | None, *, accept: bool) -> desk.DeviceEdit:
    """What the form says, as the change of a device."""
    values = {name: _value(name, value) for name, value in given.items()}
    if not values.get("name"):
        raise InputInvalid(field="name", detail="is empty", how="give the device a name")
    if accept:
        values["status"] = "accepted"
    values = {n: v for n, v in values.items() if v is not None or n in {"site_id", "department_id", *NUMBERS}}
    if rows is not None:
        values |= measures_of(rows)
    return desk.DeviceEdit(**values)


def _value(name: str, value: Any) -> Any:
    text = value.strip() if isinstance(value, str) else value
    if name in NUMBERS:
        return None if text in (None, "") else _number(name, text)
    return (text or None) if name in {"site_id", "department_id"} else text


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise InputInvalid(field=name, detail=f"{value!r} is no number", how="write a number") from error


def measures_of(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Calibration and ranges from the table; a line without values has none."""
    calibration, ranges = {}, {}
    for row in rows:
        name, found = row["quantity"], {}
        for part in ("scale", "offset", "low", "high"):
            if row.get(part) not in (None, ""):
                found[part] = _number(f"{name} {part}", row[part])
        if scaled := {k: v for k, v in found.items() if k in {"scale", "offset"}}:
            calibration[name] = scaled
        if ("low" in found) != ("high" in found):
            raise InputInvalid(field=f"{name} range", detail="has one end", how="give low and high, or neither")
        if "low" in found:
            ranges[name] = (found["low"], found["high"])
    return {"calibration": calibration, "ranges": ranges}


@PAGE.callback(
    Output("dev-secret", "opened"), Output("dev-secret-held", "children"),
    Output("dev-changed", "data", allow_duplicate=True), Input("dev-give", "submit_n_clicks"),
    State("dev-at", "data"), True,
)  # fmt: skip
async def given_secret(visit: Visit, clicks: int | None, device_id: str | None) -> Any:
    """A user and password of the device's own, shown this once."""
    if not clicks or not device_id:
        return no_update, no_update, no_update
    made = await in_thread(desk.new_credential, visit.services, visit.principal, device_id)
    return True, secret(visit, made), f"{device_id} given {visit.services.clock.now().isoformat()}"


@PAGE.callback(
    Output("dev-changed", "data", allow_duplicate=True), Input("dev-take", "submit_n_clicks"),
    State("dev-at", "data"), True,
)  # fmt: skip
async def taken(visit: Visit, clicks: int | None, device_id: str | None) -> Any:
    """Take the device's own credential away."""
    if not clicks or not device_id:
        return no_update
    await in_thread(desk.revoke_credential, visit.services, visit.principal, device_id)
    tell(visit.t("devices.revoked"))
    return f"{device_id} taken {visit.services.clock.now().isoformat()}"
