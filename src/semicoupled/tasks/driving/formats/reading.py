"""Drives of any known format, with the label made ready and cut at gaps."""

from __future__ import annotations

import dataclasses
import logging
from itertools import pairwise
from pathlib import Path

import numpy as np

from semicoupled.data.damage import damage_told
from semicoupled.errors import DataError
from semicoupled.tasks.driving.checking.label_facts import doubt_unit
from semicoupled.tasks.driving.data_settings import DataSettings
from semicoupled.tasks.driving.drives import Drive, Unit
from semicoupled.tasks.driving.formats.finding import Found, find_drives
from semicoupled.tasks.driving.formats.parts import take

__all__ = ["cut_at_gaps", "make_label", "read_drives", "read_found", "read_whole", "take"]


_LOG = logging.getLogger(__name__)
_DEFAULTS = DataSettings()


def read_drives(root: Path, settings: DataSettings = _DEFAULTS) -> list[Drive]:
    """Read the drives of a file, a folder, or a folder of such.

    Args:
        root: a drive of any known format, or a folder whose files or folders are drives of one format; their names
            then stand before those of their runs.
        settings: unit, sign, offset and lag of the label, and where to cut.

    Returns:
        The drives in order, cut at gaps; a frame without a label has the angle NaN.

    Raises:
        DataError: nothing is there, nothing is known, formats are mixed, or times do not rise.
    """
    whole = read_whole(root, settings)
    # cut first: a lag must not carry a label across a gap
    drives = [make_label(part, settings) for drive in whole for part in cut_at_gaps(drive, settings.gap_seconds)]
    by_unit: dict[Unit, list[np.ndarray]] = {}
    for drive in drives:
        by_unit.setdefault(drive.unit, []).append(drive.angles)
    for unit, angles in by_unit.items():
        doubt = doubt_unit(np.concatenate(angles), unit)
        if doubt:
            _LOG.warning("%s: %s", root, doubt)
    return drives


def read_whole(root: Path, settings: DataSettings) -> list[Drive]:
    """Read runs as they lie there: not cut, the label as the format has it. See `read_drives`.

    Raises:
        DataError: there is no frame.
    """
    drives = [drive for found in find_drives(root) for drive in read_found(found, settings)]
    if not drives:
        raise DataError(f"{root}: holds no frame; expected at least one. Look whether all its records were deleted")
    return drives


def read_found(found: Found, settings: DataSettings) -> list[Drive]:
    """Read what was found in one place, and name its runs by it; runs without a frame are left out.

    Raises:
        DataError: see `read_drives`.
    """
    with damage_told(found.path, found.format.NAME):
        drives = found.format.read(found.path, settings)
    return [
        dataclasses.replace(drive, name=_named(found, drive.name), run=_named(found, drive.run))
        for drive in drives
        if len(drive)
    ]


def _named(found: Found, name: str) -> str:
    return "/".join(part for part in (found.name, name) if part) or found.whole


def make_label(drive: Drive, settings: DataSettings) -> Drive:
    """Bring unit, sign, scale, offset and lag of a drive's angles to what the settings say; infinite becomes NaN."""
    angle = settings.angle
    known = np.where(np.isfinite(drive.angles), drive.angles, np.nan)
    angles = (angle.sign or 1) * (angle.factor or 1.0) * (known - angle.offset)
    lag = settings.lag_frames
    if lag:
        moved = np.full_like(angles, np.nan)
        if lag > 0:
            moved[:-lag] = angles[lag:]
        else:
            moved[-lag:] = angles[:lag]
        angles = moved
    return dataclasses.replace(drive, angles=angles, unit=angle.unit or drive.unit)


def cut_at_gaps(drive: Drive, gap_seconds: float) -> list[Drive]:
    """Cut a drive wherever two frames lie farther apart than allowed.

    Args:
        drive: the drive.
        gap_seconds: the farthest that is no gap.

    Returns:
        Its parts: ``run``, ``run+1``, ...

    Raises:
        DataError: the times do not rise.
    """
    steps = np.diff(drive.times)
    if not (np.isfinite(drive.times).all() and (steps > 0).all()):
        wrong = int(np.argmin(np.isfinite(drive.times)) if not np.isfinite(drive.times).all() else np.argmin(steps > 0))
        raise DataError(
            f"{drive.source}, run {drive.run}: times do not rise at frame {wrong + 1} ({drive.frames.name(wrong)}); "
            f"expected each later than the one before, got {drive.times[wrong : wrong + 2].tolist()} s. Sort or mend "
            "the records"
        )
    edges = [0, *(np.flatnonzero(steps > gap_seconds) + 1).tolist(), len(drive)]
    if len(edges) == 2:
        return [drive]
    return [
        dataclasses.replace(take(drive, range(start, stop)), name=drive.name if part == 0 else f"{drive.name}+{part}")
        for part, (start, stop) in enumerate(pairwise(edges))
    ]
