"""Every shipped definition as tables and back; cells that cannot be read; notation under random texts."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.cases.definition_check import parse_definition, shipped_definitions
from events.cases.definition_parts import RELATIONS
from events.cases.errors import DefinitionInvalid
from events.workshop import notation as n
from events.workshop.drafts import problems_of
from events.workshop.tables import TABLES, body_of, settings_of, tables_of


def full(name: str) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(shipped_definitions()[name]))
    return body


@pytest.mark.parametrize("name", sorted(shipped_definitions()))
def test_a_definition_is_the_same_after_its_tables(name: str) -> None:
    body = full(name)
    tables = tables_of(body)
    made, unread = body_of(tables, settings_of(body), body)
    assert unread == [] and set(tables) == set(TABLES)
    assert msgspec.json.decode(msgspec.json.encode(parse_definition(made))) == body
    assert all(isinstance(value, str | bool) for rows in tables.values() for row in rows for value in row.values())


@pytest.mark.parametrize(
    ("table", "column", "text", "where"),
    [
        ("commands", "moves", "→ done", "commands/report/moves"),
        ("commands", "moves", "sent → ", "commands/report/moves"),
        ("commands", "guards", 'documents {"types": [', "commands/report/guards"),
        ("commands", "effects", "spawn {definition}", "commands/report/effects"),
        ("commands", "clocks", "begin whole", "commands/report/clocks"),
        ("commands", "who", "staff @lead @other", "commands/report/who"),
        ("clocks", "limit", "three days", "clocks/answer/limit"),
        ("fields", "schema", "[1]", "fields/reason/schema"),
        ("fields", "kind", "picture", "fields/reason/kind"),
        ("states", "turn", "staff [sent", "states/sent/turn"),
        ("states", "name", "", "states/1/name"),
        ("triggers", "data", "{late", "triggers/0/data"),
        ("routes", "when", "[1]", "routes/0/when"),
        ("routes", "assisting", '{"department_id": "d"}', "routes/0/assisting"),
    ],
)  # fmt: skip
def test_a_cell_that_cannot_be_read_is_named(table: str, column: str, text: str, where: str) -> None:
    body = full("business_flow")
    tables = tables_of(body)
    (tables[table] or tables[table].append({}) or tables[table])[0][column] = text
    if table == "clocks":
        where = f"clocks/{tables[table][0]['name']}/limit"
    if table == "states" and column == "turn":
        where = f"states/{tables[table][0]['name']}/turn"
    if table == "fields":
        where = f"fields/{tables[table][0]['name']}/{column}"
    _, unread = body_of(tables, settings_of(body), body)
    assert where in [one.where for one in unread]
    assert all(one.text for one in unread)


def test_full_width_signs_and_short_words_are_read() -> None:
    assert n.who_lines("staff／manager ＠lead_department 【sent，done】；reporter".replace("／", "/")) == [
        {"roles": ["staff", "manager"], "relation": "lead_department", "from": ["sent", "done"]},
        {"roles": [], "relation": "reporter"} | {"from": []},
    ]
    assert n.moves("sent、accepted -> done")[0]["from"] == ["sent", "accepted"]
    assert n.verbs('issue {"template": "许可，（一）"}', "effect") == [{"effect": "issue", "template": "许可，（一）"}]
    assert n.limit("4 工作时") == {"value": 4.0, "unit": "work_hour"}
    assert n.choices("a=甲/A; b=乙; c") == {"a": {"zh": "甲", "en": "A"}, "b": {"zh": "乙"}, "c": {}}


def test_doubles_and_unknown_further_parts_are_told() -> None:
    body = full("business_flow")
    tables = tables_of(body)
    tables["states"].append(dict(tables["states"][0]))
    settings = {**settings_of(body), "further": '{"wishes": 1}'}
    _, unread = body_of(tables, settings, body)
    assert [one.where for one in unread] == [f"states/{tables['states'][0]['name']}/name", "further"]


def test_another_kind_of_field_gives_another_schema() -> None:
    body = full("business_flow")
    tables = tables_of(body)
    tables["fields"].append({"name": "colour", "zh": "颜色", "kind": "choice", "choices": "red=红/Red; blue=蓝"})
    made, unread = body_of(tables, settings_of(body), body)
    assert unread == [] and made["fields"]["colour"] == {
        "enum": ["red", "blue"], "title": {"zh": "颜色"},
        "choices": {"red": {"zh": "红", "en": "Red"}, "blue": {"zh": "蓝"}},
    }  # fmt: skip


@given(st.text(max_size=60))
def test_no_text_of_a_cell_brings_more_than_a_typed_refusal(text: str) -> None:
    for read in (n.names, n.who_lines, n.moves, n.clock_moves, n.limit, n.recipients, n.choices, n.object_of):
        try:
            read(text)
        except n.CellUnreadable as error:
            assert error.as_dict()["remedy"]


_NAME = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True)
_WHO = st.fixed_dictionaries(
    {"roles": st.lists(_NAME, max_size=3), "relation": st.sampled_from(["any", "handler", "own_division"]),
     "from": st.lists(_NAME, max_size=2)}
).filter(lambda line: line["relation"] != "any" or not set(line["roles"]) & RELATIONS)  # fmt: skip


@given(st.lists(_WHO, max_size=4))
def test_who_is_written_and_read_alike(lines: list[dict[str, Any]]) -> None:
    assert n.who_lines(n.who_text(lines)) == lines


def test_a_misspelt_role_is_a_named_problem() -> None:
    body = full("business_flow")
    tables = tables_of(body)
    tables["commands"][0]["who"] = "staf @lead_department"
    made, unread = body_of(tables, settings_of(body), body)
    name = tables["commands"][0]["name"]
    found = problems_of(made)
    assert unread == [] and [(one.where, one.code, one.values["name"]) for one in found] == [
        (f"commands/{name}/who", "role_unknown", "staf")
    ]
    with pytest.raises(DefinitionInvalid, match="'staf'"):
        parse_definition(made)


def test_a_document_is_written_in_a_table_a_line_a_paragraph() -> None:
    body = full("information_request")
    tables = tables_of(body)
    tables["templates"][0]["text"] += "\n此致"
    made, _ = body_of(tables, settings_of(body), body)
    assert made["templates"]["answer"]["text"] == [*body["templates"]["answer"]["text"], "此致"]
