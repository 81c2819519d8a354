"""Rows that name a parent in their own table: which can be taken, and in which order."""

from __future__ import annotations

from core.tables.words import Word, register
from layers.cityrows import Row

register(
    {
        "circle": Word(
            "error",
            ("{value!r} as the parent of {key!r} makes a circle", "correct one of the parents"),
            ("{key!r} 的上级 {value!r} 形成循环", "请改正其中一个上级"),
        )
    }
)


def rooted(rows: list[Row], key: str, parent: str, known: set[str]) -> tuple[list[Row], list[tuple[Row, bool]]]:
    """The rows whose chain of parents ends at the top or at a ``known`` key, and the others.

    With each of the others stands whether its chain runs in a circle (otherwise a parent is missing).
    """
    by_key = {row[key]: row for row in rows}
    ends: dict[str, str] = {}  # key -> "root", "missing" or "circle"
    for name in by_key:
        chain: list[str] = []
        at = name
        while at not in ends and at not in chain:
            chain.append(at)
            above = by_key[at].get(parent)
            if not above or above in known and above not in by_key:
                ends[at] = "root"
            elif above not in by_key:
                ends[at] = "missing"
            else:
                at = above
        end = ends.get(at, "circle")
        ends.update(dict.fromkeys(chain, end))
    good = [row for row in rows if ends[row[key]] == "root"]
    return good, [(row, ends[row[key]] == "circle") for row in rows if ends[row[key]] != "root"]


def parents_first(rows: list[Row]) -> list[Row]:
    """Departments so that a parent stands before its children."""
    by_id = {r["department_id"]: r for r in rows}

    def depth(row: Row) -> int:
        steps, parent = 0, row.get("parent_id")
        while parent in by_id and steps < len(rows):
            steps, parent = steps + 1, by_id[parent].get("parent_id")
        return steps

    return sorted(rows, key=depth)
