"""Lamps mirrored on wet ground, and fires that stand where such a reflection would."""

from __future__ import annotations

import numpy as np
import pytest

from bench.parts.sight import wet_nights
from bench.parts.sight.films import backdrop, flame
from tests.unit.vision.judging.test_lures import alarms
from vision.algorithms._fire.places import WatchedPlaces
from vision.algorithms._fire.reflections import mirrors_a_lamp, torn_by_ripples
from vision.capture.frames import make_frame
from vision.detections import Detections, Image
from vision.judging.detector_pool import DetectorPool
from vision.judging.offline import EPOCH
from vision.train.lures import glow

Looks = np.ndarray
RNG_SEED = 5
PLACE = np.asarray([154, 110, 166, 150], np.float32)


def night(looks: int = 12) -> Looks:
    rng = np.random.default_rng(RNG_SEED)
    return np.clip(rng.normal(30, 3, (looks, 180, 320, 3)), 0, 255).astype(np.uint8)


def lamp(film: Looks, x: float = 160, strength: float = 1.5, beat: float = 0.0) -> Looks:
    for n, picture in enumerate(film):
        glow(picture, x, 40, 6, (0.5, 0.8, 1.0), strength * (1 + beat * np.sin(n * 2.4)))
    return film


def torn(film: Looks, x: float = 160, beat: float = 0.0) -> Looks:
    """The lamp's light on the ripples: pieces of it, brighter and darker, one below the other."""
    rng = np.random.default_rng(RNG_SEED)
    for n, picture in enumerate(film):
        for step in range(6):
            bright = rng.uniform(0.1, 0.6) if not beat else 0.5 * (1 + beat * np.sin(n * 2.4))
            glow(picture, x + rng.normal(0, 1.5), 113 + 6 * step, 4, (0.3, 0.65, 1.0), bright)
    return film


def burning(film: Looks, dim: float = 1.0) -> Looks:
    rng = np.random.default_rng(RNG_SEED)
    for picture in film:
        light = np.asarray(flame(40, rng))[:, 14:26] * dim
        part = picture[110:150, 154:166] / 255
        picture[110:150, 154:166] = (255 * (1 - (1 - part) * (1 - light))).astype(np.uint8)
    return film


def test_what_a_lamp_throws_on_the_road_is_its_mirror_image() -> None:
    assert mirrors_a_lamp(torn(lamp(night())), PLACE)
    assert mirrors_a_lamp(torn(lamp(night(), beat=0.8), beat=0.8), PLACE), "a beacon and its image beat in step"


@pytest.mark.parametrize(
    ("film", "place"),
    [
        (torn(night()), PLACE),
        (torn(lamp(night(), x=220)), PLACE),
        (burning(lamp(night())), PLACE),
        (torn(lamp(night())), np.asarray([140, 120, 180, 138], np.float32)),
        (torn(lamp(night()))[:2], PLACE),
        (torn(lamp(night())), np.asarray([154, 0, 166, 40], np.float32)),
        (torn(lamp(night())), np.asarray([-20, -20, 400, 400], np.float32)),
    ],
    ids=["no lamp", "a lamp elsewhere", "a flame as bright as the lamp", "flat", "too few looks", "at the top", "all"],
)
def test_what_is_no_mirror_image(film: Looks, place: np.ndarray) -> None:
    assert not mirrors_a_lamp(film, place)


def test_what_changes_as_the_whole_picture_does_has_no_flicker_of_its_own() -> None:
    rng = np.random.default_rng(1)
    seen = Detections(
        np.asarray([[100, 100, 140, 140], [300, 100, 340, 140]], np.float32), np.zeros(2, np.int32),
        np.full(2, 0.6, np.float32), ("fire",), (),
    )  # fmt: skip
    places = WatchedPlaces(3.0)
    for second in range(6):
        picture = np.full((360, 640, 3), 90, np.float32)
        picture[100:140, 100:140] = 220  # a lamp in a noisy night
        picture[100:140, 300:340] = rng.uniform(60, 250, (10, 10, 1)).repeat(4, 0).repeat(4, 1)  # a flame
        noisy = np.clip(picture + rng.normal(0, 6, picture.shape), 0, 255).astype(np.uint8)
        places.add(seen, make_frame("c", noisy, EPOCH, second / 2, second), second / 2)
    still, alive = places.places
    assert still.flicker > 3.0 and abs(still.own_flicker) < 1.0
    assert alive.own_flicker > 20.0


@pytest.mark.parametrize("act", [wet_nights.lamps_in_rain, wet_nights.waiting_cars], ids=lambda a: a.__name__)
def test_a_wet_street_at_night_raises_nothing(act: wet_nights.Act) -> None:
    assert alarms(DetectorPool(), wet_nights.pictures(act, backdrop(2), 8.0, seed=41), wet_nights.FPS) == []


def test_wet_films_can_be_made_again() -> None:
    scene: Image = backdrop(1)
    for act in wet_nights.ACTS:
        first, again = (list(wet_nights.pictures(act, scene, 0.5, 3)) for _ in range(2))
        assert all((a == b).all() for a, b in zip(first, again, strict=True))


def glitter(rows: int, columns: int) -> Looks:
    """Light torn into pieces of so many rows and columns, new in every picture."""
    rng, film = np.random.default_rng(RNG_SEED), night()
    for picture in film:
        coarse = rng.uniform(40, 250, (60 // rows + 1, 60 // columns + 1, 1))
        picture[100:160, 140:200] = coarse.repeat(rows, 0).repeat(columns, 1)[:60, :60]
    return film


def test_light_on_water_is_torn_sideways_and_tongues_of_flame_stand() -> None:
    place = np.asarray([140, 100, 200, 160], np.float32)
    assert torn_by_ripples(glitter(2, 12), place)
    assert not torn_by_ripples(glitter(12, 2), place)
    assert not torn_by_ripples(glitter(8, 8), place)
    assert not torn_by_ripples(burning(night()), PLACE)
    assert not torn_by_ripples(glitter(2, 12), np.asarray([150, 110, 157, 117], np.float32)), "too small to tell"
