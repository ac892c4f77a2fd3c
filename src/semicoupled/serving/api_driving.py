"""Driving: angles along a drawn track, a drive below a root, or files that were dropped."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from fastapi import APIRouter, Response
from pydantic import Field

from semicoupled.serving.schemas import REFUSALS, JobStatus, SourceChoice, Strict
from semicoupled.serving.services import Serving
from semicoupled.serving.track_sample import SAMPLES, TrackFrames, find_sample
from semicoupled.serving.video_options import DriveOptions
from semicoupled.serving.work import JobRequest, npy

SUMMARY = "The steering angle from the driver's view, frame by frame, and how much of it is time."
router = APIRouter(prefix="/driving", tags=["driving"], responses=REFUSALS)
_PREVIEW_FRAMES, _PREVIEW_EVERY = 24, 3


class SteeringRequest(Strict):
    """Which drive is asked about."""

    run: str = Field(description="name of a run of driving", max_length=300)
    source: SourceChoice
    part: int | None = Field(
        None, ge=0, lt=1_000_000, description="of the parts that the result lists; null chooses one"
    )
    rate: float = Field(20.0, gt=0, le=1000, description="frames a second of a folder of images, which has no times")


def samples() -> Sequence[str]:
    """Give the names of what can be generated."""
    return list(SAMPLES)


def facts(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Give the settings of a run that its page shows."""
    data, model = settings["data"], settings["model"]
    return {"width": data["width"], "height": data["height"], "rate": data["rate"], "size": model["size"]}


@router.post("/angles", status_code=202)
def begin_angles(serving: Serving, wanted: SteeringRequest) -> JobStatus:
    """Ask a model how it would steer along a drive.

    Its result says the parts that there are, the unit of the angles, bounds and scores by kind of road; its files are
    `times`, `angle`, `spatial`, `temporal`, `truth`, `importance`, `disagreement` (N, NaN where there is none), `road`
    (N, index into `roads`, 255 where it is not known), and the pictures: JPEG images one after the other, whose
    sizes in bytes `film` lists.
    """
    run = serving.runs.find(wanted.run, "driving")
    if wanted.source.sample is not None:
        find_sample(wanted.source.sample)
    options = DriveOptions(wanted.part, wanted.rate)
    request = JobRequest(
        "semicoupled.serving.driving_job:steer", run.folder.path, wanted.source.find_place(serving), options
    )
    return JobStatus.of(serving.jobs.submit(request), serving.jobs)


@router.get(
    "/samples/{name}",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "T H W 3 bytes, RGB, as .npy"}},
)
def sample_preview(name: str) -> Response:
    """Give some frames of a drawn drive."""
    find_sample(name)
    return Response(_preview(name), media_type="application/octet-stream")


@functools.lru_cache(maxsize=4)
def _preview(name: str) -> bytes:
    frames = TrackFrames(name)
    return npy(np.stack([frames.read(40 + _PREVIEW_EVERY * index) for index in range(_PREVIEW_FRAMES)]))
