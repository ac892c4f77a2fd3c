"""The network of Table 1: sizes and parameter counts to the unit."""

from __future__ import annotations

import itertools

import torch

from semicoupled.networks.table1 import table1


def test_parameter_counts() -> None:
    stack = table1()
    assert sum(p.numel() for p in stack.spatial_parameters()) == 11_006_592
    assert sum(p.numel() for p in stack.temporal_parameters()) == 23_569_536
    assert sum(p.numel() for p in stack.shortcuts.parameters()) == 174_720
    assert sum(p.numel() for p in stack.parameters()) == 11_006_592 + 23_569_536 + 174_720


def test_output_sizes_at_224_px() -> None:
    stack = table1().eval()
    sizes = [layer.gate.shape[-1] for layer in stack.initial_state(1, (224, 224)).main]
    assert [size for size, _ in itertools.groupby(sizes)] == [112, 56, 28, 14, 7]
    assert [len(list(group)) for _, group in itertools.groupby(sizes)] == [1, 4, 4, 4, 4]
    assert stack.output_size((224, 224)) == (7, 7)


def test_it_runs_at_the_size_of_driving() -> None:
    """192x64 (Sec. 5.7), three streams."""
    with torch.inference_mode():
        out = table1().eval()(torch.randn(1, 2, 3, 64, 192), streams=("main", "spatial", "temporal"))
    assert out.main.shape == out.spatial.shape == out.temporal.shape == (1, 2, 512, 2, 6)
    assert all(torch.isfinite(features).all() for features in (out.main, out.spatial, out.temporal))
