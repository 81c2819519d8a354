"""English names of divisions."""

from __future__ import annotations

import pytest

from layers.romanised import english_of


@pytest.mark.parametrize(
    ("name", "english"),
    [
        ("东盛街道", "Dongsheng Subdistrict"),
        ("长青街道办事处", "Changqing Subdistrict"),
        ("双安社区", "Shuang'an Community"),
        ("三道镇", "Sandao Town"),
        ("二道区", "Erdao District"),
        ("绿园区", "Lüyuan District"),
        ("12号社区", "12 Hao Community"),
        ("区", "Qu"),
        ("Zone A", "Zone A"),
    ],
)
def test_a_name_is_romanised_with_its_generic_part_in_english(name: str, english: str) -> None:
    assert english_of(name) == english
