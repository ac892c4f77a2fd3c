"""Formats with a JSON file for each image."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from semicoupled.errors import DataError
from semicoupled.files import write_text
from semicoupled.tasks.outline.formats.places import files_below, names_for
from semicoupled.tasks.outline.formats.records import Annotations, Picture


def read_each(path: Path, pattern: str, read: Callable[[Path, Path, list[str]], Picture]) -> Annotations:
    """Read a file, or all files below a folder.

    Args:
        path: the file or the folder.
        pattern: of the files' names.
        read: reads a file, given the folder and a list that takes what is to be noted.

    Raises:
        DataError: a file that cannot be used.
    """
    folder = path if path.is_dir() else path.parent
    notes: list[str] = []
    pictures = tuple(read(file, folder, notes) for file in files_below(path, pattern))
    labels = dict.fromkeys(instance.label for picture in pictures for instance in picture.instances)
    return Annotations(folder, pictures, tuple(labels), tuple(notes))


def write_each(
    annotations: Annotations, path: Path, ending: str, content: Callable[[Picture], Mapping[str, Any]]
) -> list[Path]:
    """Write a JSON file for each image.

    Args:
        annotations: what is written.
        path: a folder; or a file ending in ``.json``, where there is one image.
        ending: of the files' names in a folder.
        content: makes what a file holds of a picture.

    Returns:
        The files.

    Raises:
        DataError: one file for several images.
    """
    if path.suffix.lower() == ".json":
        if len(annotations.pictures) != 1:
            raise DataError(
                f"{path}: one file for {len(annotations.pictures)} images; expected a folder for this format"
            )
        files = [path]
    else:
        files = [path / name for name in names_for(annotations.pictures, ending)]
    for file, picture in zip(files, annotations.pictures, strict=True):
        write_text(file, json.dumps(content(picture), allow_nan=False, ensure_ascii=False, indent=1) + "\n")
    return files
