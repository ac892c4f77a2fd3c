"""A run folder: everything about one training, and all that is needed to use its model.

run.json             format and task
settings.yaml        every setting, resolved
environment.json     versions and machine that it was begun with
description.json     what the training data looked like (sizes, classes, units)
log.jsonl            one line a record
checkpoints/         to take the training up again
model.safetensors    the best weights
NAME.json            what the task found out once the training had ended (`Task.extras`), if anything
training.lock        empty, locked while a process trains
report.html          for people
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from semicoupled.description import Description, Json
from semicoupled.devices import choose_device
from semicoupled.environment import environment
from semicoupled.errors import RunError, SettingsError, nearest
from semicoupled.files import replacing_folder, write_text
from semicoupled.find_task import find_task, predict_options, settings_class, task_folders
from semicoupled.settings_file import differences, read_settings, write_settings
from semicoupled.task import Task
from semicoupled.task_parts import TaskModel, TaskSettings
from semicoupled.task_requests import PredictRequest

if TYPE_CHECKING:
    from torch import nn

    from semicoupled.training.progress import Progress

FORMAT = 1
PRETRAINED = Path(__file__).parent / "weights"


@dataclass(frozen=True)
class RunFolder:
    """The paths of a run.

    Args:
        path: the folder.
        task: the name of its task.
    """

    path: Path
    task: str

    @property
    def settings_file(self) -> Path:
        """Every setting, resolved."""
        return self.path / "settings.yaml"

    @property
    def description_file(self) -> Path:
        """What the training data looked like."""
        return self.path / "description.json"

    @property
    def weights_file(self) -> Path:
        """The best weights."""
        return self.path / "model.safetensors"

    @property
    def report_file(self) -> Path:
        """The report for people."""
        return self.path / "report.html"

    def settings(self) -> TaskSettings:
        """Read its settings."""
        return read_settings(settings_class(self.task), self.settings_file)

    def description(self) -> Description:
        """Read the description of its training data.

        Raises:
            RunError: there is none, because the training has not begun.
        """
        return _read_json(self.description_file, "a training that has begun; run `semicoupled train` with this --run")

    def write_description(self, description: Description) -> None:
        """Write the description of its training data."""
        write_text(self.description_file, json.dumps(description, indent=1) + "\n")

    def extras(self, names: Iterable[str]) -> dict[str, Json]:
        """Read what the task found out once the training had ended, as far as it is there; see `Task.extras`.

        Raises:
            RunError: a file is broken.
        """
        files = {name: self.path / f"{name}.json" for name in names}
        expected = "what the training wrote at its end; run `semicoupled train` with this --run again"
        return {name: _read_json(file, expected) for name, file in files.items() if file.exists()}

    def write_extra(self, name: str, content: Json) -> None:
        """Write what the task found out once the training had ended."""
        write_text(self.path / f"{name}.json", json.dumps(content, indent=1, allow_nan=False) + "\n")


@dataclass(frozen=True)
class LoadedRun:
    """A trained model with all that it needs.

    Args:
        folder: where it came from.
        task: its task.
        settings: what it was trained with.
        description: what its training data looked like, and what was found out once it was trained (`Task.extras`).
        model: the network with its best weights, in eval mode.
    """

    folder: RunFolder
    task: Task[Any]
    settings: TaskSettings
    description: Description
    model: TaskModel

    def predict(
        self,
        inputs: Path | str | Sequence[Path | str],
        out: Path | str | Sequence[Path | str],
        progress: Progress | None = None,
        **options: object,
    ) -> list[Path]:
        """Predict from files.

        Args:
            inputs: files or folders that the task reads.
            out: the file or folder to write to, or several where the task writes several.
            progress: who is told how far it is.
            **options: the task's own, as ``semicoupled predict TASK --help`` lists them: ``lead=60``.

        Returns:
            The files that were written.

        Raises:
            SettingsError: an option that the task does not have.
        """
        return list(self.predicting(PredictRequest(_paths(inputs), _paths(out), self._options(options), progress)))

    def predicting(self, request: PredictRequest) -> Iterator[Path]:
        """Predict, and give the files as they are written; see `Predictor.predict`."""
        yield from self.task.predictor(self.settings, self.description, self.model).predict(request)

    def _options(self, options: Mapping[str, object]) -> object:
        cls = predict_options(self.task.name)
        known = [field.name for field in fields(cls)]
        for name in options:
            if name not in known:
                raise SettingsError(f"task {self.task.name} has no option {name!r} of predict. {nearest(name, known)}")
        return cls(**options)


def open_run(path: Path, task: str, settings: TaskSettings) -> RunFolder:
    """Begin a run, or take one up again if its settings agree.

    Args:
        path: the folder; it may not exist yet, or be empty.
        task: the task's name.
        settings: what is asked for now.

    Raises:
        RunError: the folder holds something else, or a run of another task or with other settings.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        folder = read_run(path, task)
        if not folder.description_file.exists():  # it failed before its training began, at its data for example
            write_settings(folder.settings_file, settings)
        different = differences(folder.settings(), settings)
        if different:
            lines = "\n".join(f"  {line}" for line in different)
            raise RunError(
                f"{path}: was begun with other settings:\n{lines}\n"
                "Give the settings that it was begun with to take it up again, or choose another --run"
            )
        return folder
    with replacing_folder(path) as made:  # so that a run folder is never there in part
        write_text(made / "run.json", json.dumps({"format": FORMAT, "task": task}) + "\n")
        write_settings(made / "settings.yaml", settings)
        write_text(made / "environment.json", json.dumps(environment(), indent=1) + "\n")
    return RunFolder(path, task)


