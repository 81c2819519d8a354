"""Codes of the shared-data catalogue 政务信息资源代码: class 1, item 2, sub-item 3, detail, ``/``, running number."""

from __future__ import annotations

from core.codes.result import CodeCheck, is_digits, normalise, refused

CLASSES = frozenset("123")  # 1 基础信息资源 2 主题信息资源 3 部门信息资源
_SHORTEST = 6


def check_catalog_code(text: object) -> CodeCheck:
    """Parts: ``cls``, ``item``, ``sub``, ``detail``, ``serial``.

    Problems: ``parts``, ``length``, ``not_numeric``, ``class``.
    """
    code = normalise(text)
    front, slash, serial = code.partition("/")
    if not slash or not serial or "/" in serial:
        return refused(code, "parts")
    if len(front) < _SHORTEST:
        return refused(code, "length")
    if not is_digits(front) or not is_digits(serial):
        return refused(code, "not_numeric")
    parts = {"cls": front[0], "item": front[1:3], "sub": front[3:6], "detail": front[6:], "serial": serial}
    if front[0] not in CLASSES:
        return CodeCheck(False, code, ("class",), parts)
    return CodeCheck(True, code, (), parts)
