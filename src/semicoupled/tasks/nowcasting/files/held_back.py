"""What is held back by name: which files, and what is left to learn from, a whole window apart from them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.files.listing import base_folder, matches_glob
from semicoupled.tasks.nowcasting.files.sequences import RadarSequence
from semicoupled.tasks.nowcasting.files.windows import keep_apart


def held_back(files: Collection[Path], root: Path, pattern: str) -> set[Path]:
    """Give the files that a pattern holds back.

    Args:
        files: all of them.
        root: the folder, or the pattern that they were found by.
        pattern: see `listing.matches_glob`.

    Raises:
        DataError: it holds back nothing or everything, or one of several patterns names no file.
    """
    held = {file for file in files if matches_glob(file, root, pattern)}
    if not held or len(held) == len(files):
        raise DataError(
            f"{root}: {len(held)} of {len(files)} files match --data.validation {pattern!r}; expected some of "
            "them, not none and not all. The pattern is relative to the root and may name a folder"
        )
    for each in pattern.split(","):
        if not any(matches_glob(file, root, each) for file in held):
            raise DataError(
                f"{root}: no file matches {each.strip()!r} of --data.validation {pattern!r}; expected each "
                f"of its patterns to name some, relative to {base_folder(root)}. Correct it, or take it out"
            )
    return held


def left_to_learn(
    train: Sequence[RadarSequence], validation: Sequence[RadarSequence], window: int, root: Path, pattern: str
) -> list[RadarSequence]:
    """Give what lies a whole window apart from what is held back.

    Args:
        train: of the files that are not held back.
        validation: held back.
        window: frames of a window; shorter pieces are left out.
        root: for the message.
        pattern: for the message.

    Raises:
        DataError: nothing does.
    """
    apart = keep_apart(train, validation, window)
    if not apart:
        raise DataError(
            f"{root}: nothing to learn from lies a whole window of {window} frames apart from what "
            f"--data.validation {pattern!r} holds back. Hold back less, or add files"
        )
    return apart
