"""Guided tours of pages and the handbook, as files: shipped ones and those of a city (``<data>/tours``).

A tour is YAML::

    id: grid_home
    page: /m            # the address of the page it explains
    roles: [grid_worker]
    zh: 我的网格怎么用
    en: My grid in a minute
    steps:
      - selector: '[data-tab="grid"]'
        zh: {title: 我的网格, text: 本网格的人、房、楼都在这里。}
        en: {title: My grid, text: People and houses of your grid are here.}
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select

from core.errors import InputInvalid, NotFound
from core.records import Actor
from dashboard.services import Services
from storage.session import read_scope, session_scope
from storage.tables.training.exams import TourSeen

log = logging.getLogger("yiwang.training")
TOURS = Path(__file__).parent / "tours"
HANDBOOK = Path(__file__).parent.parent.parent / "docs" / "handbook"
LANGUAGES = ("zh", "en")
MOST_STEPS, MOST_FILES, MOST_BYTES = 30, 500, 1 << 20
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}", re.ASCII)
_HOW = "docs/training.md shows a whole tour"
JOBS: Mapping[str, tuple[str, ...]] = {
    "counter_clerk": ("staff", "manager"), "filer": ("grid_worker", "staff"), "approver": ("staff", "manager"),
    "item_manager": ("manager",),
}  # fmt: skip
"""Handbook pages of jobs that are no role of their own: whose they are besides."""


@dataclass(frozen=True)
class GuidedTour:
    """A tour; ``steps``: ``{"selector", "zh": {"title", "text"}, "en": …}``; no ``roles``: for everybody."""

    id: str
    page: str
    zh: str
    en: str
    roles: tuple[str, ...]
    steps: tuple[dict[str, Any], ...]
    digest: str

    def is_for(self, actor: Actor) -> bool:
        """Whether it is offered to this person."""
        return not self.roles or bool(set(self.roles) & set(actor.roles))


def parse_tour(body: Any, where: str = "tour") -> GuidedTour:
    """A tour from its data; :class:`InputInvalid` names the step and what is wrong with it."""
    if not isinstance(body, Mapping) or not _NAME.fullmatch(str(body.get("id") or "")):
        raise InputInvalid(field=f"{where}.id", detail="is missing or no name", how=_HOW)
    name, page = str(body["id"]), str(body.get("page") or "")
    if not page.startswith("/"):
        raise InputInvalid(field=f"{where}.page", detail=f"{page!r}", how="name a page's address, e.g. /filing")
    steps = body.get("steps")
    if not isinstance(steps, list) or not 0 < len(steps) <= MOST_STEPS:
        raise InputInvalid(field=f"{where}.steps", detail=f"must be a list of 1 to {MOST_STEPS}", how=_HOW)
    checked = tuple(_step(step, f"{where}.steps[{at}]") for at, step in enumerate(steps, 1))
    roles = body.get("roles") or []
    if not isinstance(roles, list) or not body.get("zh"):
        raise InputInvalid(field=where, detail="roles are no list, or zh is missing", how=_HOW)
    digest = hashlib.sha256(yaml.safe_dump(dict(body), allow_unicode=True).encode()).hexdigest()[:16]
    zh = str(body["zh"])[:100]
    return GuidedTour(name, page, zh, str(body.get("en") or zh)[:100], tuple(map(str, roles)), checked, digest)


def _step(step: Any, where: str) -> dict[str, Any]:
    if not isinstance(step, Mapping) or not isinstance(step.get("selector"), str) or not step["selector"].strip():
        raise InputInvalid(field=where, detail="selector is missing", how="name the element by a CSS selector")
    said: dict[str, Any] = {}
    for language in LANGUAGES:
        words = step.get(language) or (step.get("zh") if language == "en" else None)
        if not isinstance(words, Mapping) or not words.get("title") or not words.get("text"):
            raise InputInvalid(field=f"{where}.{language}", detail="title or text is missing", how=_HOW)
        said[language] = {"title": str(words["title"])[:80], "text": str(words["text"])[:400]}
    return {"selector": step["selector"].strip()[:200], **said}


@lru_cache(maxsize=MOST_FILES * 2)
def _read(path: Path, _changed_ns: int) -> GuidedTour | None:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError("it is too large")
        return parse_tour(yaml.safe_load(path.read_text(encoding="utf-8")), path.stem)
    except (InputInvalid, OSError, ValueError, yaml.YAMLError) as error:
        log.warning("tour %s is not taken: %s", path.name, error)
        return None


def tours(data_dir: Path | None = None) -> dict[str, GuidedTour]:
    """All tours by id; one of the city replaces the shipped one of the same id."""
    found: dict[str, GuidedTour] = {}
    for folder in (TOURS, *((data_dir / "tours",) if data_dir else ())):
        files = sorted(folder.glob("*.yaml"))[:MOST_FILES] if folder.is_dir() else []
        for tour in (_read(path, path.stat().st_mtime_ns) for path in files):
            if tour is not None:
                found[tour.id] = tour
    return found


@dataclass(frozen=True)
class GuideDesk:
    """Tours and handbook as one person finds them."""

    services: Services
    actor: Actor

    def listed(self, page: str) -> list[dict[str, Any]]:
        """The tours of a page for this person, each with whether it was seen as it is now."""
        known = tours(self.services.settings.data_dir).values()
        mine = [tour for tour in known if tour.page == page and tour.is_for(self.actor)]
        with read_scope(self.services.engine) as session:
            sql = select(TourSeen.tour_id, TourSeen.digest).where(TourSeen.user_id == self.actor.user_id)
            seen = set(session.execute(sql))
        mine.sort(key=lambda tour: (not tour.roles, tour.id))  # the one made for the role first
        return [
            {"tour_id": tour.id, "zh": tour.zh, "en": tour.en, "seen": (tour.id, tour.digest) in seen,
             "steps": list(tour.steps)} for tour in mine
        ]  # fmt: skip

    def see(self, tour_id: str, skipped: bool) -> None:
        """Note that the person has seen (or skipped) the tour as it is now."""
        tour = tours(self.services.settings.data_dir).get(tour_id)
        if tour is None or not tour.is_for(self.actor):
            raise NotFound(what="tour", key=tour_id)
        with session_scope(self.services.engine) as session:
            session.merge(
                TourSeen(user_id=self.actor.user_id, tour_id=tour_id, digest=tour.digest, skipped=skipped,
                         at=self.services.clock.now())
            )  # fmt: skip


def handbook_pages() -> list[str]:
    """The names of the handbook's pages."""
    return sorted(path.stem for path in HANDBOOK.glob("*.md") if not path.stem.endswith(".zh"))


def own_pages(actor: Actor) -> list[str]:
    """The pages of the person's roles and of the jobs that go with them, in that order."""
    known, roles = handbook_pages(), set(actor.roles)
    jobs = [job for job, whose in JOBS.items() if roles & set(whose)]
    return [name for name in (*(role for role in actor.roles), *jobs) if name in known]


def handbook_page(name: str, language: str) -> dict[str, str]:
    """``{name, title, text}``: a page as Markdown; :class:`NotFound`."""
    if name not in handbook_pages():
        raise NotFound(what="handbook page", key=name[:40])
    path = HANDBOOK / (f"{name}.zh.md" if language == "zh" else f"{name}.md")
    text = path.read_text(encoding="utf-8")
    return {"name": name, "title": text.partition("\n")[0].lstrip("# ").strip(), "text": text}
