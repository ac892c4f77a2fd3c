"""What one frame costs: multiply-accumulates, counted from the weights and the sizes of the maps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from torch import nn

from semicoupled.errors import ShapeError
from semicoupled.networks.cnn_lstm import CNNLSTM
from semicoupled.networks.predrnn import PredRNN
from semicoupled.networks.streaming import StreamingClassifier
from semicoupled.nn import CBMStack, RecurrentStack, SemiCoupledStack
from semicoupled.nn.shortcut import Shortcuts
from semicoupled.nn.size import Size, strided_sizes


def macs(network: nn.Module, size: Sequence[int]) -> int:
    """Multiply-accumulates of one step of the main stream, for one sample.

    Convolutions, linear maps and the LSTM's matrices are counted; the borders of a padded convolution count like its
    middle. Norms, gates and additions are not counted: they are a few operations for each entry of a map.

    Args:
        network: a `StreamingClassifier`, a `SemiCoupledStack` or a rival, with `conv2d` or `linear` operators.
        size: spatial size of the frames, (H, W); () with the linear operator.

    Returns:
        The number for one frame.

    Raises:
        ShapeError: a network or an operator of another kind.
    """
    if isinstance(network, StreamingClassifier):
        return macs(network.stack, size) + _in(network.head, ())
    if isinstance(network, CBMStack):
        return macs(network.stack, size)
    if isinstance(network, SemiCoupledStack):
        # the state has the size of a layer's maps
        inside = [tuple(cell[0].shape[2:]) for cell in network.initial_state(1, size).main or ()]
        layers = sum(_in(layer, here) for layer, here in zip(network.layers, inside, strict=True))
        return layers + _of_shortcuts(network.shortcuts, inside)
    if isinstance(network, RecurrentStack | PredRNN | CNNLSTM):
        inside = strided_sizes(size, network.strides)
        modules = network.convolutions if isinstance(network, CNNLSTM) else network.layers
        layers = sum(_in(layer, here) for layer, here in zip(modules, inside, strict=True))
        memory = _in(network.lstm, ()) if isinstance(network, CNNLSTM) else 0
        return layers + _of_shortcuts(network.shortcuts, inside) + memory
    raise ShapeError(
        f"macs: expected a StreamingClassifier, a SemiCoupledStack, CBMStack, RecurrentStack, PredRNN or CNNLSTM, "
        f"got {type(network).__name__}. Count its parts one by one."
    )


def _of_shortcuts(shortcuts: Shortcuts, inside: Sequence[Size]) -> int:
    """The projections, each at the size of the map that it is added to."""
    return sum(
        _in(shortcut, inside[int(start) + shortcut.span - 1])
        for start in shortcuts.by_start
        if (shortcut := shortcuts.starting(int(start))) is not None
    )


def _in(module: nn.Module, size: Size) -> int:
    """Every weight of a module's operators is used once at each position of the map that they put out."""
    return sum(_weights(operator) for operator in _operators(module)) * math.prod(size)


def _operators(module: nn.Module) -> Iterator[nn.Module]:
    """The modules within that have parameters of their own, norms left out."""
    for inner in module.modules():
        own = list(inner.parameters(recurse=False))
        if any(parameter.dim() > 1 for parameter in own):
            yield inner


def _weights(operator: nn.Module) -> int:
    if not isinstance(operator, nn.Conv2d | nn.Linear | nn.LSTM):
        raise ShapeError(
            f"macs: expected operators of nn.Conv2d, nn.Linear or nn.LSTM, got {type(operator).__name__}. "
            "Its cost cannot be told from its weights."
        )
    return sum(parameter.numel() for parameter in operator.parameters() if parameter.dim() > 1)
