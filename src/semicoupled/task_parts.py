"""What a task is made of: settings, data, a network with its heads, and what it gives. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from semicoupled.description import Description, Json
from semicoupled.training.run_settings import RunSettings

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.utils.data import Dataset

    from semicoupled.nn.streams import Stream
    from semicoupled.nn.switch import Switching


class TaskSettings(RunSettings, Protocol):
    """What every settings class has in common; `Any` because each task adds its own."""

    @property
    def data(self) -> Any:
        """Where the samples come from; ``root`` and ``validation`` where files are read."""
        ...

    @property
    def model(self) -> Any:
        """The network; ``kind`` chooses between ours and the rivals."""
        ...


SettingsT = TypeVar("SettingsT", bound=TaskSettings)


@dataclass(frozen=True)
class Splits:
    """The data of a run.

    Args:
        train: samples to learn from; a key is a pure function of counters, so that a resume is exact.
        validation: samples that choose the best weights.
        description: what `build` and a later prediction must know of the data.
    """

    train: Dataset[Any]
    validation: Dataset[Any]
    description: Description = field(default_factory=dict[str, Json])


class TaskOutput(NamedTuple):
    """A task's predictions, one a stream, with the network's state.

    The shape of a prediction is the task's own; the time axis, if it has one, is the second. A state is what the task's
    network calls so: a nested NamedTuple of tensors, opaque to everyone else.

    Attributes:
        main: the prediction that counts.
        spatial: the spatial stream's; None where it was not asked for.
        temporal: the temporal stream's; None likewise.
        state: after the last frame.
        state_at: after as many frames as were asked for, or None.
    """

    main: Tensor
    spatial: Tensor | None
    temporal: Tensor | None
    state: Any
    state_at: Any


class TaskModel(Protocol):
    """The network of a task with its heads; always an ``nn.Module``.

    A batch is a NamedTuple of tensors whose first field is the frames, B T C H W.
    """

    network: nn.Module
    """The deep part below the heads: its depth is what the switches count."""

    def __call__(
        self,
        batch: Any,
        state: Any = None,
        *,
        streams: Sequence[Stream] = ("main",),
        switch: Switching | None = None,
        state_at: int | None = None,
    ) -> TaskOutput:
        """Predict from a batch; see `SemiCoupledStack.forward` for the arguments."""
        ...

    def recurrent_parameters(self) -> Iterator[nn.Parameter]:
        """Give the parameters whose gradients are clamped before a step (Sec. 5.9)."""
        ...
