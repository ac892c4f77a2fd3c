"""What people draw, on disk: every change is written before it is answered, so that no crash loses one.

A project is a folder under the server's state folder, named by a random number: what is in it (`project.json`), each
image's drawing (`sheet_N.json`), the truth, where it is known (`truth.json`), and the images that were dropped
(`images/`). Images below a root stay where they are.

What is in memory is good as long as its file is the one that it was read from: two servers may share a state folder,
and neither goes on with what the other one has changed since.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import secrets
import shutil
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from semicoupled.data.damage import DAMAGE
from semicoupled.errors import DataError, RunError, SemicoupledError
from semicoupled.files import write_text
from semicoupled.serving.outline_document import Sheet, Thing
from semicoupled.serving.settings import Limits

_ID = re.compile(r"[0-9a-f]{32}")
FOLDER = "outline"
_FORMAT = 1
log = logging.getLogger(__name__)
_MAKING = 3600.0
"""Seconds that a project may take until it is whole."""
_SHEETS = 64
"""Drawings that are kept in memory; all are on disk."""
_Kind = TypeVar("_Kind")
_NONE = "there is no such project any more; open the images again"


class _Stamp(NamedTuple):
    """What tells a file from the one that was there before."""

    number: int
    size: int
    changed: int


_NOWHERE = _Stamp(0, 0, 0)


@dataclass(frozen=True)
class ProjectImage:
    """An image of a project.

    Args:
        name: as people know it.
        file: below the root, or in the project's own folder.
        width: px.
        height: px.
    """

    name: str
    file: str
    width: int
    height: int


@dataclass(frozen=True)
class Project:
    """Images that somebody draws in.

    Args:
        id: what the page knows it by.
        folder: its own.
        name: for people.
        run: name of the run that helps.
        images: in order.
        root: name of the root below which the images lie; None where they are the project's own.
        labels: classes, in the order in which they came.
    """

    id: str
    folder: Path
    name: str
    run: str
    images: tuple[ProjectImage, ...] = ()
    root: str | None = None
    labels: tuple[str, ...] = ()

    def image(self, number: int) -> ProjectImage:
        """Give an image.

        Raises:
            RunError: there is none of this number.
        """
        if not 0 <= number < len(self.images):
            raise RunError(f"there is no image {number}; the project has {len(self.images)}, counted from 0")
        return self.images[number]

    def json(self) -> dict[str, Any]:
        """Write it."""
        images = [[one.name, one.file, one.width, one.height] for one in self.images]
        return {
            "format": _FORMAT,
            "name": self.name,
            "run": self.run,
            "root": self.root,
            "labels": list(self.labels),
            "images": images,
        }


@dataclass
class Projects:
    """All projects of a server.

    Args:
        folder: where they lie; None for a folder that goes when the server ends.
        limits: how much may lie there.
    """

    folder: Path | None
    limits: Limits
    _made: Path | None = None
    _known: dict[str, tuple[_Stamp, Project]] = field(default_factory=dict[str, "tuple[_Stamp, Project]"], repr=False)
    _sheets: OrderedDict[tuple[str, int], tuple[_Stamp, Sheet]] = field(
        default_factory=OrderedDict[tuple[str, int], "tuple[_Stamp, Sheet]"], repr=False
    )
    _truths: dict[str, tuple[_Stamp, dict[int, tuple[Thing, ...]]]] = field(
        default_factory=dict[str, "tuple[_Stamp, dict[int, tuple[Thing, ...]]]"], repr=False
    )
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def place(self) -> Path:
        """The folder of all projects, made when it is needed.

        Raises:
            DataError: it cannot be made.
        """
        with self._lock, saving():
            if self.folder is not None:
                found = self.folder / FOLDER
            else:
                self._made = self._made or Path(tempfile.mkdtemp(prefix="semicoupled_state_"))
                found = self._made
            found.mkdir(parents=True, exist_ok=True, mode=0o700)
            return found

    def folders(self) -> list[Path]:
        """Give the folders of images and projects that there are; for messages, which must not say them."""
        held = self._made if self.folder is None else self.folder / FOLDER
        found = list(held.iterdir()) if held is not None and held.is_dir() else []
        return [*(path / "images" for path in found), *found]

    def begin(self, name: str, run: str, root: str | None) -> Project:
        """Make an empty project.

        Raises:
            DataError: there is no room for more.
        """
        self._remove_unfinished()
        held = sum(_size(file) for file in self.place.rglob("*"))
        if held > self.limits.uploads_bytes:
            raise DataError(f"the projects hold {held} bytes; expected at most {self.limits.uploads_bytes}. Remove one")
        identifier = secrets.token_hex(16)
        folder = self.place / identifier
        with saving():
            (folder / "images").mkdir(parents=True, mode=0o700)
        return Project(identifier, folder, name[:200], run, root=root)

    def _remove_unfinished(self) -> None:
        """Remove what a server that was killed while it made a project left: nobody can see it, and it takes room."""
        for folder in self.place.iterdir():
            made = _stamp(folder).changed / 1e9
            if _ID.fullmatch(folder.name) and not (folder / "project.json").exists() and made < time.time() - _MAKING:
                log.warning("%s was never finished, and is removed", folder)
                shutil.rmtree(folder, ignore_errors=True)

    def save(self, project: Project) -> None:
        """Write what a project holds.

        Raises:
            DataError: the disk is full, or cannot be written to.
            RunError: the project was removed.
        """
        with self._lock:
            self._known[project.id] = self._write(project, "project.json", project.json()), project

    def all(self) -> list[Project]:
        """Give all projects that can be read, the last one that was changed first."""
        found: list[Project] = []
        for path in self.place.glob("*/project.json"):
            try:
                found.append(self.find(path.parent.name))
            except SemicoupledError as error:  # one that is damaged must not hide the others
                log.warning("%s is left out: %s", path.parent, error)
        return sorted(found, key=self.changed, reverse=True)

    def changed(self, project: Project) -> float:
        """When it was changed last, seconds since 1970."""
        times = (_stamp(file).changed / 1e9 for file in project.folder.glob("*.json"))
        return max(times, default=time.time())

    def find(self, identifier: str) -> Project:
        """Find a project.

        Raises:
            RunError: there is none.
            DataError: what it holds is damaged.
        """
        if not _ID.fullmatch(identifier):
            raise RunError(_NONE)
        with self._lock:
            folder = self.place / identifier
            file = folder / "project.json"
            stamp = _stamp(file)
            if stamp == _NOWHERE:
                raise RunError(_NONE)
            if identifier not in self._known or self._known[identifier][0] != stamp:
                self._known[identifier] = stamp, _load(file, lambda content: _project(folder, content))
            return self._known[identifier][1]

    def remove(self, project: Project) -> None:
        """Remove a project and its own images."""
        with self._lock:
            self._known.pop(project.id, None)
            self._truths.pop(project.id, None)
            for key in [key for key in self._sheets if key[0] == project.id]:
                del self._sheets[key]
            shutil.rmtree(project.folder, ignore_errors=True)

    def sheet(self, project: Project, image: int) -> Sheet:
        """Give an image's drawing.

        Raises:
            RunError: there is no such image.
            DataError: what was saved cannot be read.
        """
        project.image(image)
        key = (project.id, image)
        with self._lock:
            file = project.folder / f"sheet_{image}.json"
            stamp = _stamp(file)
            if key not in self._sheets or self._sheets[key][0] != stamp:
                self._sheets[key] = stamp, Sheet() if stamp == _NOWHERE else _load(file, Sheet.of)
            return self._lately(key)

    def keep(self, project: Project, image: int, sheet: Sheet) -> None:
        """Write an image's drawing.

        Raises:
            DataError: the disk is full, or cannot be written to; what was saved before is still there.
            RunError: the project was removed meanwhile.
        """
        with self._lock:
            stamp = self._write(project, f"sheet_{image}.json", sheet.json())
            self._sheets[project.id, image] = stamp, sheet
            self._lately((project.id, image))

    def _lately(self, key: tuple[str, int]) -> Sheet:
        """Give a drawing that is in memory, and let those go that were not used for longest."""
        self._sheets.move_to_end(key)
        while len(self._sheets) > _SHEETS:
            self._sheets.popitem(last=False)
        return self._sheets[key][1]

    @staticmethod
    def _write(project: Project, name: str, content: object) -> _Stamp:
        if not project.folder.is_dir():
            raise RunError(_NONE)
        with saving():
            write_text(project.folder / name, json.dumps(content, ensure_ascii=False))
        return _stamp(project.folder / name)

    def truth(self, project: Project) -> Mapping[int, tuple[Thing, ...]]:
        """Give the objects that are known to be right, by image.

        Raises:
            DataError: what is known is damaged.
        """
        with self._lock:
            file = project.folder / "truth.json"
            stamp = _stamp(file)
            if project.id not in self._truths or self._truths[project.id][0] != stamp:
                self._truths[project.id] = stamp, {} if stamp == _NOWHERE else _load(file, _truth)
            return self._truths[project.id][1]

    def keep_truth(self, project: Project, truth: Mapping[int, Sequence[Thing]]) -> None:
        """Write what is known to be right; nothing for no truth.

        Raises:
            DataError: see `keep`.
            RunError: the project was removed.
        """
        with self._lock:
            content = {str(image): [thing.json() for thing in things] for image, things in truth.items()}
            stamp = self._write(project, "truth.json", content)
            self._truths[project.id] = stamp, {image: tuple(things) for image, things in truth.items()}

    def labeled(self, project: Project, labels: Sequence[str]) -> Project:
        """Add classes to those that a project knows now, whatever it was when the caller got it."""
        with self._lock:
            project = self.find(project.id)
            known = tuple(dict.fromkeys([*project.labels, *labels]))[:500]
            if known == project.labels:
                return project
            found = replace(project, labels=known)
            self.save(found)
            return found

    def close(self) -> None:
        """Remove a folder that was to live no longer than the server."""
        if self._made is not None:
            shutil.rmtree(self._made, ignore_errors=True)


def _stamp(file: Path) -> _Stamp:
    """Tell a file from what it was before: each change is another file of the same name."""
    try:
        found = file.stat()
    except OSError:
        return _NOWHERE
    return _Stamp(found.st_ino, found.st_size, found.st_mtime_ns)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size if file.is_file() else 0
    except OSError:  # a temporary one that has gone
        return 0


@contextlib.contextmanager
def saving() -> Generator[None]:
    """Say what a disk that takes nothing means.

    Raises:
        DataError: the disk is full, or cannot be written to.
    """
    try:
        yield
    except OSError as error:
        raise DataError(
            f"this cannot be saved ({error.strerror or error}), so nothing was changed; make room where the server "
            "keeps what is drawn (--state), and do it again"
        ) from error


def _project(folder: Path, content: Mapping[str, Any]) -> Project:
    if content["format"] != _FORMAT:
        raise DataError(f"its format is {content['format']!r}, expected {_FORMAT}; was it made by a newer version?")
    images = tuple(ProjectImage(*one) for one in content["images"])
    labels = tuple(content["labels"])
    return Project(folder.name, folder, content["name"], content["run"], images, content["root"], labels)


def _truth(content: Mapping[str, Any]) -> dict[int, tuple[Thing, ...]]:
    return {int(image): tuple(Thing.of(one) for one in things) for image, things in content.items()}


def _load(file: Path, make: Callable[[Any], _Kind]) -> _Kind:
    """Read what was saved.

    Raises:
        DataError: it is damaged.
    """
    try:
        return make(json.loads(file.read_text(encoding="utf-8")))
    except DAMAGE as error:
        raise DataError(
            f"{file.name} of a project cannot be read ({error}); expected what was saved. Bring it back from a "
            "copy, or remove the project"
        ) from error
