"""Heads keep frames apart and signs alive."""

from __future__ import annotations

import torch

from semicoupled.networks.heads import MapHead, PooledHead, with_main


def test_pooled_head_is_the_mean_then_linear() -> None:
    head, features = PooledHead(3, 5), torch.randn(2, 4, 3, 6, 7)
    expected = features.mean((3, 4)) @ head.linear.weight.t() + head.linear.bias
    torch.testing.assert_close(head(features), expected)


def test_map_head_keeps_frames_apart_and_can_be_negative() -> None:
    head, features = MapHead(3, 2), torch.randn(2, 4, 3, 6, 7)
    flow = head(features)
    torch.testing.assert_close(flow[:, 1], head(features[:, 1:2])[:, 0])
    assert flow.min() < 0 < flow.max()


def test_the_main_stream_comes_first_and_once() -> None:
    assert with_main(("temporal", "main")) == ("main", "temporal")
    assert with_main(()) == ("main",)