def read_run(path: Path, task: str | None = None) -> RunFolder:
    """Find the run in a folder.

    Args:
        path: the folder.
        task: the task that it is expected to be of; None for any.

    Raises:
        RunError: no run folder, a newer format, or another task.
    """
    if not path.is_dir():
        raise RunError(f"{path}: no such folder; expected a run folder, as `semicoupled train` makes it")
    about = _read_json(path / "run.json", "a run folder, as `semicoupled train` makes it")
    if about.get("format") != FORMAT:
        raise RunError(f"{path}: is of format {about.get('format')!r}; this version reads format {FORMAT}. Update it")
    name = str(about.get("task"))
    if name not in task_folders():
        raise RunError(f"{path}: is of task {name!r}, which is not there. {nearest(name, task_folders())}")
    if task is not None and name != task:
        raise RunError(f"{path}: is a run of task {name!r}; expected {task!r}")
    return RunFolder(path, name)


def resolve_run(run: Path | str, task: str | None = None) -> RunFolder:
    """Find a run by its folder, or one that comes with the package by ``pretrained[:name]``.

    Args:
        run: the folder, or ``"pretrained"``, or ``"pretrained:name"``.
        task: the task that it is expected to be of; None for any.

    Raises:
        RunError: no such run.
    """
    kind, _, name = str(run).partition(":")
    if kind != "pretrained" or Path(run).exists():
        return read_run(Path(run), task)
    known = {f"{folder.parent.name}/{folder.name}": folder for folder in sorted(PRETRAINED.glob("*/*/"))}
    if task is not None:
        known = {key: folder for key, folder in known.items() if folder.parent.name == task}
    fitting = [folder for key, folder in known.items() if name in ("", folder.name, key)]
    if len(fitting) == 1:
        return read_run(fitting[0], task)
    of_task = "" if task is None else f" of task {task!r}"
    if not fitting:
        names = {folder.name for folder in known.values()}
        raise RunError(f"there is no pretrained model {name!r}{of_task}. {nearest(name, names)}")
    raise RunError(f"{run!s}: several pretrained models{of_task}; say which: pretrained:NAME. {nearest(name, known)}")


def load(run: Path | str, device: str = "auto", task: str | None = None) -> LoadedRun:
    """Load a trained model.

    Args:
        run: a run folder, or ``"pretrained[:name]"``.
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
        task: the task that the run is expected to be of; None for any.

    Raises:
        RunError: no such run, or its weights do not fit.
    """
    from semicoupled.training.weights import load_weights

    folder = resolve_run(run, task)
    found, settings, description = find_task(folder.task), folder.settings(), folder.description()
    model = found.build(settings, description)
    network = cast("nn.Module", model)
    load_weights(folder.weights_file, network)
    network.to(choose_device(device)).eval()
    return LoadedRun(folder, found, settings, {**description, **folder.extras(found.extras)}, model)


def _paths(given: Path | str | Sequence[Path | str]) -> list[Path]:
    return [Path(given)] if isinstance(given, (str, Path)) else [Path(name) for name in given]


def _read_json(file: Path, expected: str) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise RunError(f"{file.parent}: has no {file.name}; expected {expected}") from error
    except (ValueError, RecursionError) as error:
        raise RunError(f"{file}: is broken ({error}); expected {expected}") from error
    if not isinstance(content, dict):
        raise RunError(f"{file}: holds a {type(content).__name__}; expected {expected}")
    return cast("dict[str, Any]", content)
