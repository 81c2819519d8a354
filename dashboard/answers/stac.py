"""Answers in the forms of STAC 1.1.0 and STAC API 1.0.0."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class StacCatalogue(TypedDict):
    """The landing page: a catalogue with its conformance classes."""

    type: str
    stac_version: str
    id: str
    title: str
    description: str
    conformsTo: list[str]
    links: list[dict[str, Any]]


class StacConformance(TypedDict):
    """The conformance classes."""

    conformsTo: list[str]


class StacCollection(TypedDict):
    """A flight, or the mosaics."""

    type: str
    stac_version: str
    stac_extensions: list[str]
    id: str
    title: str
    description: str
    license: str
    keywords: list[str]
    extent: dict[str, Any]
    links: list[dict[str, Any]]


class StacCollections(TypedDict):
    """Every collection."""

    collections: list[StacCollection]
    links: list[dict[str, Any]]


class StacItem(TypedDict):
    """A file or a mosaic."""

    type: str
    stac_version: str
    stac_extensions: list[str]
    id: str
    geometry: dict[str, Any] | None
    bbox: NotRequired[list[float]]
    properties: dict[str, Any]
    collection: str
    links: list[dict[str, Any]]
    assets: dict[str, Any]


class StacItems(TypedDict):
    """A page of items."""

    type: str
    features: list[StacItem]
    links: list[dict[str, Any]]
    numberMatched: int
    numberReturned: int
