"""Pictures of outlines, each point and side colored by its confidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semicoupled.tasks.outline.drawing.outlines import Outlined

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = "plasma"
LONGEST = 1600
"""Pixels of the longer side of a picture: larger images are shown smaller."""


def draw_outlines(image: NDArray[np.uint8], outlined: Sequence[Outlined], labels: Sequence[str]) -> Figure:
    """Draw outlines on their image.

    Args:
        image: height x width x 3.
        outlined: what was drawn.
        labels: of each.
    """
    from matplotlib.figure import Figure

    height, width = image.shape[:2]
    step = max(1, -(-max(height, width) // LONGEST))
    inches = 9 / max(height, width)
    figure = Figure(figsize=(max(2.0, inches * width) + 1.0, max(2.0, inches * height)), layout="constrained")
    panel = figure.subplots()
    panel.imshow(image[::step, ::step], extent=(0, width, height, 0), interpolation="nearest")
    for one, label in zip(outlined, labels, strict=True):
        add_outline(panel, one)
        if len(one.points):
            x, y = one.points[one.points[:, 1].argmin()]
            panel.text(
                x, y, f"{label} {one.confidence:.2f}", fontsize=7, color="white", va="bottom",
                bbox={"facecolor": "black", "alpha": 0.6, "pad": 1, "edgecolor": "none"},
            )  # fmt: skip
    panel.set_axis_off()
    _color_scale(figure, panel)
    return figure


def add_outline(panel: Axes, one: Outlined) -> None:
    """Add an outline to a panel: sides take the color of the point that they lead to."""
    from matplotlib import colormaps
    from matplotlib.collections import LineCollection

    points = one.points
    if len(points) < 2:
        return
    confidence = one.confidences
    ends = np.roll(points, -1, axis=0)
    sides = LineCollection(
        list(np.stack([points, ends], axis=1)), colors=colormaps[COLORS](np.roll(confidence, -1)), linewidths=1.6
    )
    panel.add_collection(sides)
    panel.scatter(points[:, 0], points[:, 1], c=confidence, cmap=COLORS, vmin=0, vmax=1, s=9, zorder=3)
    panel.scatter(points[:1, 0], points[:1, 1], facecolors="none", edgecolors="white", s=34, zorder=4)


def _color_scale(figure: Figure, panel: Axes) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    scale = figure.colorbar(ScalarMappable(Normalize(0, 1), COLORS), ax=panel, shrink=0.6, pad=0.01)
    scale.set_label("confidence of a point")
