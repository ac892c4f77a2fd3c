"""The images of a project, found by what annotation files call them. Imports no torch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

_LEFT = "_leftImg8bit"
"""What Cityscapes puts behind the stems of its images, and not of its annotations."""


class KnownImages:
    """Names of images, looked up by their last part: of ten thousand images each has one of ten thousand names."""

    def __init__(self, known: Sequence[tuple[str, int, int]]) -> None:
        """Know images.

        Args:
            known: name, width and height, px, of each.
        """
        self.sizes = [(width, height) for _, width, height in known]
        self._parts = [PurePosixPath(name).parts for name, _, _ in known]
        self._named: defaultdict[str, list[int]] = defaultdict(list)
        self._stems: defaultdict[str, list[int]] = defaultdict(list)
        for number, parts in enumerate(self._parts):
            if parts:
                self._named[parts[-1]].append(number)
                self._stems[PurePosixPath(parts[-1]).stem].append(number)

    def find(self, file: str) -> int | None:
        """Find the image that a file's name means: the one whose name ends alike, the longest match first.

        Returns:
            Its number; None where there is none, or where several fit equally well: what is drawn in one of them would
            come into another.
        """
        wanted = PurePosixPath(file.replace("\\", "/")).parts
        if not wanted:
            return None
        alike = {number: _alike(self._parts[number], wanted) for number in self._named.get(wanted[-1], ())}
        longest = max(alike.values(), default=0)
        matches = [number for number, same in alike.items() if same == longest]
        if len(matches) > 1:  # a name that is said whole is nothing else
            matches = [number for number in matches if self._parts[number] == wanted]
        if not alike:  # Cityscapes' files are named by their images' stems
            stem = PurePosixPath(wanted[-1]).stem.removesuffix(_LEFT)
            matches = [*self._stems.get(stem, ()), *self._stems.get(stem + _LEFT, ())]
        return matches[0] if len(matches) == 1 else None


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """Count the parts, from the end, in which two names are the same."""
    same = 0
    for left, right in zip(reversed(one), reversed(other), strict=False):
        if left != right:
            break
        same += 1
    return same
