"""What each trained variant answered for each video of a split, kept on disk.

Answers are kept and not scores, so that any two variants can be compared over the same videos and the same draws later
on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np

from semicoupled.data.shards import PackedFile, PackedFrames
from semicoupled.run_folder import LoadedRun
from semicoupled.studies.answers import VALIDATION, fingerprint_of, read_kept, write_kept
from semicoupled.tasks.action.answering import answer_all, answered_streams
from semicoupled.tasks.action.listing.clip import Clip, VideoPlace
from semicoupled.tasks.action.settings import ActionSettings
from semicoupled.tasks.action.task import clips_data, read_splits
from semicoupled.training.progress import Progress

STREAMS = ("main", "spatial", "temporal")
TEST = "test"


@dataclass(frozen=True, eq=False)
class Part:
    """Videos that are scored together.

    Attributes:
        name: of the split.
        clips: of it.
        classes: names, whose positions are the labels.
        fingerprint: of what answers depend on beside the run: which files, of which size.
    """

    name: str
    clips: Sequence[Clip]
    classes: Sequence[str]
    fingerprint: str

    @property
    def truth(self) -> np.ndarray:
        """The right class of each video, N."""
        return np.array([self.classes.index(clip.label) for clip in self.clips])

    @property
    def groups(self) -> np.ndarray:
        """The speaker, or whatever else videos are grouped by, N; empty where there are no groups."""
        return np.array([clip.group or "" for clip in self.clips])


class Answers(NamedTuple):
    """What a run says of the videos of a split.

    Attributes:
        main: N K probabilities of the classes.
        spatial: those of the spatial stream, or None.
        temporal: those of the temporal stream, or None.
    """

    main: np.ndarray
    spatial: np.ndarray | None
    temporal: np.ndarray | None


def parts_of(settings: ActionSettings) -> list[Part]:
    """Give what is scored: the split that chooses, and the one that decides where there is one.

    Raises:
        SettingsError: no root.
        DataError: no list, or one that cannot be used; or too many videos that cannot be read, where they are skipped.
    """
    splits, classes = read_splits(settings)
    found: list[Part] = []
    for name in (VALIDATION, TEST):
        clips: Sequence[Clip] = getattr(splits, name)
        if clips and settings.data.on_error == "skip":  # all are scored alike: on what can be read
            clips = clips_data(settings, clips, classes, name).clips
        if clips:
            asked = [[clip.name, clip.label, clip.start, clip.end, _size(clip.path)] for clip in clips]
            found.append(Part(name, clips, classes, fingerprint_of([list(classes), asked])))
    return found


def make_answers(folder: Path, part: Part, run: LoadedRun, progress: Progress | None = None) -> Answers:
    """Give what a trained run answers for some videos; it is only asked if that is not known yet.

    Args:
        folder: where answers are kept.
        part: the videos.
        run: the trained run.
        progress: who is told how far it is.

    Raises:
        DataError: a video cannot be read.
    """
    found = load_answers(folder, part)
    if found is not None:
        return found
    settings = cast(ActionSettings, run.settings)
    data = clips_data(settings, part.clips, part.classes, part.name)
    said = answer_all(run.model, data, settings, streams=answered_streams(run.model), progress=progress)
    stacked = {
        stream: np.stack([getattr(one, stream) for one in said]).astype(np.float32)
        for stream in STREAMS
        if getattr(said[0], stream) is not None
    }
    answers = Answers(stacked["main"], stacked.get("spatial"), stacked.get("temporal"))
    write_answers(folder, part, answers)
    return answers


def load_answers(folder: Path, part: Part) -> Answers | None:
    """Read what was answered; None if nothing was, or for other files."""

    def unpack(held: Mapping[str, np.ndarray]) -> Answers:
        return Answers(held["main"], *(held.get(stream) for stream in STREAMS[1:]))

    return read_kept(_file(folder, part), part.fingerprint, unpack)


def write_answers(folder: Path, part: Part, answers: Answers) -> None:
    """Keep answers: probabilities of the streams, beside the truth, the groups and the names of the videos."""
    about = {
        "fingerprint": np.array(part.fingerprint),
        "classes": np.array(list(part.classes)),
        "truth": part.truth,
        "group": part.groups,
        "video": np.array([clip.name for clip in part.clips]),
    }
    said = {stream: getattr(answers, stream) for stream in STREAMS if getattr(answers, stream) is not None}
    write_kept(_file(folder, part), {**about, **said})


def _file(folder: Path, part: Part) -> Path:
    return folder / f"answers-{part.name}.npz"


def _size(path: VideoPlace) -> int:
    """Bytes of a file; of frames, how many there are."""
    if isinstance(path, PackedFile):
        return path.member.size
    if isinstance(path, PackedFrames):
        return len(path.files)
    return sum(1 for _ in path.iterdir()) if path.is_dir() else path.stat().st_size if path.exists() else -1
