"""Where files of annotations and their images lie, seen from each other."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from semicoupled.tasks.outline.formats.records import Annotations, Picture


def rebased(annotations: Annotations, folder: Path) -> Annotations:
    """The same annotations with names of images that lead to them from another folder."""
    if annotations.folder.resolve() == folder.resolve():
        return replace(annotations, folder=folder)
    pictures = tuple(
        replace(picture, file=relative(annotations.folder / picture.file, folder)) for picture in annotations.pictures
    )
    return replace(annotations, folder=folder, pictures=pictures)


def relative(file: Path, folder: Path) -> str:
    """The way from a folder to a file, with forward slashes; absolute where there is none (another drive)."""
    try:
        return PurePosixPath(*Path(os.path.relpath(file.resolve(), folder.resolve())).parts).as_posix()
    except ValueError:
        return file.resolve().as_posix()


def names_for(pictures: Sequence[Picture], ending: str) -> list[str]:
    """A file name for each image: its stem and an ending; with its folders before it where stems come twice."""
    stems = Counter(PurePosixPath(picture.file).stem for picture in pictures)
    names: list[str] = []
    for picture in pictures:
        path = PurePosixPath(picture.file)
        own = (
            path.stem
            if stems[path.stem] == 1
            else "_".join([*(p for p in path.parent.parts if p not in ("..", "/")), path.stem])
        )
        names.append(f"{own}{ending}")
    twice = {name for name, count in Counter(names).items() if count > 1}
    return [f"{number}_{name}" if name in twice else name for number, name in enumerate(names)]


def files_below(path: Path, pattern: str) -> list[Path]:
    """A file itself, or those below a folder."""
    return sorted(path.rglob(pattern)) if path.is_dir() else [path]
