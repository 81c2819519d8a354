"""The sources of measures, one file each; :func:`sources` knows them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from measures.source import Source


@cache
def sources() -> Mapping[str, Source]:
    """Every source by its id."""
    from measures.sources import cameras, cases, devices, filings, observations, ratings, records

    modules = (cases, records, filings, devices, cameras, observations, ratings)
    known = tuple(module.SOURCE for module in modules)
    return {source.id: source for source in known}
