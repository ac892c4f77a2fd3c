"""The nowcasting network one image at a time: reading an observed one, writing the next one; dBZ in, dBZ out.

The form `advection` sees all images from where their rain is at the last one. The way there is a third program,
`follow`: from the points of departure after k steps to those after k + 1. A fourth, `begin`, makes the first guess of
the three newest images.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from semicoupled.description import Description
from semicoupled.errors import SettingsError
from semicoupled.nn.stack import SemiCoupledStack
from semicoupled.nn.state_layout import StateLayout
from semicoupled.steps import Sizes, StepProgram, Steps, Tensors
from semicoupled.tasks.nowcasting.extrapolation.advection import carry, sample
from semicoupled.tasks.nowcasting.model import NowcastingModel
from semicoupled.tasks.nowcasting.network.image_heads import ImageHead
from semicoupled.tasks.nowcasting.network.patches import to_cells
from semicoupled.tasks.nowcasting.network.view import to_ground
from semicoupled.tasks.nowcasting.units import HIGHEST_DBZ

FRAME = "observed image, dBZ from 0 to 60, 0 = dry, NaN = missing; B 1 H W"
POINTS = "x and y of the points of departure, pixels; B 2 H W"
MOTION = "dx (to the right) and dy (downward) of the rain, pixels per time step, everywhere finite; B 2 H W"
FORECAST = "forecast, dBZ from 0 to 60, NaN where `last` is missing; B 1 H W"


NOTE = (
    "The programs give what the network gives. `semicoupled predict` goes only part of the way from advection to it "
    "(predict.trust) and then restores the distribution of values (predict.match)."
)

USE_STANDING = """\
import json, numpy as np, onnxruntime

