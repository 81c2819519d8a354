"""All MQTT sessions of ingest: as many as the filters need, made anew when the mappings ask for other topics."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from core.clock import Clock
from core.settings import Settings
from ingest.pipeline import Pipeline
from ingest.router import Router
from ingest.transports.mqtt import MqttSubscriber
from ingest.transports.mqtt_topics import HeldTopics, sessions

_LOOK_S = 1.0

Keeper = Callable[[str, Callable[[], Awaitable[None]], asyncio.Event], Coroutine[Any, Any, None]]
"""Runs something until the event, again and again when it fails (:func:`ingest.supervisor.keep_running`)."""


class MqttSessions:
    """See the module."""

    def __init__(self, settings: Settings, pipeline: Pipeline, router: Router, clock: Clock, keep: Keeper) -> None:
        self._settings, self._pipeline, self._router, self._clock, self._keep = settings, pipeline, router, clock, keep

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until ``stop``."""
        while not stop.is_set():
            topics = self._router.topics
            over = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                for subscriber in self._subscribers(topics):
                    group.create_task(self._keep("mqtt", self._life(subscriber, over), over))
                while not stop.is_set() and self._router.topics == topics:
                    try:
                        await asyncio.wait_for(stop.wait(), _LOOK_S)
                    except TimeoutError:
                        continue
                over.set()  # the broker keeps what comes while the sessions are made anew

    def _life(self, subscriber: MqttSubscriber, over: asyncio.Event) -> Callable[[], Awaitable[None]]:
        return lambda: subscriber.run(over)

    def _subscribers(self, topics: tuple[str, ...]) -> list[MqttSubscriber]:
        """One a group of filters; what an earlier run held and nobody wants any more is given back."""
        # a drill has sessions of its own, else it would take over the live city's
        first = f"{self._settings.subject_prefix.replace('.', '-')}yiwang-ingest"
        groups = sessions(topics)
        names = [first if number == 0 else f"{first}-{number + 1}" for number in range(len(groups))]
        held = HeldTopics(self._settings.data_dir / "cursors" / f"{first}.json")
        former = held.exchange(dict(zip(names, groups, strict=True)))
        names += [name for name in former if name not in names]
        return [
            MqttSubscriber(
                self._settings, self._pipeline, self._router.parse, self._clock,
                topics=groups[number] if number < len(groups) else (),
                forgotten=former.get(name, ()), client_id=name,
            )
            for number, name in enumerate(names)
        ]  # fmt: skip
