"""What single variants of a study have of their own on the command line: rates, budgets, and being trained once."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from semicoupled.cli.options import Parser, names
from semicoupled.errors import SettingsError, nearest

if TYPE_CHECKING:
    from semicoupled.studies.trials import Variant


class Own(NamedTuple):
    """What single variants have of their own, by a variant's name, or by what it begins with, up to an underscore.

    Attributes:
        rates: learning rates.
        budgets: wall times.
        once: variants that are trained with the first seed alone.
    """

    rates: Mapping[str, str]
    budgets: Mapping[str, str]
    once: Sequence[str]

    def of(self, variants: Sequence[Variant]) -> tuple[Variant, ...]:
        """Give variants with their own learning rates and wall times; of two names that fit the longer one counts.

        Raises:
            SettingsError: something for none of them.
        """
        given = tuple(variants)
        for option, name, values in (
            ("rates", "learning_rate", self.rates),
            ("budgets", "time_budget", self.budgets),
            ("once", "", dict.fromkeys(self.once, "")),
        ):
            for wanted in values:
                if not any(_is_of(wanted, variant) for variant in given):
                    known = nearest(wanted, [variant.name for variant in given])
                    raise SettingsError(f"--{option}: no variant is called {wanted!r}. {known}")
            given = tuple(_with_own(variant, name, values) for variant in given) if name else given
        return given

    def single(self, variants: Sequence[Variant]) -> tuple[str, ...]:
        """Give the names of those variants that are trained once."""
        return tuple(v.name for v in variants if any(_is_of(wanted, v) for wanted in self.once))

    def said(self) -> list[str]:
        """Write it as it was given, fit for a shell."""
        words: list[str] = []
        for option, values in (("rates", self.rates), ("budgets", self.budgets)):
            words += [f"--{option}", ",".join(f"{name}={value}" for name, value in values.items())] if values else []
        return [*words, *(["--once", ",".join(self.once)] if self.once else [])]


def add_own(parser: Parser) -> None:
    """Add ``--rates``, ``--budgets`` and ``--once``; see `Own`."""
    parser.add_argument(
        "--rates",
        type=_pairs,
        default={},
        metavar="VARIANT=RATE,...",
        help="learning rates, found with `semicoupled tune`; convlstm=2e-3 is also convlstm_15's; else the preset's",
    )
    parser.add_argument(
        "--budgets",
        type=_pairs,
        default={},
        metavar="VARIANT=T,...",
        help="wall times of variants that get more or less than --budget; the tables say how long each took",
    )
    parser.add_argument(
        "--once", type=names, default=(), metavar="A,B", help="variants that are trained with the first seed alone"
    )


def own_of(options: argparse.Namespace) -> Own:
    """Give what `add_own` read; with ``--quick`` nobody has a wall time."""
    return Own(options.rates, {} if options.quick else options.budgets, options.once)


def _is_of(name: str, variant: Variant) -> bool:
    return variant.name == name or variant.name.startswith(f"{name}_")


def _with_own(variant: Variant, setting: str, values: Mapping[str, str]) -> Variant:
    wanted = max((name for name in values if _is_of(name, variant)), key=len, default=None)
    if wanted is None:
        return variant
    return dataclasses.replace(variant, options=(*variant.options, f"--training.{setting}={values[wanted]}"))


def _pairs(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and value):
            raise argparse.ArgumentTypeError(f"{part!r}: expected a variant and what it gets, such as cnn=2e-3")
        found[name] = value
    return found
