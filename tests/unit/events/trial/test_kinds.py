"""Every kind of case that is shipped is played to its end by a script."""

from __future__ import annotations

from pathlib import Path

import pytest

from events.cases.definition_check import shipped_definitions
from events.trial.play import play
from events.trial.script import read_script

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.yaml"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_kind_is_played_to_its_end(path: Path) -> None:
    lines = list(play(read_script(path), shipped_definitions()[path.stem]))
    assert not [(line["step"], line["error"]["message"]) for line in lines if not line.get("held", True)]


def test_every_kind_but_the_city_s_has_a_script() -> None:
    assert {path.stem for path in SCRIPTS} >= shipped_definitions().keys() - {"city_management"}


def test_every_state_command_and_field_has_a_name_in_both_languages() -> None:
    for kind in shipped_definitions().values():
        named = [kind.name, *(s.name for s in kind.stages), *(s.name for s in kind.states.values())]
        named += [c.name for c in kind.commands.values()] + [c.name for c in kind.clocks.values()]
        named += [field.get("title", {}) for field in kind.fields.values()]
        assert all(name.get("zh") and name.get("en") for name in named), kind.definition_id
        assert kind.source
