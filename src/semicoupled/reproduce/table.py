"""A table of the paper: its lines, trained and scored by the study of a task, with the paper's figures beside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from semicoupled.errors import SettingsError, nearest
from semicoupled.paper_table import Line, Size
from semicoupled.reproduce.comparison import Measure, compare, paper_rows, say_order
from semicoupled.reproduce.comparison_plot import plot_comparison
from semicoupled.reproduce.door import Door
from semicoupled.reproduce.reproduction import Outcome, Reproduction
from semicoupled.reproduce.request import Request
from semicoupled.rows import Row
from semicoupled.studies.trials import Trial, Variant


@dataclass(frozen=True)
class PaperTable:
    """A table of the paper.

    Attributes:
        name: ``table4``.
        title: what it shows.
        paper: what the paper did.
        door: the study behind it.
        lines: gives its lines.
        measures: give our scores, once there are rows.
        caption: what the figures are.
        differs: what differs here, a sentence each.
    """

    name: str
    title: str
    paper: str
    door: Door
    lines: Callable[[], Sequence[Line]]
    measures: Callable[[Sequence[Row]], Sequence[Measure]]
    caption: str
    differs: tuple[str, ...]

    def reproduction(self) -> Reproduction:
        """Give it as a reproduction."""
        return Reproduction(
            self.name,
            self.title,
            self.paper,
            self.differs,
            self.door.data,
            tuple(line.name for line in self.lines()),
            self._trials,
            self._run,
            self.door.budget_of,
        )

    def _trials(self, request: Request) -> Sequence[Trial]:
        return self.door.trials(request, variants_of(self.chosen(request), request.size))

    def chosen(self, request: Request) -> tuple[Line, ...]:
        """Give the lines that are asked for, in the paper's order.

        Raises:
            SettingsError: it has no such line, or none of them has a network here.
        """
        lines = tuple(self.lines())
        known = [line.name for line in lines]
        for name in request.lines:
            if name not in known:
                raise SettingsError(f"{self.name} has no line {name!r}. {nearest(name, known)}")
        found = tuple(line for line in lines if not request.lines or line.name in request.lines)
        if not variants_of(found, request.size):
            raise SettingsError(f"{self.name}: nothing trains {', '.join(request.lines)} here. Choose other lines")
        return found

    def _run(self, request: Request) -> Outcome:
        lines = self.chosen(request)
        rows = self.door.run(request, variants_of(lines, request.size))
        measures = self.measures(rows)
        missing = [line.label for line in lines if line.variant(request.size) is None]
        notes = [say_order(rows, lines, request.size, measures)]
        notes += [f"No network of this package trains: {', '.join(missing)}."] if missing else []
        caption = (
            "Ours, with seeds (broad) and 90 % of a bootstrap (thin), beside the figures of the paper (other data)."
        )
        return Outcome(
            self.door.task,
            self.door.said_data(request),
            [*paper_rows(self.name, lines), *rows],
            [compare(rows, lines, request.size, measures, self.caption)],
            {self.name: (plot_comparison(rows, lines, request.size, measures), caption)},
            [note for note in notes if note],
        )


def variants_of(lines: Sequence[Line], size: Size) -> tuple[Variant, ...]:
    """Give what is trained for some lines, each variant once, behind those whose weights it begins with."""
    found = [variant for line in lines if (own := line.variant(size)) is not None for variant in (*line.first, own)]
    return tuple({variant.name: variant for variant in found}.values())
