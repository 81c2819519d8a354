"""Tables of the desk pages: one AG Grid set-up, words in both languages, keyboard, filter, export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dash_ag_grid as dag

from dashboard.i18n import words
from dashboard.pages.frame import Visit

ZH = {
    "noRowsToShow": "没有记录", "loadingOoo": "载入中…", "filterOoo": "筛选…",
    "contains": "包含", "notContains": "不包含", "equals": "等于", "notEqual": "不等于",
    "startsWith": "开头是", "endsWith": "结尾是", "blank": "为空", "notBlank": "不为空",
    "greaterThan": "大于", "greaterThanOrEqual": "大于等于", "lessThan": "小于", "lessThanOrEqual": "小于等于",
    "inRange": "介于", "inRangeStart": "从", "inRangeEnd": "到", "andCondition": "并且", "orCondition": "或者",
    "page": "页", "of": "共", "to": "至", "pageSizeSelectorLabel": "每页", "firstPage": "首页", "lastPage": "末页",
    "nextPage": "下一页", "previousPage": "上一页", "more": "更多", "ariaLabelColumnFilter": "列筛选",
}  # fmt: skip


CHART: dict[str, Any] = {
    "margin": {"l": 48, "r": 12, "t": 12, "b": 48}, "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)", "font": {"color": "#7f97b0"},
    "template": {"layout": {axis: {"gridcolor": "rgba(127,151,176,.22)", "zerolinecolor": "rgba(127,151,176,.4)"}
                            for axis in ("xaxis", "yaxis")}},
}  # fmt: skip
"""The look of a plotly chart on a desk page: the page's own ground, quiet words."""


def column(field: str, title: str, *, width: int | None = None, **more: Any) -> dict[str, Any]:
    """A column: ``field`` of the rows under ``title``; ``more`` as AG Grid names it."""
    return {"field": field, "headerName": title, **({"width": width} if width else {"flex": 1}), **more}


def chip(text: str, tone: str = "", title: str = "") -> dict[str, str]:
    """A part of a cell (see :func:`parts`) drawn as a chip; ``tone``: good, warn, bad, off or none."""
    return {"text": text, "c": f"chip {tone}".strip(), "title": title}


def parts(field: str, *shown: Mapping[str, str], sort: Any = None) -> dict[str, Any]:
    """A cell that ``cellRenderer="Parts"`` draws: ``{"text", "c": classes, "title", "href"}`` each.

    The column's own value is all their text (filters, export; the grid draws a cell anew when it changes), or ``sort``.
    """
    return {field: " ".join(p["text"] for p in shown) if sort is None else sort, f"{field}_parts": list(shown)}


def named(field: str, name: str, below: str) -> dict[str, Any]:
    """A cell of two lines: a name and, quietly, what lies below it."""
    return parts(field, {"text": name, "c": "strong"}, {"text": below, "c": "under"})


def table(
    visit: Visit,
    identifier: Any,
    columns: Sequence[Mapping[str, Any]],
    rows: Sequence[Mapping[str, Any]] | None = None,
    *,
    key: str = "",
    height: str = "calc(100vh - 230px)",
    options: Mapping[str, Any] | None = None,
    empty: str = "",
    **more: Any,
) -> Any:
    """A table of ``rows``, or, without them, one that asks the server for pages (``getRowsRequest``).

    ``key``: the field that identifies a row, so that selection and scroll position outlive a refresh.  A table without
    rows says what to do next: the words ``empty.<empty>``, by default ``empty.<identifier>``.
    """
    chosen = {
        "animateRows": False, "tooltipShowDelay": 300, "rowHeight": 38, "headerHeight": 38,
        "ensureDomOrder": True, "suppressColumnVirtualisation": True, "pagination": rows is not None,
        "paginationPageSize": 100, "paginationPageSizeSelector": [50, 100, 500],
        "localeText": locale_text(visit, empty or identifier),
        "rowSelection": {"mode": "singleRow", "checkboxes": False},
    }  # fmt: skip
    endless = {} if rows is not None else {"rowModelType": "infinite"}
    if rows is None:
        chosen |= {"cacheBlockSize": 100, "maxBlocksInCache": 20, "rowBuffer": 20}
    return dag.AgGrid(
        id=identifier,
        columnDefs=[dict(c) for c in columns],
        **({"rowData": list(rows)} if rows is not None else {}),
        **endless,
        defaultColDef={"sortable": True, "resizable": True, "filter": rows is not None, "tooltipValueGetter": None},
        dashGridOptions=chosen | dict(options or {}),
        getRowId=f"params.data.{key}" if key else None,
        className="desk-grid",
        style={"height": height, "width": "100%"},
        **more,
    )


def locale_text(visit: Visit, name: Any) -> dict[str, str]:
    """The grid's own words; an empty table and an empty filter say what to do next."""
    known = words(visit.language)
    said = {"noRowsToShow": known.get(f"empty.{name}") or known["empty.any"], "noMatchingRows": known["empty.matching"]}
    return (ZH if visit.language == "zh" else {}) | said


def window(request: Mapping[str, Any] | None) -> tuple[int, int]:
    """(first row, number of rows) that an endless table asks for; bounded."""
    start = max(0, int((request or {}).get("startRow", 0)))
    end = int((request or {}).get("endRow", start + 100))
    return start, max(1, min(500, end - start))
