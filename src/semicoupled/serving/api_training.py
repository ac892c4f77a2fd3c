"""Trainings: what their logs say, once or live."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, Field

from semicoupled.errors import RunError, nearest
from semicoupled.serving.messages import reason
from semicoupled.serving.schemas import REFUSALS
from semicoupled.serving.services import Services, Serving
from semicoupled.training.log import FILE

router = APIRouter(tags=["training"], responses=REFUSALS)
_LOOK = 1.0
_MOST = 4 * 2**20


class LogPart(BaseModel):
    """Lines of a run's log."""

    lines: list[dict[str, Any]]
    next: int = Field(description="where to go on reading")
    begun_anew: bool = Field(description="whether the log is shorter than it was: forget what was read before")


@router.get("/runs/{name}/log")
def run_log(serving: Serving, name: str, after: Annotated[int, Query(ge=0)] = 0) -> LogPart:
    """Give the lines of a run's log from a place on.

    Raises:
        RunError: there is no such run.
    """
    return read_lines(_log(serving, name), after)


@router.websocket("/runs/{name}/log/events")
async def log_events(socket: WebSocket, serving: Serving, name: str, after: int = 0) -> None:
    """Send the lines of a run's log as they are written."""
    await socket.accept()
    try:
        path = _log(serving, name)
    except RunError as error:
        await socket.close(4404, reason(str(error)))
        return
    try:
        while True:
            part = read_lines(path, max(0, after))
            if part.lines or part.begun_anew:
                await socket.send_text(part.model_dump_json())  # numbers that are none become null; JSON has no NaN
                after = part.next
            try:  # also notices that the other side has gone
                await asyncio.wait_for(socket.receive_text(), _LOOK)
            except TimeoutError:
                continue
    except (WebSocketDisconnect, RuntimeError, KeyError, asyncio.CancelledError):  # it has gone, or sent bytes
        return


def read_lines(path: Path, after: int) -> LogPart:
    """Read whole lines of a log.

    Args:
        path: the file; it need not be there yet.
        after: bytes that were read before.
    """
    if not path.is_file():
        return LogPart(lines=[], next=0, begun_anew=after > 0)
    anew = path.stat().st_size < after
    start = 0 if anew else after
    with path.open("rb") as file:
        file.seek(start)
        content = file.read(_MOST)
    whole = content[: content.rfind(b"\n") + 1]
    lines: list[dict[str, Any]] = []
    for text in whole.splitlines():
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):  # also what is nested too deep
            continue
        if isinstance(line, dict):
            lines.append(line)
    return LogPart(lines=lines, next=start + len(whole), begun_anew=anew)


def _log(serving: Services, name: str) -> Path:
    runs = serving.runs.all()
    if name not in runs:
        raise RunError(f"there is no run {name[:100]!r}. {nearest(name[:100], runs)}")
    return runs[name].folder.path / FILE
