"""Jobs that are waited for: whoever asks has the result alone, and who stops waiting stops the job."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from semicoupled.errors import DataError
from semicoupled.serving.jobs import ENDED, BusyError, Job, Jobs
from semicoupled.serving.work import JobRequest, Result

_LOOK = 0.004
_AGAIN = 0.2
"""Seconds until a full queue is asked again."""


async def finished(
    jobs: Jobs,
    request: JobRequest,
    hear: Callable[[Any], Awaitable[None]] | None = None,
    *,
    patient: bool = False,
) -> Result:
    """Have the worker do something, and wait for it.

    Args:
        jobs: the queue.
        request: what to do.
        hear: is given the parts of the result that come before it.
        patient: wait for room in a full queue.

    Raises:
        BusyError: the queue is full, and the caller is not patient.
        DataError: it failed.
    """
    job = await _submit(jobs, request, patient)
    told = 0
    try:
        while True:
            ended = job.state in ENDED  # before the parts are looked at: none comes later
            while told < len(job.parts):
                if hear is not None:
                    await hear(job.parts[told])
                told += 1
            if ended:
                break
            await asyncio.sleep(_LOOK)
    finally:
        if job.state not in ENDED:
            jobs.cancel(job)
    if job.result is None:
        raise DataError(job.error or "it was stopped")
    return job.result


async def _submit(jobs: Jobs, request: JobRequest, patient: bool) -> Job:
    while True:
        try:
            return jobs.submit(request, keep=False)
        except BusyError:
            if not patient:
                raise
        await asyncio.sleep(_AGAIN)
