"""The file ``notify.json`` of the data folder: which channels are on, the quiet hours, and what is wrong in it.

A broken part is left out and told (log of the worker, ``python -m app check``, ``GET /api/channels``); the rest counts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import msgspec

from core.errors import SettingsError
from core.settings import Settings
from events.notify.notices import QuietHours

FILE = "notify.json"
IN_APP = "in_app"  # always on


@dataclass(frozen=True)
class NotifyConfiguration:
    """``channels``: parameters by ``kind`` or ``kind:name``, ``in_app`` among them; ``problems``: what was left out."""

    channels: dict[str, dict[str, Any]] = field(default_factory=lambda: {IN_APP: {}})
    quiet: QuietHours = field(default_factory=QuietHours)
    problems: tuple[SettingsError, ...] = ()


def read_configuration(settings: Settings) -> NotifyConfiguration:
    """What the file says; without one (a drill has none) ``in_app`` alone and quiet hours from 22:00 to 07:00."""
    path = settings.data_dir / FILE
    if settings.subject_prefix or not path.exists():
        return NotifyConfiguration()
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        return NotifyConfiguration(problems=(_wrong(str(path), str(error), "correct or delete the file"),))
    if not isinstance(found, dict):
        return NotifyConfiguration(problems=(_wrong(str(path), "is no object", 'write {"email": {…}, …}'),))
    channels: dict[str, dict[str, Any]] = {IN_APP: {}}
    problems = []
    for name, params in found.items():
        if isinstance(params, dict):
            channels[name] = params
        else:
            problems.append(_wrong(f"{path} {name}", "is no object", f'write {{"{name}": {{…}}}}'))
    quiet = QuietHours()
    try:
        quiet = msgspec.convert(channels.pop("quiet_hours", {}), QuietHours)
    except msgspec.ValidationError as error:
        how = 'write {"begins": "22:00", "ends": "07:00", "below_severity": 3}'
        problems.append(_wrong(f"{path} quiet_hours", str(error), how))
    return NotifyConfiguration(channels, quiet, tuple(problems))


def _wrong(what: str, detail: str, how: str) -> SettingsError:
    return SettingsError(field=what, detail=detail, how=how)
