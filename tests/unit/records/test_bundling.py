"""Merging forms and papers by meaning: once each, nothing lost, in any order; equal texts alone merge nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.forms.checks import form_problems
from core.forms.model import parse_form
from records.items.bundling import ItemForm, answers_for, form_of, merge, papers_for
from records.items.frequent import frequent_choices, frequent_items
from records.items.terms import standard_terms

TERMS = standard_terms()
ALIASES = {t.term: (t.term, t.zh, *t.also) for t in TERMS.questions.values() if t.type == "text"}
PAPERS = {t.term: (t.zh, *t.also) for t in TERMS.materials.values()}


@st.composite
def item_forms(draw: Any) -> list[ItemForm]:
    """Some items that ask known things under any of their names, and things of their own."""
    found = []
    for number in range(draw(st.integers(1, 5))):
        asked = draw(st.lists(st.sampled_from(sorted(ALIASES)), unique=True, max_size=6))
        questions = [
            {"name": f"q{at}", "label": {"zh": draw(st.sampled_from(ALIASES[term]))}, "type": "text",
             "required": draw(st.booleans())} for at, term in enumerate(asked)
        ]  # fmt: skip
        own = draw(st.lists(st.sampled_from(["变更内容", "占用路段", "案情"]), unique=True, max_size=2))
        questions += [{"name": f"own{at}", "label": {"zh": text}, "type": "text"} for at, text in enumerate(own)]
        wanted = draw(st.lists(st.sampled_from(sorted(PAPERS)), unique=True, max_size=5))
        materials = [
            {"material_name": draw(st.sampled_from(PAPERS[term])), "is_need": draw(st.sampled_from("123")),
             "original": draw(st.integers(0, 3)), "copies": draw(st.integers(0, 3))} for term in wanted
        ]  # fmt: skip
        found.append(ItemForm(f"i{number}", f"事项{number}", questions, materials))
    return found


@given(item_forms())
@settings(deadline=None)
def test_each_meaning_once_and_nothing_lost(items: list[ItemForm]) -> None:
    merged = merge(items, {})
    terms = [q.term for q in merged.questions if q.term]
    assert len(terms) == len(set(terms)) and len({q.name for q in merged.questions}) == len(merged.questions)
    assert len({p.term for p in merged.papers}) == len(merged.papers)
    for item in items:
        asked = {q.of[item.key]: q for q in merged.questions if item.key in q.of}
        assert set(asked) == {str(q["name"]) for q in item.questions}
        assert all(asked[str(q["name"])].required for q in item.questions if q.get("required"))
        papers = papers_for(merged, item.key)
        assert len(papers) == len(item.materials)
        by_term = {p.term: p for p in papers}
        for row in item.materials:
            paper = by_term[TERMS.of_material(row)]
            assert paper.original >= row["original"] and paper.copies >= row["copies"]
    assert merged.asked >= len(merged.questions) and merged.wanted >= len(merged.papers)
    assert form_problems(parse_form(form_of(merged, "b", {"zh": "一件事"}))) == []


@given(item_forms(), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_items_changes_only_the_order_of_questions(items: list[ItemForm], dice: Any) -> None:
    mixed = list(items)
    dice.shuffle(mixed)
    first, second = merge(items, {}), merge(mixed, {})
    assert {(q.name, q.required, frozenset(q.of.items())) for q in first.questions} == {
        (q.name, q.required, frozenset(q.of.items())) for q in second.questions
    }
    assert {(p.term, p.need, p.original, p.copies, frozenset(p.of)) for p in first.papers} == {
        (p.term, p.need, p.original, p.copies, frozenset(p.of)) for p in second.papers
    }


@given(item_forms())
@settings(deadline=None)
def test_answers_come_back_to_each_item_under_its_own_names(items: list[ItemForm]) -> None:
    merged = merge(items, {})
    answers = {q.name: f"answer {q.name}" for q in merged.questions}
    for item in items:
        assert set(answers_for(merged, answers, item.key)) == {str(q["name"]) for q in item.questions}


def test_equal_texts_of_different_meaning_stay_two() -> None:
    same = {"zh": "名称"}
    one = ItemForm("a", "甲", [{"name": "n", "label": same, "type": "text"}], [{"material_name": "平面效果图"}])
    two = ItemForm("b", "乙", [{"name": "n", "label": same, "type": "text"}], [{"material_name": "平面效果图"}])
    merged = merge([one, two], {})
    assert len(merged.questions) == 2 and len(merged.papers) == 2
    stated = ItemForm("c", "丙", [{"name": "x", "label": same, "type": "text", "term": "enterprise_name"}], [])
    firm = ItemForm("d", "丁", [{"name": "y", "label": {"zh": "商户名称"}, "type": "text"}], [])
    [question] = merge([stated, firm], {}).questions
    assert question.of == {"c": "x", "d": "y"} and question.prefill == "enterprise.name"


def test_what_no_answer_can_meet_is_told() -> None:
    lists = {"a": [{"name": "1"}], "b": [{"name": "2"}], "c": [{"name": "1"}, {"name": "2"}]}

    def asks(key: str, kind: str, chosen: str = "") -> ItemForm:
        return ItemForm(key, key, [{"name": "q", "term": "applicant_sex", "type": kind, "list": chosen}], [])

    def codes(*items: ItemForm) -> list[str]:
        return [conflict.code for conflict in merge(items, lists).conflicts]

    assert codes(asks("x", "select_one", "a"), asks("y", "select_one", "b")) == ["no_common_choice"]
    assert codes(asks("x", "text"), asks("y", "date")) == ["types_differ"]
    merged = merge([asks("x", "select_one", "a"), asks("y", "select_one", "c")], lists)
    assert [c["name"] for c in merged.questions[0].choices] == ["1"] and merged.conflicts == ()
    assert merge([asks("x", "decimal"), asks("y", "integer")], lists).questions[0].type == "integer"


def test_a_question_is_relevant_where_one_of_the_items_needs_it() -> None:
    kind = {"name": "kind", "type": "text"}
    staff = {"name": "n", "term": "staff_number", "type": "integer"}
    one = ItemForm("a", "甲", [kind, {**staff, "relevant": "${kind} = '1'"}], [])
    two = ItemForm("b", "乙", [kind, {**staff, "relevant": "${kind} = '2'"}], [])
    form = form_of(merge([one, two], {}), "b", {"zh": "b"})
    [asked] = [q for q in form["questions"] if q["name"] == "staff_number"]
    assert asked["relevant"] == "(${a_kind} = '1') or (${b_kind} = '2')"


def test_a_paper_that_another_item_makes_is_not_asked_for() -> None:
    by_number = {item.number: item for item in frequent_items()}
    maker, user = by_number[7], by_number[2]
    merged = merge(
        [ItemForm("m", maker.name, maker.questions, maker.materials, ["business_licence"]),
         ItemForm("u", user.name, user.questions, user.materials)], frequent_choices())  # fmt: skip
    made = {p.term: p.made_by for p in merged.papers}
    assert made["business_licence"] == "m" and made["identity_card"] == ""
    assert sum(p.term == "identity_card" for p in merged.papers) == 1


def test_thirty_items_of_the_counter_have_terms_that_exist() -> None:
    items = frequent_items()
    assert [item.number for item in items] == list(range(1, 31))
    for item in items:
        assert item.questions and item.materials and item.promise <= item.legal
        assert all(q.get("term", "") in ("", *TERMS.questions) for q in item.questions)
        assert all(row["term"] in ("", *TERMS.materials) for row in item.materials)
