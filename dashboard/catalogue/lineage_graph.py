"""Lineage as a graph: where data comes from, where it lies, as which data set it is offered, who gets it.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from records.sharing.dataset import SharedDataset

COLUMNS = ("source", "store", "dataset", "grant")


@dataclass
class LineageEdge:
    """All runs of one way: how many, how many failed, rows together, the last one's time."""

    given: str
    target: str
    runs: int = 0
    failed: int = 0
    rows: int = 0
    last: str = ""


@dataclass
class LineageGraph:
    """``nodes``: name → its column; ``edges`` by (from, to).  An edge without runs is a data set over its register."""

    nodes: dict[str, str] = field(default_factory=dict)
    edges: dict[tuple[str, str], LineageEdge] = field(default_factory=dict)

    def edge(self, given: str, target: str) -> LineageEdge:
        """The edge, made when it is new; its ends become nodes."""
        for name in (given, target):
            self.nodes.setdefault(name, column_of(name))
        return self.edges.setdefault((given, target), LineageEdge(given, target))


def column_of(name: str) -> str:
    """In which column a data set of an event stands."""
    head = name.partition(".")[0]
    return {"readings": "store", "register": "store", "dataset": "dataset", "grant": "grant"}.get(head, "source")


def graph_of(events: Iterable[Mapping[str, Any]], datasets: Iterable[SharedDataset]) -> LineageGraph:
    """The graph of OpenLineage events (their end events count) and of the data sets over registers that occur in it."""
    found = LineageGraph()
    for event in events:
        if event["eventType"] == "START":
            continue
        for given in event["inputs"]:
            for output in event["outputs"]:
                edge = found.edge(given["name"], output["name"])
                edge.runs += 1
                edge.failed += event["eventType"] == "FAIL"
                edge.rows += int(output.get("outputFacets", {}).get("outputStatistics", {}).get("rowCount") or 0)
                edge.last = max(edge.last, str(event["eventTime"]))
    for shared in datasets:
        register, own = f"register.{shared.register}", f"dataset.{shared.id}"
        if register in found.nodes or own in found.nodes:
            found.edge(register, own)
    return found


def places(graph: LineageGraph) -> dict[str, tuple[float, float]]:
    """Where each node stands: columns from left to right, a node near the middle of what leads to it."""
    at: dict[str, tuple[float, float]] = {}
    for x, column in enumerate(COLUMNS):
        names = [name for name, own in graph.nodes.items() if own == column]
        for y, name in enumerate(sorted(names, key=lambda n: (_before(graph, n, at), n))):
            at[name] = (float(x), -float(y))
    return at


def _before(graph: LineageGraph, name: str, at: Mapping[str, tuple[float, float]]) -> float:
    """Mean height (from the top) of the nodes that lead to ``name``."""
    heights = [-at[given][1] for given, target in graph.edges if target == name and given in at]
    return sum(heights) / len(heights) if heights else 0.0
