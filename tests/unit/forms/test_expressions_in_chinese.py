"""What is wrong with an expression is read in Chinese, too."""

from __future__ import annotations

import re

import pytest

from core.forms.errors import ExpressionError
from core.forms.expression import parse

ENGLISH = re.compile(r"[a-z]{3,} [a-z]{2,}")


@pytest.mark.parametrize(
    "text",
    [
        "${a} +", "foo(1)", "selected(1)", "${a", "'x", "1 == 2", "（1）", "regex(${a}, '(')", "1 && 2", "if(1, 2)",
        "(" * 40, "${a} ++ 2", "“a”", "regex(${a}, '\\d')", "a b", ")", "", "${}", "1..2", "regex(${a}, '[z-a]')",
        "regex(${a}, 'a{5,2}')", "regex(${a}, 'a**')",
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_chinese(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    told = caught.value.told("zh")
    assert told.startswith("第 ") and not ENGLISH.search(told), told
