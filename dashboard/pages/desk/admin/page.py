"""The page ``/admin?tab=…``: one list, one panel, one dialog; the tabs say what stands in them."""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State, ctx, dcc, html, no_update

from core.errors import NotFound, YiwangError
from dashboard.accounts.users import POWERS
from dashboard.pages.address import address, asked, tabs
from dashboard.pages.desk.admin.directory import DIRECTORY
from dashboard.pages.desk.admin.outward import CALENDARS, CHANNELS, KEYS
from dashboard.pages.desk.admin.parts import Action, Tab, button
from dashboard.pages.desk.admin.people import USERS
from dashboard.pages.desk.admin.places import CAMERAS, DEPARTMENTS, SITES
from dashboard.pages.desk.admin.sign_on import SIGN_ON
from dashboard.pages.desk.admin.templates import TEMPLATES
from dashboard.pages.desk.admin.traces import AUDIT, DEAD
from dashboard.pages.desk.devices.parts import dialog
from dashboard.pages.frame import Page, Visit, explained, in_thread
from dashboard.pages.presses import pressed
from dashboard.pages.tables import table

PAGE = Page(path="/admin", zh="系统管理", en="Administration", roles=POWERS, order=90)
TABS: dict[str, Tab] = {
    "users": USERS, "sign_on": SIGN_ON, "directory": DIRECTORY, "departments": DEPARTMENTS, "sites": SITES,
    "cameras": CAMERAS, "templates": TEMPLATES,
    "interfaces": CHANNELS, "keys": KEYS, "calendars": CALENDARS, "dead": DEAD, "audit": AUDIT,
}  # fmt: skip


def layout(visit: Visit) -> Any:
    """The tabs; the callback below fills the open one."""
    shown = [(name, visit.t(TABS[name].title)) for name in mine(visit)]
    return html.Div(
        [
            html.H1(visit.t("page.admin")), tabs("adm-tabs", shown, shown[0][0]), html.Div(id="adm-body"),
            dcc.Store(id="adm-open"), dcc.Store(id="adm-changed"), dcc.Store(id="adm-at"), dcc.Store(id="adm-asked"),
            dialog("adm-dialog"),
        ]
    )  # fmt: skip


@PAGE.callback(
    Output("adm-body", "children"), Output("adm-tabs", "value"), Output("adm-open", "data"), Output("adm-at", "data"),
    Input("url", "search"), State("adm-open", "data"),
)  # fmt: skip
async def opened(visit: Visit, search: str | None, before: str | None) -> Any:
    """The tab that the address names, drawn once."""
    wanted, tabs_ = asked(search).get("tab", ""), mine(visit)
    name = wanted if wanted in tabs_ else tabs_[0]
    if name == before:
        return (no_update,) * 4
    return await in_thread(drawn, visit, name), name, name, None


@PAGE.callback(Output("url", "search", allow_duplicate=True), Input("adm-tabs", "value"), State("url", "search"), True)
async def turned(_visit: Visit, tab: str | None, search: str | None) -> Any:
    """The address follows the tab."""
    return address("", tab=tab) if tab and tab != asked(search).get("tab") else no_update


def mine(visit: Visit) -> list[str]:
    """The tabs that this person may use."""
    return [name for name, tab in TABS.items() if visit.principal.has(tab.role)]


def drawn(visit: Visit, name: str) -> Any:
    """A tab: tools, its list, the panel still empty."""
    tab, t = TABS[name], visit.t
    new = [button(visit, name, do, "", tab.actions[do].title, size="sm", variant="filled") for do in tab.new]
    find = dmc.TextInput(id="adm-find", placeholder=t("act.search"), debounce=250, w=220, value="",
                         **{"aria-label": t("act.search")})  # fmt: skip
    grid = table(visit, "adm-table", tab.columns(visit), [], key=tab.key, height="calc(100vh - 260px)",
                 options={"rowHeight": 50 if tab.tall else 38}, empty=f"adm-{name}")  # fmt: skip
    side = html.Aside(html.P(t("admin.pick"), className="quiet"), id="adm-panel", className="split-side")
    main = html.Div([html.Div(grid, id=f"adm-{name}"), tab.note(visit)], className="split-main")
    here = dcc.Store(id="adm-here", data=name)
    return html.Div([here, dmc.Group([find, *tab.tools(visit), *new], gap="sm", mb="sm"), html.Div([main, side],
                    className="split")])  # fmt: skip


