"""WebDataset shards: tar archives in which files that share a name up to its first dot make one sample.

``clips/a1.mp4`` and ``clips/a1.cls`` are the sample ``clips/a1`` with the parts ``mp4`` and ``cls``; the files of a
sample follow each other. Names that begin and end with two underscores are not data. This is what the format's own
reader does (https://github.com/webdataset/webdataset, "The WebDataset Format", version 1).

Samples are found by the archives' headers, once, and read from where they lie, in any order. Nothing is unpacked and
nothing but numbers and text is interpreted: no pickles.
"""

from __future__ import annotations

import glob
import io
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from semicoupled.data.tar import TarMember, tar_members
from semicoupled.errors import DataError

SUFFIX = ".tar"
MOST_SHARDS = 1_000_000
_BRACE = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")
_NAME = re.compile(r"((?:.*/|)[^./][^/.]*)\.([^/]+)", re.DOTALL)


class PackedFile(NamedTuple):
    """A file inside a shard.

    Attributes:
        shard: the archive.
        member: where in it.
    """

    shard: Path
    member: TarMember

    def __str__(self) -> str:
        """Name shard and member."""
        return f"{self.shard}: {self.member.name}"

    @property
    def suffix(self) -> str:
        """The ending of its name, with the dot."""
        return Path(self.member.name).suffix

    def read(self) -> bytes:
        """Read it whole.

        Raises:
            DataError: the shard is gone, or shorter than it was.
        """
        with self.open() as file:
            content = file.read()
        if len(content) != self.member.size:
            raise DataError(f"{self}: is cut off; the shard changed while it was read. Copy or write it again")
        return content

    def open(self) -> io.BufferedReader:
        """Open it as a file of its own, to be read at any place.

        Raises:
            DataError: the shard is gone.
        """
        try:
            file = self.shard.open("rb", buffering=0)
        except OSError as error:
            raise DataError(f"{self}: cannot be read ({error.strerror}); expected the shard to be there") from error
        return io.BufferedReader(_Window(file, self.member))


class PackedFrames(NamedTuple):
    """Images of a shard that are the frames of one video, in order.

    Attributes:
        shard: the archive.
        key: of the sample.
        files: the images, at least one.
    """

    shard: Path
    key: str
    files: tuple[PackedFile, ...]

    def __str__(self) -> str:
        """Name shard and sample."""
        return f"{self.shard}: {self.key}"

    @property
    def suffix(self) -> str:
        """The ending of the images' names, with the dot."""
        return self.files[0].suffix


@dataclass(frozen=True)
class Sample:
    """A sample of a shard.

    Args:
        shard: the archive.
        key: its files' names up to the first dot.
        parts: its files by what follows that dot, in lower case.
    """

    shard: Path
    key: str
    parts: Mapping[str, PackedFile]


def shard_files(pattern: str) -> list[Path]:
    """List the shards that a pattern means.

    Args:
        pattern: a file, a folder (all shards below it), or a pattern: ``*`` and ``?`` as the shell knows them,
            ``{000000..000009}`` for numbers and ``{a,b}`` for words.

    Returns:
        Sorted, each once; none where a folder or a glob has none.

    Raises:
        DataError: a shard that braces name is not there, or a brace cannot be read.
    """
    found: dict[Path, None] = {}
    for name in expand_braces(pattern):
        path = Path(name)
        if path.is_dir():
            found.update(dict.fromkeys(sorted(path.rglob(f"*{SUFFIX}"))))
        elif glob.has_magic(name) and not path.exists():
            found.update(dict.fromkeys(Path(one) for one in sorted(glob.glob(name, recursive=True))))  # noqa: PTH207
        elif path.is_file():
            found[path] = None
        else:
            raise DataError(f"{path}: no such shard, of {pattern}; expected all that the braces name. Correct them")
    return sorted(path for path in found if path.suffix.lower() == SUFFIX)


def expand_braces(pattern: str) -> Iterator[str]:
    """Give the names that a pattern with braces means; ``{08..10}`` keeps its zeros.

    Raises:
        DataError: a range falls or is very long.
    """
    match = _BRACE.search(pattern)
    if match is None:
        yield pattern
        return
    between = _RANGE.fullmatch(match[1])
    words: Iterator[str] | list[str] = match[1].split(",")
    if between is not None:
        first, last = int(between[1]), int(between[2])
        if not 0 <= last - first < MOST_SHARDS:
            raise DataError(
                f"{pattern}: the range {match[1]} holds no or too many numbers; expected first..last with at most "
                f"{MOST_SHARDS}"
            )
        words = (str(number).zfill(len(between[1])) for number in range(first, last + 1))
    for word in words:
        yield from expand_braces(pattern[: match.start()] + word + pattern[match.end() :])


def samples_of(shard: Path) -> Iterator[Sample]:
    """List the samples of a shard, in its order.

    Raises:
        DataError: see `tar_members`; the sample before is then not given, since files of it may be missing. Or a sample
            has two files of one ending.
    """
    named = ((_NAME.fullmatch(member.name), member) for member in tar_members(shard))
    data = ((match, member) for match, member in named if match is not None and not _is_meta(member.name))
    for key, members in itertools.groupby(data, key=lambda one: one[0][1]):
        parts: dict[str, PackedFile] = {}
        for match, member in members:
            ending = match[2].lower()
            if ending in parts:
                raise DataError(
                    f"{shard}: {member.name}: is there twice in its sample; expected one file of each ending. Give "
                    "samples different names"
                )
            parts[ending] = PackedFile(shard, member)
        yield Sample(shard, key, parts)


def _is_meta(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


class _Window(io.RawIOBase):
    """A part of an open file, as a file."""

    def __init__(self, file: io.FileIO, member: TarMember) -> None:
        super().__init__()
        self._file, self._begin, self._size, self._at = file, member.offset, member.size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        wanted = max(0, min(len(buffer), self._size - self._at))
        _ = self._file.seek(self._begin + self._at)
        read = self._file.readinto(memoryview(buffer)[:wanted]) or 0
        self._at += read
        return read

    def close(self) -> None:
        self._file.close()
        super().close()
