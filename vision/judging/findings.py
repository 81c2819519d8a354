"""What an algorithm says: a sight of one moment, and a finding that stands or ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from core.records import Zone
from vision.capture.frames import Frame
from vision.detections import Box, Detections


@dataclass(frozen=True)
class Need:
    """A detector that an algorithm wants run on its frames, and the classes it must know."""

    detector: str
    classes: tuple[str, ...]
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Same key, same detector object."""
        return f"{self.detector}:{sorted(self.params.items())}"


@dataclass(frozen=True)
class Sight:
    """One zone at one moment: is the condition there?  ``present`` None: it cannot be judged (``detail`` why).

    ``box`` is normalised; ``value`` is the algorithm's measure (people, share of the picture, seconds …).
    """

    zone: Zone
    present: bool | None
    value: float | None = None
    confidence: float | None = None
    box: Box | None = None
    detail: str = ""


@dataclass(frozen=True)
class VisionFinding:
    """A condition that opened or cleared; becomes an observation when the camera's name is added."""

    kind: str
    state: Literal["open", "clear"]
    zone: str | None
    value: float | None = None
    unit: str = ""
    confidence: float | None = None
    box: Box | None = None
    attributes: dict[str, Any] = field(default_factory=dict)


class Algorithm(Protocol):
    """One algorithm on one camera.

    ``judge`` says what one frame shows, zone by zone, and keeps no memory that would change a later answer's
    meaning: "look again" uses it.  ``update`` adds time: it is called with every analysed frame in order
    (``now`` in seconds, never falling) and returns only changes.  Neither blocks, draws nor publishes.
    ``pace`` is how many pictures a second it would have just now; 0: as many as the camera is configured for.
    ``rest_s``, where there is one: so many seconds between two looks of its detectors are enough just now.
    """

    kind: str
    needs: tuple[Need, ...]
    pace: float

    def judge(self, seen: Detections, frame: Frame) -> list[Sight]: ...

    def update(self, seen: Detections, frame: Frame, now: float) -> list[VisionFinding]: ...

    def restore(self, zone: str | None) -> None:
        """The condition stands in ``zone`` (another worker opened it): clear it when it is seen to be gone."""

    def refresh(self) -> None:
        """A detector's model was replaced: read again what its card says (called from another thread)."""
