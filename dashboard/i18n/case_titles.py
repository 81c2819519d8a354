"""A case's title in the visitor's language, as the wall writes it too (``ui/shared/i18n.mjs: caseTitle``).

Rules write titles in Chinese: on an English page the kind and the site's English name stand for one.
"""

from __future__ import annotations

import re
from typing import Protocol

from dashboard.i18n import words

_CHINESE = re.compile(r"[\u3400-\u9fff]")


class Titled(Protocol):
    """What has a title: a summary of a case."""

    @property
    def title(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def site_name(self) -> str | None: ...
    @property
    def site_name_en(self) -> str | None: ...


def case_title(case: Titled, language: str) -> str:
    """The title as written, or on an English page what it says in English."""
    return title_of(case.title, case.kind, case.site_name_en or case.site_name, language)


def title_of(title: str, kind: str, place: str | None, language: str) -> str:
    """The same of a title, a kind and the name of a place."""
    said = words(language).get(f"kind.{kind}", "")
    if language != "en" or not _CHINESE.search(title) or not said:
        return title
    return f"{said} · {place}" if place else said
