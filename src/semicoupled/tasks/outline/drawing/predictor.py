"""From images and boxes to annotations in the formats that tools read, with pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from semicoupled.errors import DataError
from semicoupled.files import write_bytes
from semicoupled.report import png
from semicoupled.skipping import Skipped, place_of
from semicoupled.task_requests import PredictRequest
from semicoupled.tasks.outline.crops import CONTEXT, Box, cut_out, window_of
from semicoupled.tasks.outline.data_settings import DataSettings
from semicoupled.tasks.outline.drawing.boxes import Wanted, read_boxes
from semicoupled.tasks.outline.drawing.decoding import Ask
from semicoupled.tasks.outline.drawing.outlines import Outlined, outline
from semicoupled.tasks.outline.drawing.pictures import draw_outlines
from semicoupled.tasks.outline.formats.listing import find_format
from semicoupled.tasks.outline.formats.records import Annotations, Instance, Part, Picture
from semicoupled.tasks.outline.geometry.polygons import as_points, to_cells
from semicoupled.tasks.outline.images import SUFFIXES, read_image, read_size
from semicoupled.tasks.outline.model import OutlineModel
from semicoupled.tasks.outline.predict_options import PredictOptions
from semicoupled.training.progress import NoProgress


class Found(NamedTuple):
    """One image's outlines.

    Attributes:
        picture: what is written of it.
        outlined: the same, with confidences.
    """

    picture: Picture
    outlined: list[Outlined]


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
        found: list[tuple[Path, Found]] = []
        place = place_of(request.inputs or [Path(str(options.boxes))])
        skipped = Skipped(options.on_error, place, "images", hint="Nothing was written")
        progress.begin("outlining", len(jobs))
        try:
            for done, (path, name, wanted) in enumerate(jobs):
                try:
                    found.append((path, self.outline(path, name, wanted, options.beam, options.firsts)))
                except DataError as error:
                    skipped.add(error)
                progress.update(done + 1)
        finally:
            progress.end()
        skipped.close(len(jobs))
        labels = tuple(dict.fromkeys(one.label for _, image in found for one in image.picture.instances))
        folder = _common([path for path, _ in found])
        yield from writer.write(Annotations(folder, tuple(image.picture for _, image in found), labels), out)
        if options.pictures is not None:
            for path, image in found:
                target = Path(options.pictures) / f"{Path(image.picture.file).stem}.outlines.png"
                write_bytes(
                    target,
                    png(
                        draw_outlines(read_image(path), image.outlined, [one.label for one in image.picture.instances])
                    ),
                )
                yield target

    def outline(self, path: Path, name: str, wanted: Sequence[Wanted] | None, beam: int = 1, firsts: int = 1) -> Found:
        """Outline the objects of one image.

        Args:
            path: the image.
            name: what it is called in what is written.
            wanted: its objects; None takes the whole image for the window around one.
            beam: see `decoding.draw`.
            firsts: see `decoding.draw`.

        Raises:
            DataError: it cannot be read, or a box lies outside of it.
        """
        image = read_image(path)
        height, width = image.shape[:2]
        objects = wanted if wanted is not None else [Wanted(name, _inset(width, height, self.data))]
        for one in objects:
            box = one.box
            if box.x >= width or box.y >= height or box.x + box.width <= 0 or box.y + box.height <= 0:
                raise DataError(f"{path}: the box {tuple(box)} lies outside of the image of {width} x {height} px")
        windows = [window_of(one.box, self.data.crop) for one in objects]
        crops = [cut_out(image, window, self.data.size) for window in windows]
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
        instances = tuple(
            Instance(one.label, (Part(found.points, confidence=tuple(found.confidences)),))
            for one, found in zip(objects, outlined, strict=True)
        )
        return Found(Picture(name, width, height, instances), outlined)


def _jobs(inputs: Sequence[Path], options: PredictOptions) -> list[tuple[Path, str, list[Wanted] | None]]:
    """Say which images are outlined, what they are called, and what is wanted in them."""
    files = [file for path in inputs for file in _images(path)]
    if options.boxes is None:
        if not files:
            raise DataError(f"{', '.join(map(str, inputs))}: no images; expected one of {', '.join(SUFFIXES)}")
        return [(file, file.name, None) for file in files]
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


def _images(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES)
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
    return files[0].parent if files else Path()
