"""From images and boxes to annotations in the formats that tools read, with pictures."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from torch import nn

from semicoupled.errors import DataError
from semicoupled.files import write_bytes
from semicoupled.report import png
from semicoupled.shared_pieces import Work, share, weights_digest
from semicoupled.sharing import sharing_of
from semicoupled.skipping import OnError, Skipped, place_of
from semicoupled.task_requests import PredictRequest
from semicoupled.tasks.outline.crops import CONTEXT, Box, cut_out, window_of
from semicoupled.tasks.outline.data_settings import DataSettings
from semicoupled.tasks.outline.drawing.boxes import Wanted, read_boxes
from semicoupled.tasks.outline.drawing.decoding import Ask
from semicoupled.tasks.outline.drawing.found import Found, found_of, packed, unpacked
from semicoupled.tasks.outline.drawing.outlines import outline
from semicoupled.tasks.outline.drawing.pictures import draw_outlines
from semicoupled.tasks.outline.formats.listing import find_format
from semicoupled.tasks.outline.formats.places import names_for
from semicoupled.tasks.outline.formats.records import Annotations
from semicoupled.tasks.outline.geometry.polygons import as_points, to_cells
from semicoupled.tasks.outline.images import SUFFIXES, read_image, read_size
from semicoupled.tasks.outline.model import OutlineModel
from semicoupled.tasks.outline.predict_options import PredictOptions
from semicoupled.training.progress import NoProgress, Progress

Job = tuple[Path, str, "list[Wanted] | None"]
"""An image, what it is called in what is written, and its objects; None takes the whole image."""


@dataclass(frozen=True)
class OutlinePredictor:
    """Outlines objects in images.

    Args:
        data: how the model sees objects.
        model: in eval mode.
    """

    data: DataSettings
    model: OutlineModel

    def predict(self, request: PredictRequest) -> Iterator[Path]:
        """Outline objects and write them.

        Args:
            request: inputs are images, or folders of images; what to outline in them is in `PredictOptions.boxes`. The
                output is a file (``coco``), or a folder with a file for every image (the other formats; a file, where
                there is one image).

        Returns:
            The files that were written.

        Raises:
            DataError: an image or the boxes cannot be used, or too many were skipped.
            SettingsError: several outputs.
        """
        options = request.options if isinstance(request.options, PredictOptions) else PredictOptions()
        out, progress = request.only_out(), request.progress or NoProgress()
        jobs = _jobs(request.inputs, options)
        writer = find_format(options.format)
        how = sharing_of(options.devices, out)
        pieces = None if how is None else share(self._work(jobs, out, options), how, progress, request.stopped)
        if how is not None and pieces is None:
            return  # others put it together, or it was stopped
        said = (
            self._one_by_one(jobs, options, progress)
            if pieces is None
            else (unpacked(pieces.result(name)) for name in _names(jobs))
        )
        found: list[tuple[Path, Found]] = []
        place = place_of(request.inputs or [Path(str(options.boxes))])
        skipped = Skipped(options.on_error, place, "images", hint="Nothing was written")
        for (path, _, _), image in zip(jobs, said, strict=True):
            if isinstance(image, DataError):
                skipped.add(image)
            else:
                found.append((path, image))
        skipped.close(len(jobs))
        written = tuple(image.picture for _, image in found)
        labels = tuple(dict.fromkeys(one.label for picture in written for one in picture.instances))
        yield from writer.write(Annotations(_common([path for path, _ in found]), written, labels), out)
        if options.pictures is not None:
            for (path, image), name in zip(found, names_for(written, ".outlines.png"), strict=True):
                target = Path(options.pictures) / name
                write_bytes(
                    target,
                    png(
                        draw_outlines(read_image(path), image.outlined, [one.label for one in image.picture.instances])
                    ),
                )
                yield target
        if pieces is not None:
            pieces.end()

    def _one_by_one(
        self, jobs: Sequence[Job], options: PredictOptions, progress: Progress
    ) -> Iterator[Found | DataError]:
        progress.begin("outlining", len(jobs))
        try:
            for done, job in enumerate(jobs):
                yield self.outline_or_error(job, options)
                progress.update(done + 1)
        finally:
            progress.end()

    def outline_or_error(self, job: Job, options: PredictOptions) -> Found | DataError:
        """Outline the objects of one image, or say why that cannot be, where the options skip such an image.

        Raises:
            DataError: it cannot be, and `on_error` is ``fail``.
        """
        path, name, wanted = job
        try:
            return self.outline(path, name, wanted, options.beam, options.firsts)
        except DataError as error:
            if options.on_error == "fail":
                raise
            return error

    def _work(self, jobs: Sequence[Job], out: Path, options: PredictOptions) -> Work:
        about = {
            "weights": weights_digest(self.model),
            "settings": str(self.data),
            "options": str(replace(options, devices=1)),
            "images": [[str(path), name, str(wanted)] for path, name, wanted in jobs],
        }
        return Work(out, about, _names(jobs), piece_maker, self.model, (self.data, list(jobs), options))

    def outline(self, path: Path, name: str, wanted: Sequence[Wanted] | None, beam: int = 1, firsts: int = 1) -> Found:
        """Outline the objects of one image.

        Args:
            path: the image.
            name: what it is called in what is written.
            wanted: its objects; None takes the whole image for the window around one.
            beam: see `decoding.draw`.
            firsts: see `decoding.draw`.

        Raises:
            DataError: it cannot be read, or a box lies outside of it, or is beyond all measure.
        """
        image = read_image(path)
        height, width = image.shape[:2]
        objects = wanted if wanted is not None else [Wanted(name, _inset(width, height, self.data))]
        for one in objects:
            box = one.box
            if box.x >= width or box.y >= height or box.x + box.width <= 0 or box.y + box.height <= 0:
                raise DataError(f"{path}: the box {tuple(box)} lies outside of the image of {width} x {height} px")
        windows = [window_of(one.box, self.data.crop) for one in objects]
        try:
            crops = [cut_out(image, window, self.data.size) for window in windows]
        except DataError as error:
            raise DataError(f"{path}: {error}") from None
        grid = self.data.grid
        asks = [
            Ask(
                *(
                    _cell(window.to_grid(as_points([point]), grid), grid) if point else None
                    for point in (one.start, one.end)
                )
            )
            for one, window in zip(objects, windows, strict=True)
        ]
        outlined = (
            outline(self.model, crops, windows, asks, beam=beam, firsts=firsts, most=self.data.points)
            if objects
            else []
        )
        return found_of(name, width, height, [one.label for one in objects], outlined)


def piece_maker(
    model: nn.Module, data: DataSettings, jobs: Sequence[Job], options: PredictOptions
) -> Callable[[int], bytes]:
    """Give the function that outlines an image by its position, in one of several processes.

    Args:
        model: on its device, in eval mode.
        data: how it sees objects.
        jobs: all images.
        options: of the prediction.
    """
    predictor = OutlinePredictor(data, cast(OutlineModel, model))
    return lambda index: packed(predictor.outline_or_error(jobs[index], options))


def _names(jobs: Sequence[Job]) -> list[str]:
    return [f"{index} {name}" for index, (_, name, _) in enumerate(jobs)]


def _jobs(inputs: Sequence[Path], options: PredictOptions) -> list[Job]:
    """Say which images are outlined, what they are called, and what is wanted in them."""
    files = [file for path in inputs for file in _images(path, options.on_error)]
    if options.boxes is None:
        if not files:
            raise DataError(f"{', '.join(map(str, inputs))}: no images; expected one of {', '.join(SUFFIXES)}")
        folder = _common(files)  # below which every image has a name of its own
        return [(file, _below(file.absolute(), folder), None) for file in files]
    boxes = Path(options.boxes)
    wanted: dict[str, list[Wanted]] = {}
    for one in read_boxes(boxes):
        wanted.setdefault(one.image, []).append(one)
    if not inputs:
        folder = boxes.parent if options.images is None else Path(options.images)
        return [(folder / name, name, own) for name, own in wanted.items()]
    given = _by_name(files, wanted)
    if not given:
        raise DataError(
            f"{boxes}: names none of the {len(files)} images that were given; it begins with {next(iter(wanted))!r}. "
            "Expected names as in 'file_name', or file names alone"
        )
    paths: dict[str, set[Path]] = {}
    for file, name in given:
        paths.setdefault(name, set()).add(file.resolve())
        if len(paths[name]) > 1:
            raise DataError(
                f"{boxes}: {name!r} fits several images: {', '.join(map(str, sorted(paths[name])))}. Expected one; "
                "name images in the file by their folders, too, or give fewer of them"
            )
    return [(file, name, wanted[name]) for file, name in given]


def _by_name(files: Sequence[Path], wanted: Mapping[str, object]) -> list[tuple[Path, str]]:
    """Bring files and the names in a file of boxes together: the end of a path is its name."""
    found: list[tuple[Path, str]] = []
    for file in files:
        parts = file.parts
        ends = ("/".join(parts[-count:]) for count in range(len(parts), 0, -1))
        match = next((end for end in ends if end in wanted), None)
        if match is None:
            same = [name for name in wanted if Path(name).name == file.name]
            match = same[0] if len(same) == 1 else None
        if match is not None:
            found.append((file, match))
    return found


def _images(path: Path, on_error: OnError) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES)
    if on_error == "fail":
        read_size(path)  # says what is wrong before anything is computed
    return [path]


def _inset(width: int, height: int, data: DataSettings) -> Box:
    """The box whose window is the whole image."""
    share = CONTEXT[data.crop] / (1 + 2 * CONTEXT[data.crop])
    return Box(width * share, height * share, width * (1 - 2 * share), height * (1 - 2 * share))


def _cell(points: object, grid: int) -> tuple[int, int]:
    (x, y) = to_cells(as_points(points), grid)[0].tolist()  # pyright: ignore[reportArgumentType]
    return x, y


def _common(files: Sequence[Path]) -> Path:
    """Give the folder that all files lie below; where they are on several drives, that of the first."""
    folders = [file.parent.absolute() for file in files]
    try:
        return Path(os.path.commonpath(folders)) if folders else Path()
    except ValueError:
        return folders[0]


def _below(file: Path, folder: Path) -> str:
    return (file.relative_to(folder) if file.is_relative_to(folder) else file).as_posix()