programs = json.load(open("signature.json"))["programs"]
encode, decode = (onnxruntime.InferenceSession(f"{name}.onnx") for name in ("encode", "decode"))
frames = np.zeros((5, 1, 1, 96, 112), "float32")  # yours: time, batch, 1, height, width; dBZ, NaN = missing
sizes = dict(zip(("batch", "height", "width"), np.array(frames.shape)[[1, 3, 4]]))
shape = lambda axes: [n if isinstance(n, int) else -(-sizes[n["axis"]] // n["divided_by"]) for n in axes]
state = {s["name"]: np.full(shape(s["shape"]), s["initial"], "float32") for s in programs["encode"]["state"]}
for frame in frames:
    state = dict(zip(state, encode.run(None, {"frame": frame, **state})))
image = frames[-1]
for lead in range(6):
    forecast, image, *after = decode.run(None, {"last": frames[-1], "image": image, **state})
    state = dict(zip(state, after))
    print(lead + 1, np.nanmean(forecast))
"""

USE_MOVING = """\
import json, numpy as np, onnxruntime

programs = json.load(open("signature.json"))["programs"]
names = [name for name in ("follow", "begin", "encode", "decode") if name in programs]
run = {name: onnxruntime.InferenceSession(f"{name}.onnx").run for name in names}
frames = np.zeros((5, 1, 1, 96, 112), "float32")  # yours: time, batch, 1, height, width; dBZ, NaN = missing
# yours: pixels a step, such as semicoupled.tasks.nowcasting.extrapolation.motion.estimate_motion gives
motion = np.zeros((1, 2, 96, 112), "float32")
points = [np.indices((96, 112), "float32")[None, ::-1]]  # x and y of every pixel, then one step further back each
for _ in range(6):
    points += run["follow"](None, {"motion": motion, "points": points[-1]})
sizes = {"batch": 1, "height": 96, "width": 112}
shape = lambda axes: [n if isinstance(n, int) else -(-sizes[n["axis"]] // n["divided_by"]) for n in axes]
state = {s["name"]: np.full(shape(s["shape"]), s["initial"], "float32") for s in programs["encode"]["state"]}
for frame, behind in zip(frames, reversed(points[: len(frames)])):
    state = dict(zip(state, run["encode"](None, {"frame": frame, "points": behind, **state})))
newest = {"last": frames[-1], "before": frames[-2], "oldest": frames[-3], "points_1": points[1], "points_2": points[2]}
guess = dict(zip(("now", "trend"), run["begin"](None, newest))) if "begin" in run else {}
image = frames[-1]
for lead in range(6):
    feed = {"last": frames[-1], "points": points[lead + 1], "image": image, **guess, **state}
    forecast, image, *after = run["decode"](None, feed)
    guess, state = dict(zip(guess, after)), dict(zip(state, after[len(guess) :]))
    print(lead + 1, np.nanmean(forecast))
"""


class Encode(nn.Module):
    """Reads one observed image: (frame, [points], *state) -> state."""

    def __init__(self, model: NowcastingModel, layout: StateLayout) -> None:
        """Take the encoder of a model."""
        super().__init__()
        self.model, self.layout = model, layout

    def forward(self, frame: Tensor, *tensors: Tensor) -> Tensors:
        """Read it, B 1 H W; in the form `advection` `points` come first, B 2 H W: how far it is behind the last."""
        moving = self.model.form == "advection"
        state = self.layout.unflatten(tensors[1:] if moving else tensors)
        image = frame / HIGHEST_DBZ
        if moving:
            image = carry(image, tensors[0])
        seen = torch.cat([image.nan_to_num(nan=0.0), (~image.isnan()).to(image.dtype)], dim=1)
        cells = to_cells(seen[:, None], self.model.patch, tensors[-1].shape[-2:])  # those of the state, which fit
        return self.layout.flatten(self.model.network.encode(cells, state, streams=("main",), switch=None, steps=0))


class Begin(nn.Module):
    """Makes the first guess of the newest images: (last, before, oldest, points_1, points_2) -> (now, trend)."""

    def __init__(self, head: nn.Module) -> None:
        """Take the head of the main stream."""
        super().__init__()
        self.head = head

    def forward(self, last: Tensor, before: Tensor, oldest: Tensor, *points: Tensor) -> Tensors:
        """See `FirstGuess.start`."""
        seen = [carry(oldest / HIGHEST_DBZ, points[1]), carry(before / HIGHEST_DBZ, points[0]), last / HIGHEST_DBZ]
        frames = torch.stack(seen, dim=1)
        known = (~frames.isnan()).to(frames.dtype)
        kept = cast(ImageHead, self.head).start(frames.nan_to_num(nan=0.0), known)
        return kept[1:]


class Decode(nn.Module):
    """Writes the next image: (last, [points], image, *kept, *state) -> (forecast, image, *kept, *state)."""

    def __init__(self, model: NowcastingModel, layout: StateLayout) -> None:
        """Take the decoder of a model."""
        super().__init__()
        self.model, self.layout = model, layout

    def forward(self, last: Tensor, *tensors: Tensor) -> Tensors:
        """Write an image, B 1 H W; `image` is what the call before gave, and at first `last`, B 1 H W."""
        model, moving = self.model, self.model.form == "advection"
        head = cast(ImageHead, model.head)
        points, image, *fed = tensors if moving else (None, *tensors)
        assert image is not None  # it is the first of the tensors
        kept, state = fed[: len(head.names)], fed[len(head.names) :]
        last = last / HIGHEST_DBZ
        known, there = (~last.isnan()).to(last.dtype), last.nan_to_num(nan=0.0)
        given = (image / HIGHEST_DBZ).nan_to_num(nan=0.0)
        cells = to_cells(torch.cat([given, known], dim=1)[:, None], model.patch, state[-1].shape[-2:])[:, 0]
        before = self.layout.unflatten(state)
        step, after = model.network.decode(cells, before, streams=("main",), switch=None, at=0, total=1)
        written, (_, *kept) = head(step.main, (there, *kept))
        forecast = to_ground(written, last, points) * HIGHEST_DBZ
        return forecast.clamp(0.0, HIGHEST_DBZ), written * HIGHEST_DBZ, *kept, *self.layout.flatten(after)


class Follow(nn.Module):
    """Goes one step further back along the motion: (motion, points) -> points."""

    def forward(self, motion: Tensor, points: Tensor) -> Tensors:
        """See `advection.departures`."""
        return (points - sample(motion, points),)


def make_steps(model: NowcastingModel, size: tuple[int, int], about: Description) -> Steps:
    """Give the programs of a model.

    Args:
        model: trained.
        size: height and width that it was trained at, px.
        about: what else a user must know of the images: their time step and the size of a pixel.

    Raises:
        SettingsError: an encoder and a decoder whose states differ.
    """
    encoder, decoder = cast(SemiCoupledStack, model.network.encoder), cast(SemiCoupledStack, model.network.decoder)
    moving = model.form == "advection"
    layout = StateLayout.of(encoder.initial_state(1, (1, 1)))
    if layout != StateLayout.of(decoder.initial_state(1, (1, 1))):
        raise SettingsError("model: the decoder's state is not of the encoder's form, so the one cannot begin with it")

    def start(sizes: Sizes) -> Tensors:
        cells = tuple(-(-side // model.patch) for side in (sizes.height, sizes.width))
        return layout.flatten(encoder.initial_state(sizes.batch, cells))

    def rain(sizes: Sizes) -> Tensor:
        dbz = (70 * torch.rand(sizes.batch, 1, sizes.height, sizes.width) - 10).clamp(0, HIGHEST_DBZ)
        return dbz.masked_fill(torch.rand_like(dbz) < 0.02, torch.nan)

    def points(sizes: Sizes) -> Tensor:
        return grid(sizes) - 2 * torch.rand(sizes.batch, 2, sizes.height, sizes.width)

    def pixels(sizes: Sizes, channels: int) -> Tensor:
        return torch.zeros(sizes.batch, channels, sizes.height, sizes.width)

    given = {"points": POINTS} if moving else {}
    kept, count = cast(ImageHead, model.head).names, model.scales + 1
    programs = [
        StepProgram(
            "encode",
            Encode(model, layout),
            inputs={"frame": FRAME, **given},
            outputs={},
            state=layout.names,
            example=lambda sizes: (rain(sizes), *((points(sizes),) if moving else ())),
            start=start,
        ),
        StepProgram(
            "decode",
            Decode(model, layout),
            inputs={"last": f"the last {FRAME}", **given},
            outputs={"forecast": FORECAST},
            state=("image", *kept, *layout.names),
            example=lambda sizes: (rain(sizes), *((points(sizes),) if moving else ())),
            start=lambda sizes: (pixels(sizes, 1), *(pixels(sizes, count) for _ in kept), *start(sizes)),
            initial={
                "image": "last",
                **{name: f"{name} of begin" for name in kept},
                **{name: f"next_{name} of encode" for name in layout.names},
            },
        ),
    ]
    if moving:
        follow = StepProgram(
            "follow",
            Follow(),
            inputs={"motion": MOTION},
            outputs={},
            state=("points",),
            example=lambda sizes: (torch.randn(sizes.batch, 2, sizes.height, sizes.width),),
            start=lambda sizes: (grid(sizes),),
            initial={"points": "each pixel's own x and y"},
        )
        programs.insert(0, follow)
    if kept:
        begin = StepProgram(
            "begin",
            Begin(model.head),
            inputs={
                "last": f"the last {FRAME}",
                "before": f"the one before it, an {FRAME}",
                "oldest": f"the one before that, an {FRAME}",
                "points_1": f"after one step: {POINTS}",
                "points_2": f"after two steps: {POINTS}",
            },
            outputs={"now": "first guess in bands of scales, dBZ / 60; B N H W", "trend": "its change; B N H W"},
            state=(),
            example=lambda sizes: (rain(sizes), rain(sizes), rain(sizes), points(sizes), points(sizes)),
            start=lambda sizes: (),
        )
        programs.insert(1, begin)
    known = {"units": "dBZ", "range": [0, HIGHEST_DBZ], "missing": "NaN", "note": NOTE, **about}
    return Steps(programs, size, known, use=USE_MOVING if moving else USE_STANDING)


def grid(sizes: Sizes) -> Tensor:
    """The points of departure after no step: each pixel's own x and y."""
    y, x = torch.meshgrid(torch.arange(float(sizes.height)), torch.arange(float(sizes.width)), indexing="ij")
    return torch.stack([x, y]).expand(sizes.batch, 2, -1, -1).clone()
