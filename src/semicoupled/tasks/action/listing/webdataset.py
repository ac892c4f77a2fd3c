"""WebDataset shards: a video and its label for each key of tar archives (`semicoupled.data.shards`).

A sample has ``KEY.mp4`` (or another video), or images ``KEY.0001.jpg``, ``KEY.0002.jpg``, ... that are its frames; and
``KEY.cls``, a class's number or name, or ``KEY.json`` with ``label`` and, if wanted, ``group`` and ``split``. A file
``classes.txt`` beside the shards names numbered classes. Shards in a folder ``train``, or called so
(``ucf-val-0001.tar``), are of that split.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, cast

from semicoupled.data.shards import PackedFile, PackedFrames, Sample, samples_of, shard_files
from semicoupled.errors import DataError, nearest
from semicoupled.tasks.action.frames import by_numbers
from semicoupled.tasks.action.listing.clip import (
    IMAGE_SUFFIXES,
    SPLIT_NAMES,
    Clip,
    Listing,
    Split,
    class_name,
    class_names_beside,
    group_of_name,
    is_video_name,
    make_listing,
)

NAME = "WebDataset"
_MOST_TEXT = 1 << 20
"""Bytes of a label's file, at most."""
_LABELS = ("label", "class", "action", "cls")
_MARKS = re.compile(r"[*?\[{]")


def find(root: Path) -> list[Path]:
    """Give the shards: those below a folder, one file, or those that a pattern names; see `shard_files`.

    Raises:
        DataError: braces name a shard that is not there.
    """
    return shard_files(str(root))


def read(root: Path, files: list[Path], split: int) -> Listing:
    """List the samples of shards.

    What cannot be used is left to `Listing.problems`, one sentence a shard or a sample.

    Raises:
        DataError: nothing can be used.
    """
    del split
    problems: list[str] = []
    base = _base(root)
    names = class_names_beside(files[0].parent) or class_names_beside(base)
    clips = [clip for shard in files for clip in _clips(shard, base, names, _split_of(root, base, shard), problems)]
    once = set[str]()
    for clip in clips:
        if clip.name in once:
            problems.append(f"{clip.path}: its key comes twice in the shard; expected each once. Write it anew")
        once.add(clip.name)
    classes = names or sorted({clip.label for clip in clips}, key=by_numbers)
    return make_listing(root, NAME, clips, classes, problems)


def video_of(sample: Sample) -> PackedFile | PackedFrames:
    """Give where the video of a sample is, or the images that are its frames.

    Raises:
        DataError: it has none, or several.
    """
    named = {ending: PurePosixPath(f"_.{ending}") for ending in sample.parts}
    videos = [ending for ending, name in named.items() if is_video_name(name)]
    images = [ending for ending, name in named.items() if name.suffix in IMAGE_SUFFIXES]
    if len(videos) == 1 and not images:
        return sample.parts[videos[0]]
    if not videos and images:
        ordered = sorted(images, key=by_numbers)
        return PackedFrames(sample.shard, sample.key, tuple(sample.parts[ending] for ending in ordered))
    raise DataError(
        f"{sample.shard}: {sample.key}: has {', '.join(sorted(sample.parts))}; expected one video, such as mp4, or "
        "images, such as 0001.jpg. Write one video a sample"
    )


def _base(root: Path) -> Path:
    """Give the folder that shards are named from: the root, or what stands before the first mark of a pattern."""
    if root.exists():
        return root if root.is_dir() else root.parent
    return Path(*itertools.takewhile(lambda part: _MARKS.search(part) is None, root.parent.parts))


def _clips(
    shard: Path, base: Path, names: Sequence[str] | None, split: Split | None, problems: list[str]
) -> Iterator[Clip]:
    place = shard.relative_to(base).as_posix()
    samples = samples_of(shard)
    while True:
        try:
            sample = next(samples, None)
            if sample is None:
                return
        except DataError as error:  # what lies behind is lost
            problems.append(str(error))
            return
        try:
            yield _clip(sample, place, names, split)
        except DataError as error:
            problems.append(str(error))


def _clip(sample: Sample, place: str, names: Sequence[str] | None, split: Split | None) -> Clip:
    where = f"{sample.shard}: {sample.key}"
    about = _about(sample, where)
    label = class_name(_label(sample, about, where), names, where)
    group = about.get("group")
    return Clip(
        video_of(sample),
        label,
        f"{place}/{sample.key}",
        _own_split(about, where) or split,
        group_of_name(f"{PurePosixPath(sample.key).name}.", label) if group is None else str(group),
    )


def _label(sample: Sample, about: dict[str, Any], where: str) -> str:
    if "cls" in sample.parts:
        label = _text(sample.parts["cls"]).strip()
    else:
        label = next((about[name] for name in _LABELS if name in about), None)
    if isinstance(label, int | str) and not isinstance(label, bool) and str(label).strip():
        return str(label).strip()
    raise DataError(
        f"{where}: has no label (its files: {', '.join(sorted(sample.parts))}); expected {sample.key}.cls with a "
        f'class, or {sample.key}.json with {{"label": ...}}'
    )


def _about(sample: Sample, where: str) -> dict[str, Any]:
    if "json" not in sample.parts:
        return {}
    try:
        found: object = json.loads(_text(sample.parts["json"]))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}.json: is no JSON ({error}); expected an object with a label") from error
    if not isinstance(found, dict):
        raise DataError(f"{where}.json: holds a {type(found).__name__}; expected an object with a label")
    return cast("dict[str, Any]", found)


def _text(file: PackedFile) -> str:
    if file.member.size > _MOST_TEXT:
        raise DataError(f"{file}: has {file.member.size} bytes; expected a label, of at most {_MOST_TEXT}")
    try:
        return file.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: is no text (byte {error.start}); expected UTF-8") from error


def _own_split(about: dict[str, Any], where: str) -> Split | None:
    said = about.get("split")
    if said is None:
        return None
    if str(said).lower() not in SPLIT_NAMES:
        raise DataError(f"{where}.json: there is no split {str(said)[:40]!r}. {nearest(str(said), SPLIT_NAMES)}")
    return SPLIT_NAMES[str(said).lower()]


def _split_of(root: Path, base: Path, shard: Path) -> Split | None:
    """Give the split that the folders of a shard, or a word of its name, tell."""
    folders = shard.relative_to(base).parts[:-1] or (() if root.exists() else (base.name,))
    words = [*folders, *re.split(r"[^a-z]+", shard.name.lower())]
    return next((SPLIT_NAMES[word.lower()] for word in words if word.lower() in SPLIT_NAMES), None)
