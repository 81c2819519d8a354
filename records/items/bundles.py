"""Stored bundles (一件事): their items as they are in force today, and the merged form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import InputInvalid, NotFound
from core.language.reading import own_name
from core.records import Actor
from records.items.access import must_review
from records.items.bundling import Conflict, ItemForm, Merged, merge
from records.items.elements import DATA, standard_elements
from records.items.errors import ItemNotReleasable
from records.items.facts import comparable, text_of
from records.items.frequent import frequent_choices
from records.items.releasing import in_force
from records.items.terms import standard_terms
from storage.tables.items import ItemBundle, ServiceItem, ServiceItemVersion

DISTRICT = "4"
MOST_ITEMS = 40
_ENGLISH = {"工作日": "working days", "自然日": "days", "小时": "hours", "月": "months"}
UNITS = {"工作日": ("work_day", 1), "自然日": ("urgent_day", 1), "小时": ("work_hour", 1), "月": ("urgent_day", 30)}


@dataclass(frozen=True)
class OfferedItem:
    """A released item as the counter and the outside offer it today."""

    item_id: str
    name: str
    basic: str
    version: int
    department_id: str
    frequent: int
    pinyin: str
    initials: str
    data: Mapping[str, Any]

    @property
    def questions(self) -> list[dict[str, Any]]:
        """What it asks an applicant; an item without a form of its own asks who applies and how to reach him."""
        asked = self.data.get("questions_asked")
        if isinstance(asked, list) and asked:
            return [dict(question) for question in asked if isinstance(question, Mapping) and question.get("name")]
        served = comparable(self.data.get("server_type"), standard_elements().get("server_type"))  # type: ignore[arg-type]
        firm = bool(served) and "1" not in served
        wanted = ("enterprise_name", "enterprise_code", "legal_person", "enterprise_phone") if firm else (
            "applicant_name", "applicant_id_number", "applicant_phone")  # fmt: skip
        terms = standard_terms().questions
        return [
            {"name": t, "term": t, "label": {"zh": terms[t].zh, "en": terms[t].en}, "type": terms[t].type,
             "required": not t.endswith("phone")} for t in wanted
        ]  # fmt: skip

    @property
    def materials(self) -> list[dict[str, Any]]:
        """The papers that it wants."""
        return [dict(row) for row in self.data.get("materials") or [] if isinstance(row, Mapping)]

    def limit(self, kind: str) -> dict[str, Any] | None:
        """``promise`` or ``anticipate`` as a limit of the work clock; a month counts as 30 natural days."""
        number, unit = text_of(self.data.get(f"{kind}_day")), text_of(self.data.get(f"{kind}_type"))
        name, factor = UNITS.get(unit, ("work_day", 1))
        try:
            value = int(float(number) * factor)
        except ValueError:
            return None
        return {"value": max(1, value), "unit": name}

    def limit_text(self, kind: str) -> str:
        """The limit in the item's own words."""
        number = text_of(self.data.get(f"{kind}_day"))
        return f"{number}个{text_of(self.data.get(f'{kind}_type'))}" if number else "—"

    @property
    def english(self) -> str:
        """The item's English name; empty where it has none."""
        return text_of(self.data.get("task_name_en"))

    def limit_shown(self, kind: str) -> str:
        """The limit in the reader's language."""
        number, unit = text_of(self.data.get(f"{kind}_day")), text_of(self.data.get(f"{kind}_type"))
        return own_name(self.limit_text(kind), f"{number} {_ENGLISH[unit]}" if number and unit in _ENGLISH else None)


def offered_items(
    session: Session, today: date, *, basics: Sequence[str] = (), frequent: bool = False, level: str = DISTRICT
) -> list[OfferedItem]:
    """Released items of the district that are valid today; by place among the counter's, then by name."""
    sql = (
        select(ServiceItem, ServiceItemVersion)
        .join(
            ServiceItemVersion,
            (ServiceItemVersion.item_id == ServiceItem.item_id) & (ServiceItemVersion.version == ServiceItem.live),
        )
        .where(ServiceItem.state == "published")
    )
    sql = sql.where(ServiceItem.level == level) if level else sql
    sql = sql.where(ServiceItem.basic.in_(basics)) if basics else sql
    sql = sql.where(ServiceItem.frequent > 0) if frequent else sql
    rows = session.execute(sql.order_by(ServiceItem.frequent, ServiceItem.name)).all()
    return [
        OfferedItem(i.item_id, i.name, i.basic, v.version, i.department_id, i.frequent, i.pinyin, i.initials, v.data)
        for i, v in rows
        if in_force(v, today)
    ]  # fmt: skip


@dataclass(frozen=True)
class BundleItem:
    """An item of a bundle; ``after``: basic codes of those that must be granted first."""

    item: OfferedItem
    after: tuple[str, ...]


@dataclass(frozen=True)
class Bundle:
    """A bundle as it stands today.  ``missing``: basic codes that are not released now."""

    row: ItemBundle
    items: tuple[BundleItem, ...]
    missing: tuple[str, ...]
    merged: Merged

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        return self.merged.conflicts


def form_key(basic: str) -> str:
    """The name under which an item's own questions go into a merged form."""
    return f"i{basic}"


