"""Where data came from, as OpenLineage 2-0-2 run events: connections, imports, fetches of shared rows."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboard.catalogue.lineage_keeper import run_of
from dashboard.services import Services
from storage.connections import read_connections
from storage.registry import registry_key
from storage.session import read_scope
from storage.tables.records import ImportRun
from storage.tables.sharing import LineageRun, ShareAccess

SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
_STATISTICS = "https://openlineage.io/spec/facets/1-0-2/OutputStatisticsOutputDatasetFacet.json"
_ERROR = "https://openlineage.io/spec/facets/1-0-1/ErrorMessageRunFacet.json"
MOST = 200


def events(use: Services) -> list[dict[str, Any]]:
    """The newest runs, each as START and COMPLETE or FAIL."""
    producer = use.settings.public_url
    found: list[dict[str, Any]] = []
    with read_scope(use.engine) as session:
        kept = session.scalars(select(LineageRun).order_by(LineageRun.ended_at.desc()).limit(MOST))
        for row in {**_shown_now(session, use), **{row.run_id: row for row in kept}}.values():
            found += _run(producer, row.run_id, row.job, row.started_at.isoformat(), row.ended_at.isoformat(),
                          row.namespace, row.target, row.rows, row.error, given=row.given)  # fmt: skip
        for taken in session.scalars(select(ImportRun).order_by(ImportRun.at.desc()).limit(MOST)):
            at, rows = taken.at.isoformat(), int(sum(v for v in taken.counts.values() if isinstance(v, int)))
            wrong = "" if taken.state != "failed" else "failed"
            found += _run(producer, taken.run_id, f"import.{taken.register_id}", at, at, "file",
                          f"register.{taken.register_id}", rows, wrong, given=taken.file)  # fmt: skip
        for access in session.scalars(select(ShareAccess).order_by(ShareAccess.at.desc()).limit(MOST)):
            at = access.at.isoformat()
            name = access.dataset_id
            found += _run(producer, access.access_id, f"share.{name}", at, at, "share", f"grant.{access.request_id}",
                          access.rows, "", given=f"dataset.{name}")  # fmt: skip
    return sorted(found, key=lambda e: (str(e["eventTime"]), e["eventType"] != "START"))


def _shown_now(session: Session, use: Services) -> dict[str, LineageRun]:
    """Runs that ingest shows and nobody has kept yet."""
    found: dict[str, LineageRun] = {}
    for config in read_connections(session, "in"):
        live = use.hub.states.get(registry_key("connection", config.connection_id)) or {}
        rows = (run_of(config.connection_id, config.kind, run) for run in live.get("runs", []))
        found |= {row.run_id: row for row in rows if row is not None}
    return found


def _run(
    producer: str, run_id: str, job: str, started: str, ended: str, kind: str, target: str, rows: int, error: str,
    given: str = "",
) -> list[dict[str, Any]]:  # fmt: skip
    common = {
        "producer": producer, "schemaURL": SCHEMA, "job": {"namespace": "yiwang", "name": job},
        "inputs": [{"namespace": kind, "name": given or job}],
    }  # fmt: skip
    run = {"runId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{producer}/{run_id}"))}
    facet = {"_producer": producer, "_schemaURL": _STATISTICS, "rowCount": rows}
    output = {"namespace": "yiwang", "name": target, "outputFacets": {"outputStatistics": facet}}
    failed = {"_producer": producer, "_schemaURL": _ERROR, "message": error, "programmingLanguage": "Python"}
    last = {**run, "facets": {"errorMessage": failed}} if error else run
    return [
        {**common, "eventType": "START", "eventTime": started, "run": run, "outputs": []},
        {**common, "eventType": "FAIL" if error else "COMPLETE", "eventTime": ended, "run": last, "outputs": [output]},
    ]
