"""Tokens → tree.  The tree is JSON: it is stored with the form's version and read by both evaluators.

Nodes: ``["num", 3.5]``, ``["str", "x"]``, ``["ref", name, column]``, ``["col", name, column]`` (a column of the
choices, in choice filters only), ``["dot"]``, ``["neg", node]``, ``["chain", first, [[operator, node], …]]``
(left-associative, one precedence), ``["call", name, [node, …], column]``.
"""

from __future__ import annotations

from typing import Any

from core.forms.errors import ArityWrong, FunctionUnknown, TooComplex
from core.forms.grammar import FUNCTIONS, MANY, MAX_DEPTH, MAX_NODES, NOT_SUPPORTED
from core.forms.lexer import Token, syntax, tokens_of, unexpected
from core.forms.pattern import PatternError, compile_pattern

Node = list[Any]

# loosest first
_LEVELS = (("or",), ("and",), ("=", "!="), ("<", "<=", ">", ">="), ("+", "-"), ("*", "div", "mod"))
_WORDS = frozenset(("or", "and", "div", "mod"))


def parse_tree(text: str, *, columns: bool = False) -> Node:
    """The tree of ``text``; ``columns`` allows bare names (choice filters).  Errors: :mod:`core.forms.errors`."""
    return _Parser(tokens_of(text), columns).whole()


class _Parser:
    def __init__(self, tokens: list[Token], columns: bool) -> None:
        self.tokens = tokens
        self.columns = columns
        self.index = 0
        self.nodes = 0
        self.depth = 0

    def whole(self) -> Node:
        if self.tokens[0].kind == "end":
            raise syntax(0, "the expression is empty", "write an expression or leave the cell out")
        node = self._level(0)
        if self._now.kind != "end":
            raise self._unexpected()
        return node

    @property
    def _now(self) -> Token:
        return self.tokens[self.index]

    def _unexpected(self) -> Exception:
        token = self._now
        if token.kind == "end":
            return syntax(token.at, "the expression ends too early", "complete it")
        if token.text == "=" and self.tokens[self.index - 1].text == "=":
            return syntax(token.at, "'==' is not an operator", "write =")
        if token.kind == "name":
            return syntax(token.at, f"the word {token.text} may not stand here", "write ${" + token.text + "}")
        return unexpected(token.at, token.text)

    def _made(self, node: Node) -> Node:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise TooComplex(column=self._now.at + 1, detail=f"the expression has more than {MAX_NODES} parts")
        return node

    def _is_operator(self, level: int) -> bool:
        token = self._now
        kind = "name" if token.text in _WORDS else "op"
        return token.kind == kind and token.text in _LEVELS[level]

    def _level(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        first = self._level(level + 1)
        rest: list[list[Any]] = []
        while self._is_operator(level):
            operator = self._now.text
            self.index += 1
            rest.append([operator, self._level(level + 1)])
        return self._made(["chain", first, rest]) if rest else first

    def _unary(self) -> Node:
        if self._now.kind == "op" and self._now.text == "-":
            self.index += 1
            self._deeper()
            node = self._made(["neg", self._unary()])
            self.depth -= 1
            return node
        return self._primary()

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise TooComplex(column=self._now.at + 1, detail=f"more than {MAX_DEPTH} brackets lie in each other")

    def _primary(self) -> Node:
        token = self._now
        if token.kind == "number":
            self.index += 1
            return self._made(["num", _literal(token)])
        if token.kind in ("string", "ref"):
            self.index += 1
            return self._made(["str", token.text] if token.kind == "string" else ["ref", token.text, token.at + 1])
        if token.kind == "name" and token.text not in _WORDS:
            if self.tokens[self.index + 1].text == "(" and self.tokens[self.index + 1].kind == "op":
                return self._call()
            if self.columns:
                self.index += 1
                return self._made(["col", token.text, token.at + 1])
        if token.kind == "op" and token.text == ".":
            self.index += 1
            return self._made(["dot"])
        if token.kind == "op" and token.text == "(":
            self.index += 1
            self._deeper()
            node = self._level(0)
            self._close()
            return node
        raise self._unexpected()

    def _close(self) -> None:
        if self._now.kind != "op" or self._now.text != ")":
            raise self._unexpected()
        self.index += 1
        self.depth -= 1

    def _call(self) -> Node:
        name = self._now
        self.index += 2
        self._deeper()
        arguments: list[Node] = []
        if not (self._now.kind == "op" and self._now.text == ")"):
            arguments.append(self._level(0))
            while self._now.kind == "op" and self._now.text == ",":
                self.index += 1
                arguments.append(self._level(0))
        self._close()
        return self._made(["call", name.text, arguments, name.at + 1])


def check_calls(node: Node) -> list[Exception]:
    """Every unknown function, wrong number of arguments and bad pattern in the tree, in the order of the text."""
    found: list[Exception] = []
    if node[0] == "call":
        _, name, arguments, column = node
        arity = FUNCTIONS.get(name)
        if arity is None:
            known = "XLSForm's function is not supported here" if name in NOT_SUPPORTED else "see the list of functions"
            found.append(FunctionUnknown(column=column, name=name, how=known))
        elif not arity[0] <= len(arguments) <= arity[1]:
            takes = str(arity[0]) if arity[0] == arity[1] else f"{arity[0]}–{'…' if arity[1] == MANY else arity[1]}"
            found.append(ArityWrong(column=column, name=name, takes=takes, given=len(arguments)))
        elif name == "regex" and arguments[1][0] == "str":
            found += _pattern_problem(arguments[1][1], column)
    for child in children_of(node):
        found += check_calls(child)
    return found


def _pattern_problem(pattern: str, column: int) -> list[Exception]:
    try:
        compile_pattern(pattern)
    except PatternError as error:
        how = "use classes like [0-9], {m,n}, |, ( ), . * + ? only"
        return [syntax(column - 1, f"pattern {pattern!r}: {error.data['detail']}", how)]
    return []


def children_of(node: Node) -> list[Node]:
    """The nodes below ``node``, in the order of the text."""
    if node[0] == "neg":
        return [node[1]]
    if node[0] == "chain":
        return [node[1], *(part[1] for part in node[2])]
    return node[2] if node[0] == "call" else []


def _literal(token: Token) -> float | int:
    value = float(token.text)
    if value == float("inf"):
        raise syntax(token.at, "the number is too large", "use fewer digits")
    return int(value) if value.is_integer() and value < 1e15 else value
