"""Angles for drives in files, or as frames come."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
from torch import nn

from semicoupled.data.video_container import load_av
from semicoupled.description import Description
from semicoupled.errors import SettingsError
from semicoupled.files import write_text
from semicoupled.live import open_source
from semicoupled.live_options import check_no_inputs
from semicoupled.shared_pieces import Work, share, weights_digest
from semicoupled.sharing import sharing_of
from semicoupled.skipping import OnError
from semicoupled.task_requests import NoOptions, PredictRequest
from semicoupled.tasks.driving.answering import answer_drive
from semicoupled.tasks.driving.answers import DriveAnswers, packed, unpacked
from semicoupled.tasks.driving.drives import Drive, Unit
from semicoupled.tasks.driving.model import DrivingModel
from semicoupled.tasks.driving.operating.answer_table import to_csv
from semicoupled.tasks.driving.operating.drive_video import write_drive_video
from semicoupled.tasks.driving.operating.inputs import forgiving, read_inputs
from semicoupled.tasks.driving.operating.live import drive_live
from semicoupled.tasks.driving.operating.session import DriveSession
from semicoupled.tasks.driving.predict_options import PredictOptions
from semicoupled.tasks.driving.settings import DrivingSettings
from semicoupled.training.progress import NoProgress, Progress

_LOG = logging.getLogger(__name__)
SUFFIXES = (".csv", ".mp4")
"""Of what is written: a table of angles, a video with a wheel."""


@dataclass(frozen=True)
class DrivingPredictor:
    """Reads drives, videos, folders of images or a camera; writes a CSV file of angles, a video, or both.

    Args:
        settings: of the run.
        description: of its data: the unit of the angles.
        model: in eval mode.
    """

    settings: DrivingSettings
    description: Description
    model: DrivingModel

    def predict(self, request: PredictRequest) -> Iterator[Path]:
        """Answer for every frame.

        Args:
            request: the inputs are what `read_inputs` reads, with `PredictOptions`.

        Returns:
            The files, each as soon as it is whole.

        Raises:
            DataError: an input is missing, or is no drive.
            SettingsError: a file to write of an unknown kind.
            MissingExtraError: a video, and PyAV is not installed.
        """
        options = PredictOptions() if isinstance(request.options, NoOptions) else cast(PredictOptions, request.options)
        self._check(request.out, live=options.live)
        shown = request.progress or NoProgress()
        if options.live:
            yield from self._live(request, options, shown)
            return
        drives = read_inputs(request.inputs, self.settings.data, self.unit, options.rate)
        how = sharing_of(options.devices, request.out[0])
        pieces = None if how is None else share(self._work(drives, request, options), how, shown, request.stopped)
        if how is not None and pieces is None:
            return  # others put it together, or it was stopped
        if pieces is None:
            answers = self._answer_all(drives, options, shown)
        else:
            answers = [unpacked(pieces.result(name)) for name in _names(drives)]
        for out in request.out:
            if out.suffix.lower() == ".csv":
                write_text(out, to_csv(answers))
            else:
                threshold = self.settings.evaluation.thresholds(self.unit)[0]
                kept = [forgiving(drive, self._on_error(options))[0] for drive in drives]
                write_drive_video(out, kept, answers, threshold, shown)
            yield out
        if pieces is not None:
            pieces.end()

    @property
    def unit(self) -> Unit:
        """Of the angles that the model learned."""
        return cast(Unit, str(self.description["unit"]))

    def answer(self, drive: Drive, *, main_only: bool = False) -> DriveAnswers:
        """Answer for a drive, in the unit that was learned; labels of another unit are left away."""
        answers = answer_drive(
            self.model,
            drive,
            self.settings.data,
            unit=self.unit,
            way=self.settings.evaluation.way,
            streams=("main",) if main_only else None,
        )
        return answers if drive.unit == self.unit else answers._replace(truth=np.full(len(drive), np.nan))

    def session(self, *, all_streams: bool = False, every: int | None = None, packed: bool = True) -> DriveSession:
        """Begin to answer frame by frame; see `DriveSession`."""
        streams = self.model.streams if all_streams else ("main",)
        return DriveSession(self.settings, self.description, self.model, streams=streams, every=every, packed=packed)

    def _answer_all(self, drives: Sequence[Drive], options: PredictOptions, shown: Progress) -> list[DriveAnswers]:
        answers: list[DriveAnswers] = []
        shown.begin("answering", sum(len(drive) for drive in drives))
        try:
            for drive in drives:
                before = sum(len(each.times) for each in answers)
                answers.append(
                    self.answer_forgiving(drive, options, lambda index, before=before: shown.update(before + index))
                )
                shown.update(sum(len(each.times) for each in answers))
        finally:
            shown.end()
        return answers

    def answer_forgiving(
        self, drive: Drive, options: PredictOptions, seen: Callable[[int], None] | None = None
    ) -> DriveAnswers:
        """Answer for a drive whose frames need not all be readable, as the options say.

        Args:
            drive: which.
            options: `on_error` and `streams`.
            seen: is told the number of each frame that is asked for.

        Raises:
            DataError: a frame, or too many, cannot be read.
        """
        readable, frames = forgiving(drive, self._on_error(options), seen)
        said = self.answer(readable, main_only=options.streams == "main")
        return _without(said, sorted(frames.missing)) if frames.missing else said

    def _work(self, drives: Sequence[Drive], request: PredictRequest, options: PredictOptions) -> Work:
        about = {
            "weights": weights_digest(self.model),
            "settings": [str(self.settings.data), str(self.settings.evaluation)],
            "options": str(replace(options, devices=1)),
            "drives": [[name, len(drive)] for name, drive in zip(_names(drives), drives, strict=True)],
        }
        arguments = (self.settings, self.description, tuple(request.inputs), options)
        return Work(request.out[0], about, _names(drives), piece_maker, self.model, arguments)

    def _live(self, request: PredictRequest, options: PredictOptions, shown: Progress) -> Iterator[Path]:
        check_no_inputs(request.inputs)
        session = self.session(all_streams=options.streams == "all")
        source = open_source(options.camera, options.stdin, options.rate)
        done = drive_live(source, session, request.out, options, shown, request.stopped)
        _LOG.info(
            "%d frames answered, %.1f ms each on average, %d dropped", done.frames, 1000 * done.seconds, done.dropped
        )
        yield from (out for out in request.out if not out.as_posix().startswith("/dev/"))

    def _on_error(self, options: PredictOptions) -> OnError:
        return self.settings.data.on_error if options.on_error is None else options.on_error

    def _check(self, outs: Sequence[Path], *, live: bool) -> None:
        for out in outs:
            streamed = out.as_posix().startswith("/dev/")
            if out.suffix.lower() not in SUFFIXES and not (live and streamed):
                also = "; only live answers go to a device" if streamed else ""
                raise SettingsError(f"--out {out}: expected a file that ends with {' or '.join(SUFFIXES)}{also}")
            if out.suffix.lower() == ".mp4":
                load_av("MP4 is written")
        if len(set(outs)) < len(outs):
            raise SettingsError(f"--out: {', '.join(map(str, outs))}: expected each file once")


def piece_maker(
    model: nn.Module,
    settings: DrivingSettings,
    description: Description,
    inputs: Sequence[Path],
    options: PredictOptions,
) -> Callable[[int], bytes]:
    """Give the function that answers for a drive by its position, in one of several processes.

    Args:
        model: on its device, in eval mode.
        settings: of the run.
        description: of its data.
        inputs: see `DrivingPredictor.predict`.
        options: likewise.
    """
    predictor = DrivingPredictor(settings, description, cast(DrivingModel, model))
    drives = read_inputs(inputs, settings.data, predictor.unit, options.rate)
    return lambda index: packed(predictor.answer_forgiving(drives[index], options))


def _names(drives: Sequence[Drive]) -> list[str]:
    return [f"{index} {drive.source} {drive.name}" for index, drive in enumerate(drives)]


def _without(said: DriveAnswers, missing: Sequence[int]) -> DriveAnswers:
    """Leave the answers out for frames that could not be read."""

    def blanked(column: np.ndarray | None) -> np.ndarray | None:
        if column is None:
            return None
        column = column.copy()
        column[missing] = np.nan
        return column

    main = blanked(said.main)
    assert main is not None
    return said._replace(main=main, spatial=blanked(said.spatial), temporal=blanked(said.temporal))
