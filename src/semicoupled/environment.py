"""What this machine has: versions, devices, and how they can compute."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import sys
from pathlib import Path
from typing import Any

from semicoupled import __version__


def environment() -> dict[str, Any]:
    """Describe the machine and the versions, for a run folder or a report of trouble."""
    import torch

    return {
        "semicoupled": __version__,
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "packages": requirements() | {"torch": torch.__version__},  # which names the build, too: +cpu, +cu132
        "cpu": {
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "capability": torch.backends.cpu.get_cpu_capability(),
            "bf16": sorted(bf16_instructions()),
        },
        "gpus": [
            {
                "name": torch.cuda.get_device_name(index),
                "memory_gib": round(torch.cuda.get_device_properties(index).total_memory / 2**30, 1),
                "bf16": torch.cuda.get_device_capability(index) >= (8, 0),
            }
            for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0)
        ],
    }


def requirements(extra: str | None = None) -> dict[str, str | None]:
    """Give the installed versions of what semicoupled asks for; None for what is not installed.

    Args:
        extra: the parts of this extra, such as ``"pysteps"``; None for what is always needed.
    """
    found: dict[str, str | None] = {}
    for requirement in importlib.metadata.requires("semicoupled") or ():
        name = re.match(r"[A-Za-z0-9._-]+", requirement)
        wanted = re.search(r"extra == ['\"]([^'\"]+)['\"]", requirement)
        if name is not None and (wanted[1] if wanted else None) == extra:
            found[name[0]] = _version(name[0])
    return found


def extras() -> tuple[str, ...]:
    """Give the names of the optional parts."""
    return tuple(importlib.metadata.metadata("semicoupled").get_all("Provides-Extra") or ())


def bf16_instructions() -> frozenset[str]:
    """Give the CPU's instructions for bfloat16: ``avx512_bf16``, ``amx_bf16``; none where they cannot be known."""
    file = Path("/proc/cpuinfo")
    flags = re.search(r"^flags\s*:(.*)$", file.read_text(), re.M) if file.is_file() else None
    words = set(flags[1].split()) if flags else set[str]()
    return frozenset(words & {"avx512_bf16", "amx_bf16", "avx_ne_convert"})


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
