"""The toys as a case of the contract test."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from semicoupled.data.shapes import moving_shape


def options(folder: Path) -> list[str]:
    """Give settings that train in a second."""
    del folder
    return [
        "--data.validation=8",
        "--data.test=8",
        "--model.widths=[4,4]",
        "--model.strides=[2,2]",
        "--training.batch=2",
    ]


def inputs(folder: Path) -> list[Path]:
    """Make files to predict from."""
    np.save(folder / "clip.npy", moving_shape(0, 0).frames[:, 0])
    return [folder / "clip.npy"]


OUT = "answers.json"
