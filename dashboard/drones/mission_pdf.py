"""A mission's report as PDF: what was wanted and seen, the map of lines and footprints, the pictures."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import pymupdf

from core.clock import BEIJING
from dashboard.drones.pictures import small
from dashboard.drones.planning import rings_of
from dashboard.i18n import translate, words
from dashboard.services import Services
from storage.drones import DroneStore, FileView
from storage.missions import MissionView
from storage.session import read_scope
from storage.tables.people import User

MARGIN, MAP_HEIGHT = 40, 260
MOST_PICTURES = 24
CSS = """
body { font-family: sans-serif; font-size: 9.5pt; color: #10233a; }
h1 { font-size: 16pt; margin: 0; } h2 { font-size: 12pt; margin: 10pt 0 3pt 0; } p { margin: 2pt 0; }
td { padding: 3pt 6pt; border-bottom: 0.5pt solid #b9c8d8; } .k { color: #3d5268; } .bad { color: #b3123a; }
"""
Spot = Sequence[float]


def render(use: Services, mission: MissionView, language: str) -> bytes:
    """The PDF's bytes: one page of facts and map, then the pictures, four a page."""
    files = _files(use, mission)
    document = pymupdf.open()
    page = document.new_page(width=595, height=842)
    page.insert_htmlbox(pymupdf.Rect(MARGIN, MARGIN, 555, 400), _facts(use, mission, files, language), css=CSS)
    _map(page, mission, files, pymupdf.Rect(MARGIN, 420, 555, 420 + MAP_HEIGHT))
    page.insert_htmlbox(pymupdf.Rect(MARGIN, 690, 555, 790), _warnings(mission, language), css=CSS)
    _pictures(use, document, mission, files)
    made = translate(language, "mission.made", at=use.clock.now().astimezone(BEIJING).strftime("%Y-%m-%d %H:%M"))
    for number, sheet in enumerate(document, 1):
        below = pymupdf.Rect(MARGIN, 808, 555, 828)
        sheet.insert_htmlbox(below, f"<p style='font-size: 8pt'>{escape(made)}   {number} / {len(document)}</p>")
    document.subset_fonts()
    out = io.BytesIO()
    document.save(out, garbage=3, deflate=True)
    return out.getvalue()


def _files(use: Services, mission: MissionView) -> list[FileView]:
    store = DroneStore(use.engine)
    answered = [store.file(file_id) for file_id in mission.pictures]
    known = {file.file_id for file in answered}
    others = [f for flight in mission.flights for f in store.files(flight, None, 500) if f.file_id not in known]
    return [*answered, *others]


def _facts(use: Services, mission: MissionView, files: list[FileView], language: str) -> str:
    def t(key: str, **data: object) -> str:
        return escape(translate(language, f"mission.{key}", **data))

    plan = mission.plan
    wish = plan.get("wish", {})
    word = words(language)
    rows = [
        (t("purpose"), word.get(f"mission.purpose.{mission.purpose}", mission.purpose)),
        (t("state"), word.get(f"mission.state.{mission.state}", mission.state)),
        (t("pilot"), mission.pilot), (t("aircraft"), mission.aircraft), (t("permit"), mission.permit or "—"),
        (t("times"), f"{_local(mission.starts_at)} – {_local(mission.ends_at)}"),
        (t("asked"), f"{_name(use, mission.requested_by)}, {_local(mission.requested_at)}"),
    ]  # fmt: skip
    if plan:
        figures = t("figures", kind=word.get(f"mission.kind.{wish.get('kind')}", ""), height=plan["height_m"],
                    gsd=plan["gsd_cm"], photos=plan["photos"], minutes=plan["minutes"])  # fmt: skip
        rows.append((t("plan"), figures))
    rows.append((t("files"), f"{sum(bool(f.place) for f in files)} / {len(files)}"))
    if mission.verdict or mission.answer:
        said = word.get(f"mission.verdict.{mission.verdict}", mission.verdict)
        by = f"{_name(use, mission.answered_by)}, {_local(mission.answered_at)}"
        rows += [(t("verdict"), f"{said}: {mission.answer}"), (t("answered"), by)]
    body = "".join(f"<tr><td class='k'>{k}</td><td>{escape(str(v))}</td></tr>" for k, v in rows)
    note = f"<p>{escape(mission.note)}</p>" if mission.note else ""
    return f"<h1>{escape(mission.title)}</h1>{note}<table>{body}</table>"


def _warnings(mission: MissionView, language: str) -> str:
    told = mission.plan.get("warnings") or []
    tones = {True: "bad", False: "k"}
    return "".join(f"<p class='{tones[w['blocking']]}'>{escape(warning_text(w, language))}</p>" for w in told)


def warning_text(warning: dict[str, Any], language: str) -> str:
    """A warning of a plan in words."""
    values = {name: value or "" for name, value in warning.items() if name not in ("code", "blocking")}
    key = f"mission.warning.{warning['code']}"
    return translate(language, key, **values) if key in words(language) else str(warning["code"])


def _name(use: Services, user_id: str) -> str:
    with read_scope(use.engine) as session:
        user = session.get(User, user_id) if user_id else None
        return user.name if user is not None else user_id


def _local(moment: Any) -> str:
    return moment.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M") if moment else "—"


def _map(page: pymupdf.Page, mission: MissionView, files: list[FileView], frame: pymupdf.Rect) -> None:
    """Area, lines, footprints; north up, a bar for the scale."""
    rings = rings_of(mission.area)
    way = [(stop[0], stop[1]) for stop in mission.plan.get("stops", [])]
    prints = [file.place["corners"] for file in files if file.place.get("corners")]
    spots = [*(s for ring in rings for s in ring), *way, *(s for ring in prints for s in ring)]
    place, metres = _scaled(spots, frame)
    shape = page.new_shape()
    shape.draw_rect(frame)
    shape.finish(color=(0.7, 0.77, 0.84), fill=(0.965, 0.975, 0.985), width=0.6)
    for ring in prints:
        _draw(shape, [place(*s[:2]) for s in [*ring, ring[0]]], (0.1, 0.6, 0.45), 0.5, (0.1, 0.6, 0.45))
    for ring in rings:
        if len(ring) == 1:
            shape.draw_circle(place(*ring[0]), 4)
            shape.finish(color=(0.78, 0.08, 0.25), fill=(0.78, 0.08, 0.25))
        else:
            _draw(shape, [place(*s) for s in [*ring, ring[0]]], (0.78, 0.08, 0.25), 1.2)
    if len(way) > 1:
        _draw(shape, [place(*s) for s in way], (0.12, 0.38, 0.77), 0.9)
    bar = 10 ** math.floor(math.log10(max(1.0, metres(frame.width / 3))))
    length = bar / metres(1.0)
    foot = pymupdf.Point(frame.x0 + 8, frame.y1 - 8)
    shape.draw_line(foot, foot + (length, 0))
    shape.finish(color=(0.1, 0.15, 0.2), width=1.5)
    shape.commit()
    page.insert_text(foot + (length + 4, 2), f"{bar:g} m", fontsize=8)
    page.insert_text(pymupdf.Point(frame.x1 - 16, frame.y0 + 14), "N", fontsize=10)


def _draw(shape: Any, line: Iterable[Any], colour: Any, width: float, fill: Any = None) -> None:
    shape.draw_polyline(list(line))
    shape.finish(color=colour, width=width, fill=fill, fill_opacity=0.12 if fill else 1, closePath=False)


def _scaled(spots: Sequence[Spot], frame: pymupdf.Rect) -> tuple[Any, Any]:
    west, east = min(s[0] for s in spots), max(s[0] for s in spots)
    south, north = min(s[1] for s in spots), max(s[1] for s in spots)
    squeeze = max(0.1, math.cos(math.radians((south + north) / 2)))
    wide, high = max((east - west) * squeeze, 1e-3), max(north - south, 1e-3)
    scale = 0.88 * min(frame.width / wide, frame.height / high)
    middle = ((west + east) / 2, (south + north) / 2)

    def place(lon: float, lat: float) -> pymupdf.Point:
        x = (frame.x0 + frame.x1) / 2 + (lon - middle[0]) * squeeze * scale
        return pymupdf.Point(x, (frame.y0 + frame.y1) / 2 - (lat - middle[1]) * scale)

    return place, lambda points: points / scale * 111_320.0


def _pictures(use: Services, document: Any, mission: MissionView, files: list[FileView]) -> None:
    shown = [f for f in files if f.file_id in mission.pictures] or files
    column, row, page = 0, 0, None
    for file in shown[:MOST_PICTURES]:
        data = small(use.media, file)
        if data is None:
            continue
        if page is None or row == 2:
            page, row, column = document.new_page(width=595, height=842), 0, 0
        left, top = MARGIN + column * 262, MARGIN + row * 380
        page.insert_image(pymupdf.Rect(left, top, left + 252, top + 330), stream=data)
        place = file.place.get("centre")
        where = f"{place[1]:.6f}, {place[0]:.6f}" if place else "—"
        label = f"<p><b>{escape(file.name)}</b><br>{_local(file.taken_at)}<br>{where}</p>"
        page.insert_htmlbox(pymupdf.Rect(left, top + 334, left + 252, top + 376), label, css=CSS)
        column, row = (1, row) if column == 0 else (0, row + 1)
