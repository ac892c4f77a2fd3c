"""What the loop wants of a task: a part of `semicoupled.task.Task`, said here because imports go down only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from torch import Tensor, nn
from torch.utils.data import Dataset

from semicoupled.training.ltsc import Segment
from semicoupled.training.objective import Losses
from semicoupled.training.progress import Progress


class Batch(Protocol):
    """A NamedTuple of tensors whose first field is always the frames."""

    @property
    def frames(self) -> Tensor:
        """The video, B T C H W."""
        ...


class Output(Protocol):
    """What a task's model returns: a NamedTuple."""

    @property
    def main(self) -> Tensor:
        """The main prediction."""
        ...

    @property
    def state(self) -> Any:
        """The state after the last frame."""
        ...

    @property
    def state_at(self) -> Any:
        """The state after `state_at` frames, if asked for."""
        ...


class TrainableModel(Protocol):
    """A task's network with its heads; always an ``nn.Module``."""

    network: nn.Module
    """The part whose `depth` the switches count."""

    def recurrent_parameters(self) -> Iterator[nn.Parameter]:
        """Give the parameters whose gradients are clamped."""
        ...


class RunSplits(Protocol):
    """The data of a run."""

    @property
    def train(self) -> Dataset[Any]:
        """Samples by `SampleKey`; has a length."""
        ...

    @property
    def validation(self) -> Dataset[Any]:
        """Samples by `SampleKey`, drawn with `NO_AUGMENTATION`."""
        ...

    @property
    def description(self) -> Mapping[str, Any]:
        """What `build` must know of the data."""
        ...


class TrainableTask(Protocol):
    """A task, as far as training goes."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def splits(self) -> Callable[[Any], RunSplits]:
        """Reads the data."""
        ...

    @property
    def build(self) -> Callable[[Any, Any], TrainableModel]:
        """Makes a fresh model; what is random follows from torch's global generator, which the loop seeds."""
        ...

    @property
    def start(self) -> Callable[[Any, Any], None] | None:
        """Gives a fresh model what others learned, where the settings name weights; None where they never do."""
        ...

    @property
    def goals(self) -> Callable[[Any], Callable[[Any, Any], Losses]]:
        """Gives the losses of a prediction."""
        ...

    @property
    def cut(self) -> Callable[[Any, Segment], Any]:
        """Gives the part of a batch that lies in a segment."""
        ...

    @property
    def validate(self) -> Callable[[Any, Any, Any, Progress], Mapping[str, float]]:
        """Gives a few scores, the higher ``"score"`` the better."""
        ...
