"""Playing a script: one step after the other, what is seen after each."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select

from core.errors import YiwangError
from core.language.phrases import in_chinese
from events.cases.definition import Definition
from events.trial.observe import differences, observe
from events.trial.sandbox import Sandbox
from events.trial.script import Script, ScriptInvalid, ScriptStep, waited
from storage.session import read_scope
from storage.tables.cases import Case

MEND = "correct the definition, or what the step before it is expected to show"


def play(script: Script, definition: Definition, language: str = "en") -> Iterator[dict[str, Any]]:
    """What is seen after each step; a refused command is an answer, its ``error`` says why, in ``language`` (zh, en).

    ``held`` False: an expectation that does not hold.  :class:`ScriptInvalid` where a step cannot be played.
    """
    with tempfile.TemporaryDirectory(prefix="yiwang-try-") as folder, Sandbox(Path(folder), script, definition) as box:
        yield from Player(box, language).run()


class Player:
    """Plays a script's steps on a sandbox."""

    def __init__(self, box: Sandbox, language: str = "en") -> None:
        self._box = box
        self._language = language
        self._file = ""  # the case that steps without ``case`` are about: the one reported last
        self._last: dict[str, Any] = {"notices": [], "error": None}

    def run(self) -> Iterator[dict[str, Any]]:
        for n, step in enumerate(self._box.script.steps):
            yield self._play(n, step)

    def _play(self, n: int, step: ScriptStep) -> dict[str, Any]:
        box = self._box
        about = self._named(n, step)
        error: dict[str, Any] | None = None
        if step.do:
            about, error = self._command(step, about)
        elif step.wait:
            box.move_to(waited(box.service.calendars["default"], box.clock.now(), step.wait, f"steps[{n}].wait"))
        elif step.at is not None:
            if step.at < box.clock.now():
                raise ScriptInvalid(field=f"steps[{n}].at", detail=f"{step.at} is over", how="give a later time")
            box.move_to(step.at)
        with read_scope(box.engine) as session:
            people = [person.actor() for person in box.script.people.values()]
            seen = observe(session, about, people, box.clock.now(), box.service.definitions)
        line = {"step": n + 1, "as": step.who or None, "do": step.do or None, **seen}
        line |= {"notices": box.new_notices(), "error": error, "now": box.clock.now().isoformat()}
        if step.expect is None:
            self._last = line
        else:
            line = self._compare(step.expect, line)
        return line

    def _compare(self, wanted: dict[str, Any], line: dict[str, Any]) -> dict[str, Any]:
        wrong = differences(wanted, {**line, "notices": self._last["notices"], "error": self._last["error"]})
        if not wrong:
            return {**line, "held": True}
        said, how = "; ".join(wrong), MEND
        if self._language == "zh":
            said = "；".join(f"{key}：{in_chinese(rest)}" for key, rest in (each.split(": ", 1) for each in wrong))
            how = in_chinese(how)
        return {**line, "held": False, "error": {"code": "expect_failed", "message": said, "remedy": how}}

    def _command(self, step: ScriptStep, about: str) -> tuple[str, dict[str, Any] | None]:
        """The case it is about, and why it was refused."""
        error = None
        try:
            about = self._box.act(step.who, step.do, step.data, about)
            if step.do == "report":
                self._file = about
        except YiwangError as refused:
            shown = refused.as_dict(self._language)
            error = {"code": shown.pop("error"), **shown}
        self._box.settle()
        return about, error

    def _named(self, n: int, step: ScriptStep) -> str:
        if step.file is None:
            return self._file
        files = self._box.files
        if isinstance(step.file, int) and 1 <= step.file <= len(files):
            return files[step.file - 1]
        with read_scope(self._box.engine) as session:
            found = session.scalar(select(Case.case_id).where(Case.number == str(step.file)))
        if found is None:
            raise ScriptInvalid(
                field=f"steps[{n}].case", detail=f"there is no case {step.file!r}", how=f"there are {len(files)}: 1 …"
            )
        return found
