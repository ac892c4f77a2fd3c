"""Outlines: a person and a network draw together. Projects, images, commands, annotations in and out."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from fastapi import APIRouter, HTTPException, Response, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, Field, ValidationError

from semicoupled.errors import SemicoupledError
from semicoupled.serving import outline_opening
from semicoupled.serving.awaited import finished
from semicoupled.serving.jobs import BusyError
from semicoupled.serving.outline_commands import Answer, Command, StaleError, obey, score, source_of
from semicoupled.serving.outline_document import Piece
from semicoupled.serving.outline_options import LookOptions, ViewOptions, WriteOptions
from semicoupled.serving.outline_projects import Project
from semicoupled.serving.outline_sample import SAMPLES, find_sample, preview
from semicoupled.serving.schemas import REFUSALS, SourceChoice, Strict
from semicoupled.serving.services import Services, Serving
from semicoupled.serving.turns import in_turns
from semicoupled.serving.work import JobRequest, Source, npy

log = logging.getLogger(__name__)
SUMMARY = "Draw the outline of an object point by point, from a box, a start, or a start and an end."
router = APIRouter(prefix="/outline", tags=["outline"], responses=REFUSALS)


class OpenRequest(Strict):
    """Which images are drawn in."""

    run: str = Field(description="name of a run of outlines", max_length=300)
    source: SourceChoice
    name: str | None = Field(None, max_length=200, description="for people")


class RunChoice(Strict):
    """Which run helps."""

    run: str = Field(max_length=300)


class ImageInfo(BaseModel):
    """An image of a project."""

    name: str
    width: int
    height: int
    objects: int
    accepted: int


class ProjectInfo(BaseModel):
    """Images that somebody draws in."""

    id: str
    name: str
    run: str
    root: str | None = Field(description="the folder below which its images lie; None where they are its own")
    changed: float = Field(description="seconds since 1970")
    labels: list[str]
    truth: list[int] = Field(description="images of which the truth is known")
    images: list[ImageInfo]
    problems: list[str] = Field(description="what could not be used, and why")


class ProjectLine(BaseModel):
    """A project, in short."""

    id: str
    name: str
    images: int
    changed: float


class AnnotationsRequest(Strict):
    """Annotations to be read."""

    source: SourceChoice
    use: Literal["objects", "truth"] = Field("objects", description="to be gone on with, or to compare with")


class ExportRequest(Strict):
    """Annotations to be written."""

    format: Literal["coco", "labelme", "cityscapes"] = "coco"
    accepted: bool = Field(False, description="only what was accepted")


class LookRequest(Strict):
    """What is looked at."""

    index: int = Field(0, ge=0, le=10_000, description="of the point behind which is looked")


def samples() -> Sequence[str]:
    """Give the names of what can be generated."""
    return list(SAMPLES)


def facts(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Give the settings of a run that its page shows."""
    goals, model = settings["goals"], settings["model"]
    learned = [name for name in ("spatial", "temporal") if goals[name] and model["kind"] == "semicoupled"]
    return {
        "layers": len(model["widths"] or ()) or model["layers"],
        "grid": settings["data"]["grid"],
        "streams": ["main", *learned],
    }


@router.get("/projects")
def projects(serving: Serving) -> list[ProjectLine]:
    """List what was drawn here, the last one first."""
    return [
        ProjectLine(id=one.id, name=one.name, images=len(one.images), changed=serving.projects.changed(one))
        for one in serving.projects.all()
    ]


@router.post("/projects", status_code=201)
async def open_project(serving: Serving, wanted: OpenRequest) -> ProjectInfo:
    """Open images: generated ones, a file or folder below a root, or an upload, whose files the project keeps."""
    run = serving.runs.find(wanted.run, "outline")
    opened = await outline_opening.open_images(serving, run, wanted.source, wanted.name)
    return await _info(serving, opened.project, opened.problems)


@router.get("/projects/{project_id}")
async def project(serving: Serving, project_id: str) -> ProjectInfo:
    """Say what a project holds."""
    return await _info(serving, serving.projects.find(project_id))


@router.patch("/projects/{project_id}")
async def choose_run(serving: Serving, project_id: str, wanted: RunChoice) -> ProjectInfo:
    """Let another run help."""
    run = serving.runs.find(wanted.run, "outline")
    return await _info(serving, outline_opening.with_run(serving, serving.projects.find(project_id), run))


