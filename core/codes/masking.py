"""Minimum display of personal data (PIPL; GB/T 35273-2020 §7.2): patterns of the project, standards/11 §2.

Whoever shows a masked value may show it to anybody with the right to the record; the whole value needs a reason.
"""

from __future__ import annotations

import re
import unicodedata

COMPOUND_SURNAMES = frozenset(
    [
        "欧阳",
        "司马",
        "上官",
        "诸葛",
        "夏侯",
        "司徒",
        "令狐",
        "皇甫",
        "尉迟",
        "公孙",
        "慕容",
        "长孙",
        "宇文",
        "司空",
        "东方",
        "端木",
        "独孤",
        "南宫",
        "百里",
        "东郭",
        "西门",
        "呼延",
        "轩辕",
        "公羊",
        "澹台",
        "公冶",
        "宗政",
        "濮阳",
        "淳于",
        "单于",
        "太叔",
        "申屠",
        "仲孙",
        "钟离",
        "鲜于",
        "闾丘",
        "赫连",
        "拓跋",
        "完颜",
    ]
)
_LATIN = re.compile(r"[A-Za-z][A-Za-z'’.\- ]*")
_SERVICE = 6  # service numbers (110, 12345, 95588 …) are not personal
_MOBILE = re.compile(r"(\+?86[- ]?)?(1[0-9]{2})[0-9]{4}([0-9]{4})")
_LANDLINE = re.compile(r"(\(?0[0-9]{2,3}\)?[- ]?)?([0-9]{3,4})([0-9]{4})((?:[-转 ]+[0-9]{1,6})?)")
_RESIDENT_ID = re.compile(r"(?<![0-9])[1-9][0-9]{16}[0-9Xx](?![0-9A-Za-z])")
_PHONE_IN_TEXT = re.compile(r"(?<![0-9])1[3-9][0-9]{9}(?![0-9])")


def mask_name(name: str) -> str:
    """First character and stars; compound surnames keep two characters; Latin: first letter per word."""
    text = unicodedata.normalize("NFKC", name).strip()
    if len(text) < 2:
        return "*" * len(text)
    if _LATIN.fullmatch(text):
        return " ".join(word[0] + "*" * (len(word) - 1) if len(word) > 1 else "*" for word in text.split())
    shown = 2 if len(text) > 2 and text[:2] in COMPOUND_SURNAMES else 1
    return text[:shown] + "*" * (len(text) - shown)


def mask_phone(phone: str) -> str:
    """Mobile: first three, stars, last four; landline: area code, stars, last four; service numbers as they are."""
    text = unicodedata.normalize("NFKC", phone).strip()
    digits = sum(c in "0123456789" for c in text)
    if digits <= _SERVICE and digits == len(text):
        return text
    if mobile := _MOBILE.fullmatch(text):
        return f"{mobile[1] or ''}{mobile[2]}****{mobile[3]}"
    if landline := _LANDLINE.fullmatch(text):
        return f"{landline[1] or ''}{'*' * len(landline[2])}{landline[3]}{landline[4]}"
    return _ends(text, 0, min(4, max(len(text) - 4, 0)))


def mask_id(number: str) -> str:
    """First and last character of a document number; two and fewer characters become stars."""
    return _ends(unicodedata.normalize("NFKC", number).strip(), 1, 1)


def _ends(text: str, first: int, last: int) -> str:
    if len(text) <= first + last:
        return "*" * len(text)
    return text[:first] + "*" * (len(text) - first - last) + text[len(text) - last :]


def personal_numbers(text: str) -> list[tuple[int, int, str]]:
    """Resident and mobile numbers in a text to be published: ``(begin, end, kind)``, kind ``id`` or ``phone``."""
    folded = "".join(_half_width(c) for c in text)
    found = [(m.start(), m.end(), "id") for m in _RESIDENT_ID.finditer(folded)]
    found += [(m.start(), m.end(), "phone") for m in _PHONE_IN_TEXT.finditer(folded)]
    return sorted(found)


def _half_width(character: str) -> str:
    """One character for one, so that positions stay."""
    folded = unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 else character
