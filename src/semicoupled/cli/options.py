"""Options of the commands: a parser that fails with our errors, and the options that all commands share."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, NoReturn

from semicoupled.errors import SettingsError, nearest

if TYPE_CHECKING:
    import torch

PRECISIONS = ("auto", "float32", "bf16")


class Parser(argparse.ArgumentParser):
    """An argparse parser that raises `SettingsError`, knows the nearest name, and takes underscores for dashes.

    Args:
        prog: the command, ``"train"``.
        usage: what follows it.
        description: one sentence.
    """

    def __init__(self, prog: str, usage: str, description: str) -> None:
        name = f"semicoupled {prog}"
        super().__init__(prog=name, usage=f"{name} {usage}", description=description, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Refuse; argparse calls this.

        Raises:
            SettingsError: always, with what is wrong and where help is.
        """
        raise SettingsError(f"{self.prog}: {message}. See `{self.prog} --help`")

    def options(self) -> tuple[str, ...]:
        """Give the names of its options, ``--`` included."""
        return tuple(name for name in self._option_string_actions if name.startswith("--"))

    def parse(self, arguments: Sequence[str], *, intermixed: bool = False) -> argparse.Namespace:
        """Parse all arguments.

        Args:
            arguments: what follows the command.
            intermixed: options may stand between arguments of which there can be any number.

        Raises:
            SettingsError: an unknown option, a missing argument, a value of the wrong kind.
        """
        read = self.parse_known_intermixed_args if intermixed else self.parse_known_args
        found, rest = read([dashed(argument) for argument in arguments])
        for argument in rest:
            if argument.startswith("-"):
                name = argument.partition("=")[0]
                raise SettingsError(f"{self.prog}: unknown option {name!r}. {nearest(name, self.options())}")
            self.error(f"unexpected argument {argument!r}")
        return found

    def split(self, arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
        """Parse the arguments that it knows, and hand the others on in their order."""
        return self.parse_known_args(
            [
                dashed(argument) if dashed(argument).partition("=")[0] in self.options() else argument
                for argument in arguments
            ]
        )


def add_computing(parser: Parser) -> None:
    """Add ``--device``, ``--precision`` and ``--workers``."""
    group = parser.add_argument_group("computing")
    group.add_argument("--device", default="auto", help="auto (a GPU if there is one), cpu, cuda, or cuda:N")
    group.add_argument(
        "--precision", default="auto", choices=PRECISIONS, help="of the convolutions (default: %(default)s)"
    )
    group.add_argument("--workers", type=count, default=0, help="processes that load data; 0 loads in this one")


def dashed(argument: str) -> str:
    """Write the name of an option with dashes: ``--time_budget=10m`` becomes ``--time-budget=10m``."""
    if not argument.startswith("--"):
        return argument
    name, equals, value = argument.partition("=")
    return name.replace("_", "-") + equals + value


def count(text: str) -> int:
    """Read a whole number from 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0")
    return int(text)


def numbers(text: str) -> tuple[float, ...]:
    """Read numbers parted by commas, ``3e-4,1e-3``."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: expected numbers parted by commas, such as 3e-4,1e-3") from error


def names(text: str) -> tuple[str, ...]:
    """Read names parted by commas, ``semicoupled,convlstm``."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """Compute in the precision named by ``--precision`` (inference: ``auto`` is float32)."""
    import torch

    if precision == "bf16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()
