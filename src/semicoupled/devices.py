"""Which device to compute on, by name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from semicoupled.errors import SettingsError

if TYPE_CHECKING:
    import torch


def choose_device(name: str = "auto") -> torch.device:
    """Give the device that a name stands for.

    Args:
        name: ``"auto"`` (the first GPU that torch can use, else the CPU), ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.

    Raises:
        SettingsError: no such name, or torch cannot use that device here.
    """
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if re.fullmatch(r"cpu|cuda(:\d+)?", name) is None:
        raise SettingsError(f"there is no device {name!r}; expected auto, cpu, cuda, or cuda:N with N from 0")
    device = torch.device(name)
    if device.type == "cuda":
        found = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= found:
            raise SettingsError(
                f"device {name}: torch {torch.__version__} can use {found} GPUs here; "
                "use --device cpu, or install a torch built for your GPU (`semicoupled doctor` tells more)"
            )
    return device
