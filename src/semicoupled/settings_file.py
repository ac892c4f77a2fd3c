"""Settings: frozen dataclasses on one side, YAML files and ``--name value`` on the other.

Files are laid over the defaults in order, options over the files. A name that does not exist is never ignored.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar, cast, get_type_hints

import yaml
from jsonargparse import ArgumentError, ArgumentParser

from semicoupled.errors import SettingsError, nearest
from semicoupled.files import write_text

T = TypeVar("T")

MOST_BYTES = 2**18
"""Of a file of settings; ours have about 3000."""
DEEPEST = 50
"""Brackets that are open at a time: what reads YAML takes time with the square of it."""


def settings_parser(cls: type[object], prog: str = "semicoupled") -> ArgumentParser:
    """Make the parser of a settings class: an option for each field, nested ones with a dot.

    Args:
        cls: a frozen dataclass whose fields are plain values or such dataclasses.
        prog: what usage and errors call the program.
    """
    parser = ArgumentParser(prog=prog, exit_on_error=False, allow_abbrev=False, add_help=False)
    parser.add_argument("--config", action="config", help="YAML file of settings")
    parser.add_class_arguments(cls)
    return parser


_known_parser = lru_cache(maxsize=None)(settings_parser)
"""A parser is made once a class: making it takes longer than what it then does."""
_one_at_a_time = Lock()
"""A parser is not for several threads at once."""


def parse_settings(
    cls: type[T], arguments: Sequence[str] = (), files: Sequence[Path] = (), others: Sequence[str] = ()
) -> T:
    """Make settings from YAML files and options.

    Args:
        cls: the settings class. Its class attribute ``retired``, if it has one, says of names that are no more what
            to write instead.
        arguments: options, ``["--model.kind", "scs", "--training.steps=400"]``; dashes in names count as underscores.
        files: YAML files, laid over the defaults in order, below the options.
        others: options that the caller took out before; an error on an unknown one names them, too.

    Raises:
        SettingsError: an unknown name, or a value of the wrong kind.
    """
    names = setting_names(cls)
    retired: Mapping[str, str] = getattr(cls, "retired", {})
    contents = {file: read_yaml(file) for file in files}
    for file, content in contents.items():
        for name in _keys(content, names):
            if name not in names:
                raise SettingsError(f"{file}: unknown setting {name!r}. {retired.get(name) or nearest(name, names)}")
    arguments = [_underscored(argument) for argument in arguments]
    _check_options(arguments, names, others, retired)
    # jsonargparse takes an empty file for an error
    tokens = [token for file in files if contents[file] for token in ("--config", str(file))] + arguments
    try:
        with _one_at_a_time:
            parser = _known_parser(cls)
            values = parser.instantiate(parser.parse_args(tokens))
        return cls(**{name.name: values[name.name] for name in dataclasses.fields(cast(Any, cls))})
    except SettingsError:
        raise
    except (
        ArgumentError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        raise SettingsError(_sentence(error)) from error


def read_yaml(file: Path) -> Mapping[str, object]:
    """Read a YAML file of settings: plain values, no objects, no references within it.

    Raises:
        SettingsError: it cannot be read, is far too long, refers to parts of itself (a few lines can so stand for more
            than any memory holds), or holds no settings.
    """
    try:
        if file.stat().st_size > MOST_BYTES:
            raise SettingsError(f"{file}: has {file.stat().st_size} bytes; expected settings of at most {MOST_BYTES}")
        text = file.read_text(encoding="utf-8")
        _check_depth(file, text)
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise SettingsError(f"{file}: refers to *{event.anchor}; expected every setting written out")
        content = yaml.safe_load(text)
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read ({error.strerror}); expected a YAML file of settings") from error
    except SettingsError:
        raise
    except (yaml.YAMLError, ValueError, TypeError, LookupError, RecursionError) as error:  # a date may be none, too
        raise SettingsError(f"{file}: is not YAML: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, Mapping):
        raise SettingsError(f"{file}: holds a {type(content).__name__}; expected settings, one `name: value` a line")
    return cast("Mapping[str, object]", content)


def _check_depth(file: Path, text: str) -> None:
    depth = 0
    for bracket in re.findall(r"[\[\]{}]", text):
        depth = depth + 1 if bracket in "[{" else max(0, depth - 1)
        if depth > DEEPEST:
            raise SettingsError(f"{file}: is not YAML: more than {DEEPEST} brackets are open; expected plain settings")


def read_settings(cls: type[T], file: Path) -> T:
    """Read settings from a YAML file.

    Raises:
        SettingsError: no such file, an unknown name, or a value of the wrong kind.
    """
    return parse_settings(cls, files=[file])


def write_settings(file: Path, settings: object) -> None:
    """Write settings to a YAML file, whole or not at all."""
    write_text(file, dump_settings(settings))


def dump_settings(settings: object) -> str:
    """Give settings as YAML text, every field resolved."""
    return yaml.safe_dump(to_plain(settings), sort_keys=False, allow_unicode=True)


def to_plain(value: object) -> Any:
    """Turn settings into what YAML and JSON know: dictionaries, lists, numbers, strings.

    Raises:
        TypeError: something else stands in them.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    if isinstance(value, Path):
        return value.as_posix()
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise TypeError(f"a setting is of type {type(value).__name__}; expected a plain value or a dataclass of such")


