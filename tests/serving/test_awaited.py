"""Jobs that are waited for: what they say on the way, and what becomes of them when nobody waits any more."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from semicoupled.errors import DataError
from semicoupled.serving.awaited import finished
from semicoupled.serving.jobs import BusyError, Job, Jobs
from semicoupled.serving.settings import Limits
from semicoupled.serving.work import JobRequest, Result, Source

REQUEST = JobRequest("a:job", Path("run"), Source())


class Watched(Jobs):
    """A queue without a worker, whose jobs the test ends."""

    def __init__(self) -> None:
        super().__init__(Limits(queue=1))
        self.given: list[Job] = []

    def submit(self, request: JobRequest, *, keep: bool = True) -> Job:
        assert not keep, "nobody fetches it later"
        job = super().submit(request, keep=keep)
        self.given.append(job)
        return job


def play(jobs: Watched, asked: Coroutine[Any, Any, Result], then: Callable[[Job], None]) -> Any:
    """Ask, do something with the job once it is there, and give what was answered."""

    async def run() -> Any:
        task = asyncio.create_task(asked)
        while not jobs.given and not task.done():
            await asyncio.sleep(0.001)
        if not task.done():
            then(jobs.given[-1])
        return await asyncio.wait_for(task, 10)

    return asyncio.run(run())


def end(job: Job) -> None:
    job.parts += [1, 2]
    job.result, job.state = Result({"a": 1}), "done"


def test_all_parts_are_heard_before_the_result_is_given() -> None:
    jobs, heard = Watched(), list[Any]()

    async def hear(part: Any) -> None:
        heard.append(part)

    assert play(jobs, finished(jobs, REQUEST, hear), end).document == {"a": 1}
    assert heard == [1, 2]


def test_a_job_that_fails_says_why() -> None:
    def fail(job: Job) -> None:
        job.error, job.state = "a.mp4: is no video", "failed"

    failing, stopped = Watched(), Watched()
    with pytest.raises(DataError, match=r"a\.mp4: is no video"):
        play(failing, finished(failing, REQUEST), fail)
    with pytest.raises(DataError, match="it was stopped"):
        play(stopped, finished(stopped, REQUEST), stopped.cancel)


def test_who_stops_waiting_stops_the_job() -> None:
    jobs = Watched()

    async def leave() -> None:
        task = asyncio.create_task(finished(jobs, REQUEST))
        while not jobs.given:
            await asyncio.sleep(0.001)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(leave())
    assert jobs.given[0].state == "cancelled"


def test_a_full_queue_is_waited_for_by_the_patient_alone() -> None:
    jobs = Watched()
    first = jobs.submit(REQUEST, keep=False)
    jobs.given.clear()
    with pytest.raises(BusyError, match="the queue is full"):
        asyncio.run(finished(jobs, REQUEST))

    async def wait() -> Result:
        task = asyncio.create_task(finished(jobs, REQUEST, patient=True))
        await asyncio.sleep(0.01)
        assert not jobs.given
        jobs.cancel(first)
        while not jobs.given:
            await asyncio.sleep(0.01)
        end(jobs.given[0])
        return await task

    assert asyncio.run(wait()).document == {"a": 1}
