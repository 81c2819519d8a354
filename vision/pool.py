"""The detectors of one process: each model loaded once, shared by all cameras."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from core import plugins
from vision.detections import Detections, Image
from vision.detectors._base import Detector
from vision.errors import ClassMissing
from vision.findings import Need


class DetectorPool:
    """Builds a detector when the first need names it; measures what its pictures cost.

    ``detect`` is safe from several threads: one picture batch at a time per detector.
    """

    def __init__(self) -> None:
        self._detectors: dict[str, Detector] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        self.pictures: dict[str, int] = {}
        self.seconds: dict[str, float] = {}

    def get(self, need: Need, kind: str = "") -> Detector:
        """The detector for ``need``; typed errors when it cannot be built or does not know the classes."""
        with self._lock:
            if need.key not in self._detectors:
                self._detectors[need.key] = plugins.build("detector", need.detector, need.params)
                self._locks[need.key] = threading.Lock()
                self.pictures[need.key], self.seconds[need.key] = 0, 0.0
            detector = self._detectors[need.key]
        missing = [c for c in need.classes if c not in detector.class_name]
        if missing:
            raise ClassMissing(
                kind=kind or need.detector,
                wanted=", ".join(missing),
                model=detector.model.name,
                known=", ".join(detector.class_name[:12]),
            )
        return detector

    def detect(self, need: Need, images: Sequence[Image]) -> list[Detections]:
        """Run the detector of ``need`` on ``images``."""
        detector = self.get(need)
        with self._locks[need.key]:
            start = time.thread_time()
            found = detector.detect(images)
            self.seconds[need.key] += time.thread_time() - start
            self.pictures[need.key] += len(images)
        return found

    def swap(self, need: Need) -> None:
        """Load the model of ``need`` afresh beside the old one, then use it: no camera waits for a load."""
        fresh: Detector = plugins.build("detector", need.detector, need.params)
        with self._lock:
            self._detectors[need.key] = fresh
            self._locks.setdefault(need.key, threading.Lock())
            self.pictures.setdefault(need.key, 0)
            self.seconds.setdefault(need.key, 0.0)
