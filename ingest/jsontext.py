"""JSON as devices write it.  Pure.

Strict JSON takes the fast way.  What is nearly JSON is read value by value, so that one value that a broken probe
prints (``nan``, ``-inf``, ``1.#QNAN``, nothing at all) loses only itself: such a value becomes null, an unquoted word
its text.  Also forgiven: a byte order mark, a closing NUL, GB18030 instead of UTF-8, raw line ends in texts, single
commas too many, Python's ``True`` and ``None``.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import msgspec

_DEEPEST = 200
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|[{}\[\],:]|[^\s{}\[\],:"\']+', re.S)
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,30})(\.\d{1,40})?([eE][+-]?\d{1,4})?\Z")
_LOOSE_NUMBER = re.compile(r"[+-]?\d{0,30}(?:\d\.|\.\d|\d)\d{0,40}(?:[eE][+-]?\d{1,4})?\Z")
_WORDS = {"true": "true", "false": "false", "null": "null", "none": "null", "nil": "null", "undefined": "null"}
_NO_NUMBER = re.compile(r"[+-]?(nan|inf|infinity|1\.#\w+)(\(\w*\))?\Z", re.I)


class NotJson(ValueError):
    """The bytes hold no JSON, not even nearly; the text says where."""


def read_json(data: bytes) -> Any:
    """What ``data`` says; :class:`NotJson` when nothing can be made of it."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        strict = error
    text = _text(data)
    try:
        repaired = _repaired(text)
        return _clean(json.loads(repaired, strict=False)) if repaired else _fail(strict)
    except (ValueError, RecursionError):
        return _fail(strict)


def _fail(error: Exception) -> Any:
    detail = "nested too deeply" if isinstance(error, RecursionError) else str(error)
    raise NotJson(detail) from error


def _text(data: bytes) -> str:
    data = data.removeprefix(b"\xef\xbb\xbf").strip(b"\x00 \t\r\n")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("gb18030", errors="replace")


def _repaired(text: str) -> str:
    """The text with every bare word that is no JSON made one; empty when it is too deep or holds no value."""
    out: list[str] = []
    open_marks: list[str] = []
    place = 0
    for found in _TOKEN.finditer(text):
        if text[place : found.start()].strip():
            return ""  # an unfinished text
        place = found.end()
        piece = found[0]
        last = out[-1] if out else ""
        if piece in "{[":
            open_marks.append(piece)
            if len(open_marks) > _DEEPEST:
                return ""
        elif piece in "}]":
            if last == ":":
                out.append("null")
            elif last == ",":
                out.pop()
            del open_marks[-1:]
        elif piece == ",":
            if last == ":" or (last in ("[", ",") and open_marks[-1:] == ["["]):
                out.append("null")  # the places of a list count
            elif last in ("[", "{", ",", ""):
                continue
        elif piece[0] == "'":
            piece = json.dumps(piece[1:-1].replace("\\'", "'"), ensure_ascii=False)
        elif piece != ":" and piece[0] != '"':
            piece = _bare(piece)
        out.append(piece)
    if text[place:].strip() or not out or out[0] not in ("{", "["):
        return ""
    return "".join(out)


def _bare(token: str) -> str:
    if _NUMBER.match(token):
        return token if math.isfinite(float(token)) else "null"
    known = _WORDS.get(token.lower())
    if known is not None:
        return known
    if _NO_NUMBER.match(token):
        return "null"
    if _LOOSE_NUMBER.match(token) and ("." in token or token[0] == "+") and math.isfinite(float(token)):
        return repr(float(token))  # "+21.5", "021.50", ".5"
    return json.dumps(token, ensure_ascii=False)


def _clean(value: Any) -> Any:
    """Without lone surrogates, which no UTF-8 text may hold."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode() if not value.isascii() else value
    if isinstance(value, list):
        return [_clean(v) for v in value]
    if isinstance(value, dict):
        return {_clean(k): _clean(v) for k, v in value.items()}
    return value
