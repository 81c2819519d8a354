"""The worker stops when it is told to, also when a job loses its cancellation on the way."""

from __future__ import annotations

import asyncio

from events.runtime.worker import _supervised, end


def test_jobs_that_lose_a_cancellation_are_ended_all_the_same() -> None:
    async def swallows_once() -> None:
        lost = False
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if lost:
                    raise
                lost = True

    async def fails_on_the_way_out() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise RuntimeError("the connection is gone") from None

    async def run() -> list[bool]:
        jobs = (swallows_once, fails_on_the_way_out)
        tasks = [asyncio.create_task(_supervised(job)) for job in jobs]
        await asyncio.sleep(0)
        await asyncio.wait_for(end(tasks, again_s=0.05), 20)
        return [task.done() for task in tasks]

    assert asyncio.run(run()) == [True, True]
