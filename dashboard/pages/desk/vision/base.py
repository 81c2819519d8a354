"""What the parts of the vision page share: the page, one camera, its picture as the ground of a drawing."""

from __future__ import annotations

from time import time
from typing import Any
from urllib.parse import quote

import plotly.graph_objects as go
from dash import dcc

from core.errors import YiwangError
from dashboard import queries
from dashboard.desk.stills import shape_of
from dashboard.pages.frame import Page, Visit
from storage.session import read_scope

PAGE = Page(path="/vision", zh="视频智能", en="Vision", roles=("admin", "operator", "manager", "dispatcher"), order=20)
WIDE = 16 / 9  # until the picture's own shape is known


def camera_of(visit: Visit, camera_id: str) -> dict[str, Any]:
    """One camera that this person may see."""
    with read_scope(visit.services.engine) as session:
        use = visit.services
        return queries.camera_detail(session, visit.principal.actor, use.hub.states, camera_id, use.camera_seal)


def picture(identifier: str) -> Any:
    """An empty drawing; the page's callbacks fill it."""
    return dcc.Graph(id=identifier, figure=drawing("", clicks=False), style=shape(WIDE), className="picture",
                     config={"displayModeBar": False, "doubleClick": False, "responsive": True})  # fmt: skip


def shape(ratio: float) -> dict[str, str]:
    """The style of a picture that is ``ratio`` times as wide as high."""
    return {"aspectRatio": f"{ratio:.4f}", "width": "100%"}


async def still(visit: Visit, camera_id: str) -> dict[str, Any]:
    """``{"url", "ratio"}`` of the camera's picture as it is now, or ``{"missing"}``: why there is none."""
    try:
        width, height = await shape_of(visit.services, visit.principal, camera_id)
    except (YiwangError, OSError, TimeoutError) as error:
        return {"missing": str(error) or type(error).__name__}
    return {"url": f"/api/cameras/{quote(camera_id, safe='')}/snapshot.jpg?t={int(time())}", "ratio": width / height}


def drawing(url: str, *, clicks: bool) -> go.Figure:
    """A drawing over the picture at ``url``: x and y are shares of it, y downwards; ``clicks`` are told anywhere."""
    figure = go.Figure(go.Scatter(x=[], y=[], hoverinfo="skip"))
    axis: dict[str, Any] = {"visible": False, "fixedrange": True, "constrain": "domain"}
    figure.update_layout(
        xaxis=axis | {"range": [0, 1]}, yaxis=axis | {"range": [1, 0]}, margin={"l": 0, "r": 0, "t": 0, "b": 0},
        dragmode=False, hovermode="closest", clickanywhere=clicks, showlegend=False, uirevision="picture",
        paper_bgcolor="#0b1420", plot_bgcolor="#0b1420",
    )  # fmt: skip
    if url:
        figure.add_layout_image(source=url, xref="x", yref="y", x=0, y=0, sizex=1, sizey=1, yanchor="top",
                                sizing="stretch", layer="below")  # fmt: skip
    return figure


def clicked(data: dict[str, Any] | None) -> tuple[float, float] | None:
    """Where a drawing was clicked, in shares of the picture."""
    x, y = (data or {}).get("xvals") or [None], (data or {}).get("yvals") or [None]
    if x[0] is None or y[0] is None:
        return None
    return round(min(1.0, max(0.0, float(x[0]))), 4), round(min(1.0, max(0.0, float(y[0]))), 4)
