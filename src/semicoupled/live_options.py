"""What the options of live predictions have in common: where frames come from, and what does not go with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from semicoupled.errors import SettingsError


class LiveOptions(Protocol):
    """Options of a prediction that can be live."""

    @property
    def camera(self) -> str | None:
        """A camera's number, its device, or an address that FFmpeg reads."""
        ...

    @property
    def stdin(self) -> str | None:
        """How frames come through the standard input."""
        ...

    @property
    def frames(self) -> int | None:
        """Live frames to end after."""
        ...

    @property
    def devices(self) -> int:
        """Processes that share what lies in files."""
        ...


def is_live(options: LiveOptions) -> bool:
    """Whether frames come from a camera or through the standard input."""
    return options.camera is not None or options.stdin is not None


def check_live(options: LiveOptions) -> None:
    """Check what goes together.

    Raises:
        SettingsError: two sources, `frames` of no live frames, or live frames for several processes.
    """
    if options.camera is not None and options.stdin is not None:
        raise SettingsError("--camera and --stdin: expected one of them. Leave the other out.")
    if options.devices > 1 and is_live(options):
        raise SettingsError(f"--devices {options.devices}: live frames go to one process. Leave it out.")
    if options.frames is not None and not is_live(options):
        raise SettingsError("--frames: is of use with --camera or --stdin alone. Leave it out.")


def check_no_inputs(inputs: Sequence[Path]) -> None:
    """Refuse files beside live frames.

    Raises:
        SettingsError: there are some.
    """
    if inputs:
        raise SettingsError(
            f"{', '.join(map(str, inputs))}: with --camera or --stdin no inputs are read. Leave them out."
        )
