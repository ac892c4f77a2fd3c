"""Jobs: where they are, what they gave, and how to stop one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from fastapi import APIRouter, HTTPException, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse

from semicoupled.description import Json
from semicoupled.serving.jobs import ENDED, Job
from semicoupled.serving.schemas import REFUSALS, JobStatus
from semicoupled.serving.services import Services, Serving

router = APIRouter(tags=["jobs"], responses=REFUSALS)
_LOOK = 0.1


@router.get("/jobs/{job_id}")
def job_status(serving: Serving, job_id: str) -> JobStatus:
    """Say where a job is."""
    return JobStatus.of(_find(serving, job_id), serving.jobs)


@router.delete("/jobs/{job_id}")
def cancel_job(serving: Serving, job_id: str) -> JobStatus:
    """Stop a job. If it runs, its process is ended within a moment, whatever it is doing."""
    job = _find(serving, job_id)
    serving.jobs.cancel(job)
    return JobStatus.of(job, serving.jobs)


@router.get("/jobs/{job_id}/result", response_model=dict[str, object])
def job_result(serving: Serving, job_id: str) -> Response:
    """Give what a job found out."""
    return JSONResponse(_document(_find(serving, job_id)))


@router.get(
    "/jobs/{job_id}/files/{name}",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "an array, as a .npy file"}},
)
def job_file(serving: Serving, job_id: str, name: str) -> Response:
    """Give an array that a job made, as a .npy file."""
    job = _find(serving, job_id)
    content = None if job.result is None else job.result.files.get(name)
    if content is None:
        raise HTTPException(404, "this job has no such file; its status lists them")
    return Response(content, media_type="application/octet-stream")


@router.websocket("/jobs/{job_id}/events")
async def job_events(socket: WebSocket, serving: Serving, job_id: str) -> None:
    """Send where a job is whenever that changes, until it ends."""
    await socket.accept()
    job = serving.jobs.find(job_id)
    if job is None:
        await socket.close(4404, "no such job")
        return
    last = None
    try:
        while True:
            now = JobStatus.of(job, serving.jobs)
            if now != last:
                await socket.send_json(now.model_dump())
                last = now
            if now.state in ENDED:
                break
            await asyncio.sleep(_LOOK)
        await socket.close()
    except (WebSocketDisconnect, RuntimeError, asyncio.CancelledError):  # it has gone, or the server ends
        return


def _find(serving: Services, job_id: str) -> Job:
    job = serving.jobs.find(job_id)
    if job is None:
        raise HTTPException(404, "there is no such job, or it was so long ago that its result is gone; ask again")
    return job


def _document(job: Job) -> Mapping[str, Json]:
    if job.result is None:
        raise HTTPException(404, f"the job is {job.state}, and has no result" + (f": {job.error}" if job.error else ""))
    return job.result.document
