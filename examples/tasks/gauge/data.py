"""Clips from .npz files."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from semicoupled.errors import DataError
from semicoupled.training.sampling import SampleKey


class Clip(NamedTuple):
    """A sample, or with a leading B a batch of them. The frames come first, time is the first (second) axis of all.

    Attributes:
        frames: T 1 H W, 0 to 1.
        value: T 1, what is to be told of each frame.
    """

    frames: Tensor
    value: Tensor


class Clips(Dataset[Clip]):
    """The clips of some files. A sample is a function of its key alone, so that a killed training resumes exactly."""

    def __init__(self, files: list[Path]) -> None:
        """Name the files."""
        self.files = files

    def __len__(self) -> int:
        """Count the clips."""
        return len(self.files)

    def __getitem__(self, key: SampleKey | int) -> Clip:
        """Read one clip; `key.draw` is there for what is random about it, such as augmentation."""
        return read_clip(self.files[key.index if isinstance(key, SampleKey) else key])


def find_files(root: Path | str | None, pattern: str = "*.npz") -> list[Path]:
    """List the clips of a folder.

    Raises:
        DataError: there is none.
    """
    files = sorted(Path(root).glob(pattern)) if root is not None else []
    if not files:
        raise DataError(f"{root}: no {pattern} there; expected a folder of clips. Name it with --data.root")
    return files


def read_clip(file: Path) -> Clip:
    """Read one file.

    Raises:
        DataError: it cannot be read, or is no clip.
    """
    try:
        with np.load(file, allow_pickle=False) as arrays:
            frames, value = arrays["frames"], arrays["value"]
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{file}: expected an .npz file with frames (T H W) and value (T), got: {error}") from error
    if frames.ndim != 3 or value.shape != frames.shape[:1]:
        raise DataError(f"{file}: expected frames T H W and value T, got {frames.shape} and {value.shape}")
    return Clip(torch.from_numpy(frames).float()[:, None] / 255, torch.from_numpy(value).float()[:, None])
