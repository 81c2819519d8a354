"""Random expressions with random contexts, well formed and mangled, for the two evaluators."""

from __future__ import annotations

import random
from typing import Any

from core.forms.grammar import FUNCTIONS

NAMES = ["a", "b", "c", "姓名", "d1", "d2", "tags", "wei", "cy", "nl2", "x-1"]
TEXTS = [
    "",
    "a",
    "b",
    "a b",
    "05",
    "5",
    "-7",
    "3.50",
    "𠮷野家",
    "张三",
    "2026-11-28",
    "2026-02-30",
    "2024-02-29T10:30",
    "2026-11-28T23:30:00Z",
    "2026-11-28 08:00:00.5+08:00",
    "1e3",
    "１２",
    " 12 ",
    ".5",
    "5.",
    "true",
    "220105189901010012",
    "91220105TEXT000178",
    "\u2028",
    "a\nb",
    "00",
    "é",
    "-0",
    "0001-01-01",
    "9999-12-31",
]
NUMBERS = [
    0,
    1,
    -1,
    2,
    3,
    0.1,
    0.2,
    2.5,
    -2.5,
    2.675,
    1e15,
    1e16,
    123456789012345.25,
    1000000000000005,
    9007199254740991,
    1e-7,
    1.5e-10,
    1e21,
    1e300,
    -1e308,
    5e-324,
    7,
    100,
    -0.0,
    0.30000000000000004,
    12345678.125,
]
PATTERNS = [
    "[0-9]+",
    "1[3-9][0-9]{9}",
    ".*",
    "(a|b)*",
    "a{2,3}",
    "[^a]",
    "张.",
    "[一-龥]{2,4}",
    "^a$",
    "(a+)+b",
    "\\.",
    "a|",
    "[a-",
    "\\d",
    "(?=a)",
    "a**",
    "[]",
    "(",
    ")",
    "a{3,1}",
    "x{1001}",
    "(ab?){2,}",
    "[-a]",
    "[a-]",
    "$",
    "\\$",
]
MANGLES = [
    "（",
    "“",
    "=",
    "(",
    ")",
    "'",
    '"',
    "${",
    "}",
    ",",
    "!",
    " ",
    "\u3000",
    "𠮷",
    "div",
    "&",
    "-",
    ".",
    "==",
    "1",
    "\n",
]
OPERATORS = ["+", "-", "*", "div", "mod", "=", "!=", "<", "<=", ">", ">=", "and", "or"]


def random_value(rng: random.Random) -> Any:
    """An answer of any kind."""
    kind = rng.randrange(10)
    if kind < 3:
        return rng.choice(NUMBERS)
    if kind < 4:
        return rng.uniform(-1, 1) * 10 ** rng.randrange(-18, 22)
    if kind < 7:
        return rng.choice(TEXTS)
    if kind < 8:
        return rng.choice([True, False, None])
    return [rng.choice([rng.choice(TEXTS), rng.choice(NUMBERS), None]) for _ in range(rng.randrange(4))]


def random_context(rng: random.Random) -> dict[str, Any]:
    """Values, a repeat and at times a row."""
    values = {name: random_value(rng) for name in NAMES if name not in {"wei", "cy", "nl2"}}
    rows = [{"nl2": random_value(rng), "sr": random_value(rng)} for _ in range(rng.randrange(4))]
    context: dict[str, Any] = {
        "values": values,
        "names": ["wei", "nl2"],
        "repeats": {"cy": rows},
        "today": "2026-11-28",
        "dot": random_value(rng),
    }
    if rng.random() < 0.3:
        context["row"] = {"nl2": random_value(rng)}
    if rng.random() < 0.1:
        context["columns"] = {"jd": random_value(rng), "街道": "001"}
    return context


def _leaf(rng: random.Random) -> str:
    kind = rng.randrange(10)
    if kind < 4:
        return "${" + rng.choice(NAMES) + "}"
    if kind < 6:
        number = abs(rng.choice([*NUMBERS, round(rng.random() * 1000, rng.randrange(4))]))
        return format(number, "f").rstrip("0").rstrip(".") if number < 1e22 else "9" * 25
    if kind < 7:
        return rng.choice(["today()", "true()", "false()", ".", "jd", "街道"])
    text = rng.choice(TEXTS)
    return f'"{text}"' if rng.random() < 0.5 else f"'{text}'"


def random_expression(rng: random.Random, depth: int = 4) -> str:
    """Mostly well-formed text of at most ``depth`` levels."""
    if depth == 0 or rng.random() < 0.2:
        return _leaf(rng)
    kind = rng.randrange(10)
    if kind < 4:
        blank = rng.choice([" ", "  ", "\n"])
        return blank.join([random_expression(rng, depth - 1), rng.choice(OPERATORS), random_expression(rng, depth - 1)])
    if kind < 5:
        return f"({random_expression(rng, depth - 1)})"
    if kind < 6:
        return f"-{random_expression(rng, depth - 1)}"
    name = rng.choice(list(FUNCTIONS))
    least, most = FUNCTIONS[name]
    count = rng.randint(least, min(most, least + 2)) if rng.random() < 0.97 else rng.randrange(5)
    arguments = [random_expression(rng, depth - 1) for _ in range(count)]
    if name == "regex" and count == 2:
        arguments[1] = f"'{rng.choice(PATTERNS)}'"
    if name in {"count", "sum", "min", "max"} and rng.random() < 0.5 and count:
        arguments[0] = rng.choice(["${cy}", "${nl2}", "${tags}"])
    return f"{name}({', '.join(arguments)})"


def mangled(rng: random.Random, text: str) -> str:
    """``text`` with one piece put in, taken out or doubled."""
    at = rng.randrange(len(text) + 1)
    kind = rng.randrange(3)
    if kind == 0:
        return text[:at] + rng.choice(MANGLES) + text[at:]
    return text[:at] + text[at + 1 :] if kind == 1 else text[:at] + text[max(0, at - 3) :]


def random_cases(seed: int, count: int) -> list[dict[str, Any]]:
    """``[{"expr", "context"}]``; one in ten is mangled."""
    rng = random.Random(seed)  # noqa: S311
    cases = []
    for _ in range(count):
        text = random_expression(rng)
        if rng.random() < 0.1:
            text = mangled(rng, text)
        cases.append({"expr": text, "context": random_context(rng)})
    return cases
