"""Looking into a file or a folder that a stranger chose: links that lead out, and files that reach out, are refused."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from semicoupled.data.untrusted import untrusted
from semicoupled.errors import DataError
from semicoupled.serving.outward import refuse_outward
from semicoupled.serving.roots import leads_within
from semicoupled.serving.uploads import AGAIN
from semicoupled.serving.work import Source, Work

_MOST_FILES = 200_000
_HDF5 = (".h5", ".hdf5")
_TUB = "manifest.json"
_PICTURES = (".jpg", ".jpeg", ".png")
_AGAIN = re.compile(rf"\.{AGAIN}\d+(?=\.)")


@contextmanager
def looking_into(work: Work, source: Source) -> Generator[Path]:
    """Give the place of a source, and let nothing be read that lies elsewhere, nor huge images.

    Args:
        work: its limits.
        source: with a place.

    Raises:
        DataError: a link below the place leads out of its base, an HDF5 file reaches out of itself, or there are too
            many files.
    """
    assert source.place is not None
    assert source.base is not None
    _refuse_links(source.place, source.base)
    with untrusted(source.base, work.limits.pixels):
        yield source.place


@contextmanager
def arranged(source: Source) -> Generator[Path]:
    """Give the place of a source as it must be; what was dropped file by file gets its folders back.

    The images of a tub go into a folder of their own. comma.ai's camera and log have one name; they are told apart by
    what is in them.

    Args:
        source: with a place.
    """
    place = source.place
    assert place is not None
    moves = _folders(place) if source.dropped and place.is_dir() else {}
    if not moves:
        yield place
        return
    folder = place / "arranged"  # below the place, so that it lies within its base
    shutil.rmtree(folder, ignore_errors=True)  # of a job that was killed
    try:
        for file, where in moves.items():
            (folder / where).parent.mkdir(parents=True, exist_ok=True)
            os.link(file, folder / where)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _folders(place: Path) -> dict[Path, str]:
    """Say where the files of a drive belong, relative to its folder; nothing where they are right as they lie."""
    files = sorted(file for file in place.iterdir() if file.is_file())
    if (place / _TUB).is_file():
        return {file: f"images/{file.name}" if file.suffix.lower() in _PICTURES else file.name for file in files}
    found: dict[str, dict[str, Path]] = {"camera": {}, "log": {}}
    for file in files:
        kind = _comma(file) if file.suffix.lower() in _HDF5 else None
        if kind is not None:
            found[kind][_AGAIN.sub("", file.name)] = file
    cameras, logs = found["camera"], found["log"]
    if len(cameras) == len(logs) == 1:  # whatever they are called
        logs = dict(zip(cameras, logs.values(), strict=True))
    pairs = {"camera": cameras, "log": logs} if cameras and logs else {}
    return {file: f"{kind}/{name}" for kind, each in pairs.items() for name, file in each.items()}


def _comma(file: Path) -> str | None:
    """Say whether a file is a camera's or a log; None where it is neither, or cannot be read."""
    try:
        with h5py.File(file, "r") as content:
            return "camera" if "X" in content else "log" if "steering_angle" in content else None
    except (OSError, RuntimeError, ValueError):
        return None


def refuse_swapped(source: Source) -> None:
    """Refuse files that have become links out of their root since they were found there.

    Raises:
        DataError: one has.
    """
    if source.base is None:
        return
    for file in source.files:
        if not leads_within(file, source.base):
            raise DataError(f"{file.name}: leads elsewhere; expected a file below the folder that was chosen")


def stamp(place: Path) -> tuple[object, ...]:
    """Give what changes when something below a place does: number, sizes and times of its files.

    Raises:
        DataError: more files lie below it than are looked at.
    """
    count, size, newest = 0, 0, 0
    for file in _files(place):
        found = file.stat() if file.exists() else file.lstat()  # a link may lead to what is gone
        count, size, newest = count + 1, size + found.st_size, max(newest, found.st_mtime_ns)
    return str(place), count, size, newest


def _refuse_links(place: Path, base: Path) -> None:
    outside = DataError(f"{place.name}: a link in it leads elsewhere; expected everything below the folder chosen")
    if not leads_within(place, base):
        raise outside
    for file in _files(place):
        if file.is_symlink() and not leads_within(file, base):
            raise outside
        if file.suffix.lower() in _HDF5:
            beside = file.parent.parent / "log" / file.name  # comma's angles lie beside the camera's folder
            refuse_outward([file, *([beside] if leads_within(beside, base) else [])])


def _files(place: Path) -> Iterator[Path]:
    """Give a file, or all files below a folder and links to folders, as far as they are not hidden."""
    if not place.is_dir():
        yield place
        return
    count, waiting = 0, [place]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                count += 1
                if count > _MOST_FILES:
                    raise DataError(
                        f"{place.name}: holds more than {_MOST_FILES} files; expected fewer. Choose a folder in it"
                    )
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                else:
                    yield Path(entry.path)
