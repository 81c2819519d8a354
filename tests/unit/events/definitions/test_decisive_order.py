"""What decides comes first, in every state of every shipped kind, whoever looks."""

from __future__ import annotations

from dashboard.pages.desk.work import commands_for_many
from events.cases.course.decisive import decisive_first, forward_among
from events.cases.definition_check import parse_definition, shipped_definitions
from events.cases.soundness.course import origins
from tests.unit.events.definitions.sound import sound


def test_a_remark_never_stands_before_what_changes_the_state() -> None:
    for kind in shipped_definitions().values():
        for state, spec in kind.states.items():
            possible = [name for name, each in kind.commands.items() if state in origins(kind, each)]
            order = decisive_first(kind, reversed(possible), state)
            assert sorted(order) == sorted(possible)
            moving = [n for n in order if any(m.to for m in kind.commands[n].moves) and not kind.commands[n].rare]
            if spec.open and moving:
                assert order[0] in forward_among(kind, possible, state)
                assert "comment" not in order or order.index("comment") > order.index(moving[0])


def test_a_dispatcher_confirms_before_remarking() -> None:
    kind = shipped_definitions()["city_management"]
    names = ["comment", "attach", "urge", "transfer", "confirm", "force_close"]
    assert decisive_first(kind, names, "dispatched") == [
        "confirm", "transfer", "urge", "comment", "attach", "force_close",
    ]  # fmt: skip


def test_without_a_mark_the_first_that_moves_decides() -> None:
    kind = parse_definition(sound())
    assert forward_among(kind, ["ask", "answer", "ask_more"], "handling") == {"answer"}
    assert decisive_first(kind, ["ask", "ask_more", "answer"], "handling")[0] == "answer"
    assert forward_among(kind, ["ask"], "handling") == frozenset()


def test_many_files_are_offered_what_each_of_them_allows_now() -> None:
    kind = shipped_definitions()["business_flow"]
    assert list(commands_for_many([(kind, "replied")])) == ["confirm", "comment"]
    assert list(commands_for_many([(kind, "replied"), (kind, "sent")])) == ["comment"]
    assert commands_for_many([]) == {}
