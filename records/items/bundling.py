"""Merge the forms and papers of several items into one (一件事): each question and each paper once, by meaning.

Two questions are one when they have the same term (:mod:`records.items.terms`), whatever they are called; equal texts
without a term stay two.  What an item asks is asked in the strictest way that any of them asks for: required if one
requires it where it is relevant, only the choices that all accept, the largest number of copies.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from records.items.facts import text_of
from records.items.terms import Terms, standard_terms

ALIKE = {"integer": 1, "decimal": 1, "range": 1, "text": 2, "barcode": 2, "date": 3, "select_one": 4, "image": 5}
STRICTER = {"integer": 3, "decimal": 2, "range": 1}
_NAME = re.compile(r"\$\{([^}]+)\}")
NEED = {"1": 3, "3": 2, "2": 1}  # 必要 > 容缺后补 > 非必要


@dataclass(frozen=True)
class ItemForm:
    """What one item asks for; ``key`` names it in the bundle.  ``makes``: terms of the papers that come out of it."""

    key: str
    name: str
    questions: Sequence[Mapping[str, Any]]
    materials: Sequence[Mapping[str, Any]]
    makes: Sequence[str] = ()


@dataclass
class MergedQuestion:
    """One question of the merged form; ``of``: item → the name under which that item asks for it."""

    name: str
    type: str
    label: dict[str, str]
    choice_list: str
    required: bool
    of: dict[str, str]
    term: str = ""
    constraints: list[str] = field(default_factory=list)
    relevant: dict[str, str] = field(default_factory=dict)
    choices: list[dict[str, Any]] = field(default_factory=list)
    prefill: str = ""
    sensitive: bool = False


@dataclass
class MergedPaper:
    """One paper; ``of``: the items that want it; ``made_by``: the item of the bundle whose result it is (not asked)."""

    name: str
    term: str
    need: str
    source: str
    source_explain: str
    original: int
    copies: int
    licence: str
    of: list[str]
    made_by: str = ""


@dataclass(frozen=True)
class Conflict:
    """Two items ask for the same thing in ways that no single answer can meet."""

    term: str
    items: tuple[str, ...]
    code: str  # types_differ, no_common_choice
    detail: str


@dataclass(frozen=True)
class Merged:
    """The merged form and papers; ``asked`` and ``wanted``: how many questions and papers the items had in all."""

    questions: tuple[MergedQuestion, ...]
    papers: tuple[MergedPaper, ...]
    conflicts: tuple[Conflict, ...]
    asked: int
    wanted: int


def merge(
    items: Sequence[ItemForm], choices: Mapping[str, Sequence[Mapping[str, Any]]], terms: Terms | None = None
) -> Merged:
    """The merged form of ``items`` (their order is the order of questions); pure."""
    known = terms or standard_terms()
    questions: dict[str, MergedQuestion] = {}
    conflicts: list[Conflict] = []
    for item in items:
        for question in item.questions:
            term = known.of_question(question)
            key = term or f"{item.key}.{question['name']}"
            own = _question(question, term, item, choices, known)
            if key in questions:
                conflicts += _join(questions[key], own, item)
            else:
                questions[key] = own
    papers = _papers(items, known)
    return Merged(
        tuple(questions.values()), tuple(papers), tuple(conflicts), sum(len(i.questions) for i in items),
        sum(len(i.materials) for i in items),
    )  # fmt: skip


def _question(
    question: Mapping[str, Any],
    term: str,
    item: ItemForm,
    choices: Mapping[str, Sequence[Mapping[str, Any]]],
    terms: Terms,
) -> MergedQuestion:
    said = terms.questions.get(term)
    name = str(question["name"])
    label = question.get("label")
    words = {str(k): str(v) for k, v in label.items()} if isinstance(label, Mapping) else {"zh": text_of(label) or name}
    chosen = str(question.get("list") or (said.list if said else ""))
    constraints = [c for c in (str(question.get("constraint") or ""), said.constraint if said else "") if c]
    relevant = str(question.get("relevant") or "")
    return MergedQuestion(
        name=_safe(term or f"{item.key}_{name}"), type=str(question.get("type") or "text"),
        label={"zh": said.zh, "en": said.en} if said else words, choice_list=chosen,
        required=bool(question.get("required")),
        of={item.key: name}, term=term, constraints=list(dict.fromkeys(constraints)), relevant={item.key: relevant},
        choices=[dict(c) for c in choices.get(chosen, ())], prefill=said.prefill if said else "",
        sensitive=bool(question.get("sensitive") or (said and said.sensitive)),
    )  # fmt: skip


def _safe(name: str) -> str:
    """A question's name as forms take it: letters, digits and underscores."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c == "_") else f"_{ord(c):x}" for c in name)
    return kept if kept[:1].isalpha() or kept[:1] == "_" else f"q_{kept}"


