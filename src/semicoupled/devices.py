"""Which device to compute on, by name; and how a CPU process keeps its memory."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from typing import TYPE_CHECKING

from semicoupled.errors import SettingsError

if TYPE_CHECKING:
    import torch


def choose_device(name: str = "auto") -> torch.device:
    """Give the device that a name stands for.

    Args:
        name: ``"auto"`` (the first GPU that torch can use, else the CPU; of torchrun's processes each takes one of its
            own), ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.

    Raises:
        SettingsError: no such name, or torch cannot use that device here.
    """
    import torch

    if name == "auto":
        if not torch.cuda.is_available():
            return torch.device("cpu")
        here = os.environ.get("LOCAL_RANK")
        return torch.device("cuda") if here is None else torch.device("cuda", int(here) % torch.cuda.device_count())
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


def multiplies_bf16(device: torch.device) -> bool:
    """Whether a device has instructions of its own for bfloat16; without them it is many times slower than float32.

    Most CPUs have none: they came with AVX512-BF16 and AMX (Intel from Cooper Lake on, AMD from Zen 4 on).
    """
    import torch

    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()  # pyright: ignore[reportPrivateUsage]


def keep_freed_memory() -> bool:
    """Tell the C library to keep freed memory instead of handing it back to the system, for this process.

    The maps of a layer are freed and asked for again in every step. With glibc's usual thresholds each of them is a new
    mapping, whose pages the system has to clear one by one: a tenth of a training step on a CPU. It is for programs,
    which own their process; a library should not choose this for its caller.

    Returns:
        Whether it was done; False where the C library is another one.
    """
    largest = 2**31 - 1
    return _mallopt(_MMAP_THRESHOLD, 2**30) and _mallopt(_TRIM_THRESHOLD, largest)


def return_freed_memory() -> bool:
    """Tell the C library to hand freed memory back to the system at once: slower, and what is held is what is needed.

    Returns:
        Whether it was done; False where the C library is another one.
    """
    return _mallopt(_MMAP_THRESHOLD, 2**16)


_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


def _mallopt(parameter: int, value: int) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None)
    return hasattr(library, "mallopt") and bool(library.mallopt(parameter, value))
