"""One forward and backward pass over a batch: segments, switches, three losses and the overlap loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, cast

import torch
from lightning_fabric import Fabric
from torch import Tensor

from semicoupled.errors import ShapeError
from semicoupled.nn.streams import Stream
from semicoupled.training.contract import Batch, Output, TrainableTask
from semicoupled.training.draws import hash_key
from semicoupled.training.ltsc import Segment, overlap_loss, plan_for, stride_of, walk
from semicoupled.training.objective import Losses, total
from semicoupled.training.pooling import pooling
from semicoupled.training.processes import mean_over_processes, same_on_all
from semicoupled.training.settings import GoalWeights, SegmentSettings
from semicoupled.training.switches import Switches

LOSSES = ("main_loss", "spatial_loss", "temporal_loss", "overlap_loss")
"""Names of what a pass gives, as far as it has them."""


class MicroStep(NamedTuple):
    """Which forward pass it is.

    Attributes:
        step: optimizer step, from 0.
        number: of the pass within the step, from 0.
        first_sample: index, in the whole batch, of this process's first sample.
    """

    step: int
    number: int
    first_sample: int


class Passes:
    """Runs a model over batches and adds up its gradients."""

    def __init__(
        self,
        fabric: Fabric,
        model: Callable[..., Any],
        task: TrainableTask,
        losses: Callable[[Any, Any], Losses],
        *,
        weights: GoalWeights,
        segments: SegmentSettings,
        switches: Switches | None,
        accumulate: int,
        seed: int,
    ) -> None:
        """Take what stays the same over a training.

        Args:
            fabric: device and precision.
            model: the task's model.
            task: cuts batches.
            losses: gives the losses of a prediction.
            weights: of the losses.
            segments: how sequences are cut.
            switches: which gradients are stopped; None for none.
            accumulate: passes whose gradients make one step.
            seed: of the run.
        """
        self._fabric, self._model, self._task, self._losses = fabric, model, task, losses
        self._weights, self._segments, self._switches = weights, segments, switches
        self._accumulate, self._seed = accumulate, seed
        streams: list[Stream] = ["main"]
        if weights.spatial:
            streams.append("spatial")
        if weights.temporal:
            streams.append("temporal")
        self._streams = tuple(streams)

    def run(self, batch: Batch, micro_step: MicroStep) -> dict[str, Tensor]:
        """Go forward and backward over a batch, segment by segment.

        A segment's losses weigh as its frames among those of all segments; the overlap loss is a mean over the
        junctions. Gradients are added to those that are there. Processes may have sequences of different lengths: each
        process's samples count as much as any other's, however many segments they have, and what counts in them is
        counted for each process alone. Of sequences of one length it is counted over the whole batch (`pooled_mean`).

        Args:
            batch: the samples.
            micro_step: which pass it is.

        Returns:
            Detached means over the batch: `main_loss`, and where computed `spatial_loss`, `temporal_loss`,
            `overlap_loss`.

        Raises:
            ShapeError: the batch does not begin with frames B T C H W.
        """
        segments = self._plan(batch, micro_step)
        alike = same_on_all(self._fabric, batch.frames.shape[1])  # else some would count more often than others
        with pooling(partial(mean_over_processes, self._fabric) if alike else None):
            return self._run(batch, segments, micro_step)

    def _run(self, batch: Batch, segments: Sequence[Segment], micro_step: MicroStep) -> dict[str, Tensor]:
        frames = sum(len(segment) for segment in segments)
        sums: dict[str, Tensor] = {}
        before: _Side | None = None
        waiting: Tensor | None = None
        for segment, ran in walk(segments, self._segments.carry, self._runner(batch, segments, micro_step)):
            share = len(segment) / frames
            losses = self._losses(ran.output, ran.part)
            loss = total(losses, self._weights) * (share / self._accumulate)
            _add(sums, "main_loss", losses.main, share)
            _add(sums, "spatial_loss", losses.spatial, share)
            _add(sums, "temporal_loss", losses.temporal, share)
            if len(segments) > 1 and self._compares:
                side = _Side(segment, ran.output.main if losses.comparable is None else losses.comparable)
                if before is not None:
                    junction = 1.0 / (len(segments) - 1)
                    overlap = self._join(before, side, junction / self._accumulate)
                    _add(sums, "overlap_loss", overlap.value, junction)
                    loss = loss + overlap.current
                    if waiting is not None:
                        waiting = waiting + overlap.previous
                before = side
            if not self._attached:
                self._backward(loss)
                before = None if before is None else before.detached()
            else:  # the earlier segment waits until it has heard from the later one; never more than two are held
                if waiting is not None:
                    self._backward(waiting)
                waiting = loss
        if waiting is not None:
            self._backward(waiting)
        return sums

    @property
    def _compares(self) -> bool:
        return self._weights.overlap > 0 and self._segments.method == "ltsc"

    @property
    def _attached(self) -> bool:
        return self._compares and not self._segments.overlap_detach

    def _plan(self, batch: Batch, micro_step: MicroStep) -> tuple[Segment, ...]:
        if batch.frames.dim() < 3:
            raise ShapeError(f"batch: expected frames as B T C H W first, got {tuple(batch.frames.shape)}.")
        length = batch.frames.shape[1]
        offset = 0
        if self._segments.method == "strided" and self._segments.length is not None:
            key = hash_key(self._seed, "stride", micro_step.step, micro_step.number)
            offset = key % stride_of(length, self._segments.length)
        return plan_for(self._segments, length, offset)

    def _runner(
        self, batch: Batch, segments: Sequence[Segment], micro_step: MicroStep
    ) -> Callable[[Segment, Any, int | None], _Ran]:
        numbers = {segment: index for index, segment in enumerate(segments)}
        whole = len(segments) == 1 and len(segments[0]) == batch.frames.shape[1]

        def run(segment: Segment, state: Any, state_at: int | None) -> _Ran:
            part = batch if whole else self._task.cut(batch, segment)
            switch = None
            if self._switches is not None:
                switch = self._switches.draw(
                    micro_step.step, micro_step.number, numbers[segment], segment.start, micro_step.first_sample
                )
            with self._fabric.autocast():  # pyright: ignore[reportUnknownMemberType]
                output = self._model(part, state, streams=self._streams, switch=switch, state_at=state_at)
            return _Ran(part, _single(output))

        return run

    def _join(self, before: _Side, side: _Side, weight: float) -> _Overlap:
        """Give the overlap loss, and for either side a scalar with its gradient (graphs are never joined)."""
        weight *= self._weights.overlap
        if not self._attached:
            value = overlap_loss(before.outputs, side.outputs, before.segment, side.segment)
            return _Overlap(value, value.new_zeros(()), weight * value)
        previous = before.outputs.detach().requires_grad_()
        current = side.outputs.detach().requires_grad_()
        value = overlap_loss(previous, current, before.segment, side.segment, detach=False)
        back, ahead = torch.autograd.grad(weight * value, (previous, current))
        return _Overlap(value, (before.outputs * back).sum(), (side.outputs * ahead).sum())

    def _backward(self, loss: Tensor) -> None:
        self._fabric.backward(loss)  # pyright: ignore[reportUnknownMemberType]


class _Ran(NamedTuple):
    """A segment that went forward."""

    part: Any
    output: Output

    @property
    def state(self) -> Any:
        return self.output.state

    @property
    def state_at(self) -> Any:
        return self.output.state_at


class _Side(NamedTuple):
    """What the overlap loss compares of one segment."""

    segment: Segment
    outputs: Tensor

    def detached(self) -> _Side:
        return _Side(self.segment, self.outputs.detach())


class _Overlap(NamedTuple):
    """The overlap loss at one junction, and what to add to the losses of either side."""

    value: Tensor
    previous: Tensor
    current: Tensor


def _single(output: Any) -> Output:
    """Give predictions that came out in bf16 as float32: losses are computed in single precision."""
    half = {
        name: getattr(output, name).float()
        for name in ("main", "spatial", "temporal")
        if getattr(output, name) is not None and getattr(output, name).dtype == torch.bfloat16
    }
    return cast(Output, output._replace(**half) if half else output)


def _add(sums: dict[str, Tensor], name: str, value: Tensor | None, share: float) -> None:
    if value is not None:
        part = value.detach() * share
        sums[name] = sums[name] + part if name in sums else part
