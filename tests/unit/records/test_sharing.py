"""Data sets of the catalogue: what may not be shared is refused, lateness by the cycle, the feed's shape."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from records.registers.definition import shipped_registers
from records.sharing import dataset, dcat
from records.sharing.dataset import CYCLES, SharedDatasetInvalid, freshness, parse, quality, read_folder, shipped

NOW = datetime(2026, 11, 28, 1, 0, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "id": "x", "zh": "政策", "en": "Policies", "register": "policy", "provider": "d", "fields": ["number", "name"],
    "sharing": "conditional", "condition": "履职", "cycle": "daily", "rules": {"number": "unique", "name": "required"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"register": "nothing"}, "register"),
        ({"fields": ["number", "nose"]}, "nose"),
        ({"fields": []}, "fields"),
        ({"register": "enterprise", "fields": ["name", "phone"]}, "sensitive"),
        ({"register": "person", "fields": ["division"], "sharing": "unconditional"}, "personal"),
        ({"condition": ""}, "condition"),
        ({"sharing": "free"}, "sharing"),
        ({"cycle": "often"}, "cycle"),
        ({"code": "9"}, "code"),
        ({"provider_code": "123"}, "provider_code"),
        ({"rules": {"number": "pretty"}}, "pretty"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_may_not_be_shared_is_refused_by_name(change: dict[str, Any], named: str) -> None:
    with pytest.raises(SharedDatasetInvalid, match=named):
        parse(GOOD | change, shipped_registers())


def test_a_citys_file_is_read_and_its_faults_are_told(tmp_path: Path) -> None:
    good = "- {id: a, zh: x, en: x, register: policy, provider: d, fields: [name], sharing: unconditional}"
    (tmp_path / "good.yaml").write_text(f"{good}\n- {{id: b}}\n- just words\n")
    (tmp_path / "broken.yaml").write_text("- [")
    found, problems = read_folder(tmp_path, shipped_registers())
    assert set(found) == {"a"} and len(problems) == 3
    assert read_folder(tmp_path / "nowhere", shipped_registers()) == ({}, [])


def test_lateness_follows_the_promised_cycle() -> None:
    shared = parse(GOOD, shipped_registers())
    assert freshness(shared, None, NOW).late
    assert not freshness(shared, NOW - timedelta(hours=24), NOW).late
    assert freshness(shared, NOW - timedelta(hours=25), NOW).late
    irregular = parse(GOOD | {"cycle": "irregular"}, shipped_registers())
    assert not freshness(irregular, None, NOW).late


def test_quality_counts_what_is_missing_or_twice() -> None:
    rows = [{"number": "1", "name": "a"}, {"number": "1", "name": ""}, {"number": None}]
    checked = quality(parse(GOOD, shipped_registers()), rows)
    assert [(q["field"], q["bad"], q["rows"]) for q in checked] == [("number", 1, 3), ("name", 2, 3)]


def test_the_feed_holds_what_dcat_ap_makes_mandatory() -> None:
    listed = [(shared, freshness(shared, NOW, NOW)) for shared in shipped().values()]
    feed = dcat.catalogue("https://yiwang.example", "目录", listed, {}, NOW)
    assert feed["@type"] == "dcat:Catalog" and {"dct:title", "dct:description", "dct:publisher"} <= set(feed)
    prefixes = set(feed["@context"])
    for one in feed["dcat:dataset"]:
        assert one["@type"] == "dcat:Dataset" and {"dct:title", "dct:description", "dct:identifier"} <= set(one)
        assert one["dct:accessRights"]["@id"].rsplit("/", 1)[1] in ("PUBLIC", "RESTRICTED", "NON_PUBLIC")
        shared = one["dct:accessRights"]["@id"].endswith("NON_PUBLIC")
        assert shared is ("dcat:distribution" not in one)
        for part in one.get("dcat:distribution", []):
            assert part["dcat:accessURL"]["@id"].startswith("https://yiwang.example/share/v1/")
        assert {name.partition(":")[0] for name in one if not name.startswith("@")} <= prefixes
    assert set(dcat.FREQUENCY) == set(CYCLES)


def test_a_provider_without_a_department_has_the_data_sets_name() -> None:
    policies = next(shared for shared in dataset.shipped().values() if shared.provider == "dept-development")
    assert dataset.provider_name(policies, {}) == "发展和改革局"
    assert dataset.provider_name(policies, {}, "en") == "Development and Reform Bureau"
    assert dataset.provider_name(policies, {"dept-development": "发改局"}) == "发改局"
    with pytest.raises(dataset.SharedDatasetInvalid):
        dataset.parse({"id": "x", "fields": "name", "register": ["licence"], "provider": 1}, {})
