"""Every example of docs/protocols.md is loaded, run, and gives what the page says."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core import plugins
from core.records import Observation, Reading
from ingest import configured
from ingest.broker_auth import mapped_topics
from ingest.mapping import map_payload
from ingest.router import Router, mappings_of

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "protocols.md").read_text(encoding="utf-8")
NOW = datetime(2026, 11, 27, 11, 0, tzinfo=UTC)
BLOCK = re.compile(
    r"```yaml\n# (mappings|sources)/([\w-]+)\.yaml\n(.*?)```\n(?:```json\n(\S+)\n(.*?)```\n→ (.*?)\n)?", re.S
)
EXAMPLES = [found.groups() for found in BLOCK.finditer(TEXT)]
MAPPINGS = [e for e in EXAMPLES if e[0] == "mappings"]


def test_the_page_has_examples_and_each_is_of_a_kind_that_is_tested() -> None:
    assert len(MAPPINGS) >= 4 and len(EXAMPLES) - len(MAPPINGS) >= 4
    assert TEXT.count("```yaml") == len(EXAMPLES) and all(e[5] for e in MAPPINGS)


def told(reading: Reading) -> str:
    value = "-" if reading.value is None else f"{reading.value:g}"
    return f"{reading.device_id} {reading.quantity} {value} {reading.unit} {reading.quality}"


def seen(observation: Observation) -> str:
    return f"{observation.source_id} {observation.kind} {observation.state}"


@pytest.mark.parametrize(("_kind", "name", "yaml", "where", "body", "result"), MAPPINGS, ids=[e[1] for e in MAPPINGS])
def test_a_mapping_gives_what_the_page_says(
    _kind: str, name: str, yaml: str, where: str, body: str, result: str
) -> None:
    router = Router(mappings_of(yaml, name))
    if where.startswith("/push/"):
        spec = router.named(where.removeprefix("/push/"))
        assert spec is not None
        mapped = map_payload(spec, body.encode(), NOW)
        devices = [(d, mapped.readings.get(d, []), mapped.observations.get(d, [])) for d in mapped.devices]
        refused: list[Any] = [error for _, error in mapped.refused]
    else:
        parsed = router.parse(where, body.encode(), NOW)
        devices, refused = parsed.devices, parsed.refused
        assert mapped_topics(router.mappings), "the topic gets its publish right"
    got = [told(r) for _, readings, _ in devices for r in readings] + [seen(o) for *_, all_ in devices for o in all_]
    parts = [part.strip() for part in result.split(" · ")]
    assert got == [part.strip("`") for part in parts if not part.startswith("refused")]
    assert [f"`{e.data['field']}`" for e in refused] == [p.split()[1] for p in parts if p.startswith("refused")]
    assert all(r.observed_at < NOW for _, readings, _ in devices for r in readings if "missing" not in told(r))


def test_every_source_can_be_built(tmp_path: Path) -> None:
    for kind, name, yaml, *_ in EXAMPLES:
        if kind == "sources":
            (tmp_path / f"{name}.yaml").write_text(yaml, encoding="utf-8")
    found = configured.read_sources(tmp_path)
    assert found.problems == () and len(found.pollers) + len(found.listeners) == len(EXAMPLES) - len(MAPPINGS)
    for source in found.pollers:
        plugins.build("source", source.kind, source.params, name=source.name, state_dir=tmp_path)
    for name, params in found.listeners.items():
        plugins.build("source", name, params)
