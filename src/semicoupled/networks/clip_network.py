"""A network that sees a clip at once, with the signature of `SemiCoupledStack`: what trains one trains the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from torch import nn

from semicoupled.errors import ShapeError
from semicoupled.networks.torchvision_video import TorchvisionVideo
from semicoupled.networks.two_stream3d import TwoStream3D
from semicoupled.networks.video3d import R2Plus1D
from semicoupled.nn.recurrent import check_clip
from semicoupled.nn.shapes import Float, Tensor
from semicoupled.nn.streams import MapName, Outputs, StackState, Stream
from semicoupled.nn.switch import Switching


class ClipNetwork(nn.Module):
    """Features of a whole clip, handed out for each of its frames: B T C 1 1. It remembers nothing; it cannot step."""

    def __init__(self, network: R2Plus1D | TorchvisionVideo | TwoStream3D) -> None:
        """Take a network; its own head is not used."""
        super().__init__()
        self.network = network
        network.head = nn.Identity()
        self.in_channels, self.out_channels = network.in_channels, network.out_channels

    @property
    def depth(self) -> int:
        """Number of blocks, and the stem."""
        return 1 + len(cast(nn.Sequential, self.network.blocks))

    def forward(
        self,
        frames: Float[Tensor, "B T C H W"],
        state: StackState | None = None,
        *,
        streams: Sequence[Stream] = ("main",),
        switch: Switching | None = None,
        state_at: int | None = None,
        record: Sequence[MapName] = (),
        record_layers: Sequence[int] | None = None,
    ) -> Outputs:
        """Run a clip; see `SemiCoupledStack.forward`. There are no maps to record.

        Raises:
            ShapeError: a state, a stream other than `main`, a switch, or frames that do not fit.
        """
        del record, record_layers
        count = check_clip(frames, self.in_channels, streams, switch, state_at)
        if state is not None and state.main:
            raise ShapeError("state: a network that sees a clip at once has none; pass the whole clip and state=None.")
        features = self.network.features(frames).mean((2, 3, 4))
        nothing = StackState(main=(), temporal=None)
        return Outputs(
            main=features[:, None, :, None, None].expand(-1, count, -1, 1, 1),
            spatial=None,
            temporal=None,
            state=nothing,
            state_at=None if state_at is None else nothing,
            record=(),
        )

    def recurrent_parameters(self) -> Iterator[nn.Parameter]:
        """None."""
        yield from cast("tuple[nn.Parameter, ...]", ())
