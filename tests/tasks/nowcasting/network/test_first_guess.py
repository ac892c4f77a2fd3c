from __future__ import annotations

import torch

from semicoupled.tasks.nowcasting.network.first_guess import FASTEST_GROWTH, GAIN, Bands, FirstGuess, minmod

N = 3


def frames(count: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(2, count, 1, 9, 11, generator=generator, dtype=torch.float64)
    return images, torch.ones_like(images)


def guess() -> FirstGuess:
    return FirstGuess(N - 1).double()


def steady() -> FirstGuess:
    """A guess that forgets nothing, follows nothing, and looks at the last frame alone."""
    network = guess()
    with torch.no_grad():
        network.left.fill_(torch.logit(torch.tensor(1 / FASTEST_GROWTH)).item() / GAIN)
        network.remember.fill_(-1000.0)
    return network


def rates(network: FirstGuess) -> torch.Tensor:
    return network.rates(torch.zeros(2, 2 * N, 1, 1, dtype=torch.float64)).expand(2, 2 * N, 9, 11)


def test_with_nothing_learned_away_it_is_persistence_where_the_rain_is():
    network = steady()
    images, known = frames()
    bands = network.start(images, known)
    torch.testing.assert_close(bands.now.sum(1), images[:, -1, 0])
    for _ in range(4):
        bands = network(bands, rates(network))
    torch.testing.assert_close(bands.now.sum(1), images[:, -1, 0], rtol=1e-6, atol=1e-6)


def test_the_equations():
    network = guess()
    torch.nn.init.normal_(network.rate)
    torch.nn.init.normal_(network.sharpen, std=0.1)
    images, known = frames()
    start = network.start(images, known)
    from semicoupled.tasks.nowcasting.network.scales import bands

    newest, before, oldest = (bands(images[:, -n], known[:, -n], N - 1) for n in (1, 2, 3))
    g0, (g1, g2) = GAIN * network.sharpen, 0.5 * torch.sigmoid(GAIN * network.remember)
    for band in range(N):
        x, one, two = (field[:, band] for field in (newest, before, oldest))
        expected = (1 + g0[band]) * x - g1[band] * (x - one) - g2[band] * (x - two)
        torch.testing.assert_close(start.now[:, band], expected)
        torch.testing.assert_close(start.trend[:, band], minmod(x - one, one - two))
    left, rate = rates(network).split(N, dim=1)
    after = network(start, rates(network))
    torch.testing.assert_close(after.now, left * (start.now + rate * start.trend))
    torch.testing.assert_close(after.trend, left * start.trend)


def test_what_flickers_has_no_trend_and_what_grows_twice_has_one():
    steps = torch.tensor([0.0, 1.0, 0.0, 2.0, 3.0, 5.0, 4.0])
    first, second = steps[1:-1] - steps[:-2], steps[2:] - steps[1:-1]
    assert minmod(second, first).tolist() == [0, 0, 1, 1, 0]
    assert minmod(torch.tensor([-3.0]), torch.tensor([-1.0])).item() == -1


def test_two_frames_have_no_trend_and_one_is_kept_as_it_is():
    network = steady()
    for count in (1, 2):
        images, known = frames(count)
        bands = network.start(images, known)
        assert (bands.trend == 0).all()
        torch.testing.assert_close(bands.now.sum(1), images[:, -1, 0])


def test_no_forecast_runs_away():
    network = guess()
    torch.nn.init.normal_(network.rate, std=10.0)
    images, known = frames()
    bands = network.start(images, known)
    high = network.rates(torch.full((2, 2 * N, 1, 1), 1e6, dtype=torch.float64)).expand(2, 2 * N, 9, 11)
    largest = (bands.now.abs() + 100 * bands.trend.abs()).max()
    for _ in range(24):
        bands = network(Bands(*bands), high)
    assert bands.now.abs().max() <= largest * FASTEST_GROWTH**24
