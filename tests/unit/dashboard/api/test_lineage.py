"""Runs of connections are kept once, told as OpenLineage events and drawn from sender to receiver."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from core.settings import Settings
from dashboard.catalogue import lineage
from dashboard.catalogue.lineage_graph import COLUMNS, graph_of, places
from dashboard.catalogue.lineage_keeper import LineageKeeper
from records.sharing.dataset import shipped
from storage.session import read_scope
from storage.tables.sharing import LineageRun
from tests.unit.dashboard.web import make_office

RUN = {"run_id": "01RUN", "started": "2026-11-28T01:00:00+00:00", "ended": "2026-11-28T01:00:02+00:00", "rows": 3,
       "taken": 9, "refused": 0, "error": "", "version": 1}  # fmt: skip
FAILED = {**RUN, "run_id": "02RUN", "taken": 0, "error": "the sender does not answer"}


def test_runs_outlive_what_the_bus_shows(settings: Settings) -> None:
    office = make_office(settings)
    boss, use = office.client("boss"), office.app.state.services
    boss.post("/api/connections", json={"connection_id": "gas", "name": "燃气", "kind": "rest"})
    mapping = {"device": "id", "values": [{"path": "v", "quantity": "v"}]}
    boss.put("/api/connections/gas", json={"params": {"url": "https://gas.example/"}, "mapping": mapping})
    use.hub.states["connection.gas"] = {"runs": [FAILED, RUN, {"run_id": "half"}]}
    keeper = LineageKeeper(use.engine, use.hub, use.clock)
    assert len(boss.get("/api/catalogue/lineage").json()["items"]) == 4  # before anybody kept them
    assert keeper.look() == 2 and keeper.look() == 0
    assert LineageKeeper(use.engine, use.hub, use.clock).look() == 0  # after a restart
    del use.hub.states["connection.gas"]
    events = boss.get("/api/catalogue/lineage").json()["items"]
    assert sorted(e["eventType"] for e in events) == ["COMPLETE", "FAIL", "START", "START"]
    graph = graph_of(lineage.events(use), [])
    edge = graph.edges["connection.gas", "readings.gas"]
    assert (edge.runs, edge.failed, edge.rows) == (2, 1, 9)
    with read_scope(use.engine) as session:
        assert session.scalar(select(func.count()).select_from(LineageRun)) == 2


def event(given: str, target: str, kind: str = "COMPLETE") -> dict[str, Any]:
    facets = {"outputStatistics": {"rowCount": 5}}
    return {"eventType": kind, "eventTime": "2026-11-28T01:00:00+00:00", "inputs": [{"name": given}],
            "outputs": [{"name": target, "outputFacets": facets}]}  # fmt: skip


def test_a_data_set_stands_between_its_register_and_its_receivers() -> None:
    graph = graph_of([event("企业.xlsx", "register.enterprise"), event("dataset.enterprises", "grant.01")],
                     shipped().values())  # fmt: skip
    assert graph.nodes["企业.xlsx"] == "source" and graph.nodes["grant.01"] == "grant"
    assert graph.edges["register.enterprise", "dataset.enterprises"].runs == 0
    at = places(graph)
    assert len(set(at.values())) == len(at)
    assert [x for x, _ in sorted(at.values())] == sorted(COLUMNS.index(c) for c in graph.nodes.values())
