"""Checkpoints that are whole or not there, and that know their format.

A file is named ``checkpoint-STEP-DIGEST.pt``; DIGEST is the beginning of its SHA-256, so that a damaged file is found
out before it is read. It is written under another name, flushed to the disk, and renamed; the newest two are kept.
"""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import re
import secrets
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch

from semicoupled.errors import RunError

FORMAT = 2
"""The format that this version writes."""

Migration = Callable[[dict[str, Any]], dict[str, Any]]


def _tell_precision(content: dict[str, Any]) -> dict[str, Any]:
    """Format 2 says in which precision the training computes; before, that was what its settings say."""
    settings: object = content.get("settings")
    named = cast("dict[str, Any]", settings).get("training.precision") if isinstance(settings, dict) else None
    return {**content, "precision": named or "float32"}


MIGRATIONS: Mapping[int, Migration] = {1: _tell_precision}
"""For an older format n, what makes n + 1 of it."""

FOLDER = "checkpoints"
KEPT = 2

_NAME = re.compile(r"checkpoint-(\d+)-([0-9a-f]{16})\.pt")
_PART = re.compile(r"\.checkpoint-\d+-[0-9a-f]{8}\.part")
# what torch raises at a file that is damaged, beside UnpicklingError
_DAMAGE = (
    OSError,
    RuntimeError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    EOFError,
    ArithmeticError,
)
_logger = logging.getLogger(__name__)


class Checkpoint(NamedTuple):
    """A checkpoint that was read.

    Attributes:
        step: optimizer steps made.
        content: what was saved.
    """

    step: int
    content: dict[str, Any]


class _File(NamedTuple):
    step: int
    digest: str
    path: Path


def save_checkpoint(folder: Path, step: int, content: Mapping[str, Any]) -> Path:
    """Write a checkpoint, then remove all but it and the one before.

    Args:
        folder: of the checkpoints; made if need be.
        step: optimizer steps made.
        content: nested dicts, lists and tuples of tensors, numbers and strings.

    Returns:
        The file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".checkpoint-{step:08d}-{secrets.token_hex(4)}.part"
    try:
        with part.open("wb") as file:
            torch.save({"format": FORMAT, "step": step, "content": dict(content)}, file)
            file.flush()
            os.fsync(file.fileno())
        path = folder / f"checkpoint-{step:08d}-{_digest(part)}.pt"
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    _flush_folder(folder)
    files = _files(folder)
    older = _older(files, step)
    for file in files:
        if file.path != path and file not in older[: KEPT - 1]:  # older still, or from a future that was broken
            file.path.unlink()
    return path


def remove_leftovers(folder: Path, newest: int | None) -> None:
    """Remove what a kill left: files half written, and checkpoints older than those that are kept.

    Only who trains alone in the run folder may, since another process may be writing.

    Args:
        folder: of the checkpoints; it may be missing.
        newest: the step that `load_newest` found; None where it found none.
    """
    if not folder.is_dir():
        return
    for part in folder.iterdir():
        if _PART.fullmatch(part.name):
            part.unlink()
    for old in [] if newest is None else _older(_files(folder), newest)[KEPT - 1 :]:
        old.path.unlink()


def load_newest(folder: Path) -> Checkpoint | None:
    """Read the newest checkpoint; where it is damaged, say so in the log and read the one before.

    Nothing is changed, so that any process may look.

    Args:
        folder: of the checkpoints.

    Returns:
        The checkpoint, or None where there is none.

    Raises:
        RunError: all are damaged, or one is of a format that this version cannot read.
    """
    if not folder.is_dir():
        return None
    files = _files(folder)
    for file in files:
        if _digest(file.path) == file.digest:
            return read_checkpoint(file.path)
        _logger.warning("%s: is damaged (its content does not match its name); taking the one before.", file.path)
    if files:
        raise RunError(
            f"{folder}: all {len(files)} checkpoints are damaged. Remove the folder to train from the beginning."
        )
    return None


def read_checkpoint(
    path: Path, *, newest: int = FORMAT, migrations: Mapping[int, Migration] = MIGRATIONS
) -> Checkpoint:
    """Read a checkpoint of this format or an older one; nothing in it is executed.

    Args:
        path: the file.
        newest: the format to come to.
        migrations: for each older format n what makes n + 1 of it.

    Raises:
        RunError: it is no checkpoint, or of a format that cannot be read.
    """
    if not zipfile.is_zipfile(path):
        raise RunError(f"{path}: is no checkpoint (not a zip archive); expected one that a training wrote.")
    try:
        document: object = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, *_DAMAGE) as error:
        raise RunError(f"{path}: is no checkpoint ({error}); expected one that a training wrote.") from error
    parts = cast("dict[str, Any]", document) if isinstance(document, dict) else {}
    found = parts.get("format")
    if not all(isinstance(number, int) for number in (found, parts.get("step"))) or not isinstance(
        parts.get("content"), dict
    ):
        raise RunError(f"{path}: has no format number; expected a checkpoint that a training wrote.")
    found = cast(int, found)
    if found > newest:
        raise RunError(
            f"{path}: is of format {found}, this version reads formats up to {newest}. Update semicoupled to take this "
            "training up."
        )
    content = cast("dict[str, Any]", parts["content"])
    for version in range(found, newest):
        if version not in migrations:
            raise RunError(
                f"{path}: is of format {found}, which this version (format {newest}) no longer reads. Take the "
                "training up with the version that began it."
            )
        content = migrations[version](content)
    return Checkpoint(int(parts["step"]), content)


def _files(folder: Path) -> list[_File]:
    """Find the checkpoints in a folder, the newest first."""
    found = [(_NAME.fullmatch(path.name), path) for path in folder.iterdir()]
    files = [_File(int(match[1]), match[2], path) for match, path in found if match is not None]
    return sorted(files, reverse=True)


def _older(files: Sequence[_File], step: int) -> list[_File]:
    """Give those of an earlier step, the newest first."""
    return [file for file in files if file.step < step]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _flush_folder(folder: Path) -> None:
    """Make a rename last through a power cut, where the system can (Windows cannot, and need not)."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
