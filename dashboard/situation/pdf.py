"""The situation report as a PDF of A4 pages with its map; fonts for Chinese are embedded, nothing is fetched."""

from __future__ import annotations

import io
from html import escape
from typing import TYPE_CHECKING

from core.late import Late
from dashboard.i18n import translate
from dashboard.situation.facts import CaseLine, ReportFact, SituationReport

if TYPE_CHECKING:
    import pymupdf
else:
    pymupdf = Late("pymupdf")

MARGIN = 40
MAP_HEIGHT = 210
CSS = """
body { font-family: sans-serif; font-size: 9.5pt; color: #10233a; }
h1 { font-size: 18pt; margin: 0; } h2 { font-size: 12pt; margin-top: 12pt; margin-bottom: 3pt; }
p { margin: 2pt 0; } td, th { padding: 3pt 5pt; border-bottom: 0.5pt solid #b9c8d8; text-align: left; }
th { color: #3d5268; } .late { color: #b3123a; }
"""
COLOURS = {4: (0.78, 0.08, 0.25), 3: (0.88, 0.48, 0.06), 2: (0.85, 0.68, 0.05), 1: (0.12, 0.38, 0.77)}


def render(report: SituationReport, language: str) -> bytes:
    """The PDF's bytes; a page number and the time of making stand at the foot of each page."""
    target = io.BytesIO()
    writer = pymupdf.DocumentWriter(target)
    page = pymupdf.paper_rect("a4")
    inner = page + (MARGIN, MARGIN, -MARGIN, -MARGIN)
    story = pymupdf.Story(html=_html(report, language), user_css=CSS)
    more, first = 1, True
    while more:
        device = writer.begin_page(page)
        space = inner + (0, MAP_HEIGHT + 64, 0, 0) if first else inner
        more, _ = story.place(space)
        story.draw(device)
        writer.end_page()
        first = False
    writer.close()
    document = pymupdf.open("pdf", target.getvalue())
    _head(document[0], report)
    _map(document[0], report, pymupdf.Rect(MARGIN, MARGIN + 56, page.width - MARGIN, MARGIN + 56 + MAP_HEIGHT))
    for number, sheet in enumerate(document, 1):
        foot = f"{translate(language, 'situation.made', at=report.made, by=report.by)}   {number} / {len(document)}"
        below = pymupdf.Rect(MARGIN, page.height - 34, page.width - MARGIN, page.height - 14)
        sheet.insert_htmlbox(below, f"<p style='font-size: 8pt; color: #5a6f86'>{escape(foot)}</p>")
    document.subset_fonts()
    return bytes(document.tobytes(garbage=3, deflate=True))


def _head(page: pymupdf.Page, report: SituationReport) -> None:
    space = pymupdf.Rect(MARGIN, MARGIN, page.rect.width - MARGIN, MARGIN + 52)
    said = f"<h1>{escape(report.title)}</h1><p style='font-size: 11pt'>{escape(report.span)}</p>"
    page.insert_htmlbox(space, said, css=CSS)


def _map(page: pymupdf.Page, report: SituationReport, frame: pymupdf.Rect) -> None:
    """Streets as outlines, cases as dots by severity, north up, one scale in both directions at this latitude."""
    points = [point for ring in report.outlines for point in ring] or [(d[0], d[1]) for d in report.dots]
    if not points:
        return
    west, east = min(x for x, _ in points), max(x for x, _ in points)
    south, north = min(y for _, y in points), max(y for _, y in points)
    squeeze = 0.72  # cos 44°: a degree of longitude against one of latitude
    scale = min(frame.width / max((east - west) * squeeze, 1e-6), frame.height / max(north - south, 1e-6))

    def place(lon: float, lat: float) -> pymupdf.Point:
        return pymupdf.Point(frame.x0 + (lon - west) * squeeze * scale, frame.y0 + (north - lat) * scale)

    shape = page.new_shape()
    for ring in report.outlines:
        shape.draw_polyline([place(x, y) for x, y in ring])
        shape.finish(color=(0.55, 0.65, 0.75), fill=(0.94, 0.96, 0.98), width=0.6, closePath=True)
    for lon, lat, severity in report.dots:
        if west <= lon <= east and south <= lat <= north:
            shape.draw_circle(place(lon, lat), 1.6 + severity * 0.6)
            shape.finish(color=(1, 1, 1), fill=COLOURS.get(severity, COLOURS[1]), width=0.3)
    shape.commit()


def _html(report: SituationReport, language: str) -> str:
    def t(key: str) -> str:
        return escape(translate(language, f"situation.{key}"))

    parts = [f"<h2>{t('now')}</h2>", _facts(report.now, t("before"), with_before=False)]
    parts += [f"<h2>{t('period')}</h2>", _facts(report.facts, t("before"), with_before=True)]
    parts += [f"<h2>{t('grave')}</h2>", _lines(report.grave, language) if report.grave else f"<p>{t('none')}</p>"]
    still = _lines(report.open_lines, language) if report.open_lines else f"<p>{t('none')}</p>"
    parts += [f"<h2>{t('open')}</h2>", still]
    if report.departments:
        heads = "".join(f"<th>{escape(head)}</th>" for head in report.department_heads)
        rows = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in report.departments)
        parts += [f"<h2>{t('departments')}</h2>", f"<table><tr>{heads}</tr>{rows}</table>"]
    return "".join(parts)


def _facts(facts: tuple[ReportFact, ...], before: str, *, with_before: bool) -> str:
    rows = "".join(
        f"<tr><td>{escape(f.name)}</td><td><b>{escape(f.value)}</b></td>"
        + (f"<td>{before} {escape(f.before)}</td>" if with_before and f.before else "<td></td>")
        + "</tr>"
        for f in facts
    )
    return f"<table>{rows}</table>"


def _lines(lines: tuple[CaseLine, ...], language: str) -> str:
    named = ("number", "title", "severity", "state", "department", "opened", "deadline")
    heads = "".join(f"<th>{escape(translate(language, f'fact.{name}'))}</th>" for name in named)
    rows = []
    for line in lines:
        cells = [getattr(line, name) for name in named]
        mark = " class='late'" if line.late else ""
        rows.append("<tr>" + "".join(f"<td{mark}>{escape(cell)}</td>" for cell in cells) + "</tr>")
    return f"<table><tr>{heads}</tr>{''.join(rows)}</table>"
