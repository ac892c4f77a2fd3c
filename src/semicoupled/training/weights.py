"""Weights as safetensors: written whole or not at all, read with a sentence about what does not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save  # pyright: ignore[reportUnknownVariableType]
from torch import nn

from semicoupled.errors import RunError
from semicoupled.files import write_bytes

FILE = "model.safetensors"


def save_weights(path: Path, model: nn.Module, about: Mapping[str, str]) -> None:
    """Write a model's parameters and buffers.

    Args:
        path: the file.
        model: whose weights.
        about: what is written into the file's header.
    """
    # cloned, because safetensors refuses tensors that share memory (shared heads)
    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in model.state_dict().items()}
    write_bytes(path, save(tensors, dict(about)))  # `save_file` makes files that nobody else may read


def read_about(path: Path) -> dict[str, str]:
    """Read what `save_weights` wrote into a file's header.

    Raises:
        RunError: it is no such file.
    """
    try:
        with cast(Any, safe_open(path, "pt")) as opened:
            return dict(opened.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise RunError(f"{path}: is broken ({error}); expected weights in the safetensors format.") from error


def load_weights(path: Path, model: nn.Module, may_lack: Sequence[str] = ()) -> None:
    """Read weights into a model that has exactly these parameters and buffers.

    Args:
        path: a file, or a run folder that holds one.
        model: takes the weights.
        may_lack: beginnings of names that the weights may do without; the model's own stay there.

    Raises:
        RunError: no such file, it is broken, or it is of another model.
    """
    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        raise RunError(f"{file}: no such file; expected the weights of a run that came to a validation or to its end.")
    try:
        found = load_file(file)
    except (SafetensorError, OSError) as error:
        raise RunError(f"{file}: is broken ({error}); expected weights in the safetensors format.") from error
    wanted = model.state_dict()
    optional = tuple(may_lack)
    wrong = [f"{name} is missing" for name in wanted if name not in found and not name.startswith(optional)]
    wrong += [f"{name} is not in the model" for name in found if name not in wanted]
    wrong += [
        f"{name} has shape {tuple(found[name].shape)}, the model's {tuple(wanted[name].shape)}"
        for name in wanted
        if name in found and found[name].shape != wanted[name].shape
    ]
    if wrong:
        more = f", and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise RunError(
            f"{file}: is of another model: {'; '.join(wrong[:3])}{more}. Build the model with the settings that it was "
            "trained with."
        )
    model.load_state_dict({**wanted, **found})
