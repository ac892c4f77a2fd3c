"""The toys: generated clips, and what a model says about them frame by frame."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from fastapi import APIRouter, Response
from pydantic import Field

from semicoupled.data.shapes import SEEN, ClipSettings, moving_shape
from semicoupled.data.star import StarSettings, star_sequence
from semicoupled.serving.job_options import ClipOptions
from semicoupled.serving.schemas import REFUSALS, JobStatus, Strict
from semicoupled.serving.services import Serving
from semicoupled.serving.work import JobRequest, Source, npy

SUMMARY = "The paper's toys: which way does a shape move, which shape is it, how long ago was the star?"
router = APIRouter(prefix="/toy", tags=["toy"], responses=REFUSALS)
_FAMILY = 77  # of no split


class AnswerRequest(Strict):
    """Which clip is asked about."""

    run: str = Field(description="name of a run of the toys", max_length=300)
    split: Literal["seen", "unseen_shapes", "shuffled_frames"] = "seen"
    index: int = Field(0, ge=0, lt=1_000_000, description="of the clip")


def samples() -> Sequence[str]:
    """Give the names of what can be generated."""
    return ["shapes", "star"]


def facts(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Give the settings of a run that its page shows."""
    data, model = settings["data"], settings["model"]
    return {"question": data["question"], "layers": len(model["widths"]), "clips": data["test"]}


@router.post("/answers", status_code=202)
def begin_answer(serving: Serving, wanted: AnswerRequest) -> JobStatus:
    """Ask a toy's model about a clip that no training has seen."""
    run = serving.runs.find(wanted.run, "toy")
    options = ClipOptions(wanted.split, wanted.index)
    request = JobRequest("semicoupled.serving.toy_job:answer", run.folder.path, Source(), options)
    return JobStatus.of(serving.jobs.submit(request), serving.jobs)


@router.get(
    "/samples/{name}",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "T H W numbers, as .npy"}},
)
def sample_preview(name: Literal["shapes", "star"]) -> Response:
    """Give a generated clip."""
    return Response(_preview(name), media_type="application/octet-stream")


@functools.lru_cache(maxsize=4)
def _preview(name: str) -> bytes:
    if name == "star":
        frames = star_sequence(_FAMILY, 1, StarSettings(16, 24)).frames
    else:
        looks = ClipSettings(size=32, frames=16, radius=(6.0, 10.0), noise=0.06)
        frames = np.concatenate([moving_shape(_FAMILY, index, SEEN, looks).frames for index in (0, 3)])
    return npy(frames[:, 0].astype(np.float32))
