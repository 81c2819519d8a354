"""The detectors of one process: each model loaded once, shared by all cameras, replaced while they run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from core import plugins
from core.errors import YiwangError
from core.memory import give_back
from vision import weights
from vision.detections import Detections, Image
from vision.detectors._base import Detector
from vision.errors import ClassMissing, ModelInvalid
from vision.judging.findings import Need

WARM_UP: Image = np.full((360, 640, 3), 114, np.uint8)


class DetectorPool:
    """Builds a detector when the first need names it; measures what its pictures cost.

    ``named_only``: models of the operator's folder and our own alone, for settings that come over the network.
    ``memory``: where algorithms keep what they learnt over days; None: nowhere.

    ``detect`` is safe from several threads: one picture batch at a time per detector.  Loading a model never holds up
    the detectors that run.
    """

    def __init__(self, *, named_only: bool = False, memory: Path | None = None) -> None:
        self._named_only = named_only
        self.memory = memory
        self._detectors: dict[str, Detector] = {}
        self._needs: dict[str, Need] = {}
        self._classes: dict[str, set[str]] = {}  # what the algorithms need of each
        self._running: dict[str, threading.Lock] = {}
        self._loading: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        self.batches: dict[str, int] = {}
        self.pictures: dict[str, int] = {}
        self.seconds: dict[str, float] = {}

    def get(self, need: Need, kind: str = "") -> Detector:
        """The detector for ``need``; typed errors when it cannot be built or does not know the classes."""
        with self._lock:
            detector = self._detectors.get(need.key)
            loading = self._loading.setdefault(need.key, threading.Lock())
        if detector is None:
            with loading:
                detector = self._detectors.get(need.key)
                if detector is None:
                    if self._named_only:
                        weights.check_named(need.params)
                    detector = plugins.build("detector", need.detector, need.params)
                    self._put(need, detector)
        assert detector is not None
        _know(detector, need.classes, kind or need.detector)
        self._classes[need.key].update(need.classes)
        return detector

    def detect(self, need: Need, images: Sequence[Image]) -> list[Detections]:
        """Run the detector of ``need`` on ``images``."""
        return self._run(need, images, self.get(need).detect)

    def detect_of(
        self, need: Need, images: Sequence[Image], whose: Sequence[str], at: Sequence[float]
    ) -> list[Detections]:
        """As :meth:`detect`, with the camera and the seconds of each picture, for detectors that remember cameras."""
        remembers = getattr(self.get(need), "detect_of", None)
        if remembers is None:
            return self.detect(need, images)
        return self._run(need, images, lambda frames: remembers(frames, whose, at))

    def _run(
        self, need: Need, images: Sequence[Image], detect: Callable[[Sequence[Image]], list[Detections]]
    ) -> list[Detections]:
        with self._running[need.key]:
            start = time.thread_time()
            found = detect(images)
            self.seconds[need.key] += time.thread_time() - start
            self.pictures[need.key] += len(images)
            self.batches[need.key] += 1
        return found

    def swap(self, need: Need, trial: Callable[[Detector, Detector], None] | None = None) -> Detector:
        """Load the model of ``need`` afresh beside the old one, warm it up, then use it: no camera waits for a load.

        ``trial`` is asked before (old, new) and raises when the new one may not be used.  Typed errors when it cannot
        be used or lacks a class that an algorithm needs; the old one runs on then.
        """
        with self._loading.setdefault(need.key, threading.Lock()):
            try:
                fresh: Detector = plugins.build("detector", need.detector, need.params)
                _know(fresh, sorted(self._classes.get(need.key, ())), need.detector)
                fresh.detect([WARM_UP])
            except YiwangError:
                raise
            except Exception as error:  # noqa: BLE001 — whatever a foreign file does when it is built or first asked
                detail = f"{type(error).__name__}: {error}"[:200]
                raise ModelInvalid(path=str(need.params.get("file", need.detector)), detail=detail) from error
            old = self._detectors.get(need.key)
            if trial is not None and old is not None:
                trial(_Lent(old, self._running[need.key]), fresh)
            self._put(need, fresh)
        return fresh

    def loaded(self) -> dict[str, tuple[Need, Detector]]:
        """What runs now."""
        with self._lock:
            return {key: (self._needs[key], detector) for key, detector in self._detectors.items()}

    def file_of(self, need: Need) -> Path | None:
        """The model file that ``need`` names at present; None when its detector reads no file.

        :class:`ModelMissing` when it is not there.
        """
        file = getattr(plugins.parse_params("detector", need.detector, need.params), "file", "")
        return weights.find(file, refused_too=True) if file else None

    def classes_of(self, need: Need) -> tuple[str, ...]:
        """The classes that algorithms need of it."""
        return tuple(sorted(self._classes.get(need.key, set())))

    def _put(self, need: Need, detector: Detector) -> None:
        with self._lock:
            self._detectors[need.key] = detector
            self._needs[need.key] = need
            self._classes.setdefault(need.key, set())
            self._running.setdefault(need.key, threading.Lock())
            for counter in (self.batches, self.pictures):
                counter.setdefault(need.key, 0)
            self.seconds.setdefault(need.key, 0.0)
        give_back()


class _Lent:
    """A detector in use, lent to a trial: a picture at a time, in turn with the cameras."""

    def __init__(self, detector: Detector, turn: threading.Lock) -> None:
        self.model, self.class_name = detector.model, detector.class_name
        self._detector, self._turn = detector, turn

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        with self._turn:
            return self._detector.detect(frames)


def _know(detector: Detector, classes: Sequence[str], kind: str) -> None:
    missing = [c for c in classes if c not in detector.class_name]
    if missing:
        known = ", ".join(detector.class_name[:12])
        raise ClassMissing(kind=kind, wanted=", ".join(missing), model=detector.model.name, known=known)
