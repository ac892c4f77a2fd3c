"""An encoder and a decoder of the same structure (Sec. 5.8): one reads the past, the other writes the future.

The decoder starts from the encoder's state and the last image, and feeds on its own output. What it feeds on is cut
from the graph: gradients run through the state alone, so that the spatial goal never reaches the temporal branch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, cast

from torch import Tensor, nn

from semicoupled.nn.streams import Branch, Outputs, StackState, Stream
from semicoupled.nn.switch import Pattern, Switching


class Stack(Protocol):
    """Ours or a rival: what both have in common."""

    depth: int
    out_channels: int

    def __call__(
        self,
        frames: Tensor,
        state: StackState | None = None,
        *,
        streams: Sequence[Stream] = ("main",),
        switch: Switching | None = None,
    ) -> Outputs:
        """Run frames B T C H W."""
        ...


class Step(NamedTuple):
    """One step of the decoder: features B C H W of the streams asked for.

    Attributes:
        main: of the structure itself.
        spatial: None where not asked for.
        temporal: None where not asked for.
    """

    main: Tensor
    spatial: Tensor | None
    temporal: Tensor | None


class EncoderDecoder(nn.Module):
    """Two stacks, and the way from one to the other."""

    def __init__(self, build: Callable[[], nn.Module]) -> None:
        """Build both stacks.

        Args:
            build: builds a stack; it is called for the encoder and for the decoder.
        """
        super().__init__()
        self.encoder = build()
        self.decoder = build()
        self.depth = cast(Stack, self.encoder).depth + cast(Stack, self.decoder).depth
        self.out_channels = cast(Stack, self.decoder).out_channels

    def encode(
        self,
        frames: Tensor,
        state: StackState | None,
        *,
        streams: Sequence[Stream],
        switch: Switching | None,
        steps: int,
    ) -> StackState:
        """Read the past, B T C H W.

        Args:
            frames: what went before.
            state: the state before it, or None.
            streams: `main`, `spatial`, `temporal`.
            switch: a draw for a clip of T + `steps` frames and of both stacks' layers.
            steps: that the decoder will make.

        Returns:
            The state from which `decode` starts.
        """
        count = frames.shape[1]
        part = None if switch is None else _Part(switch, 0, 0, count, count + steps)
        return cast(Stack, self.encoder)(frames, state, streams=streams, switch=part).state

    def decode(
        self,
        frame: Tensor,
        state: StackState,
        *,
        streams: Sequence[Stream],
        switch: Switching | None,
        at: int,
        total: int,
    ) -> tuple[Step, StackState]:
        """Write one frame of the future.

        Args:
            frame: the last image, B C H W; no gradient flows back into it.
            state: the encoder's, or that of the last step.
            streams: `main`, `spatial`, `temporal`.
            switch: as in `encode`.
            at: index of the frame to be written, counted from the first that the encoder read.
            total: frames that are read and written.
        """
        stack = cast(Stack, self.decoder)
        part = None if switch is None else _Part(switch, cast(Stack, self.encoder).depth, at, 1, total)
        outputs = stack(frame.detach()[:, None], state, streams=streams, switch=part)
        features = (None if stream is None else stream[:, 0] for stream in outputs[:3])
        return Step(*features), outputs.state  # pyright: ignore[reportArgumentType]


class _Part:
    """The switches of one stack and of some frames, out of a draw for the whole."""

    def __init__(self, switch: Switching, first_layer: int, first_frame: int, frames: int, total: int) -> None:
        self._switch, self._first_layer = switch, first_layer
        self._slice, self._total = slice(first_frame, first_frame + frames), total

    def pattern(self, branch: Branch, layer: int, frames: int, batch: int) -> Pattern | None:
        """See `Switching.pattern`."""
        del frames  # those of the slice
        whole = self._switch.pattern(branch, self._first_layer + layer, self._total, batch)
        return None if whole is None else Pattern(whole.open[self._slice], whole.scale)
