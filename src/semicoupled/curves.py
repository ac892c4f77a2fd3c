"""What a run's log shows: losses, switches and scores against the steps (Fig. 4b), for its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semicoupled.report import Picture, Section, Table
from semicoupled.training.log import read_log

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LOSSES = {
    "main_loss": "main",
    "spatial_loss": "spatial",
    "temporal_loss": "temporal",
    "overlap_loss": "overlap",
}
SWITCHES = {
    "spatial_focus": "q",
    "formula_focus": "q by Eq. 20",
    "stop_spatial": "spatial branch stopped",
    "stop_temporal": "temporal branch stopped",
}


def training_section(folder: Path) -> Section:
    """Show how a training went.

    Args:
        folder: of the run; its log is read.

    Returns:
        Curves of what was logged, and a table of the validations.
    """
    lines = read_log(folder)
    training = [line for line in lines if line["kind"] == "training"]
    validations = [line for line in lines if line["kind"] == "validation"]
    parts: list[Picture | Table] = []
    if training:
        figure = draw_curves(training)
        parts.append(Picture(figure, "Losses, and how often the gradient is stopped, against optimizer steps."))
    if validations:
        names = [name for name in validations[0] if name not in ("kind", "seconds")]
        parts.append(Table(names, [[line.get(name) for name in names] for line in validations], "Validations."))
    seconds = lines[-1]["seconds"] if lines else 0.0
    steps = lines[-1]["step"] if lines else 0
    return Section("Training", f"{steps} steps in {seconds / 60:.1f} minutes.", parts)


def draw_curves(lines: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw losses, and what the switches stood at, against the steps.

    Args:
        lines: of kind ``training`` of a run's log.
    """
    from matplotlib.figure import Figure

    panels = [
        (title, {name: label for name, label in names.items() if any(name in line for line in lines)})
        for title, names in (("loss", LOSSES), ("probability", SWITCHES))
    ]
    panels = [(title, names) for title, names in panels if names]
    figure = Figure(figsize=(4.6 * len(panels), 3.2), layout="constrained")
    for axes, (title, names) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        for name, label in names.items():
            points = [(line["step"], line[name]) for line in lines if line.get(name) is not None]
            steps, values = [step for step, _ in points], [value for _, value in points]
            axes.plot(steps, values, marker="o" if len(points) == 1 else "", label=label)  # one point is no line
        axes.set_xlabel("step")
        axes.set_ylabel(title)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
        if title == "probability":
            axes.set_ylim(-0.02, 1.02)
    return figure
