"""The sources of measures, one file each; :func:`sources` knows them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from measures.source import Source


@cache
def sources() -> Mapping[str, Source]:
    """Every source by its id."""
    from measures.sources import cameras, cases, devices, filings, observations, records

    known = (cases.SOURCE, records.SOURCE, filings.SOURCE, devices.SOURCE, cameras.SOURCE, observations.SOURCE)
    return {source.id: source for source in known}
