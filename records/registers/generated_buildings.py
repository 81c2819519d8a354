"""The buildings of a generated district: the same place and address for everybody who lives or works in one."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache

_STREETS = (
    "东盛大街", "吉林大路", "自由大路", "临河街", "公平路", "荣光路", "远达大街", "民丰大街", "洋浦大街", "八里堡路",
)  # fmt: skip


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