@PAGE.callback(Output("adm-table", "rowData"), Input("adm-here", "data"), Input("adm-changed", "data"))
async def listed(visit: Visit, name: str | None, _changed: Any) -> Any:
    """The list of the open tab."""
    return list(await in_thread(TABS[name].rows, visit)) if name in mine(visit) else no_update


@PAGE.callback(
    Output("adm-table", "dashGridOptions"), Input("adm-find", "value"), State("adm-table", "dashGridOptions"), True
)
async def found(_visit: Visit, wanted: str | None, options: dict[str, Any] | None) -> Any:
    """Only rows that hold the words."""
    return {**options, "quickFilterText": (wanted or "")[:100]} if options else no_update


@PAGE.callback(
    Output("adm-at", "data", allow_duplicate=True), Input("adm-table", "cellClicked"), State("adm-open", "data"), True
)
async def picked(_visit: Visit, cell: dict[str, Any] | None, name: str | None) -> Any:
    """The row that was picked."""
    return {"tab": name, "key": str(cell["rowId"])} if cell and cell.get("rowId") and name in TABS else no_update


@PAGE.callback(Output("adm-panel", "children"), Input("adm-at", "data"), Input("adm-changed", "data"), True)
async def panel(visit: Visit, at: dict[str, str] | None, _changed: Any) -> Any:
    """Everything about it."""
    if not at or at.get("tab") not in mine(visit):
        return no_update
    try:
        shown = await in_thread(TABS[at["tab"]].panel, visit, at["key"])
    except NotFound:  # it went meanwhile
        shown = html.P(visit.t("admin.pick"), className="quiet")
    return html.Div(shown, className="desk-stack")


@PAGE.callback(
    Output("adm-dialog", "opened"), Output("adm-dialog-held", "children"), Output("adm-asked", "data"),
    Output("adm-changed", "data"), Input({"adm-tab": ALL, "adm-do": ALL, "adm-key": ALL}, "n_clicks"), True,
)  # fmt: skip
async def acted(visit: Visit, _clicks: Any) -> Any:
    """Ask, or do at once what needs no question."""
    button, _ = pressed()
    if not button:
        return (no_update,) * 4
    wish = {"tab": button["adm-tab"], "do": button["adm-do"], "key": button["adm-key"]}
    action = action_of(wish)
    if action.ask is None:
        await done(visit, action, wish["key"], {})
        return no_update, no_update, no_update, visit.services.clock.now().isoformat()
    return True, await in_thread(question, visit, action, wish["key"]), wish, no_update


def action_of(wish: dict[str, str]) -> Action:
    """The action that a button names."""
    tab = TABS.get(wish.get("tab", ""))
    action = tab.actions.get(wish.get("do", "")) if tab else None
    if action is None:
        raise NotFound(what="action", key=str(wish.get("do")))
    return action


async def done(visit: Visit, action: Action, key: str, values: dict[str, Any]) -> Any:
    """Do it, beside the event loop unless it is a coroutine itself."""
    if iscoroutinefunction(action.act):
        return await action.act(visit, key, values)
    return await in_thread(action.act, visit, key, values)


def question(visit: Visit, action: Action, key: str) -> Any:
    """The dialog of an action."""
    asks = action.ask(visit, key) if action.ask else []
    wrong = html.P(id="adm-wrong", className="form-error", role="alert")
    send = dmc.Button(visit.t("act.ok"), id={"adm-send": "now"})
    return [html.H2(visit.t(action.title)), dmc.Stack(asks, gap="xs"), wrong, send]


@PAGE.callback(
    Output("adm-wrong", "children"), Output("adm-dialog", "opened", allow_duplicate=True),
    Output("adm-dialog-held", "children", allow_duplicate=True), Output("adm-changed", "data", allow_duplicate=True),
    Input({"adm-send": ALL}, "n_clicks"), State("adm-asked", "data"), State({"adm-field": ALL}, "value"), True,
)  # fmt: skip
async def sent(visit: Visit, clicks: Any, wish: dict[str, str] | None, _values: Any) -> Any:
    """Do it; what is wrong stands in the dialog."""
    if not any(clicks or []) or not wish:
        return (no_update,) * 4
    given = {entry["id"]["adm-field"]: entry.get("value") for entry in ctx.states_list[1]}
    try:
        shown = await done(visit, action_of(wish), wish["key"], given)
    except YiwangError as error:
        return explained(visit, error), no_update, no_update, no_update
    now = visit.services.clock.now().isoformat()
    return ("", False, no_update, now) if shown is None else (no_update, True, shown, now)
