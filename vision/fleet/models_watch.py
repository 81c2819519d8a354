"""Models replaced while they run (warm swap).

An administrator puts another file in the place of one that is in use (or one of the same name into the models folder,
which goes before what ships).  Every ``CHECK_S`` the files of the loaded detectors are looked at; one that changed and
then kept still is loaded beside the old one, checked (readable, its card is its own, it knows the classes that the
algorithms need, it survives a picture) and put in its place.  The cameras go on meanwhile, and pictures that the old
one has begun are finished by it.  Where people judged enough alarms, the new one must beat the old one on them
(:mod:`vision.fleet.model_trial`).  A file that is no good leaves the old model running; that is counted and shown until
a good file comes.  A camera whose algorithm could not be built for want of a good file is built when there is one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import Any

from core.clock import Clock
from core.errors import YiwangError
from vision import weights
from vision.detectors._base import Detector
from vision.evaluate.cards import read_card
from vision.fleet.engine import Engine, Station
from vision.fleet.field_sets import FieldSets
from vision.fleet.model_trial import Contestant, ModelNotBetter, try_models
from vision.judging.detector_pool import DetectorPool
from vision.judging.findings import Need

log = logging.getLogger("yiwang.vision.models")

CHECK_S = 3.0
RETRY_S = 15.0

Stamp = tuple[tuple[str, int, int], ...]  # path, time of change (ns), bytes


@dataclass
class _Watched:
    """One detector's files: as they were when it was loaded, and as they were at the last look."""

    loaded: Stamp
    last: Stamp
    since: str = ""
    problem: str = ""
    thresholds: dict[str, float] = field(default_factory=dict)  # on the card of the model in use
    trial: dict[str, Any] = field(default_factory=dict)  # the last one: see ModelTrial.plain


