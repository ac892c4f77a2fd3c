"""The one door to torchvision: its networks by name, its weights, and files of weights that fit them."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from semicoupled.errors import MissingExtraError, RunError
from semicoupled.nn.shapes import Tensor

HEADS = ("avgpool", "dropout", "fc", "classifier", "aux1", "aux2")
"""Parts of its networks that are above the maps."""


def import_models(what: str, module: str = "torchvision.models", *, instead: str = "") -> Any:
    """Import torchvision's networks.

    Args:
        what: is wanted of it, as the beginning of a sentence.
        module: the module that has it.
        instead: how to do without, as the end of a sentence.

    Raises:
        MissingExtraError: torchvision is not installed, or does not fit torch.
    """
    try:
        return importlib.import_module(module)
    except (ImportError, RuntimeError) as error:
        raise MissingExtraError(
            f"{what} comes from torchvision, which cannot be imported ({error}). Install it: pip install torchvision"
            + instead
        ) from error


IMAGENET = "imagenet"
"""What torchvision's weights of ImageNet are called in settings."""


def begin_with(network: nn.Module, source: str | Path, name: str, weights: str, instead: str) -> None:
    """Put the weights of a network for photographs into ours of the same layers.

    Args:
        network: takes them.
        source: a file (``.pt``, ``.pth``, ``.safetensors``), or ``imagenet``, which torchvision downloads.
        name: of torchvision's network.
        weights: torchvision's list of its weights, such as ``VGG16_BN_Weights``.
        instead: what else can be done, for messages.

    Raises:
        MissingExtraError: ``imagenet`` without torchvision.
        RunError: the file is missing or holds something else, does not fit, or there is no network.
    """

    def imagenet() -> Any:
        models = import_models(f"{name} with the weights {IMAGENET}", instead=f", or {instead}")
        return getattr(models, weights).IMAGENET1K_V1

    take_weights(network, find_weights(source, name, IMAGENET, imagenet, instead), source)


def find_weights(source: str | Path, name: str, known: str, weights: Any, instead: str) -> Mapping[str, Tensor]:
    """Give weights by name: those of a file, or those that torchvision downloads.

    Args:
        source: a file (``.pt``, ``.pth``, ``.safetensors``), or `known`.
        name: of the network, for messages.
        known: what the weights are called that torchvision has.
        weights: gives these, torchvision's own entry.
        instead: what else can be done, for messages.

    Raises:
        RunError: the file is missing or holds something else, or there is no network to download by.
    """
    if str(source) != known:
        return read_state(Path(source))
    try:
        return weights().get_state_dict(progress=False)
    except OSError as error:
        raise RunError(f"the weights {known} of {name} cannot be downloaded ({error}); {instead}") from error


def read_state(path: Path) -> Mapping[str, Tensor]:
    """Read a file of weights; never a pickle of anything else. What it holds beside tensors with names is passed over.

    Raises:
        RunError: it is missing, or holds something else.
    """
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        found = dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # torch and safetensors raise many kinds
        raise RunError(f"{path}: cannot be read ({error}); expected the weights of a network, by name") from error
    return {name: value for name, value in found.items() if isinstance(name, str) and isinstance(value, Tensor)}


def take_weights(network: nn.Module, state: Mapping[str, Tensor], source: str | Path) -> None:
    """Put weights into a network; parts of a head may be missing or more.

    Raises:
        RunError: a weight below the head is missing, or has another shape.
    """
    wanted = {name: value for name, value in network.state_dict().items() if name.split(".")[0] not in HEADS}
    for name, value in wanted.items():
        if name.endswith("num_batches_tracked"):  # older files do without
            continue
        if name not in state or state[name].shape != value.shape:
            got = "nothing" if name not in state else str(tuple(state[name].shape))
            raise RunError(f"{source}: {name}: expected weights of the shape {tuple(value.shape)}, got {got}")
    _ = network.load_state_dict({name: state[name] for name in wanted if name in state}, strict=False)
