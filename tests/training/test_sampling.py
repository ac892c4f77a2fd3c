from __future__ import annotations

from itertools import islice

import pytest
import torch

from semicoupled.errors import DataError, SettingsError
from semicoupled.training.sampling import NO_AUGMENTATION, SampleBatches, SampleKey, order


def test_every_epoch_sees_every_sample_once_in_another_order() -> None:
    keys = [key for batch in SampleBatches(7, 3, seed=4, stop=7) for key in batch]
    epochs = [[key.index for key in keys[begin : begin + 7]] for begin in (0, 7, 14)]
    assert all(sorted(epoch) == list(range(7)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]
    assert [key.draw for key in keys] == list(range(21))


def test_the_order_follows_from_the_seed_alone() -> None:
    assert torch.equal(order(1, 2, 50), order(1, 2, 50))
    assert not torch.equal(order(1, 2, 50), order(2, 2, 50))
    before = torch.get_rng_state()
    first = list(SampleBatches(10, 4, seed=1, stop=5))
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(9)
    assert list(SampleBatches(10, 4, seed=1, stop=5)) == first


def test_it_goes_on_from_any_counter() -> None:
    whole = list(SampleBatches(10, 4, seed=1, stop=9))
    assert list(SampleBatches(10, 4, seed=1, first=5, stop=9)) == whole[5:]
    assert list(islice(SampleBatches(10, 4, seed=1, first=5), 4)) == whole[5:]


def test_processes_share_a_batch() -> None:
    whole = list(SampleBatches(10, 6, seed=1, stop=5))
    shares = [list(SampleBatches(10, 6, seed=1, stop=5, rank=rank, ranks=3)) for rank in range(3)]
    assert [[*a, *b, *c] for a, b, c in zip(*shares, strict=True)] == whole


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(DataError, match="holds no samples"):
        SampleBatches(0, 4, seed=1)
    with pytest.raises(SettingsError, match="4 samples cannot be shared evenly by 3 processes"):
        SampleBatches(9, 4, seed=1, ranks=3)


def test_a_key_without_a_draw_is_not_augmented() -> None:
    assert SampleKey(3) == (3, NO_AUGMENTATION)
