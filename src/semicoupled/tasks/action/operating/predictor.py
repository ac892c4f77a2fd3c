"""Answers for videos of any length, one record each."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from multiprocessing.synchronize import Event
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any, cast

import torch
from torch import nn

from semicoupled.data.video import VideoFrame
from semicoupled.errors import DataError, SettingsError
from semicoupled.live import open_source
from semicoupled.live_options import check_no_inputs
from semicoupled.shared_pieces import weights_digest
from semicoupled.sharing import Group, Sharing, sharing_of
from semicoupled.task_parts import TaskModel
from semicoupled.task_requests import PredictRequest
from semicoupled.tasks.action.answering import can_stream
from semicoupled.tasks.action.operating.annotated import Held, annotate
from semicoupled.tasks.action.operating.inputs import Input, drawn_name, find_inputs, frames_of
from semicoupled.tasks.action.operating.live import LiveSession, answer_live
from semicoupled.tasks.action.operating.pace import paced
from semicoupled.tasks.action.operating.records import Record, RecordFile, Style
from semicoupled.tasks.action.operating.sharing import Answer, SharedRecords
from semicoupled.tasks.action.operating.slots import answer_side_by_side
from semicoupled.tasks.action.operating.video_answer import answer_frames
from semicoupled.tasks.action.settings import ActionSettings, PredictSettings
from semicoupled.training.progress import NoProgress
from semicoupled.workers import autocast_type, place_of, share_of_threads, workers

_LOG = logging.getLogger(__name__)


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
            request: the inputs are what `find_inputs` finds; the one file to write is described in
                `semicoupled.tasks.action.operating.records`. One that is there already, whole or in part, is gone on
                with: videos that it holds are not answered again.

        Yields:
            Videos with their answers drawn, if `annotate` is given; then the file, once all videos are answered.

        Raises:
            DataError: an input is missing, or `on_error` is ``fail`` and a video cannot be read.
            SettingsError: several files to write.
        """
        options = request.options if isinstance(request.options, PredictSettings) else PredictSettings()
        if options.live:
            yield from self._live(request, options)
            return
        out, shown = request.only_out(), request.progress or NoProgress()
        videos = find_inputs(request.inputs)
        chosen = {"top": options.top, "per_frame": options.per_frame, "chunk": options.chunk, "batch": options.batch}
        about = {"classes": list(self._classes), "weights": weights_digest(self._network), "options": chosen}
        how = sharing_of(options.devices, out)
        if how is not None:
            yield from self._together(videos, out, about, how, request, options)
            return
        file = RecordFile(out, about)
        file.begin()
        left = [video for video in videos if str(video) not in file.done]
        shown.begin("answering", len(left))
        try:
            for done, pictures in enumerate(self.answering(options)(left, file)):
                yield from pictures
                shown.update(done + 1)
                if done + 1 < len(left) and request.stopped():
                    return
        finally:
            shown.end()
        yield file.finish()

    def _together(
        self,
        videos: Sequence[Input],
        out: Path,
        about: Mapping[str, Any],
        how: Sharing,
        request: PredictRequest,
        options: PredictSettings,
    ) -> Iterator[Path]:
        """Share the videos with other processes: those that are started here, or those of torchrun."""
        records = SharedRecords(out, about, how.group)
        if not records.begin(request.stopped):
            return
        model = copy.deepcopy(self._network).cpu()
        arguments = (self._settings, list(self._classes), model, videos, out, about, options, autocast_type())
        with workers(how.started, work_along, arguments, request.stopped) as stopped, share_of_threads(how.started):
            done = yield from records.write(
                videos, self.answering(options), options.batch, request.progress or NoProgress(), stopped
            )
        if done and how.group.rank == 0:
            yield records.join(videos)

    def answering(self, options: PredictSettings) -> Answer:
        """Give the function that answers for some videos, and writes their records."""
        run = self._side_by_side if options.batch > 1 else self._one_by_one
        return lambda videos, file: run(videos, file, options)

    def _live(self, request: PredictRequest, options: PredictSettings) -> Iterator[Path]:
        check_no_inputs(request.inputs)
        for out in request.out:
            if out.suffix.lower() not in (".csv", ".mp4") and not out.as_posix().startswith("/dev/"):
                raise SettingsError(f"--out {out}: of live frames expected a file that ends with .csv or .mp4")
        session = LiveSession(self._model, self._settings, options.window)
        shown = request.progress or NoProgress()
        source = open_source(options.camera, options.stdin)
        done = answer_live(source, session, self._classes, request.out, options, shown, request.stopped)
        _LOG.info("%d frames answered, %.1f ms each, %d dropped", done.frames, 1000 * done.seconds, done.dropped)
        yield from (out for out in request.out if not out.as_posix().startswith("/dev/"))

    def _frames(self, video: Input) -> Iterator[VideoFrame]:
        return paced(partial(frames_of, video, self._settings.data), self._settings)

    def _one_by_one(self, videos: Sequence[Input], file: RecordFile, options: PredictSettings) -> Iterator[list[Path]]:
        """Write a record for each video, and give what was drawn of it."""
        data, keep_errors, style = self._settings.data, options.on_error == "skip", self._style(options)
        for video in videos:
            if options.annotate is None:
                answers = answer_frames(self._model, self._frames(video), self._settings, options.chunk)
                file.write(str(video), answers, style, keep_errors=keep_errors)
                yield []
                continue
            held, picture = Held(self._frames(video)), drawn_name(Path(options.annotate), video)
            answers = answer_frames(self._model, held, self._settings, options.chunk)
            rate = data.rate or data.frame_rate
            drawn = annotate(answers, held, self._classes, picture, rate, style.average)
            file.write(str(video), drawn, style, keep_errors=keep_errors)
            yield [picture] if picture.exists() else []

    def _side_by_side(
        self, videos: Sequence[Input], file: RecordFile, options: PredictSettings
    ) -> Iterator[list[Path]]:
        """Write records of several videos at a time, each aside until it is whole."""
        if options.annotate is not None or not can_stream(self._settings):
            raise SettingsError(
                "batch: several videos at a time are answered without annotate, by a network with a state; got "
                f"annotate {options.annotate}, model.kind {self._settings.model.kind}. Leave batch out"
            )
        opened, style = [partial(self._frames, video) for video in videos], self._style(options)
        with ExitStack() as aside:
            lines: dict[int, IO[bytes]] = {}
            records: dict[int, Record] = {}
            for said in answer_side_by_side(self._model, opened, self._settings, options.batch):
                name = str(videos[said.video])
                if said.video not in records:
                    lines[said.video] = aside.enter_context(SpooledTemporaryFile(max_size=1 << 20))
                    one = Record(lines[said.video], name, style)
                    records[said.video] = one
                if said.answer is not None:
                    records[said.video].add(said.answer)
                    continue
                if said.error is not None and options.on_error == "fail":
                    raise DataError(said.error)
                records.pop(said.video).end(said.error)
                line = lines.pop(said.video)
                file.append(name, line)
                line.close()
                yield []

    def _style(self, options: PredictSettings) -> Style:
        return Style(self._classes, options.top, options.per_frame, self._settings.loss.average)

    @property
    def _network(self) -> nn.Module:
        return cast(nn.Module, self._model)


def work_along(
    rank: int,
    size: int,
    stop: Event,
    settings: ActionSettings,
    classes: Sequence[str],
    model: nn.Module,
    videos: Sequence[Input],
    out: Path,
    about: Mapping[str, Any],
    options: PredictSettings,
    precision: torch.dtype | None,
) -> None:
    """Answer for videos as one of several processes; see `ActionPredictor.predict`."""
    device = place_of(model, rank)
    predictor = ActionPredictor(settings, classes, cast(TaskModel, model.to(device)))
    with share_of_threads(size), torch.autocast(device.type, dtype=precision, enabled=precision is not None):
        records = SharedRecords(out, about, Group(0, 1))
        for _ in records.write(videos, predictor.answering(options), options.batch, NoProgress(), stop.is_set):
            pass
