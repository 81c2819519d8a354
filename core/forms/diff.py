"""What differs between two versions of a form, question by question."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from core.forms.model import Choice, Form, Question
from core.forms.structure import Item, lay_flat


@dataclass(frozen=True)
class Difference:
    """``change``: added, removed, moved or changed.  ``where`` is the question's path, ``choices/LIST/NAME`` or
    ``form``; ``word`` what changed, with its texts ``before`` and ``after``."""

    change: str
    where: str
    word: str = ""
    before: Any = None
    after: Any = None

    def as_json(self) -> dict[str, Any]:
        """All five fields."""
        return {
            "change": self.change, "where": self.where, "word": self.word, "before": self.before, "after": self.after,
        }  # fmt: skip


def differences(old: Form, new: Form) -> list[Difference]:
    """Everything that a reader of both would notice, in the order of the new form; what was removed comes last."""
    return [*_settings(old, new), *_questions(old, new), *_choices(old, new)]


def _settings(old: Form, new: Form) -> Iterator[Difference]:
    for word in ("title", "default_language", "instance_name", "allow_choice_duplicates"):
        if getattr(old, word) != getattr(new, word):
            yield Difference("changed", "form", word, getattr(old, word), getattr(new, word))


def _paths(form: Form) -> dict[str, Item]:
    found: dict[str, Item] = {}
    for item in lay_flat(form).items:
        found.setdefault(_path(item), item)
    return found


def _path(item: Item) -> str:
    names, parent = [item.name], item.parent
    while parent is not None:
        names.append(parent.name)
        parent = parent.parent
    return "/".join(reversed(names))


def _questions(old: Form, new: Form) -> Iterator[Difference]:
    before, after = _paths(old), _paths(new)
    by_name = {item.name: path for path, item in before.items() if path not in after}
    moved = {}
    for path, item in after.items():
        if path in before:
            yield from _words(path, before[path].question, item.question)
        elif item.name in by_name:
            was = by_name.pop(item.name)
            moved[was] = path
            yield Difference("moved", path, "", was, path)
            yield from _words(path, before[was].question, item.question)
        else:
            yield Difference("added", path, "type", None, item.question.type)
    for path, item in before.items():
        if path not in after and path not in moved:
            yield Difference("removed", path, "type", item.question.type, None)
    common_old = [path for path in before if path in after]
    common_new = [path for path in after if path in before]
    for was, now in zip(common_old, common_new, strict=True):
        if was != now:
            yield Difference("changed", "form", "order", common_old, common_new)
            break


def _words(path: str, old: Question, new: Question) -> Iterator[Difference]:
    for word in Question.__struct_fields__:
        if word in ("name", "children"):
            continue
        before, after = getattr(old, word), getattr(new, word)
        if before != after:
            yield Difference("changed", path, word, before, after)


def _choices(old: Form, new: Form) -> Iterator[Difference]:
    for name in dict.fromkeys([*new.choices, *old.choices]):
        before, after = _by_name(old.choices.get(name, ())), _by_name(new.choices.get(name, ()))
        for choice, row in after.items():
            where = f"choices/{name}/{choice}"
            if choice not in before:
                yield Difference("added", where, "label", None, row["label"])
            elif before[choice] != row:
                yield Difference("changed", where, "label", before[choice], row)
        for choice, row in before.items():
            if choice not in after:
                yield Difference("removed", f"choices/{name}/{choice}", "label", row["label"], None)


def _by_name(choices: tuple[Choice, ...]) -> dict[str, dict[str, Any]]:
    return {choice.name: {"label": choice.label, **msgspec.structs.asdict(choice)} for choice in choices}
