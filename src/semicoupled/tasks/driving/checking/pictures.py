"""Pictures of a check: how angles are spread, how they go with the image, and what frames look like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from semicoupled.errors import DataError
from semicoupled.report import Picture
from semicoupled.tasks.driving.checking.frame_facts import FrameFacts
from semicoupled.tasks.driving.checking.lag import Lag
from semicoupled.tasks.driving.drives import Drive

_BINS = 41
_EACH = 4
_UNITS = {"degrees": "degrees", "radians": "radians", "normalized": "share of full lock"}
_MOST_PLACES = 6


def draw_angles(angles: Mapping[str, np.ndarray], unit: str) -> Picture:
    """Draw how often each angle is.

    Args:
        angles: by place, N each, without NaN.
        unit: of them.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.subplots()
    largest = max(float(np.abs(each).max()) for each in angles.values()) or 1.0
    # an odd number of bins: 0 has one of its own
    edges = np.linspace(-largest, largest, _BINS + 1).tolist()
    for name, each in list(angles.items())[:_MOST_PLACES]:
        axes.hist(each, edges, weights=np.full(len(each), 100 / len(each)), histtype="step", linewidth=1.6, label=name)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_xlabel(f"steering angle, {_UNITS[unit]} (right is positive)")
    axes.set_ylabel("% of frames")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return Picture(figure, "How often each steering angle is, in bins; the axis is logarithmic.")


def draw_lags(lags: Mapping[str, Lag]) -> Picture:
    """Draw how the sideways motion of the image goes with the angle, over shifts.

    Args:
        lags: by place.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.subplots()
    for name, lag in list(lags.items())[:_MOST_PLACES]:
        (line,) = axes.plot(lag.shifts, lag.correlations, label=f"{name}: {lag.seconds:.2f} s")
        if lag.told:
            axes.axvspan(*lag.interval, color=line.get_color(), alpha=0.15)
            axes.plot(lag.seconds, lag.correlation, "o", color=line.get_color())
    axes.axhline(0, color="gray", linewidth=0.8)
    axes.axvline(0, color="gray", linewidth=0.8)
    axes.set_xlabel("seconds that the image turns later than the angle")
    axes.set_ylabel("correlation")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return Picture(
        figure,
        "Correlation of the angle with how fast the scene moves to the left, over shifts of time; a dot is the lag, "
        "the band the interval that 95 % of the draws lie in.",
    )


def draw_frames(drives: Sequence[Drive], facts: Sequence[FrameFacts]) -> Picture | None:
    """Show some frames, steered most to the left, straight on and most to the right, so that the sign can be seen.

    Args:
        drives: runs.
        facts: of each.

    Returns:
        The picture; None where no frame has an angle and can be decoded.
    """
    from matplotlib.figure import Figure

    chosen = _choose(drives, facts)
    if not chosen:
        return None
    figure = Figure(figsize=(9, 2.1 * len(chosen)), layout="constrained")
    grid = figure.subplots(len(chosen), _EACH, squeeze=False)
    for line, (title, frames) in zip(grid, chosen.items(), strict=True):
        for axes in line:
            axes.set_axis_off()
        for axes, (drive, index) in zip(line, frames, strict=False):
            try:
                axes.imshow(drive.frames.read(index))
            except DataError:
                continue
            axes.set_title(f"{title}: {drive.angles[index]:.3g}, run {drive.run}", fontsize=7)
    return Picture(figure, "Frames that are steered most to the left, straight on, and most to the right.")


def _choose(drives: Sequence[Drive], facts: Sequence[FrameFacts]) -> dict[str, list[tuple[Drive, int]]]:
    """Choose frames from as many runs as there are, the longest first."""
    usable: list[tuple[Drive, np.ndarray]] = []
    for drive, each in sorted(zip(drives, facts, strict=True), key=lambda pair: -len(pair[0])):
        angles = drive.angles.copy()
        angles[list(each.broken)] = np.nan
        if np.isfinite(angles).any():
            usable.append((drive, angles))
    if not usable:
        return {}
    usable = (usable * _EACH)[: max(_EACH, 1)] if len(usable) < _EACH else usable[:_EACH]
    chosen: dict[str, list[tuple[Drive, int]]] = {"left": [], "straight": [], "right": []}
    for turn, (drive, angles) in enumerate(usable):
        share = (turn + 0.5) / len(usable)  # of several frames that are as far, another one each time
        for title, wanted in (("left", np.nanmin(angles)), ("straight", 0.0), ("right", np.nanmax(angles))):
            distance = np.abs(angles - wanted)
            near = np.flatnonzero(distance <= np.nanmin(distance) + 1e-9)
            chosen[title].append((drive, int(near[int(share * len(near))])))
    return chosen
