from __future__ import annotations

import pytest
import torch

from semicoupled.cli.options import Parser, add_computing, autocast, dashed
from semicoupled.errors import SettingsError


@pytest.fixture
def parser() -> Parser:
    parser = Parser("bake", "CAKE ...", "Bake.")
    parser.add_argument("cake")
    parser.add_argument("--time-budget")
    add_computing(parser)
    return parser


def test_underscores_count_as_dashes(parser: Parser) -> None:
    assert parser.parse(["a", "--time_budget=10m"]).time_budget == "10m"
    assert parser.parse(["a", "--time-budget", "a_b"]).time_budget == "a_b"
    assert dashed("--a_b=c_d") == "--a-b=c_d"
    assert dashed("a_b") == "a_b"


def test_the_same_defaults_hold_everywhere(parser: Parser) -> None:
    found = parser.parse(["a"])
    assert (found.device, found.precision, found.workers) == ("auto", "auto", 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["a", "--time-bugdet", "3"],
            r"unknown option '--time-bugdet'\. Did you mean '--time-budget'\? Known: --device",
        ),
        (["a", "--dev=cpu"], r"unknown option '--dev'\."),
        (["a", "b"], r"unexpected argument 'b'\. See `semicoupled bake --help`"),
        ([], r"the following arguments are required: cake"),
        (["a", "--workers", "-1"], r"--workers: '-1' is no whole number from 0|expected one argument"),
        (["a", "--workers", "two"], r"--workers: 'two' is no whole number from 0"),
        (["a", "--precision", "fp16"], r"invalid choice: 'fp16'"),
    ],
)
def test_wrong_options_are_refused(parser: Parser, arguments: list[str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        parser.parse(arguments)


def test_unknown_options_are_handed_on_in_their_order(parser: Parser) -> None:
    found, rest = parser.split(["cake", "--model.kind", "scs", "--device=cpu", "--rate_x=-3e-4", "--betas", "[1, 2]"])
    assert (found.cake, found.device) == ("cake", "cpu")
    assert rest == ["--model.kind", "scs", "--rate_x=-3e-4", "--betas", "[1, 2]"]


def test_precision_is_that_of_convolutions() -> None:
    layer = torch.nn.Conv2d(1, 1, 1)
    for name, expected in (("auto", torch.float32), ("float32", torch.float32), ("bf16", torch.bfloat16)):
        with autocast(torch.device("cpu"), name):
            assert layer(torch.zeros(1, 1, 2, 2)).dtype == expected
