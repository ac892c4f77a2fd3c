"""Linear probes: what can be read out of each branch's features by a straight line (a number for Fig. 2b and 4a).

A probe is a softmax regression on features that are averaged over the frame and the clip. It is fitted to one half of
the samples and scored on the other. A branch that "knows" a thing lets a probe read it; chance is the share of the
commonest class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from semicoupled.errors import DataError
from semicoupled.nn.shapes import Float
from semicoupled.nn.streams import LayerRecord, MapName


class Probe(NamedTuple):
    """How well something can be read out of one branch of one layer.

    Attributes:
        layer: index of the layer, from 0.
        branch: `spatial` (relu(s)), `temporal` (c), or `features` (their product u).
        question: what was read.
        accuracy: on the samples that the probe was not fitted to, 0 to 1.
        chance: share of the commonest class among these.
        count: number of these.
    """

    layer: int
    branch: str
    question: str
    accuracy: float
    chance: float
    count: int  # pyright: ignore[reportIncompatibleMethodOverride]


def pooled(record: LayerRecord, name: MapName) -> Float[Tensor, "B C"]:
    """Average a recorded map over frames and pixels; s passes its ReLU first, as in Eq. 6."""
    maps = getattr(record, name)
    if name == "spatial":
        maps = torch.relu(maps)
    return maps.float().mean((1, *range(3, maps.dim()))).cpu()


def pool_records(
    records: Sequence[LayerRecord], maps: tuple[MapName, ...] = ("spatial", "temporal", "features")
) -> dict[tuple[int, str], Tensor]:
    """Average all maps of the main stream that were recorded.

    Returns:
        Features B C by (layer, map).
    """
    return {(r.layer, name): pooled(r, name) for r in records if r.stream == "main" for name in maps}


def probe_all(
    features: Mapping[tuple[int, str], Float[Tensor, "B C"]], answers: Mapping[str, Tensor], split: float = 0.5
) -> list[Probe]:
    """Fit and score a probe for every layer, branch and question.

    Args:
        features: by (layer, branch).
        answers: the right class of every sample, by question.
        split: share of the samples that probes are fitted to; the rest scores them.

    Raises:
        DataError: too few samples.
    """
    found: list[Probe] = []
    for (layer, branch), values in features.items():
        fitted = int(len(values) * split)
        if not 1 < fitted < len(values):
            raise DataError(
                f"probes need samples on both sides of the split, two to fit to and one to score; got {len(values)} "
                f"with split {split}. Take more"
            )
        for question, answer in answers.items():
            scores = fit_probe(values[:fitted], answer[:fitted], values[fitted:])
            rest = answer[fitted:]
            accuracy = float((scores.argmax(-1) == rest).float().mean())
            chance = int(torch.bincount(rest).max()) / len(rest)
            found.append(Probe(layer, branch, question, accuracy, chance, len(rest)))
    return found


def fit_probe(
    features: Float[Tensor, "N C"], answer: Tensor, others: Float[Tensor, "M C"], decay: float = 1e-3
) -> Float[Tensor, "M K"]:
    """Fit a softmax regression, and give its scores of other samples.

    Args:
        features: of the samples to fit to.
        answer: N, their classes from 0.
        others: features of the samples to score.
        decay: weight of the squared coefficients, against fitting noise.
    """
    features, others = features.double(), others.double()
    mean, spread = features.mean(0), features.std(0).clamp(min=1e-6)
    features, others = (features - mean) / spread, (others - mean) / spread
    classes = int(answer.max()) + 1
    weight = torch.zeros(features.shape[1], classes, dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(classes, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> float:
        optimizer.zero_grad()
        loss = F.cross_entropy(features @ weight + bias, answer) + decay * weight.square().sum()
        loss.backward()
        return float(loss.detach())

    with torch.enable_grad():
        _ = optimizer.step(closure)
    return (others @ weight + bias).detach()
