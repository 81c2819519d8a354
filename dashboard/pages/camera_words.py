"""A camera's condition in words: connection, faults of the picture, slowing down, problems of its algorithms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dashboard.pages.choices import word
from dashboard.pages.frame import Visit
from dashboard.pages.tables import chip

TONES = {"online": "good", "offline": "bad", "lost": "bad", "patrol": "", "never": "off", "unknown": "off"}


def state_chips(camera: dict[str, Any], visit: Visit) -> list[dict[str, str]]:
    """State first, then what is wrong with the picture, then what gave way."""
    state = camera["state"]
    found = [chip(word(visit, "camstate", state), TONES.get(state, "warn"), camera["reason"] or "")]
    found += [chip(word(visit, "camstate", fault), "bad") for fault in camera["faults"] or [] if fault != state]
    fps, wanted = camera["fps"], camera["wanted_fps"]
    if fps is not None and wanted is not None and fps < wanted:
        found.append(chip(visit.t("vision.slowed", fps=f"{fps:.2g}", wanted=f"{wanted:.2g}"), "warn"))
    if camera["problems"]:
        found.append(chip(visit.t("vision.problems"), "bad", "\n".join(camera["problems"])))
    return found


def algorithm_chips(kinds: Iterable[str], visit: Visit) -> list[dict[str, str]]:
    """The algorithms of a camera by their own titles."""
    return [chip(word(visit, "kind", kind)) for kind in kinds]
