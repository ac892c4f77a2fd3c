"""Inside a model: the maps of both branches and of their product, and how far the gates are open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from fastapi import APIRouter
from pydantic import Field

from semicoupled.serving import outline_sample, person_sample, radar_sample, track_sample
from semicoupled.serving.job_options import ClipOptions, MapOptions
from semicoupled.serving.schemas import REFUSALS, JobStatus, SourceChoice, Strict
from semicoupled.serving.services import Serving
from semicoupled.serving.work import JobRequest, Source

router = APIRouter(prefix="/inside", tags=["inside"], responses=REFUSALS)
_PLACES = ("driving", "action", "outline")
_SAMPLES = {"nowcasting": "showers", "driving": "curves", "action": "jack", "outline": "shapes"}
_FIND: Mapping[str, Callable[[str], object]] = {
    "nowcasting": radar_sample.find_sample,
    "driving": track_sample.find_sample,
    "action": person_sample.find_sample,
    "outline": outline_sample.find_sample,
}


class MapsRequest(Strict):
    """What is looked into."""

    run: str = Field(description="name of a run with a semi-coupled stack", max_length=300)
    source: SourceChoice | None = Field(None, description="what goes in; nothing for a toy's clip")
    split: Literal["seen", "unseen_shapes", "shuffled_frames"] = "seen"
    index: int = Field(0, ge=0, lt=1_000_000, description="of a toy's clip")
    channel: int | None = Field(None, ge=0, lt=100_000, description="of all layers; the liveliest of each if null")


@router.post("/maps", status_code=202)
def begin_maps(serving: Serving, wanted: MapsRequest) -> JobStatus:
    """Run a model on one sample and record what its layers do."""
    run = serving.runs.find(wanted.run)
    source = Source(sample=_SAMPLES.get(run.task))
    if wanted.source is not None:
        source = wanted.source.find_place(serving) if run.task in _PLACES else wanted.source.find(serving)
    if source.sample is not None and run.task in _SAMPLES:
        _FIND[run.task](source.sample)
    options = MapOptions(ClipOptions(wanted.split, wanted.index), wanted.channel)
    request = JobRequest("semicoupled.serving.inside_job:maps", run.folder.path, source, options)
    return JobStatus.of(serving.jobs.submit(request), serving.jobs)
