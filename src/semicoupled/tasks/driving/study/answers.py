"""What each trained variant of a study answered along each set of drives, kept on disk.

Answers are kept and not scores, so that any two variants can be compared over the same frames and the same draws later
on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch

from semicoupled.run_folder import LoadedRun
from semicoupled.settings_file import to_plain
from semicoupled.studies.answers import VALIDATION, fingerprint_of, named_places, read_kept, write_kept
from semicoupled.task_requests import EvaluateRequest
from semicoupled.tasks.driving.answers import DriveAnswers
from semicoupled.tasks.driving.model import DrivingModel
from semicoupled.tasks.driving.settings import DrivingSettings
from semicoupled.training.progress import Progress

_ARRAYS = ("times", "truth", "main", "spatial", "temporal")


class Place:
    """Drives to score on.

    Attributes:
        name: what rows call them.
        root: their folder; None for what a run holds back of its own data.
        fingerprint: of what answers depend on beside the run: the files, and how they are read.
    """

    def __init__(self, name: str, root: Path | None, settings: DrivingSettings) -> None:
        """Look at the files, but read none of them."""
        self.name = name
        self.root = root
        held = [settings.data.validation, settings.data.test] if root is None else []
        folder = Path(settings.data.root) if root is None else root
        files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else [folder]
        asked = [
            to_plain(settings.data.angle),
            settings.data.gap_seconds,
            settings.data.lag_frames,
            held,
            [[str(file.relative_to(folder)), file.stat().st_size] for file in files if file.exists()],
        ]
        self.fingerprint = fingerprint_of(asked)


def places_of(settings: DrivingSettings, others: Sequence[Path]) -> list[Place]:
    """Give what is scored on: what is held back, and other places.

    Raises:
        SettingsError: two folders of one name.
    """
    return [Place(name, root, settings) for name, root in named_places(others).items()]


def make_answers(
    folder: Path, place: Place, run: LoadedRun, device: torch.device, progress: Progress | None = None
) -> list[DriveAnswers]:
    """Give what a trained run answers along some drives; it is only asked if that is not known yet.

    Args:
        folder: where answers are kept.
        place: the drives.
        run: the trained run.
        device: where its model lies.
        progress: who is told how far it is.

    Raises:
        DataError: the drives cannot be used.
    """
    from semicoupled.tasks.driving.task import answer_all, drives_to_score

    found = load_answers(folder, place)
    if found is not None:
        return found
    settings, model = cast(DrivingSettings, run.settings), cast(DrivingModel, run.model)
    split = VALIDATION if place.root is None else "all"
    request = EvaluateRequest(settings, run.model, run.description, place.root, split, device, progress=progress)
    answers = answer_all(settings, model, drives_to_score(request), progress)
    _write(_file(folder, place), answers, place.fingerprint)
    return answers


def load_answers(folder: Path, place: Place) -> list[DriveAnswers] | None:
    """Read what was answered; None if nothing was, or along other files."""
    return read_kept(_file(folder, place), place.fingerprint, _unpack)


def _unpack(held: Mapping[str, np.ndarray]) -> list[DriveAnswers]:
    return [
        DriveAnswers(
            drive=drive["drive"],
            run=drive["run"],
            unit=drive["unit"],
            roads=None if drive["roads"] is None else tuple(drive["roads"]),
            **{name: held[f"{index}/{name}"] for name in _ARRAYS if f"{index}/{name}" in held},
        )
        for index, drive in enumerate(json.loads(str(held["about"]))["drives"])
    ]


def _file(folder: Path, place: Place) -> Path:
    return folder / f"answers-{place.name}.npz"


def _write(file: Path, answers: Sequence[DriveAnswers], fingerprint: str) -> None:
    about = {
        "fingerprint": fingerprint,
        "drives": [
            {
                "drive": drive.drive,
                "run": drive.run,
                "unit": drive.unit,
                "roads": None if drive.roads is None else list(drive.roads),
            }
            for drive in answers
        ],
    }
    arrays = {
        f"{index}/{name}": getattr(drive, name)
        for index, drive in enumerate(answers)
        for name in _ARRAYS
        if getattr(drive, name) is not None
    }
    write_kept(file, {"about": np.array(json.dumps(about)), **arrays})
