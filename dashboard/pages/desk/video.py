"""Video wall (视频巡屏): 4, 9 or 16 live pictures, a person's layouts, tours that stop at a finding."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.api.deps import CENTRE
from dashboard.components import VideoTiles
from dashboard.pages.frame import Page, Visit
from dashboard.videowall.routes import MAKERS

PAGE = Page(path="/video", zh="视频巡屏", en="Video wall", roles=CENTRE, order=15)


def layout(visit: Visit) -> Any:
    """The tiles; what they show is live and therefore drawn by an ES module, like the wall."""
    return html.Div(
        [html.H1(visit.t("video.title")), VideoTiles(id="tiles", may_make=visit.principal.has(*MAKERS))],
        className="video-page",
    )
