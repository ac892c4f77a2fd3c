"""The runs that are served, by a short name that says nothing of where they lie. Imports no torch."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semicoupled.errors import RunError, SemicoupledError, nearest
from semicoupled.run_folder import PRETRAINED, RunFolder, read_run, resolve_run
from semicoupled.settings_file import read_yaml

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServedRun:
    """A run.

    Args:
        name: what clients know it by.
        folder: where it lies.
        settings: as they stand in its file, which holds every one of them; not checked, for pages only.
        shipped: whether it came with the package.
    """

    name: str
    folder: RunFolder
    settings: dict[str, Any]
    shipped: bool

    @property
    def kind(self) -> str:
        """The kind of its model."""
        return str(self.settings.get("model", {}).get("kind", ""))

    @property
    def task(self) -> str:
        """The name of its task."""
        return self.folder.task

    @property
    def ready(self) -> bool:
        """Whether it can be used: its weights are there."""
        return self.folder.weights_file.is_file() and self.folder.description_file.is_file()


class ServedRuns:
    """All runs by name. Folders of runs are looked into again, so that a training that begins later is seen."""

    def __init__(self, given: Sequence[str], *, shipped: bool = True) -> None:
        """Find the runs.

        Args:
            given: run folders, folders that hold some, or ``pretrained[:NAME]``.
            shipped: also those that come with the package.

        Raises:
            RunError: a folder neither is a run nor holds one.
        """
        self._folders: list[Path] = []
        self._single: list[Path] = []
        for name in given:
            path = Path(name)
            if path.is_dir() and not (path / "run.json").is_file():
                if not _children(path):
                    raise RunError(
                        f"{name}: is no run folder, and holds none; expected what `semicoupled train` makes. Give the "
                        "folder that was its --run, or the folder above"
                    )
                self._folders.append(path)
            else:
                self._single.append(resolve_run(name).path)
        self._shipped = [folder for folder in sorted(PRETRAINED.glob("*/*/")) if (folder / "run.json").is_file()]
        if not shipped:
            self._shipped = []
        self._read: dict[Path, tuple[int, dict[str, Any]]] = {}

    def all(self) -> dict[str, ServedRun]:
        """Give the runs by name: the given ones first."""
        found: dict[str, ServedRun] = {}
        paths = [*self._single, *(child for folder in self._folders for child in _children(folder))]
        for path in [*paths, *self._shipped]:
            shipped = path in self._shipped
            base = f"{path.parent.name}-{path.name}" if shipped else path.resolve().name
            name, number = base, 2
            while name in found:
                name, number = f"{base} {number}", number + 1
            try:
                folder = read_run(path)
                settings = self._settings(folder)
            except (SemicoupledError, OSError):
                continue  # it is being written, or is of another version
            found[name] = ServedRun(name, folder, settings, shipped)
        return found

    def _settings(self, folder: RunFolder) -> dict[str, Any]:
        """Read the settings, once as long as the file stays as it is."""
        written = folder.settings_file.stat().st_mtime_ns
        before = self._read.get(folder.path)
        if before is not None and before[0] == written:
            return before[1]
        content = read_yaml(folder.settings_file)
        if not content:
            raise RunError(f"{folder.settings_file}: holds no settings")
        self._read[folder.path] = written, dict(content)
        return self._read[folder.path][1]

    def find(self, name: str, task: str | None = None) -> ServedRun:
        """Find a run by its name.

        Raises:
            RunError: there is none, or it has no weights yet, or is of another task.
        """
        runs = self.all()
        if name not in runs:
            raise RunError(f"there is no run {name[:100]!r}. {nearest(name[:100], runs)}")
        run = runs[name]
        if task is not None and run.task != task:
            raise RunError(f"{name}: is a run of task {run.task!r}; expected {task!r}")
        if not run.ready:
            raise RunError(f"{name}: has no weights yet; expected a training that came to a validation or to its end")
        return run


def _children(folder: Path) -> list[Path]:
    try:
        return [path for path in sorted(folder.iterdir()) if (path / "run.json").is_file()]
    except OSError as error:  # it was moved away meanwhile; the server goes on with what there is
        log.debug("%s: cannot be looked into (%s)", folder, error.strerror)
        return []
