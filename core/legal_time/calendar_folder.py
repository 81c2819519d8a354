"""A district's own calendars, looked at while the process runs: ``<data_dir>/calendars/<id>.json``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from core.legal_time.calendar import CalendarInvalid, WorkCalendar, load_calendar, statutory_calendar

Mark = tuple[int, int]


class CalendarFolder(Mapping[str, WorkCalendar]):
    """The calendars in force by id; ``default`` is the statutory one where the district has none of its own.

    :meth:`look` takes up what changed.  A broken file is told in ``problems`` (by file name) and changes nothing: the
    calendar that stood goes on.  May be read from any thread while another looks.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, Mark] = {}
        self._own: dict[str, WorkCalendar] = {}
        self.problems: dict[str, CalendarInvalid] = {}

    def look(self) -> bool:
        """Read files that changed; True when other calendars are in force than before."""
        marks = {path.name: mark for path in sorted(self._folder.glob("*.json")) if (mark := _mark(path))}
        own = {key: held for key, held in self._own.items() if f"{key}.json" in marks}
        problems = {name: error for name, error in self.problems.items() if name in marks}
        for name, mark in marks.items():
            if self._seen.get(name) == mark:
                continue
            problems.pop(name, None)
            try:
                own[name.removesuffix(".json")] = load_calendar(self._folder / name)
            except CalendarInvalid as error:
                problems[name] = error
        changed = own != self._own
        self._seen, self._own, self.problems = marks, own, problems
        return changed

    def __getitem__(self, key: str) -> WorkCalendar:
        own = self._own
        return own[key] if key in own or key != "default" else statutory_calendar()

    def __iter__(self) -> Iterator[str]:
        return iter({"default": None, **self._own})

    def __len__(self) -> int:
        return len({"default", *self._own})


def _mark(path: Path) -> Mark | None:
    try:
        stat = path.stat()
    except OSError:  # it went meanwhile
        return None
    return stat.st_mtime_ns, stat.st_size
