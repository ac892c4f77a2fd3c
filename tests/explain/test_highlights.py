"""Where the branches are busy: against closed forms, and drawn for clips of any shape."""

from __future__ import annotations

import pytest
import torch

from semicoupled.explain.highlights import busy, draw_highlights, find_highlights
from semicoupled.explain.maps import recording
from semicoupled.nn import SemiCoupledStack
from semicoupled.nn.streams import LayerRecord


def test_a_map_is_busy_where_it_leaves_its_mean() -> None:
    maps = torch.full((2, 3, 4, 5), 7.0)
    maps[1, 0, 2, 3] = 47.0  # its channel's mean is 8 over 2 x 4 x 5 values
    found = busy(maps)
    assert found[1, 2, 3] == pytest.approx(39 / 3**0.5)
    assert found[0, 0, 0] == pytest.approx(1 / 3**0.5)


def recorded(size: tuple[int, int] = (16, 24)) -> tuple[torch.Tensor, list[LayerRecord]]:
    stack = SemiCoupledStack(3, [4, 4, 4, 4], strides=(1, 2, 2, 4)).eval()
    frames = torch.randn(2, 9, 3, *size)
    with recording(stack) as records, torch.no_grad():
        _ = stack(frames)
    return frames, records["stack"]


def test_layers_whose_maps_are_too_small_are_left_out() -> None:
    frames, records = recorded()
    found = find_highlights(records, sample=1)
    assert [each.layer for each in found] == [0, 1, 2]
    assert found[2].spatial.shape == found[2].temporal.shape == (9, 4, 6)
    record = next(record for record in records if record.layer == 1)
    assert record.temporal is not None
    assert record.spatial is not None
    assert torch.allclose(found[1].temporal, busy(record.temporal[1]))
    assert torch.allclose(found[1].spatial, busy(torch.relu(record.spatial[1])))
    del frames


def test_the_first_layer_stands_alone_where_all_are_small() -> None:
    _, records = recorded((3, 3))
    assert [each.layer for each in find_highlights(records)] == [0]


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_frames_and_branches_are_drawn(channels: int) -> None:
    frames, records = recorded()
    found = find_highlights(records)
    figure = draw_highlights(frames[0, :, :channels], found, "title")
    assert len(figure.axes) == (1 + 2 * len(found)) * 6
    width, height = figure.get_size_inches()
    assert width > height * 0.8
    labels = [axes.get_ylabel() for axes in figure.axes if axes.get_ylabel()]
    assert labels[1] == "layer 1\nspatial branch"


def test_a_clip_that_does_not_move_is_drawn() -> None:
    frames, records = recorded()
    found = [each._replace(spatial=torch.zeros(9, 4, 6)) for each in find_highlights(records)]
    assert draw_highlights(torch.zeros_like(frames[0]), found).axes
