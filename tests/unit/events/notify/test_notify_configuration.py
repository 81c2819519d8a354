"""``notify.json`` and ``webhooks.json``: what is broken is told with file and remedy, what is not stays in force."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import create_engine

from app.configured import without_database
from core.bus import Bus
from core.clock import SystemClock
from core.settings import Settings, load_settings
from events.notify.configuration import read_configuration
from events.notify.notices import QuietHours
from events.notify.webhooks import checked_subscribers
from events.runtime.outbox import Relay


@pytest.fixture
def place(tmp_path: Path) -> Settings:
    return load_settings({"YIWANG_DATA_DIR": str(tmp_path)})


def written(place: Settings, name: str, content: bytes | str) -> None:
    data = content.encode() if isinstance(content, str) else content
    (place.data_dir / name).write_bytes(data)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", "7", '"x"', b"\xff\xfe\x00", "[" * 100_000, '{"email": {}', "{'email': {}}", "\ufeff{}"],
)
def test_a_file_that_is_none_leaves_the_notices_of_the_system_itself(place: Settings, content: bytes | str) -> None:
    written(place, "notify.json", content)
    found = read_configuration(place)
    assert found.channels == {"in_app": {}} and found.quiet == QuietHours()
    assert [str(place.data_dir / "notify.json") in str(problem) for problem in found.problems] == [True]
    assert [problem.as_dict()["remedy"] != "" for problem in found.problems] == [True]


@pytest.mark.parametrize(
    "quiet",
    ["[]", '"22:00"', '{"begins": "25:00"}', '{"begins": 22}', '{"ends": "7"}', '{"below_severity": "orange"}', "null"],
)
def test_wrong_quiet_hours_leave_the_channels_alone(place: Settings, quiet: str) -> None:
    written(place, "notify.json", f'{{"webhook:sms": {{"url": "http://sms/"}}, "quiet_hours": {quiet}}}')
    found = read_configuration(place)
    assert list(found.channels) == ["in_app", "webhook:sms"] and found.quiet == QuietHours()
    assert ["quiet_hours" in str(problem) for problem in found.problems] == [True]


def test_one_channel_that_is_no_object_leaves_the_others(place: Settings) -> None:
    hours = '{"begins": "23:30", "ends": "06:00", "below_severity": 4}'
    written(place, "notify.json", f'{{"email": 7, "webhook:sms": {{}}, "quiet_hours": {hours}}}')
    found = read_configuration(place)
    assert list(found.channels) == ["in_app", "webhook:sms"]
    assert found.quiet == QuietHours("23:30", "06:00", 4)
    assert ["notify.json email" in str(problem) for problem in found.problems] == [True]


GOOD = '{"name": "a", "url": "https://a.example/hook", "secret": "0123456789abcdef"}'


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ('{"name": "x", "url": "file:///etc/passwd", "secret": "0123456789abcdef"}', "http"),
        ('{"name": "x", "url": "http://[::1", "secret": "0123456789abcdef"}', "http"),
        ('{"name": "x", "url": "http://h/", "secret": "short"}', "16"),
        ('{"name": "x"}', "url"),
        ("7", "object"),
    ],
)
def test_one_broken_subscriber_leaves_the_others(place: Settings, row: str, what: str) -> None:
    written(place, "webhooks.json", f"[{row}, {GOOD}]")
    found, problems = checked_subscribers(place)
    assert list(found) == ["a"] and len(problems) == 1
    assert "webhooks.json row 1" in str(problems[0]) and what in str(problems[0])


def test_check_tells_both_files_once_each(place: Settings) -> None:
    written(place, "notify.json", '{"email": {"hots": "x"}, "pigeon": {}, "quiet_hours": []}')
    written(place, "webhooks.json", "{")
    lines = [line for line in without_database(place) if "notify.json" in line or "webhooks.json" in line]
    assert len(lines) == 4
    assert len([line for line in lines if "pigeon" in line]) == 1


def test_the_worker_sends_on_with_broken_files(place: Settings) -> None:
    written(place, "notify.json", '{"email": {"hots": "x"}, "webhook:sms": {"url": "http://127.0.0.1:9/", ')
    written(place, "webhooks.json", "7")
    relay = Relay(cast(Bus, None), create_engine("sqlite://"), SystemClock(), place)
    assert relay.channels == ["in_app"] and relay.quiet == QuietHours()
