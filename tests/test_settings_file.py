from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import pytest

from semicoupled.errors import SettingsError
from semicoupled.settings_file import (
    differences,
    dump_settings,
    parse_settings,
    read_settings,
    setting_names,
    to_plain,
    write_settings,
)


@dataclass(frozen=True)
class Data:
    """The data.

    Args:
        root: a folder.
        frames: how many.
    """

    root: Path | None = None
    frames: int = 8

    def __post_init__(self) -> None:
        if self.frames < 1:
            raise SettingsError(f"data.frames: expected at least 1, got {self.frames}")


@dataclass(frozen=True)
class Model:
    """The model.

    Args:
        kind: which.
        widths: channels.
    """

    kind: Literal["scs", "cnn_lstm"] = "scs"
    widths: tuple[int, ...] = (16, 16)


@dataclass(frozen=True)
class Settings:
    """All of it.

    Args:
        data: the data.
        model: the model.
        learning_rate: of Adam.
    """

    data: Data = field(default_factory=Data)
    model: Model = field(default_factory=Model)
    learning_rate: float = 1e-3


def yaml(tmp_path: Path, text: str, name: str = "a.yaml") -> Path:
    (tmp_path / name).write_text(text)
    return tmp_path / name


def test_names_are_dotted() -> None:
    assert setting_names(Settings) == ("data.root", "data.frames", "model.kind", "model.widths", "learning_rate")


def test_nothing_given_gives_the_defaults() -> None:
    assert parse_settings(Settings) == Settings()


def test_options_are_read_into_the_fields_types() -> None:
    found = parse_settings(Settings, ["--data.root", "clips", "--model.widths=[1, 2]", "--learning-rate", "3e-4"])
    assert found == Settings(Data(Path("clips")), Model(widths=(1, 2)), 3e-4)


def test_options_win_over_files_and_later_files_over_earlier(tmp_path: Path) -> None:
    first = yaml(tmp_path, "data: {frames: 1}\nmodel: {kind: cnn_lstm}\nlearning_rate: 1e-2\n")
    second = yaml(tmp_path, "data:\n  frames: 2\nlearning_rate: 0.5\n", "b.yaml")
    found = parse_settings(Settings, ["--data.frames", "3"], [first, second])
    assert found == Settings(Data(frames=3), Model("cnn_lstm"), 0.5)


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert read_settings(Settings, yaml(tmp_path, "# nothing\n")) == Settings()


def test_writing_and_reading_loses_nothing(tmp_path: Path) -> None:
    settings = Settings(Data(tmp_path / "ünder score", 3), Model("cnn_lstm", (1, 2, 3)), 1e-7)
    write_settings(tmp_path / "settings.yaml", settings)
    assert read_settings(Settings, tmp_path / "settings.yaml") == settings


def test_the_file_is_plain_yaml_in_the_order_of_the_fields() -> None:
    assert dump_settings(Settings()) == (
        "data:\n  root: null\n  frames: 8\nmodel:\n  kind: scs\n  widths:\n  - 16\n  - 16\nlearning_rate: 0.001\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--model.knid", "scs"],
            r"unknown option '--model\.knid'\. Did you mean '--model\.kind'\? Known: --data\.frames",
        ),
        (["--model.kind", "csc"], r'"model\.kind": there is no \'csc\'\. Did you mean \'scs\'\? Known: cnn_lstm, scs'),
        (["--learning_rate", "quick"], r'"learning_rate": Expected a float\. Got value: quick'),
        (["--learning_rate"], r"--learning_rate: expected one argument"),
        (["--data.frames", "0"], r"data\.frames: expected at least 1, got 0"),
        (["--data", "a.yaml"], r"unknown option '--data'"),
        (["scs"], r"unexpected argument 'scs'; expected options"),
        (["--model.kin=scs"], r"unknown option '--model\.kin'"),
    ],
)
def test_wrong_options_are_refused_with_what_was_meant(arguments: list[str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        parse_settings(Settings, arguments)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model: {knd: scs}", r"a\.yaml: unknown setting 'model\.knd'\. Did you mean 'model\.kind'\?"),
        ("model: 3", r"model is 3; expected settings below it"),
        ("modell: {kind: scs}", r"unknown setting 'modell'"),
        ("- 3", r"holds a list; expected settings"),
        ("a: [", r"a\.yaml: is not YAML"),
        ("model: {kind: csc}", r"Did you mean 'scs'"),
    ],
)
def test_wrong_files_are_refused_with_what_was_meant(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_settings(Settings, yaml(tmp_path, text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.yaml: cannot be read"):
        read_settings(Settings, tmp_path / "none.yaml")


def test_an_unknown_option_names_those_of_the_command_too() -> None:
    with pytest.raises(SettingsError, match="Did you mean '--time-budget'"):
        parse_settings(Settings, ["--time-bugdet", "10m"], others=["--time-budget"])


def test_differences_are_named_one_line_each() -> None:
    one = Settings()
    other = replace(one, data=Data(frames=3), model=Model(widths=(1,)))
    assert differences(one, one) == []
    assert differences(one, other) == ["data.frames: 8 there, 3 now", "model.widths: [16, 16] there, [1] now"]


def test_what_is_no_setting_is_refused() -> None:
    with pytest.raises(TypeError, match="a setting is of type set"):
        to_plain({"a": {1, 2}})
