"""What studies of tasks share on the command line."""

from __future__ import annotations

import pytest

from semicoupled.cli.options import Parser
from semicoupled.cli.study_of_task import add_rates, check_presets, said_settings, with_rates
from semicoupled.errors import SettingsError
from semicoupled.studies import Variant

VARIANTS = tuple(Variant(name, name, ("--model.width=8",)) for name in ("cnn", "cnn_lstm", "cnn_lstm_long", "convlstm"))


def rates(text: str) -> dict[str, float]:
    parser = Parser("study any", "", "")
    add_rates(parser)
    return parser.parse(["--rates", text]).rates


def test_the_nearest_name_gives_the_rate() -> None:
    found = with_rates(VARIANTS, rates("cnn=1e-3,cnn_lstm=2e-3"))
    assert [variant.options[1:] for variant in found] == [
        ("--training.learning_rate=0.001",),
        ("--training.learning_rate=0.002",),
        ("--training.learning_rate=0.002",),
        (),
    ]
    assert all(variant.options[0] == "--model.width=8" for variant in found)


def test_rates_for_nobody_and_no_rates_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"--rates: no variant is called 'cn'\. .*cnn"):
        _ = with_rates(VARIANTS, {"cn": 1.0})
    with pytest.raises(SettingsError, match="'cnn': expected a variant and its rate, such as cnn=2e-3"):
        _ = rates("cnn")


def test_presets_are_checked() -> None:
    assert check_presets("action", ["lips", "cnn"]) == ("lips", "cnn")
    with pytest.raises(SettingsError, match=r"task action has no preset 'lip'\. Did you mean 'lips'"):
        _ = check_presets("action", ["lip"])


def test_what_was_given_is_said_for_a_shell() -> None:
    said = said_settings(["small"], ["--data.labels", "[car, bus]"], {"cnn": 0.002})
    assert " ".join(said) == "--preset small --data.labels '[car, bus]' --rates cnn=0.002"
