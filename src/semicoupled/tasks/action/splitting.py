"""Which clips are learned from, which choose, which test: by group, never by frame."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from typing import NamedTuple

from semicoupled.errors import DataError
from semicoupled.tasks.action.listing.clip import Clip, Listing, Split

FIFTH = 5
"""Where nothing else is said, one group in so many is held back."""


class ClipSplits(NamedTuple):
    """The clips of a data set.

    Attributes:
        train: to learn from.
        validation: chooses the best weights.
        test: seen by nothing until it is scored.
    """

    train: Sequence[Clip]
    validation: Sequence[Clip]
    test: Sequence[Clip]


def split_clips(
    listing: Listing, *, validation: str | None = None, test: str | None = None, only: Sequence[str] = ()
) -> ClipSplits:
    """Part the clips of a list.

    Args:
        listing: all of them.
        validation: patterns of groups, or of clips' names, with commas between them: held back. None holds back what
            the list calls validation, else a fifth of the groups to learn from.
        test: patterns likewise; None takes what the list calls test.
        only: classes; nothing for all.

    Returns:
        The three parts; a group is never in two of them.

    Raises:
        DataError: a pattern or class names nothing, a part would be empty, or the list puts a video or a group into two
            splits.
    """
    clips = chosen_classes(listing, only)
    refuse_leaks(listing, clips)
    tested = _named(listing, clips, test, "data.test") if test is not None else [c for c in clips if c.split == "test"]
    rest = _without(clips, tested)
    if validation is not None:
        held = _named(listing, rest, validation, "data.validation")
        train = [clip for clip in _without(rest, held) if clip.split in (None, "train")]
    else:
        held = [clip for clip in rest if clip.split == "validation"]
        train = [clip for clip in rest if clip.split in (None, "train")]
        if not held:
            held = _fifth(train)
            train = _without(train, held)
    for name, part in (("train", train), ("validation", held)):
        if not part:
            raise DataError(
                f"{listing.root}: nothing is left for the split {name} (of {len(clips)} clips); expected at least one "
                "clip. Hold back less with --data.validation and --data.test, or add groups"
            )
    missing = sorted({clip.label for clip in [*held, *tested]} - {clip.label for clip in train})
    if missing:
        raise DataError(
            f"{listing.root}: no clip to learn from has the class {', '.join(missing)}; expected all that are asked "
            "for later. Hold back less with --data.validation and --data.test, or choose --data.classes"
        )
    refuse_overlap({"train": train, "validation": held, "test": tested})
    return ClipSplits(train, held, tested)


def chosen_classes(listing: Listing, only: Sequence[str]) -> list[Clip]:
    """Give the clips of some classes; of all if none are named.

    Raises:
        DataError: there is no such class.
    """
    for name in only:
        if name not in listing.classes:
            raise DataError(
                f"{listing.root}: --data.classes: there is no class {name!r}. Known: {', '.join(listing.classes)}"
            )
    return [clip for clip in listing.clips if not only or clip.label in only]


def class_names(listing: Listing, only: Sequence[str]) -> list[str]:
    """Give the classes in use, in the order of the list."""
    return [name for name in listing.classes if not only or name in only]


def refuse_leaks(listing: Listing, clips: Sequence[Clip]) -> None:
    """Refuse a list that has a video, or a group, in two splits.

    Raises:
        DataError: it does.
    """
    said: dict[Split, list[Clip]] = {}
    for clip in clips:
        if clip.split is not None:
            said.setdefault(clip.split, []).append(clip)
    try:
        refuse_overlap(said)
    except DataError as error:
        raise DataError(f"{listing.root}: {listing.format}: {error}") from error


def refuse_overlap(parts: dict[Split, list[Clip]]) -> None:
    """Refuse parts that share a video or a group.

    Raises:
        DataError: two do.
    """
    for key in (lambda clip: clip.family, lambda clip: str(clip.path)):
        where: dict[str, tuple[Split, Clip]] = {}
        _check(parts, key, where)


def _check(parts: dict[Split, list[Clip]], key: Callable[[Clip], str], where: dict[str, tuple[Split, Clip]]) -> None:
    for split, clips in parts.items():
        for clip in clips:
            other, first = where.setdefault(key(clip), (split, clip))
            if other != split:
                raise DataError(
                    f"{clip.name} is of the split {split}, and {first.name} of the split {other}, but both are of "
                    f"{key(clip)}; expected whole groups on one side, or frames of one video would be learned from and "
                    "tested on"
                )


def _named(listing: Listing, clips: Sequence[Clip], patterns: str, option: str) -> list[Clip]:
    """Give the clips that patterns name, with all others of their groups."""
    families: set[str] = set()
    for pattern in (text.strip() for text in patterns.split(",")):
        named = {
            clip.family
            for clip in clips
            if fnmatch(clip.group or "", pattern) or fnmatch(clip.name, pattern) or clip.split == pattern
        }
        if not named:
            groups = sorted({clip.group for clip in clips if clip.group is not None})
            known = f" Groups: {', '.join(groups[:12])}{', ...' if len(groups) > 12 else ''}" if groups else ""
            raise DataError(
                f"{listing.root}: {option}: nothing is named {pattern!r}, neither a group nor a clip.{known}"
            )
        families |= named
    return [clip for clip in clips if clip.family in families]


def _fifth(clips: Sequence[Clip]) -> list[Clip]:
    """Give the clips of a fifth of the groups, always the same; class by class where groups lie in one class."""
    classes: dict[str, set[str]] = {}
    for clip in clips:
        classes.setdefault(clip.family, set()).add(clip.label)
    lots: dict[tuple[str, ...], list[str]] = {}
    for family, labels in classes.items():
        lots.setdefault(tuple(sorted(labels)), []).append(family)
    held: set[str] = set()
    shared = [family for labels, families in lots.items() if len(labels) > 1 for family in families]
    for families in [shared, *(families for labels, families in lots.items() if len(labels) == 1)]:
        ordered = sorted(families, key=lambda family: hashlib.sha256(family.encode()).hexdigest())
        held |= set(ordered[: max(1, round(len(ordered) / FIFTH))] if len(ordered) > 1 else [])
    return [clip for clip in clips if clip.family in held]


def _without(clips: Sequence[Clip], others: Sequence[Clip]) -> list[Clip]:
    families = {clip.family for clip in others}
    return [clip for clip in clips if clip.family not in families]
