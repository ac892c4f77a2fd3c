"""``semicoupled doctor``: what is installed, what this machine can do, and what is missing."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.table import Table

from semicoupled.cli.options import Parser
from semicoupled.cli.tables import output
from semicoupled.environment import environment, extras, requirements
from semicoupled.files import write_text


class Speed(NamedTuple):
    """Milliseconds of one training step of a small convolution, by precision and memory layout.

    Attributes:
        device: ``cpu`` or ``cuda``.
        float32: in float32.
        bf16: in bf16 autocast.
    """

    device: str
    float32: float
    bf16: float


def main(arguments: Sequence[str]) -> int:
    """Report on this machine."""
    parser = Parser("doctor", "[--json F]", "Versions, devices, the speed of bf16, and missing extras.")
    parser.add_argument("--json", type=Path, metavar="F", help="also write the report to this file")
    options = parser.parse(arguments)
    found = environment()
    speeds = [measure(device) for device in ("cpu", *(["cuda"] if found["gpus"] else []))]
    missing = {name: [part for part, version in requirements(name).items() if version is None] for name in extras()}
    show(found, speeds, missing)
    if options.json is not None:
        report = {"format": 1, **found, "speed_ms": [speed._asdict() for speed in speeds], "missing_extras": missing}
        write_text(options.json, json.dumps(report, indent=1) + "\n")
    return 0


def measure(device: str, repeats: int = 7) -> Speed:
    """Time forward and backward of a 3x3 convolution of 64 channels on 8 images of 64 px.

    Args:
        device: ``"cpu"`` or ``"cuda"``.
        repeats: how often; the median counts.
    """
    import torch

    layer = torch.nn.Conv2d(64, 64, 3, padding=1, device=device)
    layer.weight.data = layer.weight.data.to(memory_format=torch.channels_last)
    frames = torch.randn(8, 64, 64, 64, device=device).to(memory_format=torch.channels_last).requires_grad_()

    def step(precision: torch.dtype) -> float:
        start = time.perf_counter()
        with torch.autocast(device, dtype=torch.bfloat16, enabled=precision == torch.bfloat16):
            layer(frames).sum().backward()
        if device == "cuda":
            torch.cuda.synchronize()
        return 1000 * (time.perf_counter() - start)

    def median(precision: torch.dtype) -> float:
        step(precision)  # the first one also chooses kernels
        return statistics.median(step(precision) for _ in range(repeats))

    return Speed(device, median(torch.float32), median(torch.bfloat16))


def show(found: dict[str, Any], speeds: Sequence[Speed], missing: dict[str, list[str]]) -> None:
    """Print the report."""
    cpu = found["cpu"]
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_row("semicoupled", found["semicoupled"])
    table.add_row("python", f"{found['python']} on {found['platform']}")
    table.add_row("cpu", f"{cpu['cores']} cores, {cpu['threads']} threads in use, {cpu['capability']}")
    table.add_row("cpu bf16", ", ".join(cpu["bf16"]) or "no instructions known: bf16 will be slow here")
    for gpu in found["gpus"]:
        table.add_row("gpu", f"{gpu['name']}, {gpu['memory_gib']} GiB, bf16 {'yes' if gpu['bf16'] else 'no'}")
    if not found["gpus"]:
        table.add_row("gpu", "none that torch can use")
    for speed in speeds:
        gain = speed.float32 / speed.bf16
        advice = f"bf16 is {gain:.1f} times as fast" if gain > 1.1 else "bf16 brings nothing here: use float32"
        table.add_row(f"{speed.device} speed", f"float32 {speed.float32:.1f} ms, bf16 {speed.bf16:.1f} ms: {advice}")
    for name, version in found["packages"].items():
        table.add_row(name, version or f'missing: pip install "{name}"')
    for name, parts in missing.items():
        text = f"missing: pip install {' '.join(parts)}" if parts else "complete"
        table.add_row(f"extra {name}", text)
    output().print(table)
