"""Linear probes read what is there, and nothing else."""

from __future__ import annotations

import pytest
import torch

from semicoupled.errors import DataError
from semicoupled.explain.probes import fit_probe, pool_records, probe_all
from semicoupled.nn.streams import LayerRecord


def test_reads_what_is_linear() -> None:
    answer = torch.arange(200) % 3
    features = torch.randn(200, 5) + 6 * torch.nn.functional.one_hot(answer, 5)
    scores = fit_probe(features[:100], answer[:100], features[100:])
    assert scores.shape == (100, 3)
    assert (scores.argmax(-1) == answer[100:]).float().mean() > 0.98


def test_does_not_read_what_is_not_there() -> None:
    answer = torch.randint(0, 4, (400,))
    scores = fit_probe(torch.randn(200, 5), answer[:200], torch.randn(200, 5))
    assert (scores.argmax(-1) == answer[200:]).float().mean() < 0.4


def test_is_the_minimum_of_its_loss() -> None:
    """Against a slow gradient descent on the same loss."""
    features, answer, others = torch.randn(60, 3), torch.randint(0, 3, (60,)), torch.randn(8, 3)
    mean, spread = features.double().mean(0), features.double().std(0)
    inputs = (features.double() - mean) / spread
    weight = torch.zeros(3, 3, dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    for _ in range(4000):
        loss = torch.nn.functional.cross_entropy(inputs @ weight + bias, answer) + 0.1 * weight.square().sum()
        of_weight, of_bias = torch.autograd.grad(loss, (weight, bias))
        weight, bias = ((v - 0.5 * g).detach().requires_grad_() for v, g in ((weight, of_weight), (bias, of_bias)))
    expected = (((others.double() - mean) / spread) @ weight + bias).softmax(-1)
    assert torch.allclose(fit_probe(features, answer, others, decay=0.1).softmax(-1), expected, atol=1e-4)


def test_pools_over_frames_and_pixels() -> None:
    spatial, temporal = torch.randn(2, 3, 4, 5, 6), torch.randn(2, 3, 4, 5, 6)
    record = LayerRecord(7, "main", spatial, temporal, None, spatial * 2)
    other = LayerRecord(7, "temporal", None, temporal, None, temporal)
    found = pool_records([record, other])
    assert set(found) == {(7, "spatial"), (7, "temporal"), (7, "features")}
    assert torch.allclose(found[7, "spatial"], spatial.relu().mean((1, 3, 4)))  # as Eq. 6 takes it
    assert torch.allclose(found[7, "temporal"], temporal.mean((1, 3, 4)))


def test_says_where_and_how_well() -> None:
    what = torch.tensor([0, 1] * 50)
    way = torch.tensor([0, 0, 0, 1] * 25)
    found = probe_all({(0, "spatial"): what[:, None] + torch.zeros(100, 2)}, {"what": what, "way": way})
    by_question = {probe.question: probe for probe in found}
    assert by_question["what"].accuracy == 1
    assert by_question["what"].chance == 0.5
    assert by_question["way"].chance == pytest.approx(37 / 50)
    assert by_question["way"].count == 50
    for count in (1, 2, 3):  # one sample has no spread
        with pytest.raises(
            DataError, match=f"both sides of the split, two to fit to and one to score; got {count} with"
        ):
            probe_all({(0, "spatial"): torch.zeros(count, 2)}, {"what": what[:count]})
