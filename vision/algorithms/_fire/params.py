"""What can be set of flame and smoke, and what the model's card says where nothing is."""

from __future__ import annotations

from typing import Any

import msgspec

from vision import weights
from vision.evaluate.cards import read_card


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Confidences are the detector's (None: the thresholds on the model's card); areas are shares of the picture;
    ``flicker`` in grey levels (0…255)."""

    fire_confidence: float | None = None
    smoke_confidence: float | None = None
    window_s: float = 3.0
    min_hits: int = 4
    share: float = 0.5
    fire_flicker: float = 3.0  # beyond what the rest of the picture changes
    smoke_flicker: float = 0.8
    clear_after_s: float = 20.0
    min_area: float = 0.0003
    max_area: float = 1.0  # a room full of smoke fills the picture
    whole_area: float = 0.8  # smoke over so much of the picture must be surer: single frames of bare ground look so
    whole_confidence: float = 0.5
    second_look: bool = False
    close_margin: float = 0.1  # how much surer a magnified sight must be
    close_window_s: float = 5.0
    close_hits: int = 5
    close_share: float = 0.6
    life: bool = True
    life_window_s: float = 5.5
    life_hits: int = 4
    life_confidence: float | None = None  # None: half of what counts as fire
    sure_confidence: float = 0.5  # a fire of which the detector is less sure must have lived to be one
    certain_confidence: float = 0.75  # a fire of which the detector is surer is no lamp mirrored on a wet road
    ignore: tuple[tuple[tuple[float, float], ...], ...] = ()
    detector: str = "yolo_onnx"
    detector_params: dict[str, Any] = msgspec.field(default_factory=lambda: {"file": "flame_smoke.onnx"})

    def __post_init__(self) -> None:
        if self.min_hits < 1 or not 0 < self.share <= 1 or self.window_s <= 0:
            raise ValueError("min_hits ≥ 1, 0 < share ≤ 1 and window_s > 0 must hold")


def thresholds(params: Params) -> dict[str, float]:
    """What counts as seen: the parameters, else the model's card, else 0.4."""
    file = params.detector_params.get("file")
    card = read_card(weights.find(str(file))) if file else None
    known = card.thresholds if card is not None else {}
    given = {"fire": params.fire_confidence, "smoke": params.smoke_confidence}
    return {name: known.get(name, 0.4) if value is None else value for name, value in given.items()}
