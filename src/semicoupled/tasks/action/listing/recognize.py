"""Which format a folder or a list is of: told by its content, never by a setting."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from semicoupled.data.damage import damage_told
from semicoupled.data.shards import SUFFIX
from semicoupled.errors import DataError
from semicoupled.skipping import OnError, Skipped
from semicoupled.tasks.action.listing import csv_list, folders, headerless, hmdb51, kinetics, ucf101, webdataset
from semicoupled.tasks.action.listing.clip import Listing

FORMATS: tuple[ModuleType, ...] = (ucf101, hmdb51, kinetics, csv_list, headerless, folders, webdataset)
"""The first that finds something reads; each has `NAME`, `find` and `read`."""


def list_clips(root: Path, split: int = 1) -> Listing:
    """List the labeled videos below a folder, or of a list, or of shards.

    Args:
        root: a folder, a file with a list, or WebDataset shards: one, or a pattern that ends with ``.tar``.
        split: of UCF-101 and HMDB-51, 1 to 3.

    Raises:
        DataError: there is no such folder, no format fits, or a line of a list cannot be used.
    """
    if not root.exists() and root.suffix.lower() != SUFFIX:  # which may be a pattern of shards
        raise DataError(f"{root}: no such folder or list; expected labeled videos. Give the folder with --data.root")
    for module in FORMATS:
        with damage_told(root, module.NAME):
            found = module.find(root)
            if found:
                return module.read(root, found, split)
    names = ", ".join(module.NAME for module in FORMATS)
    raise DataError(
        f"{root}: no labeled videos were found; expected one of: {names}. The simplest is a folder for each class with "
        "its videos in it, or a videos.csv with the columns video and label"
    )


def list_usable(root: Path, split: int, on_error: OnError) -> Listing:
    """List the labeled videos to learn from or to score: what could not be listed ends it, or is skipped and counted.

    Args:
        root: see `list_clips`.
        split: likewise.
        on_error: ``fail`` at the first problem, or ``skip`` them.

    Raises:
        DataError: see `list_clips`; or there is a problem, or with ``skip`` too many.
    """
    listing = list_clips(root, split)
    skipped = Skipped(on_error, str(root), "samples", hint="`semicoupled data check action` names all")
    for problem in listing.problems:
        skipped.add(DataError(problem))
    skipped.close(len(listing.clips) + len(listing.problems))
    return listing
