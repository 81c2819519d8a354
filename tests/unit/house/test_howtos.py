"""The examples of the how-to pages are whole plug-ins: put into a city's folder they are found, built and work."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core import plugins
from core.exchange import ConnectionConfig
from core.records import Observation
from core.settings import load_settings
from events.rules.findings import Context, DictMemory, DraftSpec, RuleSpec
from ingest.configured import tcp_ports
from ingest.connections import mapped
from ingest.connections.contract import Wiring
from ingest.contract import Frame, Refused
from ingest.yamltext import read_yaml

HOWTO = Path(__file__).resolve().parents[3] / "docs" / "howto"
NOW = datetime(2026, 11, 28, 3, tzinfo=UTC)


@pytest.fixture
def city(tmp_path: Path) -> Iterator[Path]:
    plugins.use_city_folder(tmp_path)
    yield tmp_path
    plugins.use_city_folder(None)


def put(city: Path, page: str, folder: str, name: str) -> None:
    """The example of a page as a file of the city's folder."""
    (code,) = re.findall(r"```python\n(.*?)```", (HOWTO / page).read_text(encoding="utf-8"), re.DOTALL)
    (city / folder).mkdir()
    (city / folder / f"{name}.py").write_text(code, encoding="utf-8")


def test_a_protocol_is_one_file(city: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    put(city, "source.md", "sources", "vane")
    assert plugins.problems("source") == []
    session = plugins.build("source", "vane", {"offset_deg": 10}).session()
    found, rest = session.decode(b"vane 7 355\nwhat is this\nvane 8 9", received_at=NOW)
    good, bad = found
    assert isinstance(good, Frame) and good.readings[0].value == 5.0 and good.device_id == "vane:7"
    assert isinstance(bad, Refused) and rest == b"vane 8 9"
    settings = load_settings({"YIWANG_DATA_DIR": str(tmp_path_factory.mktemp("d")), "YIWANG_VANE_PORT": "9911"})
    assert tcp_ports(settings)["vane"] == 9911


def test_a_kind_of_rule_is_one_file(city: Path) -> None:
    put(city, "rule.md", "rules", "even")
    assert plugins.problems("rule") == []
    draft = DraftSpec(happening="other", class_code="event-05-06", title="{value}")
    spec = RuleSpec(rule_id="even-1", kind="even", name="even", applies_to=("water_level_m",), draft=draft)
    rule = plugins.build("rule", "even", {"at_least": 2}, spec=spec)
    context = Context(now=NOW, memory=DictMemory())

    def judge(value: float) -> Any:
        found = rule.evaluate(
            Observation(
                observation_id=f"o{value}", kind="water_level_m", state="value", source_type="device", source_id="d",
                observed_at=NOW, received_at=NOW, value=value,
            ),
            context,
        )  # fmt: skip
        return found and found.state

    assert [judge(v) for v in (0, 4, 6, 5, 8)] == [None, "open", None, "clear", "open"]


def test_a_kind_of_connection_is_one_file_and_the_mappings_shown_work(city: Path) -> None:
    put(city, "connection.md", "connections", "weather")
    assert plugins.problems("connection") == []
    built = plugins.build("connection", "weather", {"url": "https://station.example"}, wiring=Wiring())
    assert built.params.url == "https://station.example"
    text = (HOWTO / "connection.md").read_text(encoding="utf-8")
    values, orders = (read_yaml(found) for found in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL))
    (answer,) = re.findall(r"An answer `(\{.*?\})` then", text)
    config = ConnectionConfig(connection_id="gas", kind="rest", mapping=values)
    shown = mapped.shown(*mapped.take(mapped.mapping_of(config), json.loads(answer), NOW))
    assert [(r["device"], r["value"]) for r in shown["readings"]] == [("gas:TY-1", 0.27)]
    assert [(e["kind"], e["state"]) for e in shown["events"]] == [("gas_alarm", "open")]
    assert mapped.mapping_of(ConnectionConfig(connection_id="h", kind="hotline", mapping=orders)).orders
