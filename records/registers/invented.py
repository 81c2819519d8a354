"""Numbers of nobody, right by their form and check characters, and the buildings of a generated district."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from core.codes.credit import ALPHABET, credit_check_character, organisation_check_character
from core.codes.resident import resident_check_character

NOBODY = "220199"  # no such division
_STREETS = (
    "东盛大街", "吉林大路", "自由大路", "临河街", "公平路", "荣光路", "远达大街", "民丰大街", "洋浦大街", "八里堡路",
)  # fmt: skip


def resident_number(born: date, number: int) -> str:
    """A number of nobody: valid by its form, of a division that does not exist."""
    body = f"{NOBODY}{born:%Y%m%d}{number % 1000:03d}"
    return body + resident_check_character(body)


def credit_number(number: int) -> str:
    """A credit code of no company, valid by both checks; TEXT marks it as invented."""
    digits = ""
    for _ in range(4):
        number, rest = divmod(number, len(ALPHABET))
        digits = ALPHABET[rest] + digits
    organisation = f"TEXT{digits}"
    body = f"91{NOBODY}{organisation}{organisation_check_character(organisation)}"
    return body + credit_check_character(body)


@dataclass(frozen=True)
class GeneratedBuilding:
    """One building: its number in the register, point (WGS 84), street address, floors, grid cell and use."""

    number: str
    lon: float
    lat: float
    address: str
    floors: int
    grid: str
    use: str

    @property
    def point(self) -> tuple[float, float]:
        return self.lon, self.lat


@lru_cache(maxsize=32_768)
def building_of(code: str, lon: float, lat: float, number: int) -> GeneratedBuilding:
    """The ``number``-th building of the community ``code`` with its middle at ``lon``, ``lat``; always the same."""
    dice = random.Random(f"building {code} {number}")
    return GeneratedBuilding(
        number=f"B{code[-6:]}{number:03d}", lon=round(lon + dice.uniform(-0.01, 0.01), 6),
        lat=round(lat + dice.uniform(-0.008, 0.008), 6),
        address=f"{dice.choice(_STREETS)}{dice.randrange(1, 400)}号", floors=dice.randrange(1, 33),
        grid=f"{code}{dice.randrange(1, 13):03d}", use=dice.choice(("dwelling", "dwelling", "shop", "office", "mixed")),
    )  # fmt: skip
