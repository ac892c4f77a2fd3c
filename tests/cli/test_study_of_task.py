"""What studies of tasks share on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from semicoupled.cli.options import Parser
from semicoupled.cli.study_of_task import check_presets, said_settings
from semicoupled.cli.study_own import Own, add_own, own_of
from semicoupled.errors import SettingsError
from semicoupled.studies.trials import Variant, make_trials

VARIANTS = tuple(Variant(name, name, ("--model.width=8",)) for name in ("cnn", "cnn_lstm", "cnn_lstm_long", "convlstm"))


def own(*arguments: str) -> Own:
    parser = Parser("study any", "", "")
    parser.add_argument("--quick", action="store_true")
    add_own(parser)
    return own_of(parser.parse(arguments))


def test_the_longest_name_that_fits_counts() -> None:
    found = own("--rates", "cnn=1e-3,cnn_lstm=2e-3", "--budgets", "cnn_lstm_long=30m").of(VARIANTS)
    assert [variant.options[1:] for variant in found] == [
        ("--training.learning_rate=1e-3",),
        ("--training.learning_rate=2e-3",),
        ("--training.learning_rate=2e-3", "--training.time_budget=30m"),
        (),
    ]
    assert all(variant.options[0] == "--model.width=8" for variant in found)
    assert not own("--quick", "--budgets", "cnn=30m").budgets


def test_something_for_nobody_is_refused() -> None:
    for option, value in (("rates", "cn=1"), ("budgets", "cn=1m"), ("once", "cn")):
        with pytest.raises(SettingsError, match=rf"--{option}: no variant is called 'cn'\. .*cnn"):
            _ = own(f"--{option}", value).of(VARIANTS)
    with pytest.raises(SettingsError, match="'cnn': expected a variant and what it gets, such as cnn=2e-3"):
        _ = own("--rates", "cnn")


def test_some_are_trained_with_the_first_seed_alone() -> None:
    once = own("--once", "cnn_lstm").single(VARIANTS)
    assert once == ("cnn_lstm", "cnn_lstm_long")
    trials = make_trials(VARIANTS, [3, 4], Path("runs"), lambda variant, seed: (variant, seed), once)  # type: ignore[arg-type, return-value]
    assert [trial.path.name for trial in trials] == [
        *("cnn-3", "cnn_lstm-3", "cnn_lstm_long-3", "convlstm-3"),
        *("cnn-4", "convlstm-4"),
    ]


def test_presets_are_checked() -> None:
    assert check_presets("action", ["lips", "cnn"]) == ("lips", "cnn")
    with pytest.raises(SettingsError, match=r"task action has no preset 'lip'\. Did you mean 'lips'"):
        _ = check_presets("action", ["lip"])


def test_what_was_given_is_said_for_a_shell() -> None:
    said = [*said_settings(["small"], ["--data.labels", "[car, bus]"]), *Own({"cnn": "2e-3"}, {}, ("cnn",)).said()]
    assert " ".join(said) == "--preset small --data.labels '[car, bus]' --rates cnn=2e-3 --once cnn"
