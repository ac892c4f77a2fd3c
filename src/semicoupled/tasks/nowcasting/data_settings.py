"""Settings of the radar files: where they are, what they do not say themselves, and how they become samples.

Imports no torch and no numpy, so that help is quick.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from semicoupled.errors import SettingsError
from semicoupled.ranges import at_least, share
from semicoupled.skipping import OnError

Quantity = Literal["dBZ", "mm/h", "mm"]


@dataclass(frozen=True)
class ZR:
    """The law Z = a R^b between reflectivity (mm^6 m^-3) and rain (mm/h); by default Marshall and Palmer's (1948).

    Args:
        a: factor.
        b: exponent.
    """

    a: float = 200.0
    b: float = 1.6

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not (math.isfinite(self.a) and self.a > 0):
            raise SettingsError(f"data.z_r.a: expected more than 0, got {self.a!r}. Marshall and Palmer's is 200.")
        if not 1 <= self.b <= 4:
            raise SettingsError(f"data.z_r.b: expected 1 to 4, got {self.b!r}. Marshall and Palmer's is 1.6.")


@dataclass(frozen=True)
class FileSettings:
    """What the files do not say of themselves. What a file does say is always taken from the file.

    Args:
        quantity: what images and arrays hold: ``dBZ``, ``mm/h``, or ``mm`` (gathered since the field before).
        variable: name of the variable in NetCDF, zarr or npz, where several could be meant.
        gain: value of one step of an image's pixels.
        offset: value of an image's pixel 0.
        missing: pixel value that means "not measured" in images and arrays; NaN always does.
        minutes: from one field to the next in stacks that hold no times, and how long ``mm`` were gathered.
        kilometers: size of a pixel where files have no grid; they then lie on a plane of their own.
    """

    quantity: Quantity | None = None
    variable: str | None = None
    gain: float | None = None
    offset: float | None = None
    missing: float | None = None
    minutes: float | None = None
    kilometers: float | None = None

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("minutes", "kilometers"):
            _positive(f"data.files.{name}", getattr(self, name))
        if self.gain is not None and not (math.isfinite(self.gain) and self.gain):
            raise SettingsError(f"data.files.gain: expected a number other than 0, got {self.gain!r}.")


@dataclass(frozen=True)
class Reading:
    """How files are read: the part of `DataSettings` that readers need. As it is, fields stay as the files are.

    Args:
        kilometers: see `DataSettings`.
        step_minutes: see `DataSettings`.
        z_r: see `DataSettings`.
        files: see `DataSettings`.
        on_error: see `DataSettings`.
    """

    kilometers: float | None = None
    step_minutes: float | None = None
    z_r: ZR = field(default_factory=ZR)
    files: FileSettings = field(default_factory=FileSettings)
    on_error: OnError = "fail"


@dataclass(frozen=True)
class DataSettings:
    """Where the radar files are and how they become samples.

    Args:
        root: folder of radar files, or of folders of them, or a pattern such as ``radar/2021*/*.h5``; each folder is
            an event.
        validation: what is held back: folders or files below `root` that match this pattern, such as ``2021-02-05``,
            or one of several with commas between them. Without it, the last fifth of the time. What is learned from
            is always a whole window apart.
        input_frames: frames that go in.
        output_frames: frames that the network is trained to forecast.
        kilometers: size of the network's pixels; the mean rain of the nearest whole number of the files' pixels is
            taken. Null: as the files are.
        step_minutes: from one frame to the next, a multiple of the files' own step: every n-th field is taken. Null: as
            the files are.
        z_r: between rain and reflectivity, both ways.
        files: what the files do not say of themselves.
        crop: side of a training sample in the network's pixels.
        candidates: places that are drawn for a crop; a wet one is taken more likely than a dry one. 1 takes any.
        dim: samples are dimmed by up to so many dBZ at random, so that a day of wide rain also teaches sparse showers.
        least_wet: windows whose last frames have less than this share of pixels at 15 dBZ or more are not trained on;
            where none has as much, all are.
        teaching: scheduled sampling (Bengio et al. 2015): how likely the decoder is at first fed with the true image
            instead of its own; 0 is the paper's form.
        teaching_samples: samples over which `teaching` falls to 0.
        on_error: ``fail`` at a file that cannot be read, or ``skip`` it; above 1 % of them fail all the same.
    """

    root: str = ""
    validation: str | None = None
    input_frames: int = 5
    output_frames: int = 5
    kilometers: float | None = 2.0
    step_minutes: float | None = None
    z_r: ZR = field(default_factory=ZR)
    files: FileSettings = field(default_factory=FileSettings)
    crop: int = 128
    candidates: int = 6
    dim: float = 20.0
    least_wet: float = 0.002
    teaching: float = 0.0
    teaching_samples: int = 5000
    on_error: OnError = "fail"

    def __post_init__(self) -> None:
        """Check the ranges."""
        at_least("data.input_frames", self.input_frames, 2)  # one frame does not show a motion
        for name in ("output_frames", "candidates"):
            at_least(f"data.{name}", getattr(self, name), 1)
        for name in ("kilometers", "step_minutes"):
            _positive(f"data.{name}", getattr(self, name))
        at_least("data.crop", self.crop, 16)
        for name in ("least_wet", "teaching"):
            share(f"data.{name}", getattr(self, name))
        at_least("data.teaching_samples", self.teaching_samples, 1)
        if not 0 <= self.dim < 60:
            raise SettingsError(f"data.dim: expected dBZ from 0 to below 60, got {self.dim!r}.")

    @property
    def reading(self) -> Reading:
        """The part that readers need."""
        return Reading(self.kilometers, self.step_minutes, self.z_r, self.files, self.on_error)


def _positive(name: str, value: float | None) -> None:
    if value is not None and not (math.isfinite(value) and value > 0):
        raise SettingsError(f"{name}: expected more than 0, or null, got {value!r}.")
