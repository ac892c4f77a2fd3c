"""The same outline by each stream: both branches, space alone, time alone."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from semicoupled.errors import SettingsError
from semicoupled.nn import SemiCoupledStack, StackState
from semicoupled.nn.shapes import Float, Tensor
from semicoupled.nn.streams import Stream
from semicoupled.tasks.outline.crops import Window
from semicoupled.tasks.outline.geometry.polygons import Cells, as_points, cells_of, centers, classes_of, to_cells
from semicoupled.tasks.outline.model import OutlineModel
from semicoupled.tasks.outline.network.choices import allowed, likeliest, one_hot


def draw_by(
    model: OutlineModel,
    features: Float[Tensor, "1 F g g"],
    window: Window,
    start: tuple[float, float],
    end: tuple[float, float] | None,
    stream: Stream,
    *,
    most: int,
) -> Iterator[tuple[float, float]]:
    """Draw an outline by one stream alone, which feeds on its own points.

    Args:
        model: in eval mode, with a semi-coupled decoder and a head for the stream.
        features: of the window.
        window: of the image.
        start: the first point, px of the image.
        end: the last point, or None.
        stream: main, spatial or temporal.
        most: points at most.

    Returns:
        The points, px, the first one included.

    Raises:
        SettingsError: the model has no such stream.
    """
    head = {"main": model.main_head, "spatial": model.spatial_head, "temporal": model.temporal_head}[stream]
    if head is None or not isinstance(model.network, SemiCoupledStack):
        raise SettingsError(f"the model has no {stream} stream; expected a model of kind semicoupled")
    grid = model.grid
    given = [start] if end is None else [start, end]
    classes = classes_of(to_cells(window.to_grid(as_points(given), grid), grid), grid).tolist()
    first, last = classes[0], (classes[1] if end is not None else None)
    chosen: list[int] = [first]
    before = -1 if last is None else last
    state: StackState | None = None
    yield start
    while len(chosen) < most:
        told = [torch.tensor([one]) for one in (first, before, chosen[-1])]
        with torch.no_grad():
            scores, state = _step(model, head, features, one_hot(told, grid).to(features.device), state, stream)
        chances = allowed(scores.float().cpu(), torch.tensor([chosen[-1]]), len(chosen)).softmax(-1)
        best = int(likeliest(chances, grid))
        if best in (grid * grid, first):
            return
        before = chosen[-1]
        chosen.append(best)
        cell: Cells = cells_of([best], grid)
        x, y = window.to_image(centers(cell), grid)[0].tolist()
        yield x, y
        if best == last:
            return


def _step(
    model: OutlineModel,
    head: torch.nn.Module,
    features: Tensor,
    positions: Tensor,
    state: StackState | None,
    stream: Stream,
) -> tuple[Tensor, StackState]:
    network = model.network
    assert isinstance(network, SemiCoupledStack)
    shown = positions if model.fields is None else model.fields(positions)
    out = network(torch.cat([features, shown.to(features.dtype)], dim=1)[:, None], state, streams=(stream,))
    hidden = {"main": out.main, "spatial": out.spatial, "temporal": out.temporal}[stream]
    assert hidden is not None  # it was asked for
    return head(hidden)[:, 0], out.state
