"""Patterns for ``regex()``: a small common subset, matched against the whole text in linear time.

Both evaluators carry this same automaton, so no library's dialect shows and no pattern can hang a server or a phone.
Allowed: characters, ``.``, classes ``[a-z]`` and ``[^…]``, ``( )``, ``|``, ``* + ? {m} {m,} {m,n}``, a backslash before
punctuation, ``^`` at the beginning and ``$`` at the end (they change nothing).  Not allowed: look-around,
back-references, lazy quantifiers, ``\\d \\w \\s \\b``.
"""

from __future__ import annotations

from functools import lru_cache

from core.errors import YiwangError

MAX_STATES = 3000
MAX_COUNT = 1000
MAX_MATCHED = 1000  # code points of text
_LAST = 0x10FFFF
_ANY_BUT_NEWLINE = ((0, 9), (11, _LAST))

Ranges = tuple[tuple[int, int], ...]
# an instruction: ("set", ranges) · ("split", a, b) · ("jump", a) · ("match",)
Program = list[tuple]  # type: ignore[type-arg]


class PatternError(YiwangError):
    code = "pattern"
    message = "the pattern is not allowed: {detail}"


def matches(pattern: str, text: str) -> bool:
    """Does the whole of ``text`` match?  A text of more than 1,000 characters does not."""
    if len(text) > MAX_MATCHED:
        return False
    program = compile_pattern(pattern)
    states = _closure(program, [0])
    for character in text:
        point = ord(character)
        following = [s + 1 for s in states if program[s][0] == "set" and _within(program[s][1], point)]
        if not following:
            return False
        states = _closure(program, following)
    return any(program[state][0] == "match" for state in states)


def _within(ranges: Ranges, point: int) -> bool:
    return any(low <= point <= high for low, high in ranges)


def _closure(program: Program, start: list[int]) -> list[int]:
    seen: set[int] = set()
    stack = list(start)
    while stack:
        state = stack.pop()
        if state in seen:
            continue
        seen.add(state)
        instruction = program[state]
        if instruction[0] in ("split", "jump"):
            stack.extend(instruction[1:])
    return list(seen)


@lru_cache(maxsize=512)
def compile_pattern(pattern: str) -> Program:
    """The automaton; :class:`PatternError` for what the subset does not have."""
    reader = _Reader(pattern)
    tree = reader.whole()
    program: Program = []
    _emit(tree, program)
    program.append(("match",))
    return program


