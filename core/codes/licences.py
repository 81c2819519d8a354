"""Identifiers of electronic licences 电子证照标识 (GB/T 36904-2018), checked with ISO 7064 MOD 37,36."""

from __future__ import annotations

from core.codes.credit import check_credit_code
from core.codes.result import CodeCheck, is_digits, normalise, refused

ROOT = "1.2.156.3005.2"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ROOT_PARTS = len(ROOT.split("."))


def check_licence_id(text: object) -> CodeCheck:
    """``root.type(21).issuer.serial.version(3).check``.

    Problems that refuse: ``parts``, ``root``, ``alphabet``, ``type_code``, ``issuer``, ``serial``, ``version``,
    ``check``.  A six-digit division as issuer is seen in practice and warns: ``issuer_is_division``.
    """
    code = normalise(text)
    pieces = code.split(".")
    if len(pieces) != _ROOT_PARTS + 5:
        return refused(code, "parts")
    if ".".join(pieces[:_ROOT_PARTS]) != ROOT:
        return refused(code, "root")
    type_code, issuer, serial, version, check = pieces[_ROOT_PARTS:]
    body = type_code + issuer + serial + version
    if any(c not in _ALPHABET for c in body + check) or len(check) != 1:
        return refused(code, "alphabet" if len(check) == 1 else "check")
    if problems := _part_problems(type_code, issuer, serial, version):
        return refused(code, *problems)
    if mod_37_36(body) != check:
        return refused(code, "check")
    parts = {"type_code": type_code, "issuer": issuer, "serial": serial, "version": int(version)}
    return CodeCheck(True, code, ("issuer_is_division",) if len(issuer) == 6 else (), parts)


def _part_problems(type_code: str, issuer: str, serial: str, version: str) -> list[str]:
    problems = []
    if len(type_code) != 21 or not is_digits(type_code[18:]) or not check_credit_code(type_code[:18]).valid:
        problems.append("type_code")
    if not (len(issuer) == 6 and is_digits(issuer)) and not check_credit_code(issuer).valid:
        problems.append("issuer")
    if not serial:
        problems.append("serial")
    if len(version) != 3 or not is_digits(version):
        problems.append("version")
    return problems


def mod_37_36(body: str) -> str:
    """The check character of ISO 7064 MOD 37,36 over ``0-9A-Z``."""
    product = 36
    for character in body:
        total = (product + _ALPHABET.index(character)) % 36 or 36
        product = total * 2 % 37
    return _ALPHABET[(37 - product) % 36]
