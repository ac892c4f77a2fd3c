"""Nowcasting: forecasts from generated rain, from files below a root, or from files that were dropped."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field

from semicoupled.serving.job_options import ForecastOptions
from semicoupled.serving.radar_sample import SAMPLES, find_sample, rain_fields
from semicoupled.serving.schemas import REFUSALS, JobStatus, SourceChoice, Strict
from semicoupled.serving.services import Serving
from semicoupled.serving.work import JobRequest, in_bytes, npy

SUMMARY = "Forecast radar images of rain: the next half hour or more from the last five images."
router = APIRouter(prefix="/nowcasting", tags=["nowcasting"], responses=REFUSALS)
_PREVIEW_SIZE, _PREVIEW_FRAMES = 96, 14


class ForecastRequest(Strict):
    """What is to be forecast."""

    run: str = Field(description="name of a run of nowcasting", max_length=300)
    source: SourceChoice
    minutes: float | None = Field(None, gt=0, le=360, description="how far ahead; as the run's settings say if null")
    at: str = Field(
        "checkable",
        max_length=40,
        description="the time to forecast from: newest, checkable (the last one after which all is known), or a time",
    )


def samples() -> Sequence[str]:
    """Give the names of what can be generated."""
    return list(SAMPLES)


def facts(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Give the settings of a run that its page shows."""
    return {
        "minutes": settings["predict"]["minutes"],
        "input_frames": settings["data"]["input_frames"],
        "kilometers": settings["data"]["kilometers"],
        "layers": settings["model"]["layers"],
        "form": settings["model"]["form"],
    }


@router.post("/forecasts", status_code=202)
def begin_forecast(serving: Serving, wanted: ForecastRequest) -> JobStatus:
    """Put a forecast into the queue.

    Its result says times, grid, lines of longitude and latitude, colors, scores by lead beside the baselines where the
    truth is known; its files are fields as bytes: dBZ times 4, probabilities and shares times 200, 255 where missing.
    """
    run = serving.runs.find(wanted.run, "nowcasting")
    if wanted.source.sample is not None:
        find_sample(wanted.source.sample)
    options = ForecastOptions(wanted.minutes, wanted.at)
    request = JobRequest(
        "semicoupled.serving.nowcast_job:forecast", run.folder.path, wanted.source.find(serving), options
    )
    return JobStatus.of(serving.jobs.submit(request), serving.jobs)


@router.get(
    "/samples/{name}",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "T H W bytes, dBZ times 4, as .npy"}},
)
def sample_preview(name: str) -> Response:
    """Give a small view of generated rain."""
    find_sample(name)
    return Response(_preview(name), media_type="application/octet-stream")


@functools.lru_cache(maxsize=8)
def _preview(name: str) -> bytes:
    fields = rain_fields(find_sample(name), _PREVIEW_FRAMES, 4.0, 10.0, _PREVIEW_SIZE)
    return npy(in_bytes(fields, 4.0))
