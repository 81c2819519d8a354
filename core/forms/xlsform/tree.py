"""Rows with ``begin`` and ``end`` → nested questions, in the order of the sheet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from core.forms.model import Form, parse_form
from core.forms.xlsform.problems import SheetProblem


@dataclass
class Node:
    """One row of the sheet ``survey``: ``block`` is begin, end or empty."""

    row: int
    block: str
    kind: str
    question: dict[str, Any]
    children: list[Node] = field(default_factory=list)


class Builder:
    """Nests the rows; what is not closed or not opened is a problem."""

    def __init__(self, nodes: list[Node]) -> None:
        self.problems: list[SheetProblem] = []
        self.top: list[Node] = []
        self.deepest = 0
        stack: list[Node] = []
        for node in nodes:
            if node.block == "end":
                self._end(node, stack)
                continue
            (stack[-1].children if stack else self.top).append(node)
            if node.block == "begin":
                stack.append(node)
                self.deepest = max(self.deepest, len(stack))
        for node in stack:
            self.problems.append(SheetProblem("survey", node.row, "type", "unclosed"))
        self.rows = [node.row for node in self._walk(self.top)]

    def _end(self, node: Node, stack: list[Node]) -> None:
        if stack and stack[-1].kind == node.kind:
            stack.pop()
            return
        self.problems.append(SheetProblem("survey", node.row, "type", "unmatched-end"))

    def _walk(self, nodes: list[Node]) -> list[Node]:
        found = []
        stack = list(reversed(nodes))
        while stack:
            node = stack.pop()
            found.append(node)
            stack.extend(reversed(node.children))
        return found

    def form(self, body: dict[str, Any]) -> Form:
        """The form with these questions and the other words in ``body``."""
        if self.deepest > 10 or len(self.rows) > 2000:
            return parse_form({**body, "questions": [{**node.question} for node in self._walk(self.top)][:2000]})
        return parse_form({**body, "questions": [_json(node) for node in self.top]})


def _json(node: Node) -> dict[str, Any]:
    children = [_json(child) for child in node.children]
    return {**node.question, "children": children} if children else node.question
