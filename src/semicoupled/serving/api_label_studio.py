"""A Label Studio ML backend: boxes come, polygons go. https://labelstud.io/guide/ml_create.

In Label Studio, under Settings, Model, add http://127.0.0.1:8642/api/v1/label_studio/RUN with interactive
preannotations. A rectangle on the image asks for an outline in it; key points in it say where the outline begins, and
where it ends. Tasks whose annotations or predictions hold rectangles are outlined in a batch, too.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from semicoupled.errors import DataError
from semicoupled.serving.awaited import finished
from semicoupled.serving.label_studio_config import Config, Marked, marked, prediction, read_config, wishes_of
from semicoupled.serving.label_studio_images import fetch
from semicoupled.serving.outline_ask import decode, outline_source
from semicoupled.serving.schemas import REFUSALS
from semicoupled.serving.served_runs import ServedRun
from semicoupled.serving.services import Services, Serving
from semicoupled.serving.work import JobRequest, Source

router = APIRouter(prefix="/label_studio/{run}", tags=["label studio"], responses=REFUSALS)
_MOST_TASKS = 100
log = logging.getLogger(__name__)


class SetupRequest(BaseModel):
    """What Label Studio says when it is connected; it says more than is needed here."""

    model_config = ConfigDict(extra="ignore")
    project: str | int | None = None
    label_config: str = Field("", alias="schema", max_length=200_000, description="the labeling configuration, XML")


class PredictRequest(BaseModel):
    """Tasks that are to be outlined."""

    model_config = ConfigDict(extra="ignore")
    tasks: list[dict[str, Any]] = Field(max_length=_MOST_TASKS)
    label_config: str = Field("", max_length=200_000)
    params: dict[str, Any] | None = None


class WebhookRequest(BaseModel):
    """Something happened to annotations."""

    model_config = ConfigDict(extra="ignore")
    action: str = Field(max_length=100)


@router.get("/")
@router.get("/health")
def health(serving: Serving, run: str) -> dict[str, Any]:
    """Say that the model is there."""
    found = serving.runs.find(run, "outline")
    return {"status": "UP", "model_class": "semicoupled outline", "model_version": version_of(found)}


@router.post("/setup")
def setup(serving: Serving, run: str, wanted: SetupRequest) -> dict[str, Any]:
    """Look whether the project's configuration can be served."""
    found = serving.runs.find(run, "outline")
    if wanted.label_config:
        read_config(wanted.label_config)
    return {"model_version": version_of(found)}


@router.get("/versions")
def versions(serving: Serving, run: str) -> dict[str, list[str]]:
    """Name the versions of the model: the one there is."""
    return {"versions": [version_of(serving.runs.find(run, "outline"))]}


@router.post("/predict")
async def predict(serving: Serving, run: str, wanted: PredictRequest) -> dict[str, Any]:
    """Outline what is marked, each task by its context or by the rectangles that it has.

    A task that cannot be outlined takes no other with it: its result is empty, and its `error` says why. Where none
    can be, the whole request is refused, so that Label Studio asks for them again.

    Raises:
        DataError: no task has an image that can be read.
    """
    found = serving.runs.find(run, "outline")
    config = read_config(wanted.label_config)
    context = (wanted.params or {}).get("context")
    given = context.get("result") if isinstance(context, Mapping) else None
    version = version_of(found)
    results: list[dict[str, Any]] = []
    problems: list[DataError] = []
    for task in wanted.tasks:
        nothing = {"result": [], "score": 0.0, "model_version": version}
        try:
            marks = marked(given if isinstance(given, list) else _results(task), config)
            results.append(await _task(serving, found, task, marks, config, version) if marks else nothing)
        except DataError as error:
            log.warning("Label Studio's task %s is left out: %s", task.get("id"), error)
            problems.append(error)
            results.append({**nothing, "error": serving.clean(str(error))})
    if problems and len(problems) == len(results):
        raise problems[0]
    return {"results": results, "model_version": version}


@router.post("/webhook", status_code=201)
def webhook(wanted: WebhookRequest) -> JSONResponse:
    """Take note of an event. Nothing is learned from it: a model is trained with `semicoupled train`."""
    return JSONResponse({"result": {"action": wanted.action[:100], "job_id": None}, "status": "ok"}, 201)


def version_of(run: ServedRun) -> str:
    """Name the weights: the run, and when they were written."""
    return f"{run.name}-{int(run.folder.weights_file.stat().st_mtime)}"


async def _task(
    serving: Services, run: ServedRun, task: Mapping[str, Any], marks: list[Marked], config: Config, version: str
) -> dict[str, Any]:
    data = task.get("data")
    address = data.get(config.key) if isinstance(data, Mapping) else None
    if not isinstance(address, str):
        raise DataError(f"the task has no data.{config.key[:100]}; expected the address of an image")
    if address.startswith("data:"):
        image = decode(address)
    elif address.startswith("/data/local-files/"):
        source = _below_a_root(serving, address)
        return await _outlined(serving, run, source, marks, config, version)
    else:
        image = await asyncio.to_thread(fetch, serving.settings, address)
    upload = serving.uploads.begin()
    try:
        (upload.folder / "image").write_bytes(image)
        return await _outlined(serving, run, Source((upload.folder / "image",)), marks, config, version)
    finally:
        serving.uploads.remove(upload.id)


async def _outlined(
    serving: Services, run: ServedRun, source: Source, marks: list[Marked], config: Config, version: str
) -> dict[str, Any]:
    looked: Any = await finished(
        serving.jobs, JobRequest("semicoupled.serving.outline_job:sizes", run.folder.path, source, None)
    )
    (size,) = looked.document["images"]
    if "problem" in size:
        raise DataError(size["problem"])
    wishes = wishes_of(marks, size["width"], size["height"])
    return prediction(await outline_source(serving, run, source, wishes), marks, config, version)


def _below_a_root(serving: Services, address: str) -> Source:
    """Find a file of Label Studio's local storage: below a root, by its path there or from the root's own name on.

    Raises:
        DataError: there is none.
    """
    path = (parse_qs(urlsplit(address).query).get("d") or [""])[0].strip("/")
    said = dict.fromkeys((path, unquote(path)))  # some write it escaped twice
    for root, name in itertools.product(serving.roots.names(), said):
        for place in (name, name.removeprefix(f"{root}/")):
            try:
                found = serving.roots.resolve(root, place)
            except DataError:
                continue
            if found.is_file():
                return Source((found,), base=serving.roots.paths()[root])
    raise DataError(f"{path[:200]!r} is below no root; start the server with --root at Label Studio's local storage")


def _results(task: Mapping[str, Any]) -> list[Any]:
    """All that a task's last annotation, draft or prediction holds."""
    for kind in ("annotations", "drafts", "predictions"):
        each = task.get(kind)
        if isinstance(each, list) and each and isinstance(each[-1], Mapping):
            found = each[-1].get("result")
            if isinstance(found, list) and found:
                return found
    return []
