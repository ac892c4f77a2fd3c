"""What people draw, on disk: every change is written before it is answered, so that no crash loses one.

A project is a folder under the server's state folder, named by a random number: what is in it (`project.json`), each
image's drawing (`sheet_N.json`), the truth, where it is known (`truth.json`), and the images that were dropped
(`images/`). Images below a root stay where they are.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from semicoupled.errors import DataError, RunError
from semicoupled.files import write_text
from semicoupled.serving.outline_document import Sheet, Thing
from semicoupled.serving.settings import Limits

_ID = re.compile(r"[0-9a-f]{32}")
FOLDER = "outline"
_SHEETS = 64
"""Drawings that are kept in memory; all are on disk."""


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
            "format": 1,
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
    _known: dict[str, Project] = field(default_factory=dict[str, Project], repr=False)
    _sheets: OrderedDict[tuple[str, int], Sheet] = field(
        default_factory=OrderedDict[tuple[str, int], Sheet], repr=False
    )
    _truths: dict[str, dict[int, tuple[Thing, ...]]] = field(
        default_factory=dict[str, dict[int, tuple[Thing, ...]]], repr=False
    )
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def place(self) -> Path:
        """The folder of all projects, made when it is needed."""
        with self._lock:
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
        held = sum(file.stat().st_size for file in self.place.rglob("*") if file.is_file())
        if held > self.limits.uploads_bytes:
            raise DataError(f"the projects hold {held} bytes; expected at most {self.limits.uploads_bytes}. Remove one")
        identifier = secrets.token_hex(16)
        folder = self.place / identifier
        (folder / "images").mkdir(parents=True, mode=0o700)
        return Project(identifier, folder, name[:200], run, root=root)

    def save(self, project: Project) -> None:
        """Write what a project holds."""
        with self._lock:
            write_text(project.folder / "project.json", json.dumps(project.json(), ensure_ascii=False))
            self._known[project.id] = project

    def all(self) -> list[Project]:
        """Give all projects, the last one that was changed first."""
        ids = [path.parent.name for path in self.place.glob("*/project.json") if _ID.fullmatch(path.parent.name)]
        return sorted((self.find(identifier) for identifier in ids), key=self.changed, reverse=True)

    def changed(self, project: Project) -> float:
        """When it was changed last, seconds since 1970."""
        return max((file.stat().st_mtime for file in project.folder.glob("*.json")), default=time.time())

    def find(self, identifier: str) -> Project:
        """Find a project.

        Raises:
            RunError: there is none.
        """
        with self._lock:
            if identifier in self._known:
                return self._known[identifier]
            file = self.place / identifier / "project.json"
            if not _ID.fullmatch(identifier) or not file.is_file():
                raise RunError("there is no such project any more; open the images again")
            content = _load(file)
            images = tuple(ProjectImage(*one) for one in content["images"])
            project = Project(
                identifier,
                file.parent,
                content["name"],
                content["run"],
                images,
                content["root"],
                tuple(content["labels"]),
            )
            self._known[identifier] = project
            return project

    def remove(self, project: Project) -> None:
        """Remove a project and its own images."""
        with self._lock:
            self._known.pop(project.id, None)
            self._truths.pop(project.id, None)
            for key in [key for key in self._sheets if key[0] == project.id]:
                del self._sheets[key]
            shutil.rmtree(project.folder, ignore_errors=True)

    def sheet(self, project: Project, image: int) -> Sheet:
        """Give an image's drawing."""
        project.image(image)
        key = (project.id, image)
        with self._lock:
            if key not in self._sheets:
                file = project.folder / f"sheet_{image}.json"
                self._sheets[key] = Sheet.of(_load(file)) if file.is_file() else Sheet()
            return self._lately(key)

    def keep(self, project: Project, image: int, sheet: Sheet) -> None:
        """Write an image's drawing."""
        with self._lock:
            write_text(project.folder / f"sheet_{image}.json", json.dumps(sheet.json()))
            self._sheets[project.id, image] = sheet
            self._lately((project.id, image))

    def _lately(self, key: tuple[str, int]) -> Sheet:
        """Give a drawing that is in memory, and let those go that were not used for longest."""
        self._sheets.move_to_end(key)
        while len(self._sheets) > _SHEETS:
            self._sheets.popitem(last=False)
        return self._sheets[key]

    def truth(self, project: Project) -> Mapping[int, tuple[Thing, ...]]:
        """Give the objects that are known to be right, by image."""
        with self._lock:
            if project.id not in self._truths:
                file = project.folder / "truth.json"
                content = _load(file) if file.is_file() else {}
                self._truths[project.id] = {
                    int(image): tuple(Thing.of(one) for one in things) for image, things in content.items()
                }
            return self._truths[project.id]

    def keep_truth(self, project: Project, truth: Mapping[int, Sequence[Thing]]) -> None:
        """Write what is known to be right; nothing for no truth."""
        with self._lock:
            content = {str(image): [thing.json() for thing in things] for image, things in truth.items()}
            write_text(project.folder / "truth.json", json.dumps(content))
            self._truths[project.id] = {image: tuple(things) for image, things in truth.items()}

    def labeled(self, project: Project, labels: Sequence[str]) -> Project:
        """Add classes to those that a project knows."""
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


def _load(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{file.name} of a project cannot be read ({error}); expected what was saved") from error
