from __future__ import annotations

import pytest
import torch

from semicoupled.training.pooling import pooled_mean, pooling


def test_alone_it_is_a_mean_and_0_of_nothing() -> None:
    assert float(pooled_mean(torch.tensor(6.0), torch.tensor(4))) == 1.5
    assert float(pooled_mean(torch.tensor(0.0), torch.tensor(0))) == 0.0


def test_the_mean_over_processes_is_that_of_the_batch() -> None:
    totals, counts = torch.tensor([6.0, 1.0]), torch.tensor([3, 1])
    with pooling(lambda count: counts.to(count.dtype).mean()):
        means = [pooled_mean(total, count) for total, count in zip(totals, counts, strict=True)]
    assert float(sum(means)) / 2 == pytest.approx(7 / 4)
    assert means[0].dtype == torch.float32
    assert float(pooled_mean(totals[0], counts[0])) == 2.0  # the context has ended


def test_one_pixel_among_all_processes_counts_whole() -> None:
    with pooling(lambda count: count / 2):  # of two processes, the other has none
        assert float(pooled_mean(torch.tensor(5.0), torch.tensor(1))) / 2 == 5.0


def test_the_count_that_is_given_stays_as_it_is() -> None:
    count = torch.tensor(3.0, dtype=torch.float64)
    with pooling(lambda own: own.div_(2)):  # as processes do it: in place
        _ = pooled_mean(torch.tensor(6.0), count)
    assert float(count) == 3.0


def test_the_context_ends_when_its_block_raises() -> None:
    with pytest.raises(KeyError), pooling(lambda count: count * 2):
        raise KeyError
    assert float(pooled_mean(torch.tensor(6.0), torch.tensor(3))) == 2.0
