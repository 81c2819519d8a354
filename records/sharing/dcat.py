"""The catalogue as DCAT-AP 3 (JSON-LD): one dcat:Catalog with its data sets, distributions and publishers.  Pure.

Access rights and frequencies are the EU Publications Office's authority tables, themes its
data-theme table.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from records.sharing.dataset import THEMES, Freshness, SharedDataset, provider_name

_EU = "http://publications.europa.eu/resource/authority"
RIGHTS = {"unconditional": "PUBLIC", "conditional": "RESTRICTED", "none": "NON_PUBLIC"}
FREQUENCY = {
    "realtime": "UPDATE_CONT", "daily": "DAILY", "weekly": "WEEKLY", "monthly": "MONTHLY", "quarterly": "QUARTERLY",
    "half_yearly": "ANNUAL_2", "yearly": "ANNUAL", "irregular": "IRREG",
}  # fmt: skip
CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/", "foaf": "http://xmlns.com/foaf/0.1/",
    "vcard": "http://www.w3.org/2006/vcard/ns#", "xsd": "http://www.w3.org/2001/XMLSchema#",
    "skos": "http://www.w3.org/2004/02/skos/core#", "eli": "http://data.europa.eu/eli/ontology#",
    "dcatap": "http://data.europa.eu/r5r/",
}  # fmt: skip


def catalogue(
    base: str, title: str, listed: Sequence[tuple[SharedDataset, Freshness]], names: dict[str, str], now: datetime
) -> dict[str, Any]:
    """``names``: department id → name.  ``base``: the installation's public address."""
    publisher = _agent(f"{base}/api/departments", title)
    return {
        "@context": CONTEXT,
        "@id": f"{base}/api/catalogue/dcat.jsonld",
        "@type": "dcat:Catalog",
        "dct:title": [{"@language": "zh", "@value": title}],
        "dct:description": [{"@language": "zh", "@value": f"{title}：可共享的数据集"}],
        "dct:publisher": publisher,
        "dct:modified": _moment(now),
        "dcat:dataset": [_dataset(base, shared, fresh, names) for shared, fresh in listed],
    }


def _dataset(base: str, shared: SharedDataset, fresh: Freshness, names: dict[str, str]) -> dict[str, Any]:
    provider = provider_name(shared, names)
    there = f"{base}/share/v1/{shared.id}"
    body: dict[str, Any] = {
        "@id": f"{base}/api/catalogue/{shared.id}",
        "@type": "dcat:Dataset",
        "dct:title": [{"@language": "zh", "@value": shared.zh}, {"@language": "en", "@value": shared.en}],
        "dct:description": [{"@language": "zh", "@value": shared.abstract or shared.zh}],
        "dct:identifier": shared.code or shared.id,
        "dct:publisher": _agent(f"{base}/api/departments/{shared.provider}", provider),
        "dct:accrualPeriodicity": {"@id": f"{_EU}/frequency/{FREQUENCY[shared.cycle]}", "@type": "dct:Frequency"},
        "dct:accessRights": {
            "@id": f"{_EU}/access-right/{RIGHTS[shared.sharing]}",
            "@type": "dct:RightsStatement",
        },
        "dcat:keyword": [{"@language": "zh", "@value": shared.zh}],
    }
    if shared.theme in THEMES:
        label = [{"@language": "en", "@value": THEMES[shared.theme]}]
        theme = {"@id": f"{_EU}/data-theme/{shared.theme}", "@type": "skos:Concept", "skos:prefLabel": label}
        body["dcat:theme"] = [theme]
    if shared.basis:
        law = {"@type": "eli:LegalResource", "dct:title": [{"@language": "zh", "@value": shared.basis}]}
        body["dcatap:applicableLegislation"] = [law]
    if shared.contact:
        body["dcat:contactPoint"] = {"@type": "vcard:Kind", "vcard:fn": shared.contact}
    if fresh.changed_at is not None:
        body["dct:modified"] = _moment(fresh.changed_at)
    if shared.published:
        body["dct:issued"] = {"@type": "xsd:date", "@value": shared.published}
    if shared.sharing != "none":
        body["dcat:distribution"] = [
            {"@id": f"{there}#json", "@type": "dcat:Distribution", "dcat:accessURL": {"@id": there},
             "dcat:mediaType": {"@id": "http://www.iana.org/assignments/media-types/application/json",
                                "@type": "dct:MediaType"},
             "dct:title": [{"@language": "zh", "@value": f"{shared.zh}（接口）"}]}
        ]  # fmt: skip
    return body


def _agent(identifier: str, name: str) -> dict[str, Any]:
    return {"@id": identifier, "@type": "foaf:Agent", "foaf:name": [{"@language": "zh", "@value": name}]}


def _moment(at: datetime) -> dict[str, str]:
    return {"@type": "xsd:dateTime", "@value": at.isoformat()}
