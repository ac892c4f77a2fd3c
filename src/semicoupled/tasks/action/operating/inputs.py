"""What is answered: videos, folders of frames, and the samples of shards, each a record of its own."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from semicoupled.data.shards import SUFFIX, PackedFile, PackedFrames, samples_of, shard_files
from semicoupled.data.video import VideoFrame
from semicoupled.errors import DataError
from semicoupled.tasks.action.data_settings import DataSettings
from semicoupled.tasks.action.frames import iterate_frames
from semicoupled.tasks.action.listing.clip import VideoPlace, is_video_name
from semicoupled.tasks.action.listing.folders import is_frame_folder
from semicoupled.tasks.action.listing.webdataset import video_of


class Unreadable(NamedTuple):
    """What in a shard is no video.

    Attributes:
        name: shard and sample.
        problem: a sentence.
    """

    name: str
    problem: str

    def __str__(self) -> str:
        """Name shard and sample."""
        return self.name


Input = VideoPlace | Unreadable


def find_inputs(inputs: Sequence[Path]) -> list[Input]:
    """Give what is meant: videos, folders of frames, samples of shards, and those in folders, in order and each once.

    Args:
        inputs: files; folders, whose shards count where there is nothing else; patterns of shards (`shard_files`).

    Raises:
        DataError: one is missing, a folder holds none, or two samples of a shard have one name.
    """
    found: dict[Input, None] = {}
    for path in inputs:
        found.update(dict.fromkeys(_inputs(path)))
    names = set[str]()
    for name in map(str, found):
        if name in names:
            raise DataError(f"{name}: comes twice in its shard; expected each name once. Write the shard anew")
        names.add(name)
    return list(found)


def find_videos(path: Path) -> list[Path]:
    """Give the videos and folders of frames that a path means: itself, or those below it, sorted; shards aside.

    What is hidden is passed over, as in lists: a Mac puts ``._NAME`` beside each file of a foreign disk.
    """
    if path.is_file() or is_frame_folder(path):
        return [path]
    below = [place for place in sorted(path.rglob("*")) if not _is_hidden(place.relative_to(path))]
    inside = [place for place in below if is_video_name(place) and place.is_file()]
    folders = [place for place in below if place.is_dir() and is_frame_folder(place)]
    return [*inside, *folders]


def frames_of(video: Input, settings: DataSettings) -> Iterator[VideoFrame]:
    """Decode the frames of an input as they are asked for.

    Raises:
        DataError: it is no video, or see `iterate_frames`.
    """
    if isinstance(video, Unreadable):
        raise DataError(video.problem)
    yield from iterate_frames(video, rate=settings.rate, frame_rate=settings.frame_rate)


def drawn_name(folder: Path, video: Input) -> Path:
    """Give the place of a video with its answers; two videos of one name get two."""
    whole = str(video.resolve()) if isinstance(video, Path) else str(video)
    stem = video.stem if isinstance(video, Path) else PurePosixPath(whole).name.partition(".")[0]
    if isinstance(video, PackedFile | PackedFrames):
        whole = f"{video.shard.resolve()}: {whole}"
    return folder / f"{stem}_{hashlib.sha256(whole.encode()).hexdigest()[:6]}.mp4"


def _inputs(path: Path) -> list[Input]:
    if not path.exists() and not (path.suffix.lower() == SUFFIX and _is_pattern(str(path))):
        raise DataError(
            f"{path}: no such file or folder; expected a video, a shard, or a folder of videos, of frames or of shards"
        )
    if path.suffix.lower() != SUFFIX or path.is_dir():
        videos: list[Input] = [*find_videos(path)]
        if videos:
            return videos
    found = [one for shard in shard_files(str(path)) for one in _samples(shard)]
    if not found:
        raise DataError(f"{path}: holds no videos, no folders of frames and no shards with any; expected at least one")
    return found


def _samples(shard: Path) -> Iterator[Input]:
    samples = samples_of(shard)
    while True:
        try:
            sample = next(samples, None)
        except DataError as error:  # what lies behind is lost
            yield Unreadable(str(shard), str(error))
            return
        if sample is None:
            return
        try:
            yield video_of(sample)
        except DataError as error:
            yield Unreadable(f"{shard}: {sample.key}", str(error))


def _is_hidden(place: Path) -> bool:
    return any(part.startswith(".") for part in place.parts)


def _is_pattern(name: str) -> bool:
    return glob.has_magic(name) or "{" in name
