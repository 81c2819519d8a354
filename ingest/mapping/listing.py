"""The list of items in a decoded body, and what is wrong with a body or an item.  Pure."""

from __future__ import annotations

from typing import Any

from core.errors import YiwangError
from ingest.mapping.format import Mapping
from ingest.mapping.paths import MISSING, look


class PayloadNotJson(YiwangError):
    code = "payload_not_json"
    message = "{mapping}: the payload is no JSON: {detail}"
    remedy = "check what the device sends; a mapping reads JSON"
    zh = "{mapping}：内容不是 JSON：{detail}"
    zh_remedy = "请检查设备发送的内容；映射读取 JSON"


class PayloadTooLarge(YiwangError):
    code = "payload_too_large"
    message = "{mapping}: {detail}"
    remedy = "send fewer items at once"
    zh = "{mapping}：{detail}"
    zh_remedy = "请一次少发一些"


class ItemInvalid(YiwangError):
    code = "payload_field"
    message = "{mapping}: item {index}: {field}: {detail}"
    remedy = "correct the mapping or the sender"
    zh = "{mapping}：第 {index} 项：{field}：{detail}"
    zh_remedy = "请改正映射或发送方"


class ItemsMissing(ItemInvalid):
    """The body has no such list: another form than the mapping knows, often an answer that says what went wrong."""

    code = "no_items"
    message = "{mapping}: {field}: {detail}"
    remedy = "name the list that holds the items, or leave items empty"
    zh = "{mapping}：{field}：{detail}"
    zh_remedy = "请写明存放各项的列表，或将 items 留空"


def items_of(mapping: Mapping, body: Any) -> list[Any]:
    """The items of a decoded body; :class:`ItemInvalid` when ``items`` leads to no list.

    A null on the way is an empty list, as many platforms answer when there is nothing.
    """
    path = mapping.items.removesuffix("[]")
    if not mapping.items:
        return [body]
    items = look(body, path)
    if items is None or (items is MISSING and _null_on_the_way(body, path)):
        return []
    if items is MISSING:
        names = ", ".join(map(str, list(body)[:10])) if isinstance(body, dict) else "a list" if body else "nothing"
        detail = f"is missing; there is {names}"
        raise ItemsMissing(mapping=mapping.name, index="-", field=mapping.items, detail=detail[:300])
    if not isinstance(items, list):
        raise ItemInvalid(mapping=mapping.name, index="-", field=mapping.items, detail="is no list")
    return items


def _null_on_the_way(body: Any, path: str) -> bool:
    parts = path.split(".")
    return any(look(body, ".".join(parts[:size])) is None for size in range(1, len(parts)))
