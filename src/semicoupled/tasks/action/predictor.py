"""Answers for videos of any length, one record each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

from torch import nn

from semicoupled.errors import DataError
from semicoupled.task import PredictRequest, TaskModel
from semicoupled.tasks.action.annotated import Held, annotate
from semicoupled.tasks.action.frames import iterate_frames
from semicoupled.tasks.action.listing.clip import is_video_name
from semicoupled.tasks.action.listing.folders import is_frame_folder
from semicoupled.tasks.action.records import RecordFile
from semicoupled.tasks.action.settings import ActionSettings, PredictSettings
from semicoupled.tasks.action.video_answer import answer_frames
from semicoupled.training.progress import NoProgress


class ActionPredictor:
    """Reads videos and writes a file of answers."""

    def __init__(self, settings: ActionSettings, classes: Sequence[str], model: TaskModel) -> None:
        """Take a trained model.

        Args:
            settings: of its run.
            classes: names.
            model: in eval mode.
        """
        self._settings, self._classes, self._model = settings, classes, model

    def predict(self, request: PredictRequest) -> Iterator[Path]:
        """Answer for every video.

        Args:
            request: the inputs are videos, folders of the frames of one, or folders of such; the one file to write is
                described in `semicoupled.tasks.action.records`. One that is there already, whole or in part, is gone on
                with: videos that it holds are not answered again.

        Yields:
            Videos with their answers drawn, if `annotate` is given; then the file, once all videos are answered.

        Raises:
            DataError: an input is missing, or `on_error` is ``fail`` and a video cannot be read.
            SettingsError: several files to write.
        """
        options = request.options if isinstance(request.options, PredictSettings) else PredictSettings()
        out, data, shown = request.only_out(), self._settings.data, request.progress or NoProgress()
        videos = find_inputs(request.inputs)
        chosen = {"top": options.top, "per_frame": options.per_frame, "chunk": options.chunk}
        file = RecordFile(out, {"classes": list(self._classes), "weights": self._weights(), "options": chosen})
        file.begin()
        shown.begin("answering", len(videos))
        try:
            for done, video in enumerate(videos):
                if str(video) in file.done:
                    continue
                if request.stopped():
                    return
                if options.on_error == "fail":
                    next(iterate_frames(video, rate=data.rate, frame_rate=data.frame_rate), None)
                frames = iterate_frames(video, rate=data.rate, frame_rate=data.frame_rate)
                if options.annotate is None:
                    answers = answer_frames(self._model, frames, self._settings, options.chunk)
                    file.write(str(video), answers, self._classes, options.top, options.per_frame)
                else:
                    held, picture = Held(frames), annotated_name(Path(options.annotate), video)
                    answers = answer_frames(self._model, held, self._settings, options.chunk)
                    drawn = annotate(answers, held, self._classes, picture, data.rate or data.frame_rate)
                    file.write(str(video), drawn, self._classes, options.top, options.per_frame)
                    if picture.exists():
                        yield picture
                shown.update(done + 1)
        finally:
            shown.end()
        yield file.finish()

    def _weights(self) -> str:
        digest = hashlib.sha256()
        for name, value in sorted(cast(nn.Module, self._model).state_dict().items()):
            digest.update(name.encode())
            digest.update(value.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()


def annotated_name(folder: Path, video: Path) -> Path:
    """Give the place of a video with its answers; two videos of one name get two."""
    mark = hashlib.sha256(str(video.resolve()).encode()).hexdigest()[:6]
    return folder / f"{video.stem}_{mark}.mp4"


def find_inputs(inputs: Sequence[Path]) -> list[Path]:
    """Give the videos that are meant: files, folders of frames, and those in folders, in order and each once.

    Raises:
        DataError: one is missing, or a folder holds none.
    """
    found: dict[Path, None] = {}
    for path in inputs:
        if not path.exists():
            raise DataError(f"{path}: no such file or folder; expected a video, or a folder of videos or of frames")
        if path.is_file() or is_frame_folder(path):
            found[path] = None
            continue
        inside = [file for file in sorted(path.rglob("*")) if is_video_name(file) and file.is_file()]
        folders = [place for place in sorted(path.rglob("*")) if place.is_dir() and is_frame_folder(place)]
        if not inside and not folders:
            raise DataError(f"{path}: holds no videos and no folders of frames; expected at least one")
        found.update(dict.fromkeys([*inside, *folders]))
    return list(found)