@router.delete("/projects/{project_id}", status_code=204)
def remove_project(serving: Serving, project_id: str) -> Response:
    """Remove a project and the images that were dropped into it; images below a root stay."""
    serving.projects.remove(serving.projects.find(project_id))
    return Response(status_code=204)


@router.get("/projects/{project_id}/images/{image}", response_model=dict[str, object])
async def drawing(serving: Serving, project_id: str, image: int) -> dict[str, Any]:
    """Give what is drawn in an image, and the truth where it is known."""
    found = serving.projects.find(project_id)
    sheet = serving.projects.sheet(found, image)
    truth = serving.projects.truth(found).get(image)
    answer = Answer(sheet, score=await score(serving, found, image, sheet.now)).json()
    return answer | {"truth": None if truth is None else [one.json() for one in truth]}


@router.get(
    "/projects/{project_id}/images/{image}/view",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}, "image/png": {}}, "description": "the image"}},
)
async def view(serving: Serving, project_id: str, image: int) -> Response:
    """Give an image as a browser can show it: upright, 8 bit, at most 2048 px on its longer side."""
    found = serving.projects.find(project_id)
    source = source_of(serving, found, image)
    if outline_opening.is_generated(found):  # our own file: nothing in it is a stranger's
        return Response(source.files[0].read_bytes(), media_type="image/png")
    result = await finished(serving.jobs, _job(serving, found, "view", source, ViewOptions()))
    return Response(result.files["view.jpg"], media_type="image/jpeg")


@router.post("/projects/{project_id}/images/{image}/commands", response_model=dict[str, object])
async def command(serving: Serving, project_id: str, image: int, wanted: Command) -> dict[str, Any]:
    """Do something to a drawing; gives what it is then. WebSocket /live does the same, point by point."""
    try:
        return (await obey(serving, serving.projects.find(project_id), image, wanted)).json()
    except StaleError as error:
        raise HTTPException(409, str(error)) from error


@router.post("/projects/{project_id}/images/{image}/expected", response_model=dict[str, object])
async def expected(serving: Serving, project_id: str, image: int, wanted: LookRequest) -> Mapping[str, Any]:
    """Say where the network expects the point behind a point: the square root of the chances, 255 for the likeliest."""
    found = serving.projects.find(project_id)
    piece = serving.projects.sheet(found, image).now.outline
    return await _look(serving, found, image, "expect", piece, wanted.index)


@router.post("/projects/{project_id}/images/{image}/streams", response_model=dict[str, object])
async def streams(serving: Serving, project_id: str, image: int) -> Mapping[str, Any]:
    """Draw the outline again by both branches, by space alone and by time alone, as far as they were trained."""
    found = serving.projects.find(project_id)
    return await _look(serving, found, image, "compare", serving.projects.sheet(found, image).now.outline)


@router.post("/projects/{project_id}/annotations", response_model=dict[str, object])
async def take_annotations(serving: Serving, project_id: str, wanted: AnnotationsRequest) -> Mapping[str, Any]:
    """Read COCO, labelme or Cityscapes files that belong to the project's images."""
    found = serving.projects.find(project_id)
    return await outline_opening.read_annotations(serving, found, wanted.source, truth=wanted.use == "truth")


@router.post(
    "/projects/{project_id}/exports",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "a JSON file, or a zip of some"}},
)
async def export(serving: Serving, project_id: str, wanted: ExportRequest) -> Response:
    """Write everything that is drawn."""
    found = serving.projects.find(project_id)
    things: list[tuple[dict[str, Any], ...]] = []
    async for number in in_turns(range(len(found.images))):
        drawn = serving.projects.sheet(found, number).now.things
        things.append(tuple(one.json() for one in drawn if one.accepted or not wanted.accepted))
    images = tuple((one.name, one.width, one.height) for one in found.images)
    options = WriteOptions(wanted.format, images, tuple(things))
    request = JobRequest("semicoupled.serving.outline_files_job:write", found.folder, Source(), options)
    result = await finished(serving.jobs, request)
    name, content = next(iter(result.files.items()))
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="application/octet-stream", headers=headers)


