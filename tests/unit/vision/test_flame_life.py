"""Small flames by their movement: what lives like one, and what only glows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bench.parts.sight import quiet_films
from bench.parts.sight.films import flame
from vision.algorithms._fire.life import FlameLife, rhythm, swings

Picture = np.ndarray
SCENE = np.full((180, 320, 3), (90, 100, 105), np.uint8)


def lives(draw: Callable[[Picture, int, np.random.Generator], None], seconds: int = 10) -> int:
    """How often something lived in a film of ``draw`` at four pictures a second, out of up to six judgements."""
    life, rng = FlameLife(), np.random.default_rng(1)
    found = 0
    for step in range(seconds * 4):
        picture = np.roll(SCENE, int(rng.integers(-1, 2)), 1).astype(np.float32)
        draw(picture, step, rng)
        picture += rng.normal(0, 2, picture.shape)
        found += bool(life.look(np.clip(picture, 0, 255).astype(np.uint8), step / 4))
    return found


def burn(picture: Picture, step: int, rng: np.random.Generator) -> None:
    light = flame(24, rng)
    part = picture[100:124, 150:174] / 255
    picture[100:124, 150:174] = 255 * (1 - (1 - part) * (1 - light))


def lamp(picture: Picture, step: int, rng: np.random.Generator) -> None:
    picture[100:124, 150:174] = (90, 190, 250)


def beacon(picture: Picture, step: int, rng: np.random.Generator) -> None:
    if step % 3:
        picture[100:124, 150:174] = (20, 140, 255)


def loose_lamp(picture: Picture, step: int, rng: np.random.Generator) -> None:
    picture[100:124, 150:174] = np.asarray((90, 190, 250)) * rng.choice([0.6, 1.0])


def passer_by(picture: Picture, step: int, rng: np.random.Generator) -> None:
    picture[60:140, step * 7 : step * 7 + 20] = (30, 60, 220)


def test_a_flame_of_twenty_pixels_lives() -> None:
    assert lives(burn) >= 4


@pytest.mark.parametrize("draw", [lamp, beacon, loose_lamp, passer_by], ids=lambda d: d.__name__)
def test_what_only_glows_blinks_or_passes_does_not(draw: Callable[..., None]) -> None:
    assert lives(draw) == 0


def test_swings_count_turns_of_at_least_so_much() -> None:
    values = np.asarray([0, 50, 40, 60, 10, 15, 60], np.float32).reshape(-1, 1, 1)
    assert swings(values, 30)[0, 0] == 3  # up to 60, down to 10, up to 60


def test_rhythm_tells_one_light_from_many() -> None:
    rng = np.random.default_rng(0)
    beat = np.sin(np.arange(20) * 2 * np.pi / 5)[:, None] * np.ones(30)
    assert rhythm(beat.astype(np.float32)) == pytest.approx((1, 1), abs=0.01)
    coherence, share = rhythm(rng.normal(0, 1, (20, 200)).astype(np.float32))
    assert coherence < 0.2 and share < 0.4


@pytest.mark.parametrize("act", quiet_films.KINDS, ids=lambda a: a.__name__)
def test_quiet_films_move_and_can_be_made_again(act: quiet_films.Act) -> None:
    scene = np.full((quiet_films.HEIGHT, quiet_films.WIDTH, 3), 80, np.uint8)
    first, again = (list(quiet_films.pictures([act], scene, 1.0, 5)) for _ in range(2))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert (first[0] != first[3]).any()


def pace_after(draw: Callable[[Picture, int, np.random.Generator], None], looks: int) -> float:
    """What is asked for after ``looks`` pictures of ``draw``, two a second."""
    life, rng = FlameLife(), np.random.default_rng(1)
    for step in range(looks):
        picture = SCENE.astype(np.float32)
        draw(picture, step, rng)
        life.look(np.clip(picture, 0, 255).astype(np.uint8), step / 2)
    return life.pace


def test_what_may_burn_is_looked_at_more_often_and_what_only_glows_is_not() -> None:
    assert pace_after(burn, 8) >= 4
    assert pace_after(lamp, 8) == 0
    assert pace_after(beacon, 8) == 0
    assert pace_after(passer_by, 20) == 0  # one in red may raise a suspicion at first, for some seconds


def test_a_suspicion_ends_with_what_raised_it() -> None:
    def burn_and_go_out(picture: Picture, step: int, rng: np.random.Generator) -> None:
        if step < 8:
            burn(picture, step, rng)

    assert pace_after(burn_and_go_out, 8) > 0
    assert pace_after(burn_and_go_out, 60) == 0
