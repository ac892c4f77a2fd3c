"""Decoded clips at their small size, uint8: read once, kept in memory as far as they fit, and in a folder if asked."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from semicoupled.data.damage import DAMAGE
from semicoupled.errors import DataError
from semicoupled.files import replacing
from semicoupled.skipping import Skipped
from semicoupled.tasks.action.data_settings import DataSettings
from semicoupled.tasks.action.frames import clip_frames, image_files
from semicoupled.tasks.action.listing.clip import Clip


class ClipStore:
    """Gives the frames of clips, by their position."""

    def __init__(self, clips: Sequence[Clip], settings: DataSettings, limit: int | None = None) -> None:
        """Say which clips.

        Args:
            clips: all of them.
            settings: how they are read and kept.
            limit: bytes in memory; None for those of the settings.
        """
        self.clips, self._settings = clips, settings
        self._limit = int(settings.cache_gigabytes * 2**30) if limit is None else limit
        self._kept: dict[int, np.ndarray] = {}
        self._bytes = 0

    def __len__(self) -> int:
        """Give the number of clips."""
        return len(self.clips)

    def frames(self, index: int) -> np.ndarray:
        """Give all frames of a clip, T H W C, uint8, T at least 1.

        Raises:
            DataError: the clip cannot be read.
        """
        if index in self._kept:
            return self._kept[index]
        frames = self._read(self.clips[index])
        if self._bytes + frames.nbytes <= self._limit:
            self._kept[index] = frames
            self._bytes += frames.nbytes
        return frames

    def _read(self, clip: Clip) -> np.ndarray:
        folder = self._settings.cache_folder
        if folder is None:
            return decode_clip(clip, self._settings)
        try:
            file = Path(folder) / f"{cache_key(clip, self._settings)}.npy"
        except OSError:  # it is not there: reading it says so
            return decode_clip(clip, self._settings)
        try:
            return np.load(file, allow_pickle=False)
        except DAMAGE:  # not there yet, or half of it: it is made anew
            frames = decode_clip(clip, self._settings)
            with replacing(file) as temporary, temporary.open("wb") as opened:
                np.save(opened, frames, allow_pickle=False)
            return frames


def decode_clip(clip: Clip, settings: DataSettings) -> np.ndarray:
    """Decode a clip, T H W C, uint8.

    Raises:
        DataError: it cannot be read, or holds no frame.
    """
    return np.stack([frame.image for frame in clip_frames(clip, settings)])


def cache_key(clip: Clip, settings: DataSettings) -> str:
    """Give a name that changes with the file, or with the images of a folder, and with how they are read.

    Raises:
        OSError: there is no such file.
    """
    packed = () if isinstance(clip.path, Path) else (clip.path,)
    file = clip.path if isinstance(clip.path, Path) else clip.path.shard
    # a folder's own time stays where an image of it is written anew
    images = [(image.name, *_state(image)) for image in image_files(file)] if file.is_dir() else []
    parts = (
        file.resolve(), *packed, *_state(file), *images, clip.start, clip.end, settings.rate,
        settings.frame_rate, settings.height, settings.width, settings.short_side, settings.color,
    )  # fmt: skip
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def _state(file: Path) -> tuple[int, int]:
    about = file.stat()
    return about.st_size, about.st_mtime_ns


def usable(clips: Sequence[Clip], store: ClipStore, name: str) -> list[int]:
    """Find the clips that can be read; the others are named in the log.

    Args:
        clips: of a split.
        store: that reads them.
        name: of the split.

    Returns:
        Positions.

    Raises:
        DataError: more than 1 % cannot be read.
    """
    good: list[int] = []
    hint = "`semicoupled data check action` names all"
    skipped = Skipped("skip", f"the split {name}", "videos", hint=hint)
    for index in range(len(clips)):
        try:
            store.frames(index)
        except DataError as error:
            skipped.add(error)
        else:
            good.append(index)
    skipped.close(len(clips))
    return good
