"""How good each outline of each trained variant is, kept on disk; and what the simulated annotator needed.

Single objects are kept and not means, so that any two variants can be compared over the same draws of images later on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np

from semicoupled.run_folder import LoadedRun
from semicoupled.studies.answers import fingerprint_of, read_kept, write_kept
from semicoupled.tasks.outline.data import Source
from semicoupled.tasks.outline.formats.listing import read_parts
from semicoupled.tasks.outline.model import OutlineModel
from semicoupled.tasks.outline.scores.annotator import GOOD_ENOUGH, annotate_all
from semicoupled.tasks.outline.scores.evaluation import Judged, judged_model, judged_shapes, usable
from semicoupled.tasks.outline.scores.metrics import Overlap, Score
from semicoupled.tasks.outline.settings import OutlineSettings
from semicoupled.training.progress import Progress

ANNOTATED = 60
"""Objects, evenly taken, that the simulated annotator outlines: each takes seconds."""
DRAWING = 2
"""Raised where the same model draws otherwise than before, so that nothing is compared across that."""

_FIELDS = ("both", "either", "area", "boundary", "points", "crossing", "closed")


@dataclass(frozen=True, eq=False)
class Objects:
    """What is outlined.

    Attributes:
        sources: the objects.
        settings: of any variant; all see the same data.
        fingerprint: of what scores depend on beside the run.
    """

    sources: Sequence[Source]
    settings: OutlineSettings
    fingerprint: str

    @property
    def images(self) -> np.ndarray:
        """The image of each object, N."""
        return np.array([source.picture.file for source in self.sources])

    @property
    def labels(self) -> np.ndarray:
        """The class of each object, N."""
        return np.array([source.instance.label for source in self.sources])

    @property
    def annotated(self) -> np.ndarray:
        """Numbers of the objects that the simulated annotator outlines."""
        if not self.settings.evaluation.clicks:
            return np.zeros(0, int)
        count = len(self.sources)
        return np.unique(np.linspace(0, count - 1, min(ANNOTATED, count)).astype(int))


class Answers(NamedTuple):
    """What a run drew.

    Attributes:
        judged: the outline of each object, by prompt.
        clicks: of the annotated objects, for each of `annotator.GOOD_ENOUGH`, M x 3; NaN where it was not reached.
    """

    judged: Mapping[str, Sequence[Judged]]
    clicks: np.ndarray


def objects_of(settings: OutlineSettings) -> Objects:
    """Give the objects that are scored: those that are held back.

    Raises:
        SettingsError: no root.
        DataError: nothing usable, or nothing left on one side.
    """
    sources = usable(read_parts(settings.data).validation, settings.evaluation.limit)
    data, how = settings.data, settings.evaluation
    asked = [
        [data.crop, data.size, data.grid, data.points, data.tolerance],
        [DRAWING, list(how.prompts), how.beam, how.firsts, how.clicks, how.jitter, ANNOTATED],
        [
            [source.picture.file, source.instance.label, np.round(source.instance.largest.outline, 3).tolist()]
            for source in sources
        ],
    ]
    return Objects(sources, settings, fingerprint_of(asked))


def make_answers(folder: Path, objects: Objects, run: LoadedRun, progress: Progress | None = None) -> Answers:
    """Give what a trained run draws; it is only asked if that is not known yet.

    Args:
        folder: where answers are kept.
        objects: what is outlined.
        run: the trained run.
        progress: who is told how far it is.

    Raises:
        DataError: an image cannot be read.
    """
    found = load_answers(folder, objects)
    if found is not None:
        return found
    settings, model = cast(OutlineSettings, run.settings), cast(OutlineModel, run.model)
    how = settings.evaluation
    judged = judged_model(
        model, objects.sources, settings.data, how.prompts, beam=how.beam, firsts=how.firsts, progress=progress
    )
    chosen = {int(number): objects.sources[number] for number in objects.annotated}
    efforts = annotate_all(model, chosen, settings.data, most=how.clicks, jitter=how.jitter, progress=progress)
    made = [[np.nan if clicks is None else clicks for clicks in effort.clicks] for effort in efforts]
    clicks = np.array(made, float).reshape(len(efforts), len(GOOD_ENOUGH))
    answers = Answers({str(prompt): found for prompt, found in judged.items()}, clicks)
    _write(folder, objects, answers)
    return answers


def make_shapes(folder: Path, objects: Objects) -> Answers:
    """Give what needs no network: the grid's ceiling, the box and the ellipse in it, in the place of prompts."""
    found = load_answers(folder, objects)
    if found is None:
        found = Answers(judged_shapes(objects.sources, objects.settings.data), np.zeros((0, len(GOOD_ENOUGH))))
        _write(folder, objects, found)
    return found


def load_answers(folder: Path, objects: Objects) -> Answers | None:
    """Read what was drawn; None if nothing was, or of other objects."""
    return read_kept(_file(folder), objects.fingerprint, _unpack)


def _unpack(held: Mapping[str, np.ndarray]) -> Answers:
    labels = [str(label) for label in held["label"]]
    return Answers(
        {
            str(name): _judged(labels, {field: held[f"{index}/{field}"] for field in _FIELDS})
            for index, name in enumerate(held["prompts"])
        },
        held["clicks"],
    )


def _judged(labels: Sequence[str], held: Mapping[str, np.ndarray]) -> list[Judged]:
    return [
        Judged(
            label,
            Score(
                Overlap(int(held["both"][index]), int(held["either"][index])),
                int(held["area"][index]),
                tuple(float(value) for value in held["boundary"][index]),
            ),
            int(held["points"][index]),
            bool(held["crossing"][index]),
            bool(held["closed"][index]),
        )
        for index, label in enumerate(labels)
    ]


def _write(folder: Path, objects: Objects, answers: Answers) -> None:
    arrays: dict[str, Any] = {
        "fingerprint": np.array(objects.fingerprint),
        "prompts": np.array(list(answers.judged)),
        "label": objects.labels,
        "image": objects.images,
        "annotated": objects.annotated,
        "clicks": answers.clicks,
    }
    for index, judged in enumerate(answers.judged.values()):
        scores = [one.score for one in judged]
        arrays[f"{index}/both"] = np.array([score.overlap.both for score in scores])
        arrays[f"{index}/either"] = np.array([score.overlap.either for score in scores])
        arrays[f"{index}/area"] = np.array([score.area for score in scores])
        arrays[f"{index}/boundary"] = np.array([score.boundary for score in scores])
        for field in ("points", "crossing", "closed"):
            arrays[f"{index}/{field}"] = np.array([getattr(one, field) for one in judged])
    write_kept(_file(folder), arrays)


def _file(folder: Path) -> Path:
    return folder / "answers-validation.npz"
