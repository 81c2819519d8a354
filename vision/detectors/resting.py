"""A detector that is asked rarely: its network is in memory only while it is wanted."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from core.memory import give_back
from vision.detections import Detections, Image
from vision.detectors._base import Detector

REST_AFTER_S = 120.0


class RestingDetector:
    """The detector that ``build`` makes, as one :class:`vision.detectors._base.Detector`.

    It is built at once, so that a file that is no good is told at once.  When nobody asked it for ``after_s`` seconds
    :meth:`rest` lets its network go; the next question builds it again (a third of a second for 11 million weights).
    """

    def __init__(
        self, build: Callable[[], Detector], after_s: float = REST_AFTER_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._build, self._after_s, self._clock = build, after_s, clock
        self._awake: Detector | None = build()
        self._asked = clock()
        self.model, self.class_name = self._awake.model, self._awake.class_name

    @property
    def rests(self) -> bool:
        """Whether its network is not in memory."""
        return self._awake is None

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        """See :class:`Detector`; :class:`ModelMissing` or :class:`ModelInvalid` where its file went while it rested."""
        if self._awake is None:
            self._awake = self._build()
        self._asked = self._clock()
        return self._awake.detect(frames)

    def rest(self) -> None:
        """Let the network go if nobody asked for long."""
        if self._awake is not None and self._clock() - self._asked >= self._after_s:
            self._awake = None
            give_back()
