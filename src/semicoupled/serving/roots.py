"""The folders whose files may be looked at, and that they cannot be left."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from semicoupled.errors import DataError, SettingsError, nearest

BESIDE_DATA = (".md", ".txt", ".json", ".csv", ".yaml", ".yml", ".html", ".pdf", ".log")
"""Files that lie beside data and are none."""
_STORES = (".zarr",)
_MOST_ENTRIES = 2000


class Entry(NamedTuple):
    """One line of a folder's listing.

    Attributes:
        name: of the file or folder.
        folder: whether it is one.
        size: of a file, bytes; of a folder, the number of files and folders in it, as far as they are shown.
    """

    name: str
    folder: bool
    size: int


@dataclass(frozen=True)
class Listing:
    """A folder.

    Args:
        entries: folders first, by name.
        truncated: whether there are more than are listed.
    """

    entries: tuple[Entry, ...]
    truncated: bool


class Roots:
    """The folders that were allowed when the server was started, by name."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Allow folders.

        Args:
            paths: the folders; each is named by its own last name, with a number where two are alike.

        Raises:
            SettingsError: one is no folder.
        """
        self._roots: dict[str, Path] = {}
        for path in paths:
            if not path.is_dir():
                raise SettingsError(f"--root {path}: no such folder. Give a folder of data")
            real = path.resolve()
            base = real.name or "root"
            name, number = base, 2
            while name in self._roots:
                name, number = f"{base} {number}", number + 1
            self._roots[name] = real

    def names(self) -> tuple[str, ...]:
        """Give the names of the folders."""
        return tuple(self._roots)

    def paths(self) -> dict[str, Path]:
        """Give the folders by name; for messages, which must not say them."""
        return dict(self._roots)

    def resolve(self, root: str, path: str) -> Path:
        """Find a file or folder below a root.

        Args:
            root: name of the root.
            path: relative to it, parted by ``/``; empty for the root itself.

        Raises:
            DataError: no such root, no such file, or one that lies elsewhere, whichever way it is written.
        """
        if root not in self._roots:
            raise DataError(f"there is no folder {root[:100]!r} to look into. {nearest(root[:100], self._roots)}")
        base = self._roots[root]
        unknown = f"{root}: has no {path[:200]!r}; expected a file or a folder that its listing shows"
        if not path:
            unknown = (
                f"{root}: is not there any more; was it moved, or is its disk not connected? Choose another folder"
            )
        if not _is_plain(path):
            raise DataError(unknown)
        try:
            found = base.joinpath(*PurePosixPath(path).parts).resolve(strict=True)
        except (OSError, ValueError, RuntimeError) as error:
            raise DataError(unknown) from error
        if not found.is_relative_to(base) or not (found.is_file() or found.is_dir()):  # pipes and devices are neither
            raise DataError(unknown)
        return found

    def list(self, root: str, path: str) -> Listing:
        """List a folder; hidden files, names that cannot be asked for, and links that lead out are passed over.

        Raises:
            DataError: see `resolve`; or it is no folder.
        """
        folder = self.resolve(root, path)
        if not folder.is_dir():
            raise DataError(f"{root}: {path!r} is a file; expected a folder")
        entries = [entry for found in self._inside(folder, self._roots[root]) if (entry := _entry(found)) is not None]
        entries.sort(key=lambda entry: (not entry.folder, entry.name))
        return Listing(tuple(entries[:_MOST_ENTRIES]), len(entries) > _MOST_ENTRIES)

    def files(self, root: str, path: str, most: int) -> tuple[Path, ...]:
        """Give the files that are meant by a file or a folder; a zarr store is one file.

        Args:
            root: name of the root.
            path: relative to it.
            most: how many a folder may hold.

        Raises:
            DataError: see `resolve`; none, or more than `most`.
        """
        found = self.resolve(root, path)
        base = self._roots[root]
        if found.is_file():
            return (found,)
        files: list[Path] = []
        for file in self._below(found, base):
            files.append(file)
            if len(files) > most:
                raise DataError(f"{root}/{path}: holds more than {most} files; expected fewer. Choose a folder in it")
        if not files:
            raise DataError(f"{root}/{path}: holds no files; expected data. Choose another folder")
        return tuple(files)

    def _below(self, folder: Path, base: Path) -> Iterator[Path]:
        if folder.suffix in _STORES:
            if any(not leads_within(path, base) for path in folder.rglob("*")):
                raise DataError(f"{folder.name}: a link in it leads out of its root; expected a store in one place")
            yield folder
            return
        for found in self._inside(folder, base):
            if found.is_dir():
                if not found.is_symlink():  # a link within the root is reached by its own place; and no rings
                    yield from self._below(found, base)
            elif found.suffix.lower() not in BESIDE_DATA:
                yield found

    @staticmethod
    def _inside(folder: Path, base: Path) -> list[Path]:
        found: list[Path] = []
        try:
            paths = sorted(folder.iterdir())
        except OSError as error:
            raise DataError(
                f"{folder.name}: cannot be looked into ({error.strerror}); choose another folder"
            ) from error
        for path in paths:
            if not _is_plain(path.name):
                continue
            try:
                real = path.resolve(strict=True)
            except (OSError, RuntimeError):
                continue
            if real.is_relative_to(base) and (real.is_file() or real.is_dir()):
                found.append(path)
        return found


def leads_within(path: Path, base: Path) -> bool:
    """Whether a path, links followed, lies below a folder; links that lead round in a ring lead nowhere."""
    try:
        return path.resolve().is_relative_to(base)
    except (OSError, RuntimeError):
        return False


def _is_plain(path: str) -> bool:
    """Whether a path is nothing but names parted by slashes: no drive, no way up, nothing hidden, nothing odd."""
    if path == "":
        return True
    if "\\" in path or any(ord(letter) < 32 or ord(letter) == 127 for letter in path) or len(path) > 1000:
        return False
    if any("\ud800" <= letter <= "\udfff" for letter in path):
        return False  # bytes that are no UTF-8: such a name can be written nowhere
    if path.startswith("/") or (len(path) > 1 and path[1] == ":"):
        return False
    return all(part and not part.startswith(".") for part in path.split("/"))


def _entry(path: Path) -> Entry | None:
    """Describe a file or a folder, or nothing where it has just gone."""
    try:
        return Entry(path.name, path.is_dir(), _count(path) if path.is_dir() else path.stat().st_size)
    except OSError:
        return None


def _count(folder: Path) -> int:
    try:
        with os.scandir(folder) as entries:
            return sum(not entry.name.startswith(".") for entry in entries)
    except OSError:
        return 0
