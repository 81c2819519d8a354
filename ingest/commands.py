"""Commands to devices: requests on ``cmd.<source>``, sent over the connection the device speaks on.

A command is tried as often as the protocol says; the result goes back to whoever asked.  A duty check (查岗) has a
second phase: after the device's confirm a person has the window's time to answer, else ``duty_check_unanswered`` opens.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import nats.errors
from nats.aio.msg import Msg

from core.bus import Bus
from core.clock import Clock
from core.errors import RecordError, YiwangError
from core.ids import derived_id
from core.records import DeviceCommand, DeviceCommandResult, Observation, decode, encode
from ingest.contract import Answer, Request
from ingest.outlet import NotDurable
from ingest.pipeline import Pipeline
from ingest.transports.tcp import Connection, TcpListener

log = logging.getLogger("yiwang.ingest")

_MAX_AT_ONCE = 200
_WINDOW_GRACE_S = 120.0  # the notes give up at 12 minutes for a window of 10


class CommandDesk:
    """Carries commands to the devices of one listener."""

    def __init__(
        self, listener: TcpListener, pipeline: Pipeline, clock: Clock, grace_s: float = _WINDOW_GRACE_S
    ) -> None:
        self._listener, self._pipeline, self._clock, self._grace_s = listener, pipeline, clock, grace_s
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, bus: Bus) -> None:
        """Answer requests on ``cmd.<source>`` from now on."""
        await bus.serve(f"cmd.{self._listener.source.kind}", self._on_request)

    async def close(self) -> None:
        """Give up what is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _on_request(self, message: Msg) -> None:
        # A task per request: the subscription must go on to the next one while a device thinks.
        if len(self._tasks) >= _MAX_AT_ONCE:
            self._listener.counters.refuse("too_many_commands")
            return
        self._keep(asyncio.create_task(self._answer(message)))

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, message: Msg) -> None:
        try:
            command = decode(DeviceCommand, message.data)
        except RecordError as error:
            log.warning("device command refused: %s", error)
            return
        result = await self.execute(command)
        self._listener.counters.count(f"commands_{'ok' if result.ok else 'failed'}")
        try:
            await message.respond(encode(result))
        except nats.errors.Error as error:
            log.warning("result of command %s could not be sent: %s", command.command_id, error)

    async def execute(self, command: DeviceCommand) -> DeviceCommandResult:
        """Send ``command`` and wait for the device's answer; never raises for what a device may do."""
        connection = self._listener.connection_of(command.device_id)
        if connection is None:
            return self._result(command, False, "the device is not connected")
        try:
            request = connection.session.request(command, self._clock.now())
            answer = await self._exchange(connection, request, command.timeout_s)
        except YiwangError as error:
            return self._result(command, False, str(error))
        except TimeoutError:
            return self._result(command, False, f"no answer from the device within {command.timeout_s:g} s")
        except ConnectionResetError as error:
            return self._result(command, False, str(error))
        if answer.ok and request.window_s > 0:
            self._keep(asyncio.create_task(self._await_person(connection, request, command)))
        return self._result(command, answer.ok, answer.detail or "done", answer)

    async def _exchange(self, connection: Connection, request: Request, timeout_s: float) -> Answer:
        deadline = asyncio.get_running_loop().time() + timeout_s
        for _ in range(max(1, request.tries)):
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                break
            try:
                answer: Answer = await connection.ask(request, request.key, min(request.timeout_s, left))
            except TimeoutError:
                continue
            return answer
        raise TimeoutError

    async def _await_person(self, connection: Connection, request: Request, command: DeviceCommand) -> None:
        try:
            await connection.ask(request, request.window_key, request.window_s + self._grace_s)
        except (TimeoutError, ConnectionResetError) as error:
            reason = "nobody answered in time" if isinstance(error, TimeoutError) else str(error)
            now = self._clock.now()
            observation = Observation(
                observation_id=derived_id("duty_check_unanswered", command.command_id),
                kind="duty_check_unanswered",
                state="open",
                source_type="device",
                source_id=command.device_id,
                observed_at=now,
                received_at=now,
                attributes={
                    "reason": reason,
                    "command_id": command.command_id,
                    "requested_by": command.requested_by,
                    "window_s": request.window_s,
                    "asked_at": (now - timedelta(seconds=request.window_s + self._grace_s)).isoformat(),
                },
            )
            try:
                await (await self._pipeline.announce(observation))
            except NotDurable as lost:
                log.error("unanswered duty check of %s could not be announced: %s", command.device_id, lost)

    def _result(
        self, command: DeviceCommand, ok: bool, detail: str, answer: Answer | None = None
    ) -> DeviceCommandResult:
        return DeviceCommandResult(
            command_id=command.command_id,
            ok=ok,
            detail=detail,
            finished_at=self._clock.now(),
            data=answer.data if answer else {},
        )
