"""One frame of a camera: decoded, answered from the state that the frames before it left, and the state kept.

A session lives in the worker's process. Where that had to be killed, by another job's time-out for example, the session
begins anew, and says so.
"""

from __future__ import annotations

import io
from typing import NamedTuple, cast

import numpy as np
from PIL import Image

from semicoupled.data.video import VideoFrame
from semicoupled.errors import DataError
from semicoupled.serving.video_options import LiveFrame
from semicoupled.serving.work import JobRequest, Result, Work
from semicoupled.tasks.action.operating.live import LiveSession
from semicoupled.tasks.action.settings import ActionSettings

_MOST_PIXELS = 2**20
_SESSIONS = 4
"""Cameras whose state is kept; the one unused for longest begins anew."""
_TOP = 5


class _Kept(NamedTuple):
    session: LiveSession
    model: object


def look(work: Work, request: JobRequest) -> Result:
    """Answer one frame.

    Raises:
        DataError: it is no JPEG image, or a huge one.
        SettingsError: the network sees a clip at once, and cannot follow a camera.
    """
    options = cast(LiveFrame, request.options)
    image = _decode(options.image)
    run = work.run(request.run)
    kept = cast("_Kept | None", work.sessions.get(options.session))
    begun = kept is None or kept.model is not run.model
    if kept is None or begun:
        session = LiveSession(run.model, cast(ActionSettings, run.settings), options.window)
        kept = work.sessions[options.session] = _Kept(session, run.model)
    work.sessions.move_to_end(options.session)
    while len(work.sessions) > _SESSIONS:
        work.sessions.popitem(last=False)
    said = kept.session.update(VideoFrame(options.time, image))
    classes = cast("list[str]", run.description["classes"])
    chosen = np.argsort(-said.lately, kind="stable")[:_TOP]
    return Result(
        {
            "begun": begun,
            "milliseconds": round(1000 * said.seconds, 2),
            "top": [[classes[i], round(float(said.lately[i]), 4), round(float(said.now[i]), 4)] for i in chosen],
        }
    )


def forget(work: Work, request: JobRequest) -> Result:
    """Let a session go."""
    work.sessions.pop(cast(LiveFrame, request.options).session, None)
    return Result({})


def _decode(content: bytes) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG",)) as picture:
            if picture.width * picture.height <= _MOST_PIXELS:
                return np.asarray(picture.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"the frame is no whole JPEG image ({type(error).__name__}); expected one a message") from error
    raise DataError(
        f"the frame is {picture.width} x {picture.height} pixels; expected at most {_MOST_PIXELS}. Send smaller ones"
    )
