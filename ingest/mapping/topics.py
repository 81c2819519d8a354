"""Which mapping is meant by an MQTT topic."""

from __future__ import annotations

import re

from ingest.mapping.format import Mapping, MappingInvalid


class MappingSet:
    """Mappings by topic, for MQTT."""

    def __init__(self, mappings: list[Mapping]) -> None:
        self._mappings = [(topic_pattern(m), m) for m in mappings if m.topic]

    @property
    def topics(self) -> tuple[str, ...]:
        """MQTT filters to subscribe to: every level that holds a ``{name}`` becomes ``+``."""
        out = []
        for _, mapping in self._mappings:
            levels = ["+" if "{" in level else level for level in mapping.topic.split("/")]
            out.append("/".join(levels))
        return tuple(dict.fromkeys(out))

    def match(self, topic: str) -> tuple[Mapping, dict[str, str]] | None:
        """The first mapping whose topic fits, and what its ``{name}`` are."""
        for pattern, mapping in self._mappings:
            found = pattern.fullmatch(topic)
            if found:
                return mapping, found.groupdict()
        return None


def topic_pattern(mapping: Mapping) -> re.Pattern[str]:
    """``a/{b}/c`` as a pattern; a ``{name}`` takes one level or a part of one; ``#`` at the end takes the rest."""
    parts = re.split(r"(\{\w+\}|#\Z|\+)", mapping.topic)
    try:
        return re.compile("".join(_topic_part(p) for p in parts))
    except re.error as error:
        raise MappingInvalid(mapping=mapping.name, detail=f"topic: {error}") from error


def _topic_part(part: str) -> str:
    if part == "#":
        return ".*"
    if part == "+":
        return "[^/]+"
    if part.startswith("{") and part.endswith("}"):
        return f"(?P<{part[1:-1]}>[^/()]+)"
    return re.escape(part)
