"""What is offered at the counter: an item or a bundle, with its form and papers, and each item's case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.codes.masking import mask_id, mask_phone
from core.errors import InputInvalid, NotFound
from core.language.reading import own_name
from dashboard.items.errors import PapersMissing
from records.items.bundles import Bundle, OfferedItem, form_key
from records.items.bundling import Merged, MergedPaper, answers_for, form_of, papers_for

SOURCES = {
    "applicant": "收取", "licence": "电子证照", "register": "共享数据", "other_item": "本次办理产生",
    "later": "容缺后补",
}  # fmt: skip
HIDDEN = {"applicant_id_number": mask_id, "bank_account": mask_id}


@dataclass(frozen=True)
class Offer:
    """What is applied for: one item, or a bundle of several; with the form and the papers."""

    key: str
    name: str
    items: tuple[OfferedItem, ...]
    after: Mapping[str, tuple[str, ...]]
    merged: Merged
    bundle: bool
    title_en: str = ""

    @property
    def english(self) -> str:
        """The name on an English page."""
        return self.title_en or (self.items[0].english if not self.bundle and self.items else "") or self.name

    @property
    def form(self) -> dict[str, Any]:
        title = {"zh": self.name, "en": self.english}
        return form_of(self.merged, f"apply_{'bundle' if self.bundle else 'item'}", title)


def offer_of(bundle: Bundle) -> Offer:
    """A released bundle as an offer; :class:`NotFound` while it cannot be applied for."""
    if bundle.row.state != "published" or bundle.missing:
        raise NotFound(what="released bundle", key=bundle.row.bundle_id)
    after = {each.item.basic: each.after for each in bundle.items}
    items = tuple(each.item for each in bundle.items)
    return Offer(bundle.row.bundle_id, bundle.row.zh, items, after, bundle.merged, True, bundle.row.en)


def offer_body(offer: Offer) -> dict[str, Any]:
    """Form, papers and items of an offer."""
    names = {form_key(item.basic): item.name for item in offer.items}
    return {
        "key": offer.key, "name": own_name(offer.name, offer.english), "form": offer.form,
        "papers": [
            {"name": p.name, "term": p.term, "need": p.need, "source": p.source, "issuer": p.source_explain,
             "original": p.original, "copies": p.copies, "licence": p.licence,
             "of": [names.get(k, k) for k in p.of], "made_by": names.get(p.made_by, "")}
            for p in offer.merged.papers
        ],
        "items": [{"item_id": i.item_id, "name": own_name(i.name, i.english), "basic": i.basic,
                   "promised": i.limit_shown("promise"), "legal": i.limit_shown("anticipate")} for i in offer.items],
        "questions": len(offer.merged.questions), "asked": offer.merged.asked, "wanted": offer.merged.wanted,
    }  # fmt: skip


def ticked(offer: Offer, papers: Mapping[str, Any]) -> list[dict[str, str]]:
    """The papers with where each came from; what is necessary and neither there nor made by another item is missing."""
    found, missing = [], []
    for paper in offer.merged.papers:
        given = papers.get(paper.name)
        source = str((given or {}).get("from") or "") if isinstance(given, Mapping) else str(given or "")
        if source and source not in SOURCES:
            raise InputInvalid(field=paper.name, detail=f"{source!r}", how=f"use one of {', '.join(SOURCES)}")
        if not source and paper.made_by:
            source = "other_item"
        if (not source or source == "later") and paper.need == "1":
            missing.append(paper.name)
        if source:
            number = str(given.get("number") or "")[:160] if isinstance(given, Mapping) else ""
            found.append({"name": paper.name, "term": paper.term, "from": source, "number": number, "need": paper.need})
    if missing:
        raise PapersMissing(papers="、".join(missing))
    return found


def item_data(
    offer: Offer, item: OfferedItem, answers: Mapping[str, Any], papers: Sequence[dict[str, str]], own: str
) -> dict[str, Any]:
    """One item of the application as the data of its case: answers masked, limits, papers, what it waits for."""
    key = form_key(item.basic)
    wanted: list[MergedPaper] = papers_for(offer.merged, key)
    names = {paper.name for paper in wanted}
    mine = [row for row in papers if row["name"] in names]
    data: dict[str, Any] = {
        "title": item.name, "item": item.name, "item_id": item.item_id, "item_code": item.basic,
        "item_version": item.version, "department_id": item.department_id or own,
        "answers": shown_answers(offer.merged, answers, key), "papers": mine,
        "papers_text": "；".join(map(_paper_text, mine))[:4000] or "无",
        "promised_text": item.limit_text("promise"), "legal_text": item.limit_text("anticipate"),
    }  # fmt: skip
    after = list(offer.after.get(item.basic, ()))
    data |= {"depends_on": after} if after else {}
    for field, kind in (("limit", "promise"), ("legal_limit", "anticipate")):
        limit = item.limit(kind)
        data |= {field: limit} if limit else {}
    return data


def _paper_text(row: Mapping[str, str]) -> str:
    return f"{row['name']}（{SOURCES[row['from']]}{row['number']}）"


def shown_answers(merged: Merged, answers: Mapping[str, Any], key: str) -> dict[str, Any]:
    """An item's answers under its own names, what is sensitive masked."""
    hidden = {q.of[key] for q in merged.questions if key in q.of and q.sensitive}
    hide = {q.of[key]: HIDDEN.get(q.name, mask_phone) for q in merged.questions if key in q.of}
    own = answers_for(merged, answers, key)
    return {name: hide[name](str(value)) if name in hidden else value for name, value in own.items()}