def differences(old: object, new: object) -> list[str]:
    """Name the settings in which two objects of the same class differ, one line each."""
    before, after = dict(_leaves(to_plain(old))), dict(_leaves(to_plain(new)))
    lines: list[str] = []
    for name in dict.fromkeys([*before, *after]):
        one, other = before.get(name, "(absent)"), after.get(name, "(absent)")
        if one != other:
            lines.append(f"{name}: {one} there, {other} now")
    return lines


def setting_names(cls: type[object]) -> tuple[str, ...]:
    """Give the dotted names of all settings of a class, groups of settings left out."""
    hints = get_type_hints(cls)
    names: list[str] = []
    for field in dataclasses.fields(cast(Any, cls)):
        kind = hints[field.name]
        below = setting_names(kind) if isinstance(kind, type) and dataclasses.is_dataclass(kind) else ()
        names.extend([f"{field.name}.{name}" for name in below] or [field.name])
    return tuple(names)


def _underscored(argument: str) -> str:
    if not argument.startswith("--"):
        return argument
    name, equals, value = argument[2:].partition("=")
    return "--" + name.replace("-", "_") + equals + value


def _check_options(
    arguments: Sequence[str], names: Sequence[str], others: Sequence[str], retired: Mapping[str, str]
) -> None:
    if arguments and not arguments[0].startswith("--"):
        raise SettingsError(f"unexpected argument {arguments[0]!r}; expected options: --name value, or --name=value")
    known = [f"--{name}" for name in names]
    for argument in arguments:
        name = argument.partition("=")[0]
        if name.startswith("--") and name not in known:
            why = retired.get(name[2:]) or nearest(name, [*known, *others])
            raise SettingsError(f"unknown option {name!r}. {why}")


def _keys(content: Mapping[str, object], names: Sequence[str], prefix: str = "") -> Iterator[str]:
    """Walk down to settings, or to the first key that leads to none."""
    for key, value in content.items():
        name = f"{prefix}{key}"
        if not any(other.startswith(f"{name}.") for other in names):
            yield name
        elif isinstance(value, Mapping):
            yield from _keys(cast("Mapping[str, object]", value), names, f"{name}.")
        elif value is not None:
            raise SettingsError(f"{name} is {value!r}; expected settings below it, one `name: value` a line")


def _leaves(value: Any, prefix: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, dict) and value:
        for key, item in cast("dict[str, object]", value).items():
            yield from _leaves(item, f"{prefix}.{key}" if prefix else key)
    else:
        yield prefix, value


def _sentence(error: Exception) -> str:
    """Turn jsonargparse's wording into ours: no Python types, and the nearest of the values that are allowed."""
    text = " ".join(str(error).split()).replace("Parser key ", "setting ")
    text = re.sub(r"<class '(?:\w+\.)*(\w+)'>", r"\1", text)
    choice = re.search(r"Expected an? typing\.Literal\[(.*?)\]\. Got value: (.*)", text)
    if choice is None:  # one of some words, or null
        choice = re.search(
            r"Does not validate.*?Subtypes: \[(?:NoneType, )?typing\.Literal\[(.*?)\](?:, NoneType)?\]"
            r".*? Given value: (.*?)(?: Given value type: .*)?$",
            text,
        )
    if choice is None:
        return text
    known = [item.strip().strip("'") for item in choice[1].split(",")]
    return f"{text[: choice.start()]}there is no {choice[2]!r}. {nearest(choice[2], known)}"
