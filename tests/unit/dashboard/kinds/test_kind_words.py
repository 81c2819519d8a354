"""The browser's modules get the names of every kind in force; a kind's own name goes before the common word."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from dashboard.pages.kind_words import kind_words
from events.cases.definition_check import shipped_definitions
from tests.unit.dashboard.test_modules_in_node import node

I18N = Path(__file__).parents[4] / "dashboard" / "static" / "ui" / "shared" / "i18n.mjs"


def test_every_state_and_command_of_every_kind_is_named() -> None:
    for language in ("zh", "en"):
        found = kind_words(language)
        for d in shipped_definitions().values():
            for what, names in (("state", d.states), ("command", d.commands)):
                assert all(found[f"kind.{d.definition_id}.{what}.{name}"] for name in names)
    assert kind_words("zh")["kind.help_request.state.assigned"] == "待联系"
    assert kind_words("en")["kind.help_request.state.assigned"] == "To be contacted"


def test_the_modules_ask_for_the_kinds_own_name_first() -> None:
    source = I18N.read_text(encoding="utf-8")
    body = source[source.index("export function term") : source.index("export function named")].replace("export ", "")
    words = {"state.received": "待受理", "kind.tree_care.state.received": "已收件"}
    asks = 'console.log(kindTerm({definition_id: "tree_care"}, "state", "received"), kindTerm({}, "state", "received"))'
    script = f"const words = {json.dumps(words)};\n{body}\n{asks}"
    told = subprocess.run([*node(), "-e", script], capture_output=True, text=True, check=True, timeout=60).stdout
    assert told.split() == ["已收件", "待受理"]