class _Reader:
    """Pattern text → tree: ("set", ranges) · ("cat", [tree]) · ("alt", [tree]) · ("rep", tree, least, most | None)."""

    def __init__(self, pattern: str) -> None:
        text = pattern[1:] if pattern.startswith("^") else pattern
        if text.endswith("$") and (len(text[:-1]) - len(text[:-1].rstrip("\\"))) % 2 == 0:
            text = text[:-1]
        self.text, self.at, self.depth = text, 0, 0

    def whole(self) -> tuple:  # type: ignore[type-arg]
        tree = self._alternatives()
        if self.at < len(self.text):
            raise PatternError(detail="a ) has no (")
        return tree

    def _alternatives(self) -> tuple:  # type: ignore[type-arg]
        self.depth += 1
        if self.depth > 20:
            raise PatternError(detail="too many brackets in each other")
        options = [self._sequence()]
        while self._peek() == "|":
            self.at += 1
            options.append(self._sequence())
        self.depth -= 1
        return options[0] if len(options) == 1 else ("alt", options)

    def _peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def _sequence(self) -> tuple:  # type: ignore[type-arg]
        parts = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._counted(self._atom()))
        return ("cat", parts)

    def _atom(self) -> tuple:  # type: ignore[type-arg]
        c = self._peek()
        self.at += 1
        if c == "(":
            if self._peek() == "?":
                if not self.text.startswith("?:", self.at):
                    raise PatternError(detail="look-around and named groups are not allowed")
                self.at += 2
            tree = self._alternatives()
            if self._peek() != ")":
                raise PatternError(detail="a ( is not closed")
            self.at += 1
            return tree
        if c == "[":
            return ("set", self._class())
        if c == ".":
            return ("set", _ANY_BUT_NEWLINE)
        if c == "\\":
            return ("set", _one(self._escaped()))
        if c in "*+?{}^$]":
            raise PatternError(detail=f"{c} may not stand here")
        return ("set", _one(c))

    def _escaped(self) -> str:
        c = self._peek()
        self.at += 1
        if not c or not c.isascii() or c.isalnum() or c in "\n_":
            raise PatternError(detail=f"\\{c} is not allowed: write a class such as [0-9]")
        return c

    def _class(self) -> Ranges:
        negative = self._peek() == "^"
        self.at += negative
        ranges: list[tuple[int, int]] = []
        while self._peek() != "]":
            low = self._member()
            high = low
            if self._peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                high = self._member()
            if high < low:
                raise PatternError(detail=f"the range {low}-{high} is upside down")
            ranges.append((ord(low), ord(high)))
        self.at += 1
        if not ranges:
            raise PatternError(detail="a class is empty")
        return _inverse(ranges) if negative else tuple(ranges)

    def _member(self) -> str:
        c = self._peek()
        if not c:
            raise PatternError(detail="a [ is not closed")
        if c == "[":
            raise PatternError(detail="[ inside a class must be written \\[")
        self.at += 1
        return self._escaped() if c == "\\" else c

    def _counted(self, tree: tuple) -> tuple:  # type: ignore[type-arg]
        c = self._peek()
        bounds = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(c)
        if bounds:
            self.at += 1
        elif c == "{":
            bounds = self._bounds()
        if bounds is None:
            return tree
        if self._peek() and self._peek() in "*+?{":
            raise PatternError(detail="two quantifiers follow each other")
        return ("rep", tree, *bounds)

    def _bounds(self) -> tuple[int, int | None]:
        end = self.text.find("}", self.at)
        parts = self.text[self.at + 1 : end].split(",") if end > 0 else []
        good = len(parts) in (1, 2) and all(p.isascii() and (p.isdigit() or (i and not p)) for i, p in enumerate(parts))
        if not good or any(len(p) > 4 for p in parts):
            raise PatternError(detail="{ must be followed by m}, m,} or m,n}")
        least = int(parts[0])
        most = least if len(parts) == 1 else int(parts[1]) if parts[1] else None
        if (most is not None and most < least) or max(least, most or 0) > MAX_COUNT:
            raise PatternError(detail=f"{{{','.join(parts)}}} is upside down or above {MAX_COUNT}")
        self.at = end + 1
        return least, most


def _one(character: str) -> Ranges:
    return ((ord(character), ord(character)),)


def _inverse(ranges: list[tuple[int, int]]) -> Ranges:
    result, position = [], 0
    for low, high in sorted(ranges):
        if low > position:
            result.append((position, low - 1))
        position = max(position, high + 1)
    if position <= _LAST:
        result.append((position, _LAST))
    return tuple(result)


def _emit(tree: tuple, program: Program) -> None:  # type: ignore[type-arg]
    if len(program) > MAX_STATES:
        raise PatternError(detail="it is too large")
    if tree[0] == "set":
        program.append(tree)
    elif tree[0] == "cat":
        for part in tree[1]:
            _emit(part, program)
    elif tree[0] == "alt":
        _emit_alternatives(tree[1], program)
    else:
        _emit_repeated(tree, program)


def _emit_alternatives(options: list[tuple], program: Program) -> None:  # type: ignore[type-arg]
    ends = []
    for option in options[:-1]:
        split = len(program)
        program.append(("split",))
        _emit(option, program)
        ends.append(len(program))
        program.append(("jump",))
        program[split] = ("split", split + 1, len(program))
    _emit(options[-1], program)
    for end in ends:
        program[end] = ("jump", len(program))


def _emit_repeated(tree: tuple, program: Program) -> None:  # type: ignore[type-arg]
    _, inner, least, most = tree
    for _ in range(least):
        before = len(program)
        _emit(inner, program)
        if len(program) == before:  # nothing again and again is nothing
            break
    if most is None:
        split = len(program)
        program.append(("split",))
        _emit(inner, program)
        program.append(("jump", split))
        program[split] = ("split", split + 1, len(program))
        return
    splits = []
    for _ in range(most - least):
        splits.append(len(program))
        program.append(("split",))
        _emit(inner, program)
        if len(program) > MAX_STATES:
            raise PatternError(detail="it is too large")
    for split in splits:
        program[split] = ("split", split + 1, len(program))
