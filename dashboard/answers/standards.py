"""Answers in the forms of OGC API (17-069, 20-057), SensorThings (18-088) and Open311 (GeoReport v2)."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class OgcLanding(TypedDict):
    """Where everything is (OGC 17-069, clause 7.2)."""

    title: str
    description: str
    links: list[dict[str, Any]]


class OgcConformance(TypedDict):
    """The conformance classes (clause 7.4)."""

    conformsTo: list[str]


class OgcDescription(TypedDict):
    """The interface as OpenAPI 3.0 (clause 7.3)."""

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]
    servers: list[dict[str, Any]]


class OgcCollection(TypedDict):
    """A collection (clause 7.14)."""

    id: str
    title: str
    description: str
    itemType: str
    crs: list[str]
    extent: dict[str, Any]
    links: list[dict[str, Any]]
    attribution: NotRequired[str]


class OgcCollections(TypedDict):
    """The collections that the asker may see (clause 7.13)."""

    links: list[dict[str, Any]]
    collections: list[OgcCollection]


class OgcFeature(TypedDict):
    """A feature (clause 7.16)."""

    type: str
    id: str | int
    geometry: dict[str, Any] | None
    properties: dict[str, Any]
    links: NotRequired[list[dict[str, Any]]]


class OgcFeatures(TypedDict):
    """A page of features (clause 7.15)."""

    type: str
    timeStamp: str
    numberMatched: int
    numberReturned: int
    features: list[OgcFeature]
    links: list[dict[str, Any]]


class OgcGrids(TypedDict):
    """The tiling schemes (OGC 20-057)."""

    tileMatrixSets: list[dict[str, Any]]


class OgcGrid(TypedDict):
    """A tiling scheme (OGC 17-083)."""

    id: str
    title: str
    uri: str
    crs: str
    orderedAxes: list[str]
    wellKnownScaleSet: str
    tileMatrices: list[dict[str, Any]]


class OgcTileset(TypedDict):
    """A tile set with the template of its tiles."""

    title: str
    dataType: str
    crs: str
    tileMatrixSetURI: str
    links: list[dict[str, Any]]
    boundingBox: dict[str, Any]
    tileMatrixSetLimits: list[dict[str, Any]]
    layers: list[dict[str, Any]]


class OgcTilesets(TypedDict):
    """The tile sets of a collection."""

    tilesets: list[OgcTileset]


class SensorThingsRoot(TypedDict):
    """The entity sets that are served (OGC 18-088, clause 9.2.1)."""

    value: list[dict[str, str]]
    serverSettings: dict[str, Any]


SensorThingsEntity = TypedDict(
    "SensorThingsEntity",
    {
        "@iot.id": NotRequired[str],
        "@iot.selfLink": NotRequired[str],
        "@iot.count": NotRequired[int],
        "@iot.nextLink": NotRequired[str],
        "value": NotRequired[Any],
    },
)
SensorThingsEntity.__doc__ = "An entity, or a set of them as ``value`` with count and next link (clause 9.3)."


class Open311Discovery(TypedDict):
    """Where and how this server speaks (GeoReport v2)."""

    changeset: str
    contact: str
    key_service: str
    endpoints: list[dict[str, Any]]


class Open311Service(TypedDict):
    """What can be reported."""

    service_code: str
    service_name: str
    description: str
    metadata: bool
    type: str
    keywords: str
    group: str


class Open311Definition(TypedDict):
    """A service's own attributes."""

    service_code: str
    attributes: list[dict[str, Any]]


class Open311Token(TypedDict):
    """A report's token, and the request's id once it is placed."""

    token: str
    service_request_id: NotRequired[str | None]
    account_id: NotRequired[str]


class Open311Request(TypedDict):
    """A request (times ISO 8601, WGS-84 degrees)."""

    service_request_id: str
    status: str
    status_notes: str | None
    service_name: str
    service_code: str
    description: str | None
    agency_responsible: str
    service_notice: str | None
    requested_datetime: str
    updated_datetime: str
    expected_datetime: str | None
    address: str | None
    address_id: str | None
    zipcode: str | None
    lat: float | None
    long: float | None
    media_url: str | None