@router.websocket("/projects/{project_id}/live")
async def live(socket: WebSocket, serving: Serving, project_id: str) -> None:
    """Take `{"id", "image", "command"}`, and send `{"id", "point"}` for each point and `{"id", "state"}` at the end.

    A preview that waits or runs is dropped when the next command comes.
    """
    await socket.accept()
    running: asyncio.Task[None] | None = None
    fleeting = False
    try:
        while True:
            message = _message(await socket.receive_text())
            if running is not None:
                if fleeting:
                    running.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await running
            fleeting = bool(message["command"].get("preview"))
            running = asyncio.create_task(_one(socket, serving, project_id, message))
    except (KeyError, ValueError, RecursionError):  # bytes, or what is no JSON: it does not speak our language
        with contextlib.suppress(RuntimeError):
            await socket.close(1003, "expected JSON: an object with id, image and command")
    except (WebSocketDisconnect, RuntimeError):
        pass
    finally:
        if running is not None and fleeting:
            running.cancel()
        elif running is not None:  # what was asked for is drawn and written also when nobody listens any more
            with contextlib.suppress(asyncio.CancelledError):
                await running


def _message(text: str) -> dict[str, Any]:
    """Read a message; whatever is JSON has a command in it then, be it an empty one."""
    content = json.loads(text)
    message = cast("dict[str, Any]", content) if isinstance(content, dict) else {}
    return {**message, "command": message["command"] if isinstance(message.get("command"), dict) else {}}


async def _one(socket: WebSocket, serving: Services, project_id: str, message: Mapping[str, Any]) -> None:
    """Do one command, and say everything about it."""
    number = message.get("id")

    async def say(content: dict[str, Any]) -> None:
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # it has gone; the command is done all the same
            await socket.send_json({"id": number, **content})

    async def hear(point: Any) -> None:
        await say({"point": point})

    image = message.get("image")
    if not isinstance(image, int) or not message["command"]:
        await say({"error": "expected an object with id, image and command"})
        return
    try:
        wanted = Command.model_validate(message["command"])
        found = serving.projects.find(project_id)
        answer = await obey(serving, found, image, wanted, hear)
        await say(answer.json())
    except StaleError as error:
        sheet = serving.projects.sheet(serving.projects.find(project_id), image)
        await say({"error": str(error), "stale": True, **Answer(sheet).json()})
    except BusyError as error:
        await say({"error": str(error), "retry_after": error.retry_after})
    except SemicoupledError as error:
        await say({"error": serving.clean(str(error))})
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, part['loc']))}: {part['msg']}" for part in error.errors()[:3])
        await say({"error": said[:500]})
    except Exception:  # whatever went wrong, who asked must hear of it
        log.exception("the command %r failed", message["command"].get("do"))
        await say({"error": "something unexpected went wrong; the server's log says more"})


@router.get(
    "/samples/{name}",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "T H W numbers, as .npy"}},
)
def sample_preview(name: str) -> Response:
    """Give a small film of outlines that grow."""
    find_sample(name)
    return Response(npy(preview(name)), media_type="application/octet-stream")


async def _look(
    serving: Services, found: Project, image: int, what: str, piece: Piece, index: int = 0
) -> Mapping[str, Any]:
    source = source_of(serving, found, image)
    return (await finished(serving.jobs, _job(serving, found, what, source, LookOptions(piece, index)))).document


def _job(serving: Services, found: Project, what: str, source: Source, options: object) -> JobRequest:
    run = serving.runs.find(found.run, "outline")
    return JobRequest(f"semicoupled.serving.outline_job:{what}", run.folder.path, source, options)


async def _info(serving: Services, found: Project, problems: Sequence[str] = ()) -> ProjectInfo:
    images: list[ImageInfo] = []
    async for number, one in in_turns(enumerate(found.images)):
        things = serving.projects.sheet(found, number).now.things
        accepted = sum(thing.accepted for thing in things)
        images.append(
            ImageInfo(name=one.name, width=one.width, height=one.height, objects=len(things), accepted=accepted)
        )
    return ProjectInfo(
        id=found.id,
        name=found.name,
        run=found.run,
        root=found.root,
        changed=serving.projects.changed(found),
        labels=list(found.labels),
        truth=sorted(serving.projects.truth(found)),
        images=images,
        problems=[serving.clean(problem) for problem in problems],
    )
