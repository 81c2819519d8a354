"""Checks across the fields of one record: the identity number against birth and sex, the grid against the community."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from records.registers.definition import Register


class CrossChecks:
    """Made once for a register; tells ``(field, problem code)`` of a record's values."""

    def __init__(self, register: Register) -> None:
        names = {field.name for field in register.fields}
        self._number = next((f.name for f in register.of_type("resident_id")), "")
        self._birth = "birth" if "birth" in names else ""
        self._sex = "sex" if "sex" in names else ""
        self._division = next((f.name for f in register.of_type("division")), "")
        self._grid = next((f.name for f in register.of_type("grid")), "")
        self._key = register.key

    def problems(self, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        number = values.get(self._number) if self._number else None
        if number:
            birth = values.get(self._birth)
            if birth and birth != f"{number[6:10]}-{number[10:12]}-{number[12:14]}":
                found.append((self._birth, "birth_differs"))
            sex = values.get(self._sex)
            if sex and sex != ("男" if number[16] in "13579" else "女"):
                found.append((self._sex, "sex_differs"))
        if self._grid and self._division:
            grid, division = values.get(self._grid), values.get(self._division)
            if grid and division and len(division) == 12 and not grid.startswith(division):
                found.append((self._grid, "grid_elsewhere"))
        return found

    def fill(self, values: dict[str, Any]) -> None:
        """Birth and sex that are left empty follow from the number."""
        number = values.get(self._number) if self._number else None
        if number:
            if self._birth and not values.get(self._birth):
                values[self._birth] = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
            if self._sex and not values.get(self._sex):
                values[self._sex] = "男" if int(number[16]) % 2 else "女"
