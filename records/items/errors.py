"""What the catalogue refuses."""

from __future__ import annotations

from core.errors import YiwangError


class ItemMoveIllegal(YiwangError):
    code = "item_move_illegal"
    message = "{item}: version {version} is {state}, so it cannot be {wanted}"
    remedy = "{how}"
    zh = "{item}：第 {version} 版处于 {state} 状态，不能{wanted}"
    zh_remedy = "{how}"


class ItemChanged(YiwangError):
    code = "item_changed"
    message = "the item was changed by somebody else (version {version}, not {expected})"
    remedy = "load it again and repeat the change"
    zh = "事项已被别人改动（现为第 {version} 版，不是第 {expected} 版）"
    zh_remedy = "请重新载入，再改一次"


class SamePerson(YiwangError):
    code = "same_person"
    message = "whoever made a version does not review it"
    remedy = "let another manager review it"
    zh = "编写的人不能自己审核"
    zh_remedy = "请另一位管理员审核"


class ItemNotReleasable(YiwangError):
    code = "item_not_releasable"
    message = "{item} cannot be released: {detail}"
    remedy = "{how}"
    zh = "{item} 不能发布：{detail}"
    zh_remedy = "{how}"


class ElementLocked(YiwangError):
    code = "element_locked"
    message = "the upper item fixes {elements}"
    remedy = "leave these elements as the upper item has them, or ask its owner to change them"
    zh = "上级事项已锁定这些要素：{elements}"
    zh_remedy = "请与上级事项保持一致，或请其主管单位修改"
