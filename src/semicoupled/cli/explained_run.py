"""What the topics of ``semicoupled explain`` that look at a trained run have in common."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from semicoupled.cli.options import Parser, add_computing, count

if TYPE_CHECKING:
    from torch import nn

    from semicoupled.report import Section
    from semicoupled.rows import Row
    from semicoupled.run_folder import LoadedRun


@dataclass(frozen=True)
class ExplainedRun:
    """A loaded run and its validation split.

    Args:
        topic: what is explained.
        options: of the command.
        loaded: the run.
        data: its validation split.
    """

    topic: str
    options: argparse.Namespace
    loaded: LoadedRun
    data: Any

    @property
    def network(self) -> nn.Module:
        """The model, as torch knows it."""
        return cast("nn.Module", self.loaded.model)

    def batches(self, indices: Sequence[int]) -> Iterator[Any]:
        """Give samples of the validation split in batches, on the model's device.

        Args:
            indices: which ones; those beyond the end are left out.
        """
        from semicoupled.explain.samples import batches

        return batches(self.network, self.data, indices)

    def write(self, sections: Sequence[Section], rows: Sequence[Row]) -> None:
        """Write the report, and the scores if ``--json`` was given, and say where they are."""
        from semicoupled.report import write_report
        from semicoupled.rows import write_rows

        path = self.options.out or self.loaded.folder.path / f"{self.topic}.html"
        write_report(path, f"{self.topic}: {self.loaded.folder.path.name}", sections)
        if self.options.json is not None:
            write_rows(self.options.json, self.loaded.task.name, "validation", rows)
        print(f"report: {path}")


def run_parser(topic: str, description: str, samples: int) -> Parser:
    """Make the parser of a topic.

    Args:
        topic: what is explained.
        description: one sentence.
        samples: how many of the validation split are looked at by default.
    """
    parser = Parser(f"explain {topic}", "RUN [--samples N] [--out F.html] [--json F] ...", description)
    parser.add_argument("run", metavar="RUN", help="a run folder, or pretrained[:NAME]")
    parser.add_argument(
        "--samples", type=count, default=samples, metavar="N", help="samples of the validation split (%(default)s)"
    )
    parser.add_argument("--out", type=Path, metavar="F", help="the report; by default TOPIC.html in the run folder")
    parser.add_argument("--json", type=Path, metavar="F", help="also write the numbers to this file")
    add_computing(parser)
    return parser


def open_explained(topic: str, options: argparse.Namespace) -> ExplainedRun:
    """Load the run that the options name, and its validation split."""
    from semicoupled.run_folder import load

    loaded = load(options.run, options.device)
    return ExplainedRun(topic, options, loaded, loaded.task.splits(loaded.settings).validation)
