"""Finding annotations: one file or one folder of any format that is known, told by its content."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from semicoupled.data.damage import damage_told
from semicoupled.errors import DataError, SettingsError, nearest
from semicoupled.tasks.outline.data import Source, sources_of
from semicoupled.tasks.outline.data_settings import DataSettings
from semicoupled.tasks.outline.formats.jsonfile import read_json
from semicoupled.tasks.outline.formats.places import files_below
from semicoupled.tasks.outline.formats.records import Annotations

FORMATS = ("cityscapes", "labelme", "coco", "masks")
"""Modules of `formats`, in the order in which they are asked."""

VALIDATION_WORDS = ("val", "validation", "valid")
TRAINING_WORDS = ("train", "training")


class Format(Protocol):
    """What a module of `formats` has."""

    NAME: str
    EXPECTED: str

    def matches(self, path: Path) -> bool:
        """Whether a file or folder is of this format."""
        ...

    def read(self, path: Path) -> Annotations:
        """Read it."""
        ...

    def write(self, annotations: Annotations, path: Path) -> list[Path]:
        """Write it; gives the files."""
        ...


class Parts(NamedTuple):
    """Objects to learn from, and those held back.

    Attributes:
        train: to learn from.
        validation: held back.
    """

    train: list[Source]
    validation: list[Source]


def find_format(name: str) -> Format:
    """Give a format by its name.

    Raises:
        SettingsError: there is none of this name.
    """
    if name not in FORMATS:
        raise SettingsError(f"there is no format {name!r}. {nearest(name, FORMATS)}")
    return cast(Format, importlib.import_module(f"semicoupled.tasks.outline.formats.{name}"))


def format_of(path: Path) -> Format:
    """Tell the format of a file or folder.

    Raises:
        DataError: it is missing, a JSON file that holds none, or of no format that is known.
    """
    if not path.exists():
        raise DataError(f"{path}: no such file or folder; expected annotations of outlines")
    for name in FORMATS:
        module = find_format(name)
        with damage_told(path, module.NAME):
            if module.matches(path):
                return module
    expected = "; ".join(find_format(name).EXPECTED for name in FORMATS)
    for file in files_below(path, "*.json")[:1]:
        if file.suffix.lower() == ".json":
            _ = read_json(file, expected)  # a file that is cut off says so
    raise DataError(f"{path}: of no format that is known; expected {expected}")


def read_annotations(path: Path) -> Annotations:
    """Read a file or folder of annotations.

    Raises:
        DataError: see `format_of`, and the formats.
    """
    module = format_of(path)
    with damage_told(path, module.NAME):
        return module.read(path)


def read_parts(settings: DataSettings) -> Parts:
    """Read what a run learns from and what it holds back.

    Raises:
        SettingsError: no root.
        DataError: nothing usable, or nothing left on one side.
    """
    if not settings.root:
        raise SettingsError("data.root: expected a file or folder of annotations, got nothing. Give --data.root DIR")
    root = Path(settings.root)
    images = None if settings.images is None else Path(settings.images)
    if settings.validation is not None:
        train, held = (
            read_annotations(split_of(root, TRAINING_WORDS) or root),
            read_annotations(Path(settings.validation)),
        )
    else:
        paths = split_of(root, TRAINING_WORDS), split_of(root, VALIDATION_WORDS)
        if paths[0] is not None and paths[1] is not None:
            train, held = read_annotations(paths[0]), read_annotations(paths[1])
        else:
            train, held = _every_fifth(read_annotations(root))
    parts = Parts(*(sources_of(one, images, settings.labels) for one in (train, held)))
    for name, found in zip(Parts._fields, parts, strict=True):
        if not found:
            of = f" of {', '.join(settings.labels)}" if settings.labels else ""
            raise DataError(
                f"{root}: holds no outlines{of} for {name}; expected at least one. Known labels: "
                f"{', '.join(sorted({*train.labels, *held.labels})) or 'none'}"
            )
    return parts


def split_of(root: Path, words: tuple[str, ...]) -> Path | None:
    """Find the part of a folder that is named by one of some words: a JSON file, or a folder in it or in ``gtFine``."""
    if not root.is_dir():
        return None
    for word in words:
        files = sorted(path for path in root.glob("*.json") if word in path.stem.lower().replace("-", "_").split("_"))
        if files:
            return files[0]
    for word in words:
        for folder in (root / word, root / "gtFine" / word, root / "annotations" / word):
            if folder.is_dir():
                return folder
    return None


def _every_fifth(annotations: Annotations) -> tuple[Annotations, Annotations]:
    """Hold every fifth image back, so that no image is on both sides."""
    pictures = [picture for picture in annotations.pictures if picture.instances]
    if len(pictures) < 2:
        raise DataError(
            f"{annotations.folder}: holds {len(pictures)} image with outlines; expected two or more, to hold one back. "
            "Give --data.validation"
        )
    held = [picture for number, picture in enumerate(pictures) if number % 5 == 4] or pictures[-1:]
    kept_back = set(held)
    rest = [picture for picture in pictures if picture not in kept_back]
    return tuple(  # pyright: ignore[reportReturnType]
        Annotations(annotations.folder, tuple(chosen), annotations.labels, annotations.notes) for chosen in (rest, held)
    )