def forms_of(items: Sequence[OfferedItem]) -> list[ItemForm]:
    """What the items ask for, as the merging takes it; the paper that an item results in goes by its meaning."""
    terms = standard_terms()
    found = []
    for item in items:
        result = text_of(item.data.get("result_name"))
        made = terms.of_material({"material_name": result}) if result else ""
        makes = [each for each in (made, result) if each]
        found.append(ItemForm(form_key(item.basic), item.name, item.questions, item.materials, makes))
    return found


def get_bundle(session: Session, bundle_id: str, today: date) -> Bundle:
    """The bundle with its items in force; :class:`NotFound`."""
    row = session.get(ItemBundle, bundle_id)
    if row is None:
        raise NotFound(what="bundle", key=bundle_id)
    return _bundle(session, row, today)


def _bundle(session: Session, row: ItemBundle, today: date) -> Bundle:
    wanted = [line for line in row.body.get("items", []) if line.get("basic")]
    found = {
        item.basic: item for item in offered_items(session, today, basics=[line["basic"] for line in wanted] or ["-"])
    }
    items = tuple(
        BundleItem(found[line["basic"]], tuple(line.get("after") or ())) for line in wanted if line["basic"] in found
    )
    missing = tuple(line["basic"] for line in wanted if line["basic"] not in found)
    return Bundle(row, items, missing, merge(forms_of([each.item for each in items]), frequent_choices()))


def listed_bundles(session: Session, today: date, *, drafts: bool) -> list[Bundle]:
    """The bundles by name; ``drafts``: those that are not released too."""
    sql = select(ItemBundle).order_by(ItemBundle.zh)
    rows = session.scalars(sql if drafts else sql.where(ItemBundle.state == "published"))
    return [_bundle(session, row, today) for row in rows]


def save_bundle(
    session: Session,
    actor: Actor,
    at: datetime,
    bundle_id: str,
    names: Mapping[str, str],
    items: Sequence[Mapping[str, Any]],
) -> ItemBundle:
    """A bundle's items (basic code, ``after``); a released one becomes a draft of the next version."""
    must_review(actor)
    lines = _lines(items)
    row = session.get(ItemBundle, bundle_id)
    if row is None:
        row = ItemBundle(bundle_id=_slug(bundle_id), version=0, state="draft", source="page")
        session.add(row)
    row.version, row.state, row.body = row.version + 1, "draft", {"items": lines}
    row.zh, row.en = str(names.get("zh", ""))[:120], str(names.get("en", ""))[:160]
    row.updated_by, row.updated_at = actor.user_id, at
    if not row.zh.strip():
        raise InputInvalid(field="zh", detail="is missing", how="name the life event")
    session.flush()
    return row


def _slug(bundle_id: str) -> str:
    if not (1 <= len(bundle_id) <= 40 and bundle_id.isascii() and bundle_id.replace("-", "").isalnum()):
        raise InputInvalid(field="bundle_id", detail=f"{bundle_id!r}", how="use letters, digits and hyphens")
    return bundle_id


def _lines(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Checked lines: no item twice, nothing waits for itself or in a circle."""
    if not 2 <= len(items) <= MOST_ITEMS:
        raise InputInvalid(field="items", detail=f"{len(items)}", how=f"link 2 to {MOST_ITEMS} items")
    lines = []
    for line in items:
        after = [text_of(each) for each in line.get("after") or []]
        lines.append({"basic": text_of(line.get("basic")), "after": after})
    order = [str(line["basic"]) for line in lines]
    if len(set(order)) < len(order) or not all(order):
        raise InputInvalid(field="items", detail="an item is there twice or has no code", how="name each once")
    waits = {str(line["basic"]): set(line["after"]) for line in lines}
    while waits:
        free = [code for code, after in waits.items() if not after & set(waits)]
        if not free:
            raise InputInvalid(field="after", detail="items wait for each other", how="take one of them out")
        for code in free:
            del waits[code]
    for line in lines:
        if not set(line["after"]) <= set(order):
            raise InputInvalid(field="after", detail=f"{line['after']}", how="name items of this bundle")
    return lines


def release_bundle(session: Session, actor: Actor, at: datetime, bundle: Bundle, state: str) -> None:
    """Publish or withdraw; never with an item that is not in force or with a conflict that no answer can meet."""
    must_review(actor)
    if state == "published":
        wrong = [f"{code} is not released" for code in bundle.missing]
        wrong += [f"{c.code} {c.term}: {c.detail}" for c in bundle.conflicts]
        if wrong:
            raise ItemNotReleasable(
                item=bundle.row.zh, detail="；".join(wrong[:5]), how="mend the items or take them out"
            )
    elif state != "withdrawn":
        raise InputInvalid(field="state", detail=f"{state!r}", how="published or withdrawn")
    bundle.row.state, bundle.row.updated_by, bundle.row.updated_at = state, actor.user_id, at


def shipped_bundles(items: Sequence[OfferedItem]) -> list[dict[str, Any]]:
    """The example's bundles with basic codes, of those whose items are there."""
    by_place = {item.frequent: item.basic for item in items if item.frequent}
    found = []
    for body in yaml.safe_load((DATA / "bundles.yaml").read_text("utf-8"))["bundles"]:
        lines = [
            {"basic": line.get("basic") or by_place.get(line.get("counter"), ""),
             "after": [by_place.get(place, place) for place in line.get("after") or ()]} for line in body["items"]
        ]  # fmt: skip
        if all(line["basic"] for line in lines):
            found.append({"bundle_id": body["id"], "zh": body["zh"], "en": body["en"], "items": lines})
    return found
