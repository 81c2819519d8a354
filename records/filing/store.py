"""Data sets in the database: taken in as versions, the highest in force."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotFound
from records.filing.dataset import Dataset, parse_dataset
from storage.tables.filing import FilingDataset


def take_dataset(session: Session, body: Mapping[str, Any], at: datetime, by: str) -> Dataset:
    """Take a data set in as a new version; the same content again changes nothing."""
    text = json.dumps(body, sort_keys=True, ensure_ascii=False)
    digest = hashlib.sha256(text.encode()).hexdigest()
    newest = session.scalar(
        select(FilingDataset)
        .where(FilingDataset.dataset_id == body.get("id"))
        .order_by(FilingDataset.version.desc())
        .limit(1)
    )
    if newest is not None and newest.digest == digest:
        return parse_dataset(newest.body, newest.version)
    dataset = parse_dataset(body, (newest.version if newest else 0) + 1)
    session.add(
        FilingDataset(
            dataset_id=dataset.id, version=dataset.version, digest=digest, body=json.loads(text), taken_at=at,
            taken_by=by,
        )
    )  # fmt: skip
    session.flush()
    return dataset


def get_dataset(session: Session, dataset_id: str, version: int | None = None) -> Dataset:
    """The data set in force, or a certain version; :class:`NotFound`."""
    sql = select(FilingDataset).where(FilingDataset.dataset_id == dataset_id)
    sql = sql.where(FilingDataset.version == version) if version else sql.order_by(FilingDataset.version.desc())
    row = session.scalar(sql.limit(1))
    if row is None:
        raise NotFound(what="data set", key=dataset_id)
    return _parsed(row.dataset_id, row.version, json.dumps(row.body, ensure_ascii=False))


_CACHE: dict[tuple[str, int, str], Dataset] = {}


def _parsed(dataset_id: str, version: int, text: str) -> Dataset:
    """Compiling a form costs milliseconds, and a version never changes."""
    key = (dataset_id, version, hashlib.sha256(text.encode()).hexdigest())
    if key not in _CACHE:
        if len(_CACHE) > 200:
            _CACHE.clear()
        _CACHE[key] = parse_dataset(json.loads(text), version)
    return _CACHE[key]


def datasets(session: Session) -> list[Dataset]:
    """All data sets in force, by id."""
    ids = session.scalars(select(FilingDataset.dataset_id).distinct().order_by(FilingDataset.dataset_id)).all()
    return [get_dataset(session, dataset_id) for dataset_id in ids]
