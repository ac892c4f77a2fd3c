"""A task's settings on the command line: defaults, then a preset, then a file, then options; the later ones win."""

from __future__ import annotations

from argparse import SUPPRESS, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_type_hints

from semicoupled.cli.options import Parser
from semicoupled.errors import SettingsError, nearest
from semicoupled.find_task import settings_class, task_folders
from semicoupled.settings_file import parse_settings, setting_names, settings_parser
from semicoupled.task_parts import TaskSettings

T = TypeVar("T")
OF_TASK = "of_task_"


class Chosen(NamedTuple):
    """A task and the rest of the arguments.

    Attributes:
        task: its name.
        rest: what was not read yet.
    """

    task: str
    rest: list[str]


def choose_task(parser: Parser, arguments: Sequence[str], *, with_settings: bool = False) -> Chosen | None:
    """Take the task's name from the front of the arguments.

    Args:
        parser: of the command.
        arguments: of the command.
        with_settings: the settings of the task are options, too, so that help lists them.

    Returns:
        None if help was asked for; it is then printed. Without settings the command prints that of a task itself.

    Raises:
        SettingsError: no name, or no such task.
    """
    first = arguments[0] if arguments else ""
    if first in ("-h", "--help"):
        print(f"{parser.format_help()}\ntasks: {', '.join(task_folders())}")
        print(f"`{parser.prog} TASK --help` lists the settings of a task and its presets.")
        return None
    if not first or first.startswith("-"):
        parser.error(f"the task comes first; tasks: {', '.join(task_folders())}")
    settings_class(first)
    if with_settings and {"-h", "--help"} & set(arguments):
        print(f"{parser.format_help()}\n{settings_help(first)}", end="")
        return None
    return Chosen(first, list(arguments[1:]))


def add_settings(parser: Parser) -> None:
    """Add ``--preset`` and ``--config``."""
    parser.add_argument(
        "--preset",
        action="append",
        default=[],
        metavar="NAME",
        help="settings that come with the task",
    )
    parser.add_argument("--config", type=Path, action="append", default=[], metavar="F", help="YAML file of settings")


def resolve_settings(
    task: str, presets: Sequence[str], files: Sequence[Path], arguments: Sequence[str], parser: Parser
) -> TaskSettings:
    """Make the settings of a task from what the command line gave.

    Args:
        task: its name.
        presets: names of presets, the later ones laid over the earlier.
        files: YAML files.
        arguments: options, which win.
        parser: of the command, whose own options are named, too, where an option is unknown.

    Raises:
        SettingsError: an unknown preset or setting, or a value of the wrong kind.
    """
    packaged = [_preset_file(task, preset) for preset in presets]
    return parse_settings(settings_class(task), arguments, [*packaged, *files], parser.options())


def preset_files(task: str) -> dict[str, Path]:
    """Give the presets that come with a task, by name."""
    return {file.stem: file for file in sorted((task_folders()[task] / "presets").glob("*.yaml"))}


def presets_for(task: str, presets: Sequence[str], kind: str) -> list[str]:
    """Give presets with what a kind of model needs laid over them: the preset of its name, and those of both together.

    So ``which_way`` for ``cnn_lstm`` is ``which_way``, ``cnn_lstm`` and ``which_way_cnn_lstm``, as far as they exist.

    Args:
        task: whose presets.
        presets: that were chosen.
        kind: of the model.
    """
    known = preset_files(task)
    return [*presets, *(name for name in (kind, *(f"{preset}_{kind}" for preset in presets)) if name in known)]


def settings_help(task: str) -> str:
    """Give the help on the settings of a task."""
    cls = settings_class(task)
    names = setting_names(cls)
    parser = settings_parser(cls)
    parser.usage = SUPPRESS
    for action in parser._actions:
        if action.dest not in names:  # a group of settings: jsonargparse would take a file for it, we do not
            action.help = SUPPRESS
    presets = ", ".join(preset_files(task)) or "none"
    return f"{parser.format_help()}\npresets of {task}: {presets}\n"


def add_task_options(parser: Parser, task: str, cls: type[object]) -> None:
    """Add an option for each field of a task's options; see `read_task_options`.

    Args:
        parser: of the command.
        task: its name.
        cls: a frozen dataclass of plain values.
    """
    names = setting_names(cls)
    if not names:
        return
    group = parser.add_argument_group(f"options of {task}")
    hints = get_type_hints(cls)
    known = {action.dest: action for action in settings_parser(cls)._actions}
    for name in names:
        flag: dict[str, Any] = {"nargs": "?", "const": "true"} if hints[name] is bool else {}
        group.add_argument(
            f"--{name.replace('_', '-')}", dest=f"{OF_TASK}{name}", help=str(known[name].help), metavar="VALUE", **flag
        )


def read_task_options(cls: type[T], found: Namespace) -> T:
    """Make a task's options from what was parsed.

    Raises:
        SettingsError: a value of the wrong kind.
    """
    given = {name: getattr(found, f"{OF_TASK}{name}") for name in setting_names(cls)}
    return parse_settings(cls, [f"--{name}={value}" for name, value in given.items() if value is not None])


def _preset_file(task: str, name: str) -> Path:
    known = preset_files(task)
    if name not in known:
        raise SettingsError(f"task {task} has no preset {name!r}. {nearest(name, known)}")
    return known[name]
