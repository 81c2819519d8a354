"""The parts of the connections page: the list, the editor's fields, results as tables.  Pure but for words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
import yaml
from dash import html

from dashboard.pages.frame import Visit
from dashboard.pages.tables import column, table


class _Plain(yaml.SafeDumper):
    """YAML without aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def as_yaml(value: Any) -> str:
    """Plain data as YAML in the order that it has; "" for nothing."""
    text: str = yaml.dump(value, Dumper=_Plain, allow_unicode=True, sort_keys=False, width=110) if value else ""
    return text


def rows_of(items: Iterable[Mapping[str, Any]], kinds: Mapping[str, str], visit: Visit) -> list[dict[str, Any]]:
    """The list: name, kind, state in words, refusals."""
    return [
        {"id": i["connection_id"], "name": i["name"], "kind": kinds.get(str(i["kind"]), i["kind"]),
         "state": visit.t(f"conn.state.{i['live']['state']}"), "error": i["live"].get("error", ""),
         "taken": i["live"].get("counts", {}).get("taken", 0),
         "refused": i["live"].get("counts", {}).get("refused", 0) + i.get("orders_refused", 0)}
        for i in items
    ]  # fmt: skip


def listing(visit: Visit, rows: Sequence[Mapping[str, Any]]) -> Any:
    """The table of connections."""
    t = visit.t
    columns = [
        column("name", t("conn.name")), column("kind", t("conn.kind"), width=150),
        column("state", t("conn.state"), width=90), column("taken", t("conn.taken"), width=90),
        column("refused", t("conn.refused"), width=90),
    ]  # fmt: skip
    return table(visit, "conn-table", columns, rows, key="id", height="calc(100vh - 330px)")


def param_fields(kind: Mapping[str, Any], values: Mapping[str, Any], visit: Visit) -> list[Any]:
    """One field a parameter, by its type; dictionaries as YAML."""
    schema = next(iter(kind["params"]["$defs"].values()))
    found = []
    for name, spec in schema["properties"].items():
        label = kind["names"].get(name)
        if label is None:
            continue  # filled from the mapping
        given = values.get(name, spec.get("default"))
        ident = {"type": "conn-param", "name": name, "as": spec.get("type", "text")}
        required = name in schema.get("required", ())
        if "enum" in spec:
            data = [str(v) for v in spec["enum"]]
            found.append(dmc.Select(id=ident, label=label, data=data, value=given, allowDeselect=False))
        elif spec.get("type") == "boolean":
            found.append(dmc.Switch(id=ident, label=label, checked=bool(given)))
        elif spec.get("type") == "object":
            found.append(dmc.Textarea(id=ident, label=label, value=as_yaml(given), autosize=True, minRows=1, maxRows=6))
        elif spec.get("type") == "array":
            found.append(dmc.TextInput(id=ident, label=label, value=",".join(str(v) for v in given or [])))
        elif name == "query":
            found.append(dmc.Textarea(id=ident, label=label, value=str(given or ""), autosize=True, minRows=3))
        else:
            text = "" if given is None else str(given)
            found.append(dmc.TextInput(id=ident, label=label, value=text, required=required))
    return found


def secret_fields(kind: Mapping[str, Any], kept: Sequence[str], visit: Visit) -> list[Any]:
    """A password field a secret; what is set is said, never shown."""
    return [
        dmc.PasswordInput(
            id={"type": "conn-secret", "name": name}, label=visit.t(f"conn.secret.{name}"), value="",
            placeholder=visit.t("conn.secret_set" if name in kept else "conn.secret_unset"),
        )
        for name in kind["secrets"]
    ]  # fmt: skip


def result(visit: Visit, tried: Mapping[str, Any]) -> Any:
    """What the mapping made of the sample."""
    t = visit.t
    summary = t("conn.tried", items=tried["items"], readings=len(tried["readings"]), events=len(tried["events"]),
                orders=len(tried["orders"]), refused=len(tried["refused"]))  # fmt: skip
    parts: list[Any] = [html.P(summary, id="conn-summary", **{"aria-live": "polite"})]
    for name in ("refused", "readings", "events", "orders"):
        rows = tried[name][:8]
        if rows:
            parts += [html.H4(t(f"conn.{name}")), _plain_table(rows)]
    return parts


def _plain_table(rows: Sequence[Mapping[str, Any]]) -> Any:
    names = list(dict.fromkeys(name for row in rows for name in row if row[name] not in ("", None)))[:7]
    head = html.Thead(html.Tr([html.Th(name) for name in names]))
    body = html.Tbody([html.Tr([html.Td(_cell(row.get(name))) for name in names]) for row in rows])
    return html.Div(html.Table([head, body], className="plain"), style={"overflowX": "auto"})


def _cell(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)[:160]
    return "" if value is None else str(value)[:160]


def history(visit: Visit, detail: Mapping[str, Any]) -> Any:
    """State, last error, runs, refusals with their item, orders with errors."""
    t, live = visit.t, detail["live"]
    said = [t("conn.state"), "：", t(f"conn.state.{live['state']}"), "　", live.get("error") or ""]
    parts: list[Any] = [html.P(said, id="conn-state")]
    for title, rows, names in (
        ("conn.refusals", live.get("refusals", [])[:100], ("at", "code", "detail", "message", "version")),
        ("conn.bad_orders", detail.get("orders_with_errors", []), ("received_at", "number", "error", "case_id")),
        ("conn.deliveries", detail.get("deliveries", []), ("at", "state", "attempts", "error", "told")),
        ("conn.runs", live.get("runs", []), ("started", "rows", "taken", "refused", "error", "version")),
        ("conn.versions", detail.get("versions", []), ("version", "saved_at", "saved_by", "note")),
    ):
        shown = [{name: row.get(name) for name in names} for row in rows]
        parts += [html.H4(t(title)), _plain_table(shown) if shown else html.P("—")]
    return parts
