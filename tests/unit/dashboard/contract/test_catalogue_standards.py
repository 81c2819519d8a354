"""The catalogue's feed is held to DCAT-AP 3 by SHACL, the lineage to OpenLineage's own classes."""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attr
import pytest
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import error_message_run, output_statistics_output_dataset
from pyshacl import validate
from rdflib import Graph

from core.settings import Settings
from dashboard.catalogue.lineage import _run
from records.registers.definition import shipped_registers
from records.sharing.dataset import Freshness, SharedDatasetInvalid, parse, shipped
from records.sharing.dcat import catalogue
from tests.unit.dashboard.web import make_office

NOW = datetime(2026, 11, 28, 1, 0, tzinfo=UTC)
SHAPES = Path(__file__).parent / "data" / "dcat_ap_3.ttl"
OWN = {"id": "shops", "zh": "九小场所", "en": "Small places", "register": "enterprise", "provider": "dept-x",
       "fields": ["code", "name"], "sharing": "unconditional", "basis": "《政务数据共享条例》",
       "contact": "数据局 综合科", "theme": "JUST", "published": "2026-11-01", "abstract": "名录"}  # fmt: skip


def problems(feed: Mapping[str, Any]) -> str:
    """What SHACL says; empty for a feed that holds."""
    graph = Graph().parse(data=json.dumps(feed), format="json-ld")
    fits, _, text = validate(graph, shacl_graph=Graph().parse(SHAPES, format="turtle"), inference="none")
    return "" if fits else str(text)


def test_the_shipped_catalogue_is_dcat_ap(settings: Settings) -> None:
    office = make_office(settings)
    feed = office.client("boss").get("/api/catalogue/dcat.jsonld").json()
    assert len(feed["dcat:dataset"]) == len(shipped()) and problems(feed) == ""
    office.engine.dispose()


@pytest.mark.parametrize("change", [
    {}, {"theme": ""}, {"contact": "", "basis": ""}, {"sharing": "none", "condition": "依法不予共享"},
    {"cycle": "irregular", "published": ""}, {"provider_zh": "应急管理局", "provider_en": "Emergency bureau"},
])  # fmt: skip
def test_a_citys_own_data_set_is_dcat_ap(change: dict[str, Any]) -> None:
    shared = parse(OWN | change, shipped_registers())
    feed = catalogue("https://x.example", "二道区", [(shared, Freshness(NOW, NOW, False))], {}, NOW)
    assert problems(feed) == ""


@pytest.mark.parametrize("change", [
    {"id": "企业 名录"}, {"id": "a/b"}, {"zh": " "}, {"en": ""}, {"theme": "FIRE"}, {"published": "2026-11-31"},
    {"published": "last year"},
])  # fmt: skip
def test_what_would_spoil_the_feed_is_no_data_set(change: dict[str, Any]) -> None:
    with pytest.raises(SharedDatasetInvalid):
        parse(OWN | change, shipped_registers())


def test_the_shapes_find_what_is_missing() -> None:
    shared = parse(OWN, shipped_registers())
    feed = catalogue("https://x.example", "二道区", [(shared, Freshness(None, None, True))], {}, NOW)
    for path in (("dct:title",), ("dct:description",), ("dct:publisher",), ("dcat:dataset", 0, "dct:title"),
                 ("dcat:dataset", 0, "dct:description"), ("dcat:dataset", 0, "dct:publisher", "foaf:name"),
                 ("dcat:dataset", 0, "dcat:distribution", 0, "dcat:accessURL"),
                 ("dcat:dataset", 0, "dct:accessRights", "@type")):  # fmt: skip
        broken: Any = copy.deepcopy(feed)
        holder = broken
        for step in path[:-1]:
            holder = holder[step]
        del holder[path[-1]]
        assert problems(broken), path


def exactly(kind: type[Any], given: Mapping[str, Any], **made: Any) -> Any:
    """An object of OpenLineage's class from ``given``; a property that the class does not know is an error."""
    names = {field.name for field in attr.fields(kind)}
    assert set(given) <= names, set(given) - names
    wanted = {field.alias for field in attr.fields(kind) if field.init}
    values = {name.removeprefix("_"): value for name, value in given.items()}
    return kind(**{name: value for name, value in (values | made).items() if name in wanted})


def run_event(event: Mapping[str, Any]) -> RunEvent:
    facets = {}
    for name, facet in event["run"].get("facets", {}).items():
        facets[name] = exactly({"errorMessage": error_message_run.ErrorMessageRunFacet}[name], facet)
        assert facet["_producer"] and facet["_schemaURL"].startswith("https://openlineage.io/spec/facets/")
    outputs = []
    for one in event["outputs"]:
        kinds = {"outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet}
        kept = {name: exactly(kinds[name], facet) for name, facet in one["outputFacets"].items()}
        outputs.append(exactly(OutputDataset, one, outputFacets=kept))
    assert event["schemaURL"] == RunEvent._get_schema()
    return exactly(  # type: ignore[no-any-return]
        RunEvent, event, run=exactly(Run, event["run"], facets=facets), job=exactly(Job, event["job"]),
        inputs=[exactly(InputDataset, one) for one in event["inputs"]], outputs=outputs,
        eventType=RunState(event["eventType"]),
    )  # fmt: skip


@pytest.mark.parametrize("error", ["", "the sender does not answer"])
def test_lineage_is_what_openlineage_reads(error: str) -> None:
    began, ended = "2026-11-28T01:00:00+00:00", "2026-11-28T01:00:02+00:00"
    events = _run("https://x.example", "01RUN", "gas", began, ended, "rest", "readings.gas", 9, error, given="gas")
    made = [run_event(event) for event in events]
    assert [e.eventType for e in made] == [RunState.START, RunState.FAIL if error else RunState.COMPLETE]
    assert len({e.run.runId for e in made}) == 1 and uuid.UUID(made[0].run.runId)
    assert made[1].outputs[0].outputFacets["outputStatistics"].rowCount == 9  # type: ignore[index,attr-defined]
