"""No speed without equality: before a figure is printed, the fast path must give what the slow one gives.

The comparisons here are in float64, on the network that is timed, with a shorter clip and one sample; those in the
precision that is timed are in `rounding`.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from semicoupled.bench.loops import Loop, UsualRecurrent
from semicoupled.errors import EqualityError
from semicoupled.nn import RecurrentStack, SemiCoupledStack, reference
from semicoupled.nn.norm import StreamNorm
from semicoupled.nn.streams import STREAMS

TOLERANCE = 1e-9
"""Largest difference allowed, relative to the largest value."""


def check_stack(stack: SemiCoupledStack, frames: Tensor) -> float:
    """Compare a stack with the reference, all streams: outputs, states, and the gradients of all parameters.

    With batch norm the comparison is made in eval mode, because the reference sees one frame at a time and knows
    no statistics over a clip.

    Args:
        stack: with float64 weights; its mode is put back.
        frames: B T C H W, float64.

    Returns:
        The largest relative difference.

    Raises:
        EqualityError: something differs; no speed may be printed.
    """
    with comparable(stack):
        fast = stack(frames, streams=STREAMS)
        fast_features = {stream: getattr(fast, stream) for stream in STREAMS}
        fast_gradients = gradients(stack, list(fast_features.values()))
        slow = reference.run(stack, frames, streams=STREAMS)
        slow_gradients = gradients(stack, [slow.features[stream] for stream in STREAMS])
    worst = 0.0
    for stream in STREAMS:
        worst = max(worst, _compare(f"the {stream} stream", fast_features[stream], slow.features[stream]))
    for stream, layers in (("main", fast.state.main), ("temporal", fast.state.temporal)):
        for index, layer in enumerate(layers or ()):
            slow_state = slow.memory[stream][index]["gate"]
            worst = max(worst, _compare(f"the {stream} state of layer {index}", layer[0], slow_state))
    # a bias in front of a norm has the gradient 0, but for rounding: they are measured by the largest of all
    largest = max(float(gradient.abs().max()) for gradient in slow_gradients.values())
    for name, gradient in fast_gradients.items():
        what = f"the gradient of {name}"
        worst = max(worst, _compare(what, gradient / largest, slow_gradients[name] / largest, scale=1.0))
    return worst


def check_rival(stack: RecurrentStack, usual: UsualRecurrent, frames: Tensor) -> float:
    """Compare the usual loop of a rival with our own form of it, on the same weights and frames B T C H W.

    Raises:
        EqualityError: they differ.
    """
    return _compare("the rival's loop", usual(frames), stack(frames).main)


def check_loop(stack: SemiCoupledStack, loop: Loop, frames: Tensor) -> float:
    """Compare a loop over the frames, B T C H W, with the stack that it stands for.

    Raises:
        EqualityError: they differ.
    """
    return _compare("the loop", loop(frames), stack(frames).main)


@contextmanager
def comparable(stack: SemiCoupledStack) -> Generator[None]:
    """Within this context a stack is in the mode in which the reference can follow it: in eval() with batch norm."""
    was_training = stack.training
    _ = stack.train(not any(isinstance(module, StreamNorm) and module.kind == "batch" for module in stack.modules()))
    try:
        yield
    finally:
        _ = stack.train(was_training)


def gradients(network: nn.Module, outputs: Sequence[Tensor]) -> dict[str, Tensor]:
    """Give the gradients of all parameters, by name, of a weighted sum of some outputs."""
    named = dict(network.named_parameters())
    # unequal weights, so that an error in one entry cannot cancel out; in float64, so that they are everywhere the same
    loss = sum(
        (output.double() * torch.linspace(0.5, 1.5, output.numel()).to(output.device).double().view_as(output)).sum()
        for output in outputs
    )
    assert isinstance(loss, Tensor)
    return dict(zip(named, torch.autograd.grad(loss, list(named.values())), strict=True))


def _compare(
    what: str, fast: Tensor, slow: Tensor, *, tolerance: float = TOLERANCE, scale: float | None = None
) -> float:
    unit = max(float(slow.detach().abs().max()), 1e-30) if scale is None else scale
    difference = float((fast - slow).detach().abs().max()) / unit
    if not difference <= tolerance:
        raise EqualityError(
            f"bench: {what} differs between the fast path and the slow one by {difference:.1e} of its largest value; "
            f"expected at most {tolerance:.0e}. No speed is printed for a network that computes something else. "
            "`pytest tests/nn` shows which part is wrong."
        )
    return difference


def perturb_statistics(stack: SemiCoupledStack) -> None:
    """Give batch norms other running statistics than 0 and 1, so that eval mode tests them."""
    generator = torch.Generator().manual_seed(0)
    for name, buffer in stack.named_buffers():
        noise = torch.rand(buffer.shape, generator=generator).to(buffer)
        if name.endswith("running_mean"):
            _ = buffer.copy_(noise - 0.5)
        elif name.endswith("running_variance"):
            _ = buffer.copy_(noise + 0.5)
