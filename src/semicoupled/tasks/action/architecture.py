"""From the settings to a network: sizes, kinds, and what a rival gets in place of what it does not have."""

from __future__ import annotations

from typing import NamedTuple, cast

from torch import nn

from semicoupled.errors import SettingsError
from semicoupled.networks import streaming, table1
from semicoupled.networks.backbone_stack import BackboneStack
from semicoupled.networks.clip_network import ClipNetwork
from semicoupled.networks.framewise import Framewise, FramewiseLSTM, Trunk
from semicoupled.networks.image_trunks import ImageTrunk
from semicoupled.networks.residual_trunk import ResidualTrunk
from semicoupled.networks.torchvision_video import TorchvisionVideo
from semicoupled.networks.two_stream3d import TwoStream3D
from semicoupled.networks.video3d import R2Plus1D
from semicoupled.nn import CBMStack, SemiCoupledStack, convgru, convlstm
from semicoupled.tasks.action.settings import NAMED, ModelSettings

BACKBONE_WIDTHS, BACKBONE_STRIDES = (512,) * 15, (1,) * 15
"""The 15 layers behind a backbone (Table 8: 512 features)."""


class Architecture(NamedTuple):
    """What all kinds of a size share.

    Attributes:
        widths: channels of each layer.
        strides: of each layer.
        first_kernel: of the first convolution.
        pool_first: a 3x3 max-pool with stride 2 behind the first layer.
    """

    widths: tuple[int, ...]
    strides: tuple[int, ...]
    first_kernel: int
    pool_first: bool

    @property
    def kernels(self) -> tuple[int, ...]:
        """Of each layer."""
        return (self.first_kernel, *[3] * (len(self.widths) - 1))

    @property
    def rival_strides(self) -> tuple[int, ...]:
        """The same sizes of maps without a pool: the second layer strides instead."""
        if not self.pool_first or len(self.strides) < 2:
            return self.strides
        return (self.strides[0], 2 * self.strides[1], *self.strides[2:])


SIZES: dict[str, Architecture] = {
    "xs": Architecture(streaming.XS_WIDTHS, streaming.STRIDES, 7, True),
    "s": Architecture(streaming.S_WIDTHS, streaming.STRIDES, 7, True),
    "table1": Architecture(table1.WIDTHS, table1.STRIDES, 7, True),
    "backbone": Architecture(BACKBONE_WIDTHS, BACKBONE_STRIDES, 3, False),
}


def architecture(settings: ModelSettings) -> Architecture:
    """Give the layers: those of the size, or those that the settings name."""
    found = SIZES[settings.size]
    if settings.widths is not None and settings.strides is not None:
        first = 3
        found = Architecture(settings.widths, settings.strides, first, False)
    if settings.first_kernel is not None:
        found = found._replace(first_kernel=settings.first_kernel)
    return found if settings.pool_first is None else found._replace(pool_first=settings.pool_first)


def build_network(settings: ModelSettings, channels: int) -> nn.Module:
    """Build the network without its heads; `forward`, `step` and `initial_state` as in `SemiCoupledStack`.

    Args:
        settings: which one.
        channels: of the frames.

    Raises:
        MissingExtraError: ``imagenet`` or a network of torchvision's without torchvision.
        SettingsError: a backbone for gray frames.
    """
    if settings.kind == "two_stream_3d":
        return build_two_stream(settings, channels)
    if settings.size != "backbone":
        return build_layers(settings, channels)
    if channels != 3:
        raise SettingsError(
            f"model.size backbone: expected frames of 3 channels, got {channels}. Set data.color to rgb"
        )
    trunk = cast(Trunk, ImageTrunk(settings.backbone, settings.backbone_weights))
    if settings.kind == "cnn":
        return Framewise(trunk)
    if settings.kind == "cnn_lstm":
        return FramewiseLSTM(trunk, settings.hidden or trunk.out_channels, settings.grid)
    return BackboneStack(trunk, build_layers(settings, trunk.out_channels))


def build_two_stream(settings: ModelSettings, channels: int) -> ClipNetwork:
    """Build two towers, one for images and one for their flow, that are fused in 3D (Feichtenhofer et al. 2016).

    Args:
        settings: with the size ``backbone`` the towers are that backbone, else the layers of the size without a memory.
        channels: of the frames: images, and behind them two of the flow.

    Raises:
        SettingsError: a backbone for gray images.
    """
    plan = architecture(settings)
    if settings.size == "backbone":
        if channels != 5:
            raise SettingsError(
                f"model.size backbone: expected frames of 3 + 2 channels, got {channels}. Set data.color to rgb_flow"
            )
        towers = [ImageTrunk(settings.backbone, settings.backbone_weights) for _ in range(2)]
        return ClipNetwork(TwoStream3D(cast(Trunk, towers[0]), cast(Trunk, towers[1]), plan.widths[-1]))

    def tower(entering: int) -> Trunk:
        trunk = ResidualTrunk(
            entering,
            plan.widths,
            kernel_size=plan.kernels,
            strides=plan.strides,
            norm=settings.norm,
            shortcut_every=settings.shortcut_every,
            pool_first=plan.pool_first,
        )
        return cast(Trunk, trunk)

    return ClipNetwork(TwoStream3D(tower(channels - 2), tower(2), plan.widths[-1]))


def build_layers(settings: ModelSettings, channels: int) -> nn.Module:
    """Build the layers that are trained from scratch.

    Args:
        settings: which ones.
        channels: of the frames, or of the backbone's map.
    """
    plan = architecture(settings)
    norm, every = settings.norm, settings.shortcut_every
    if settings.kind == "semicoupled":
        return SemiCoupledStack(
            channels,
            plan.widths,
            kernel_size=plan.kernels,
            temporal_kernel_size=3,
            strides=plan.strides,
            norm=norm,
            cell=settings.cell,
            initial_gate=settings.initial_gate,
            shortcut_every=every,
            pool_first=plan.pool_first,
            checkpointing=settings.checkpointing,
        )
    if settings.kind == "cbm":
        return CBMStack(
            channels,
            plan.widths,
            kernel_size=plan.kernels,
            strides=plan.strides,
            norm=norm,
            shortcut_every=every,
            pool_first=plan.pool_first,
        )
    if settings.kind in ("cnn", "cnn_lstm"):
        trunk = ResidualTrunk(
            channels,
            plan.widths,
            kernel_size=plan.kernels,
            strides=plan.strides,
            norm=norm,
            shortcut_every=every,
            pool_first=plan.pool_first,
        )
        if settings.kind == "cnn":
            return Framewise(cast(Trunk, trunk))
        return FramewiseLSTM(cast(Trunk, trunk), settings.hidden or plan.widths[-1], settings.grid)
    strides = plan.rival_strides
    if settings.kind == "convlstm":
        return convlstm(channels, plan.widths, strides=strides, norm=norm, shortcut_every=every)
    if settings.kind == "convgru":
        return convgru(channels, plan.widths, strides=strides, norm=norm, shortcut_every=every)
    if settings.kind in NAMED:
        return ClipNetwork(TorchvisionVideo(settings.kind, settings.backbone_weights))
    return ClipNetwork(R2Plus1D(1, channels, widths=_four(plan.widths)))


def _four(widths: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Widths of the four stages of a 3D net, from the plan's layers at their quarters."""
    last = len(widths) - 1
    first, second, third, fourth = (widths[round(last * share)] for share in (0.25, 0.5, 0.75, 1.0))
    return first, second, third, fourth