def _join(kept: MergedQuestion, own: MergedQuestion, item: ItemForm) -> list[Conflict]:
    """Take one item's question into the merged one."""
    both = (*kept.of, item.key)
    found = []
    if kept.type != own.type:
        if ALIKE.get(kept.type, -1) != ALIKE.get(own.type, -2):
            found.append(Conflict(kept.term, both, "types_differ", f"{kept.type} / {own.type}"))
        elif STRICTER.get(own.type, 0) > STRICTER.get(kept.type, 0):
            kept.type = own.type
    if kept.choices and own.choices:
        accepted = {str(c["name"]) for c in own.choices}
        common = [c for c in kept.choices if str(c["name"]) in accepted]
        if not common:
            found.append(Conflict(kept.term, both, "no_common_choice", kept.label.get("zh", "")))
        else:
            kept.choices = common
    kept.of[item.key] = own.of[item.key]
    kept.required = kept.required or own.required
    kept.sensitive = kept.sensitive or own.sensitive
    kept.constraints += [c for c in own.constraints if c not in kept.constraints]
    kept.relevant |= own.relevant
    return found


def _papers(items: Sequence[ItemForm], terms: Terms) -> list[MergedPaper]:
    makers = {made: item for item in items for made in item.makes}
    papers: dict[str, MergedPaper] = {}
    for item in items:
        for row in item.materials:
            term = terms.of_material(row)
            name = text_of(row.get("material_name"))
            key = term or f"{item.key}.{''.join(name.split())}"
            said = terms.materials.get(term)
            own = MergedPaper(
                said.zh if said else name, term, text_of(row.get("is_need")) or "1", text_of(row.get("source_type")),
                text_of(row.get("source_explain")), _count(row.get("original")), _count(row.get("copies")),
                text_of(row.get("licence_code")) or (said.licence if said else ""), [item.key],
            )  # fmt: skip
            _take(papers, key, own)
            maker = makers.get(term) or makers.get(name)
            if maker is not None and maker.key != item.key:
                papers[key].made_by = maker.key
    return list(papers.values())


def _take(papers: dict[str, MergedPaper], key: str, own: MergedPaper) -> None:
    kept = papers.setdefault(key, own)
    if kept is own:
        return
    kept.of += [each for each in own.of if each not in kept.of]
    kept.need = max(kept.need, own.need, key=lambda need: NEED.get(need, 0))
    kept.original, kept.copies = max(kept.original, own.original), max(kept.copies, own.copies)
    kept.licence = kept.licence or own.licence
    kept.source_explain = kept.source_explain or own.source_explain


def _count(value: Any) -> int:
    text = text_of(value)
    return int(float(text)) if text.replace(".", "", 1).isdigit() else 0


def form_of(merged: Merged, form_id: str, title: Mapping[str, str]) -> dict[str, Any]:
    """The merged questions as a form (docs/forms.md); a question is relevant where one of the items needs it."""
    questions, lists = [], dict[str, list[dict[str, Any]]]()
    for question in merged.questions:
        row: dict[str, Any] = {"type": question.type, "name": question.name, "label": question.label}
        if question.choices:
            lists[f"list_{question.name}"] = question.choices
            row["list"] = f"list_{question.name}"
        if question.required:
            row["required"] = True
        if question.constraints:
            row["constraint"] = " and ".join(f"({c})" for c in question.constraints)
        if all(question.relevant.values()):
            each = [_renamed(text, merged, item) for item, text in question.relevant.items()]
            row["relevant"] = " or ".join(f"({text})" for text in dict.fromkeys(each))
        if question.sensitive:
            row["sensitive"] = True
        if question.prefill:
            row["prefill"] = question.prefill
        questions.append(row)
    return {"form_id": form_id, "title": dict(title), "questions": questions, "choices": lists}


def _renamed(expression: str, merged: Merged, item: str) -> str:
    """An item's expression with the merged form's names of that item's questions."""
    names = {question.of[item]: question.name for question in merged.questions if item in question.of}
    return _NAME.sub(lambda found: f"${{{names.get(found[1], found[1])}}}", expression)


def answers_for(merged: Merged, answers: Mapping[str, Any], item: str) -> dict[str, Any]:
    """The merged form's answers under the names that one item asks for them."""
    return {q.of[item]: answers[q.name] for q in merged.questions if item in q.of and q.name in answers}


def papers_for(merged: Merged, item: str) -> list[MergedPaper]:
    """The papers that one item needs, those that another item of the bundle makes among them."""
    return [paper for paper in merged.papers if item in paper.of]
