"""q over the training, the learned one beside the formula's (Fig. 4b), from a run's log."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from semicoupled.errors import RunError
from semicoupled.training.log import read_log

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class FocusHistory(NamedTuple):
    """q of one run.

    Attributes:
        steps: optimizer steps.
        focus: q at these steps.
        formula: what Eq. 20 gives for the same losses; None where q is that already.
    """

    steps: list[int]
    focus: list[float]
    formula: list[float | None] | None

    def mean(self, first: float, last: float) -> float:
        """Average q over a part of the training, shares of it from 0 to 1; in a short log, take the nearest entry."""
        end = self.steps[-1]
        inside = [q for step, q in zip(self.steps, self.focus, strict=True) if first * end <= step <= last * end]
        middle = (first + last) / 2 * end
        nearest = min(range(len(self.steps)), key=lambda i: abs(self.steps[i] - middle))
        return sum(inside) / len(inside) if inside else self.focus[nearest]


def read_focus(folder: Path) -> FocusHistory:
    """Read q's way from a run's log.

    Args:
        folder: of the run.

    Raises:
        RunError: the run has no log, or was trained without ASTSGD.
    """
    lines = [line for line in read_log(folder) if line.get("spatial_focus") is not None]
    if not lines:
        raise RunError(
            f"{folder}: its log has no q. Only ASTSGD has one; expected a run that was trained with "
            "--switches.method astsgd."
        )
    formula = [line.get("formula_focus") for line in lines]
    return FocusHistory(
        [int(line["step"]) for line in lines],
        [float(line["spatial_focus"]) for line in lines],
        formula if any(value is not None for value in formula) else None,
    )


def draw_focus(histories: Mapping[str, FocusHistory]) -> Figure:
    """Draw q against the steps.

    Args:
        histories: by name; one with a `formula` gets a second, dashed curve.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 3.4), layout="constrained")
    panel = figure.subplots()
    for name, history in histories.items():
        (line,) = panel.plot(history.steps, history.focus, label=name)
        if history.formula is not None:
            points = [(s, q) for s, q in zip(history.steps, history.formula, strict=True) if q is not None]
            panel.plot(
                [step for step, _ in points],
                [q for _, q in points],
                linestyle="--",
                color=line.get_color(),
                label=f"{name}: what Eq. 20 gives for its losses",
            )
    panel.set_ylim(0, 1.03)
    panel.set_xlabel("step")
    panel.set_ylabel("q: how often the temporal branch is stopped")
    panel.grid(alpha=0.3)
    panel.legend(fontsize=8)
    return figure
