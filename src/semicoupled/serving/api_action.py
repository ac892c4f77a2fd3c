"""Action: what happens in a drawn clip, in videos below a root, in videos that were dropped, or before a camera."""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
import secrets
import struct
import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Response, WebSocket, WebSocketDisconnect
from pydantic import Field

from semicoupled.errors import DataError, SemicoupledError
from semicoupled.serving.awaited import finished
from semicoupled.serving.drawn_sample import SAMPLES, drawn_frames, find_sample
from semicoupled.serving.jobs import BusyError
from semicoupled.serving.messages import reason
from semicoupled.serving.schemas import REFUSALS, JobStatus, SourceChoice, Strict
from semicoupled.serving.services import Services, Serving
from semicoupled.serving.video_options import LiveFrame, VideoOptions
from semicoupled.serving.work import JobRequest, Source, npy

SUMMARY = "Say what happens in a video: one of some classes, frame by frame and for the whole."
router = APIRouter(prefix="/action", tags=["action"], responses=REFUSALS)
_PREVIEW_FRAMES = 25
_HEAD = struct.Struct("<d")


class VideoRequest(Strict):
    """Which video is asked about."""

    run: str = Field(description="name of a run of action", max_length=300)
    source: SourceChoice
    part: int = Field(0, ge=0, lt=1_000_000, description="of the videos that the result lists")
    rate: float = Field(25.0, gt=0, le=1000, description="frames a second of a folder of images, which has no times")


def samples() -> Sequence[str]:
    """Give the names of what can be generated."""
    return list(SAMPLES)


def facts(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Give the settings of a run that its page shows."""
    data, model = settings["data"], settings["model"]
    return {
        "width": data["width"],
        "height": data["height"],
        "rate": data["rate"],
        "size": model["size"],
        "streams": model["kind"] not in ("r2plus1d", "r3d_18", "mc3_18", "r2plus1d_18", "s3d"),
    }


@router.post("/answers", status_code=202)
def begin_answer(serving: Serving, wanted: VideoRequest) -> JobStatus:
    """Ask a model what happens in a video.

    Its result says the videos that there are, the classes that are drawn, and what each stream says of the whole video;
    its files are `times`, `main`, `spatial`, `temporal` (N x classes, of each frame), the same with `_so_far` (averaged
    up to each frame), `gates` (N x layers), and the pictures: JPEG images one after the other, whose sizes in bytes
    `film` lists. Of a long video every n-th frame is given.
    """
    run = serving.runs.find(wanted.run, "action")
    if wanted.source.sample is not None:
        find_sample(wanted.source.sample)
    options = VideoOptions(wanted.part, wanted.rate)
    request = JobRequest(
        "semicoupled.serving.action_job:answer", run.folder.path, wanted.source.find_place(serving), options
    )
    return JobStatus.of(serving.jobs.submit(request), serving.jobs)


@router.get(
    "/samples/{name}",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "T H W 3 bytes, RGB, as .npy"}},
)
def sample_preview(name: str) -> Response:
    """Give some frames of a drawn clip."""
    find_sample(name)
    return Response(_preview(name), media_type="application/octet-stream")


@functools.lru_cache(maxsize=4)
def _preview(name: str) -> bytes:
    frames = itertools.islice(drawn_frames(name), 0, 2 * _PREVIEW_FRAMES, 2)
    return npy(np.stack([frame.image for frame in frames]))


@router.websocket("/live")
async def live(
    socket: WebSocket,
    serving: Serving,
    run: Annotated[str, Query(max_length=300)],
    window: Annotated[int, Query(ge=1, le=1000)] = 25,
) -> None:
    """Answer a camera's frames one by one.

    A message is a frame: its time, seconds, as 8 bytes (float64, little-endian), and a JPEG image behind it. Each gets
    an answer: `top` (class, probability over the last `window` frames, and now), `milliseconds` that the network took,
    `waited` for other jobs, `begun` where there was no state to go on from; or `error`. Send the next frame when the
    answer is there, and nothing piles up.
    """
    await socket.accept()
    try:
        found = serving.runs.find(run, "action")
    except SemicoupledError as error:
        await socket.close(4404, reason(serving.clean(str(error))))
        return
    session = secrets.token_urlsafe(12)
    try:
        while True:
            message = await socket.receive_bytes()
            frame = _frame(session, message, window)
            if frame is None:
                await socket.send_json({"error": "a message holds a time, 8 bytes, and a JPEG image"})
                continue
            request = JobRequest("semicoupled.serving.action_live_job:look", found.folder.path, Source(), frame)
            await socket.send_json(await _answer(serving, request))
    except (WebSocketDisconnect, RuntimeError, KeyError):  # it has gone, or sent a text
        pass
    finally:
        last = LiveFrame(session, 0.0, b"")
        _forget(serving, JobRequest("semicoupled.serving.action_live_job:forget", found.folder.path, Source(), last))


def _frame(session: str, message: bytes, window: int) -> LiveFrame | None:
    if len(message) <= _HEAD.size:
        return None
    (seconds,) = _HEAD.unpack_from(message)
    return LiveFrame(session, seconds, message[_HEAD.size :], window) if math.isfinite(seconds) else None


async def _answer(serving: Services, request: JobRequest) -> dict[str, Any]:
    """Have a frame answered by the one worker, when its turn comes."""
    begun = time.monotonic()
    try:
        document = (await finished(serving.jobs, request, patient=True)).document
    except DataError as error:
        return {"error": str(error)}
    waited = 1000 * (time.monotonic() - begun) - float(document["milliseconds"])  # pyright: ignore[reportArgumentType]
    return {**document, "waited": round(max(0.0, waited), 1)}


def _forget(serving: Services, request: JobRequest) -> None:
    with contextlib.suppress(BusyError):  # the worker lets the oldest go by itself
        serving.jobs.submit(request, keep=False)
