"""What the catalogue refuses."""

from __future__ import annotations

from core.errors import YiwangError


class ItemMoveIllegal(YiwangError):
    code = "item_move_illegal"
    message = "{item}: version {version} is {state}, so it cannot be {wanted}"
    remedy = "{how}"


class ItemChanged(YiwangError):
    code = "item_changed"
    message = "the item was changed by somebody else (version {version}, not {expected})"
    remedy = "load it again and repeat the change"


class SamePerson(YiwangError):
    code = "same_person"
    message = "whoever made a version does not review it"
    remedy = "let another manager review it"


class ItemNotReleasable(YiwangError):
    code = "item_not_releasable"
    message = "{item} cannot be released: {detail}"
    remedy = "{how}"


class ElementLocked(YiwangError):
    code = "element_locked"
    message = "the upper item fixes {elements}"
    remedy = "leave these elements as the upper item has them, or ask its owner to change them"
