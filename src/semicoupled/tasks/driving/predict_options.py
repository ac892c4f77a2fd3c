"""What can be chosen where a drive is answered. Imports no torch, so that help is quick."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from semicoupled.errors import SettingsError
from semicoupled.live_options import check_live, is_live
from semicoupled.ranges import at_least
from semicoupled.skipping import OnError


@dataclass(frozen=True)
class PredictOptions:
    """What can be chosen for each prediction.

    Args:
        rate: frames a second of a folder of images, or of what comes through the pipe; times of arrival if None.
        on_error: ``fail`` at a frame that cannot be read, or ``skip`` it, up to 1 % of them; as the run's settings say
            (data.on_error) if None.
        streams: ``all`` answers from time and from space alone, too, which tells how important time is; ``main`` is
            quicker. ``auto`` is all for files, and main for a camera or a pipe.
        devices: processes that share the drives: each on a GPU of its own where there are several, else on the CPU's
            cores. What a killed one had begun is taken up by the others, and what a killed call had done by the next.
            On several machines start them with torchrun, and leave this out.
        camera: live from a camera: its number, its device, or an address that FFmpeg reads (rtsp://...). No inputs are
            given then. It ends with Ctrl-C, or after `frames`.
        stdin: live from the standard input: WIDTHxHEIGHT of raw RGB frames, or ``mjpeg``. It ends with its input.
        late: of live frames that come while one is answered: ``drop`` all but the newest, or ``keep`` them waiting.
            ``auto`` drops those of a camera and keeps those of a pipe.
        frames: end after so many live frames.
    """

    rate: float | None = None
    on_error: OnError | None = None
    streams: Literal["auto", "all", "main"] = "auto"
    devices: int = 1
    camera: str | None = None
    stdin: str | None = None
    late: Literal["auto", "drop", "keep"] = "auto"
    frames: int | None = None

    def __post_init__(self) -> None:
        """Check the ranges, and what goes together."""
        if self.rate is not None and not (math.isfinite(self.rate) and self.rate > 0):
            raise SettingsError(f"--rate: expected frames a second above 0, got {self.rate!r}.")
        at_least("--frames", self.frames, 1)
        if self.devices < 1:
            raise SettingsError(f"--devices: expected at least 1, got {self.devices!r}.")
        check_live(self)
        if self.late != "auto" and not self.live:
            raise SettingsError("--late: is of use with --camera or --stdin alone. Leave it out.")
        if self.camera is not None and self.rate is not None:
            raise SettingsError("--rate: a camera's frames have the times at which they come. Leave it out.")

    @property
    def live(self) -> bool:
        """Whether frames come from a camera or through the standard input."""
        return is_live(self)

    @property
    def without_inputs(self) -> bool:
        """Whether a prediction needs no files."""
        return self.live