class ModelsWatch:
    """Watches the models of one pool; ``rebuild`` is asked to build a camera's analysis again."""

    def __init__(
        self, pool: DetectorPool, engine: Engine, clock: Clock, rebuild: Callable[[Station], Awaitable[None]],
        field_sets: FieldSets | None = None,
    ) -> None:  # fmt: skip
        self._field = field_sets
        self.swaps = 0
        self.errors = 0
        self._pool = pool
        self._engine = engine
        self._clock = clock
        self._rebuild = rebuild
        self._watched: dict[str, _Watched] = {}

    async def watch(self) -> None:
        """For ever: look at the files, and at cameras whose algorithms could not be built."""
        looks = 0
        while True:
            await asyncio.sleep(CHECK_S)
            await asyncio.to_thread(self.check)
            looks += 1
            if looks % round(RETRY_S / CHECK_S) == 0:
                for station in [s for s in self._engine.held() if s.analysis.model_problems]:
                    await self._rebuild(station)

    def check(self) -> None:
        """One look at the files of all loaded detectors; swaps what changed and keeps still."""
        for key, (need, detector) in self._pool.loaded().items():
            stamp = self._stamp(need)
            if key not in self._watched:
                same = self._is(need, detector.model.sha256)  # it may have changed since it was loaded
                self._watched[key] = _Watched(stamp if same else (), stamp, self._now(), "", self._thresholds(need))
            known = self._watched[key]
            settled, known.last = stamp == known.last, stamp
            if stamp == known.loaded or not settled:
                continue
            known.loaded = stamp  # good or not: looked at again when it changes again
            if stamp and self._is(need, detector.model.sha256) and self._thresholds(need) == known.thresholds:
                known.problem = ""  # the old one was put back, or what was refused was taken away
                self._touch(key)
                continue
            try:
                self._swap(need, known)
            except YiwangError as error:
                self.errors += 1
                known.problem = f"{type(error).__name__}: {error}"
                log.warning("a replaced model is not used, the old one runs on: %s", error)
                self._touch(key)

    def problems_of(self, station: Station) -> list[str]:
        """What is wrong with files of models that this camera uses; the models before them run."""
        wanted = {need.key for need in station.analysis.needs}
        return [w.problem for key, w in self._watched.items() if w.problem and key in wanted]

    def state(self) -> dict[str, Any]:
        """``models`` in use, how often they were swapped, errors, for the worker's live entry."""
        models = []
        for key, (_, detector) in self._pool.loaded().items():
            known, ref = self._watched.get(key), detector.model
            models.append(
                {
                    "name": ref.name,
                    "sha256": ref.sha256,
                    "version": ref.version,
                    "since": known.since if known else "",
                    "problem": known.problem if known else "",
                    "trial": known.trial if known else {},
                }
            )
        return {"models": models, "model_swaps": self.swaps, "model_errors": self.errors}

    def _swap(self, need: Need, known: _Watched) -> None:
        path = self._pool.file_of(need)
        if path is not None:
            read_card(path)  # a card that belongs to another file would bring wrong thresholds
            weights.accept(path)  # more alarms may have been judged since it was refused
        before = self._pool.get(need).model
        fresh = self._pool.swap(need, lambda old, new: self._try(need, known, old, new))
        known.thresholds = self._thresholds(need)
        for station in self._touch(need.key):
            for algorithm in station.analysis.algorithms:
                algorithm.refresh()
        known.problem, known.since = "", self._now()
        self.swaps += 1
        log.info(
            "model %s %s (%s) now in place of %s (%s)",
            fresh.model.name, fresh.model.version, fresh.model.sha256[:12], before.name, before.sha256[:12],
        )  # fmt: skip

    def _try(self, need: Need, known: _Watched, old: Detector, new: Detector) -> None:
        """Both on the district's judged alarms; :class:`ModelNotBetter` when the old one is as good."""
        known.trial = {}
        path = self._pool.file_of(need)
        if self._field is None or path is None or not weights.trials_wanted():
            return
        kinds = {a.kind for s in self._engine.held() for a in s.analysis.algorithms if need in a.needs}
        card = read_card(path)
        learnt = [str(s) for s in (card.made.get("field_pictures") or [])] if card else []
        pictures = self._field.of(kinds, learnt)
        if not pictures:
            return
        before, after = Contestant(old, known.thresholds), Contestant(new, self._thresholds(need))
        trial = try_models(before, after, pictures, self._field.read, self._pool.classes_of(need))
        known.trial = {**trial.plain(), "sha256": new.model.sha256, "version": new.model.version, "at": self._now()}
        log.info("%s against %s: %s: %s", new.model.sha256[:12], old.model.sha256[:12], trial.verdict, trial.words)
        if trial.verdict == "not_better":
            weights.refuse(path, trial.words)
            judged = trial.before.confirmed + trial.before.wrong
            raise ModelNotBetter(model=f"{path.name} {new.model.version}", pictures=judged, figures=trial.words)

    def _thresholds(self, need: Need) -> dict[str, float]:
        try:
            path = self._pool.file_of(need)
            card = read_card(path) if path is not None else None
        except YiwangError:
            return {}
        return dict(card.thresholds) if card is not None else {}

    def _touch(self, key: str) -> list[Station]:
        """The cameras that use a detector; their live state is told anew."""
        using = [s for s in self._engine.held() if any(n.key == key for n in s.analysis.needs)]
        for station in using:
            station.changed = True
        return using

    def _stamp(self, need: Need) -> Stamp:
        try:
            path = self._pool.file_of(need)
        except YiwangError:
            return ()  # gone: the model in memory runs on, and the next file is another
        return tuple(_seal(p) for p in weights.companions(path)) if path else ()

    def _is(self, need: Need, sha256: str) -> bool:
        try:
            path = self._pool.file_of(need)
            return path is None or not sha256 or weights.reference(path).sha256 == sha256
        except (YiwangError, OSError):
            return False

    def _now(self) -> str:
        return self._clock.now().astimezone(UTC).isoformat()


def _seal(path: Path) -> tuple[str, int, int]:
    try:
        stat = path.stat()
    except OSError:
        return str(path), 0, 0
    return str(path), stat.st_mtime_ns, stat.st_size
