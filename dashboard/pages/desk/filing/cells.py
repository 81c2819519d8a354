"""The filer's grid: one row a question, what was typed, what is known already, and what somebody else has written."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.pages.frame import Visit
from dashboard.pages.tables import column
from records.filing.validation import plain_number

Row = dict[str, Any]
NUMBERS = frozenset({"integer", "decimal", "range"})


def cell_columns(visit: Visit, *, theirs: bool = False) -> list[dict[str, Any]]:
    """Question, value (typed in place), what is known, comment, total, to be sent back; ``theirs``: another's."""
    t = visit.t
    edit: dict[str, Any] = {"editable": True, "sortable": False}
    other = [column("theirs", t("filing.theirs"), width=140, cellStyle={"color": "var(--red, #d64545)"})]
    return [
        column("title", t("filing.question"), width=240),
        column("value", t("filing.value"), width=140, **edit),
        *(other if theirs else []),
        column("prefill", t("filing.prefill"), width=140),
        column("comment", t("filing.comment"), **edit),
        column("total", t("filing.total"), width=250),
        column("returned", t("filing.send_back"), width=90, cellDataType="boolean", **edit),
    ]


def cells_of(found: Mapping[str, Any], totals: Mapping[str, Any], visit: Visit) -> list[Row]:
    """The rows of the filer's grid; ``kept`` is what the server has, so that an emptied cell can be told."""
    lines = []
    for question in found["questions"]:
        name = question["question"]
        total, value, said = totals.get(name), found["values"].get(name), found["comments"].get(name, "")
        marks = [visit.t(f"filing.{mark}") for mark in ("partial", "stale") if total and total[mark]]
        lines.append(
            {"question": name, "title": question["title"], "type": question["type"], "value": value, "kept": value,
             "theirs": None, "comment": said, "told": said, "returned": name in found["returned"],
             "prefill": found["prefill"].get(name, {}).get("value"),
             "total": f"{total['value']} {' '.join(marks)}" if total else ""}
        )  # fmt: skip
    return lines


def problems_told(found: Mapping[str, Any], visit: Visit) -> str:
    """The problems in a line, by the questions' titles."""
    titles = {one["question"]: one["title"] for one in found["questions"]}
    chinese = visit.language == "zh"
    said = [
        f"{titles.get(p['question'], p['question'])}: {(p['zh'] if chinese else p['en']) or p['code']}"
        for p in found["problems"]
    ]
    return "；".join(said) if chinese else "; ".join(said)


def filled_in(rows: Sequence[Row]) -> list[Row]:
    """Empty cells with what is known already (last period, register, measure)."""
    return [{**row, "value": row.get("prefill") if _empty(row.get("value")) else row["value"]} for row in rows]


def typed(rows: Sequence[Row]) -> tuple[dict[str, Any], dict[str, str]]:
    """Values and comments as they are saved; digits become numbers, a cell that was emptied becomes None."""
    values = {
        row["question"]: _given(row) for row in rows if not _empty(row.get("value")) or not _empty(row.get("kept"))
    }
    changed = [row for row in rows if row.get("comment") and row["comment"] != row.get("told")]
    return values, {row["question"]: str(row["comment"]) for row in changed}


def against(rows: Sequence[Row], found: Mapping[str, Any]) -> list[Row]:
    """Rows as typed, with the values that somebody else has saved meanwhile where they differ."""
    lines = []
    for row in rows:
        theirs = found["values"].get(row["question"])
        mine = _given(row)
        shown = ("—" if theirs is None else theirs) if theirs != mine else None
        lines.append({**row, "kept": theirs, "theirs": shown})
    return lines


def pasted(rows: list[dict[str, Any]], text: str) -> tuple[list[dict[str, Any]], int, list[str]]:
    """Rows with the values of copied cells, how many were taken, and what named no question.

    Lines of two or more cells: the question's title (or name), then its value; lines of one cell: values in order.
    """
    lines = [[cell.strip() for cell in line.split("\t")] for line in text.splitlines() if line.strip()]
    known = {str(row[key]).strip(): at for at, row in enumerate(rows) for key in ("question", "title")}
    filled, taken, unknown = [dict(row) for row in rows], 0, []
    for number, cells in enumerate(lines):
        at = known.get(cells[0]) if len(cells) > 1 else number if number < len(rows) else None
        if at is None:
            unknown.append(cells[0][:40])
            continue
        value = unicodedata.normalize("NFKC", cells[1] if len(cells) > 1 else cells[0])
        plain = value.replace(",", "")
        filled[at]["value"] = plain if plain.replace(".", "", 1).lstrip("-").isdigit() else value
        taken += 1
    return filled, taken, unknown


def _given(row: Row) -> Any:
    """What the cell says; digits are a number where one is asked for (a text keeps its zeros)."""
    value = row.get("value")
    if _empty(value):
        return None
    return plain_number(value) if row.get("type") in NUMBERS else value


def _empty(value: Any) -> bool:
    return value is None or value == ""
