"""The model as programs that `semicoupled export` writes: the image's features, once, and one point at a time."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from semicoupled.description import Description
from semicoupled.nn.state_layout import StateLayout
from semicoupled.steps import Sizes, StepProgram, Steps, Tensors
from semicoupled.tasks.outline.model import OutlineModel
from semicoupled.tasks.outline.network.prompts import CHANNELS
from semicoupled.tasks.outline.settings import OutlineSettings

USE = """\
import json, numpy as np, onnxruntime

programs = json.load(open("signature.json"))["programs"]
look, step = (onnxruntime.InferenceSession(f"{name}.onnx") for name in ("look", "step"))
image = np.zeros((1, 3, SIZE, SIZE), "float32")  # yours: a window around one object, RGB, 0 to 1
features, maps = look.run(None, {"image": image})
grid = features.shape[-1]
state = {s["name"]: np.full([1 if not isinstance(n, int) else n for n in s["shape"]], s["initial"], "float32")
         for s in programs["step"]["state"]}
point = first = int(maps[0, 2].argmax())  # or yours: y * grid + x of the cell where the outline begins
before, outline = None, [first]           # `before` may be the outline's last point, which tells the direction
for _ in range(59):
    positions = np.zeros((1, 3, grid * grid), "float32")
    for channel, cell in enumerate((first, before, point)):
        if cell is not None:
            positions[0, channel, cell] = 1
    feed = {"features": features, "positions": positions.reshape(1, 3, grid, grid), **state}
    scores, *after = step.run(None, feed)
    state = dict(zip(state, after))
    before, point = point, int(scores[0].argmax())
    if point == grid * grid:              # closed
        break
    outline.append(point)
print([(cell % grid, cell // grid) for cell in outline])
"""


class Look(nn.Module):
    """The features of an image, and the maps that are read from them: image -> (features, maps)."""

    def __init__(self, model: OutlineModel) -> None:
        """Take a model."""
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> Tensors:
        """Look at a window, B 3 H W; gives features, B F g g, and maps, B 3 g g."""
        features = self.model.encode(image)
        return features, torch.sigmoid(self.model.read_maps(features))


class Next(nn.Module):
    """The next point: (features, positions, *state) -> (scores, *state)."""

    def __init__(self, model: OutlineModel, layout: StateLayout) -> None:
        """Take a model."""
        super().__init__()
        self.model, self.layout = model, layout

    def forward(self, features: Tensor, positions: Tensor, *state: Tensor) -> Tensors:
        """Score the cells, B K, given features, B F g g, and the points before, B 3 g g (`prompts.position_maps`)."""
        scores, after = self.model.step(features, positions, self.layout.unflatten(state))
        return scores, *self.layout.flatten(after)


def make_steps(settings: OutlineSettings, description: Description, model: OutlineModel) -> Steps:
    """Give the programs of a model; both take windows of one size, that of the training."""
    grid, size, features = settings.data.grid, settings.data.size, settings.model.features
    layout = StateLayout.of(model.network.initial_state(1, (grid, grid)))

    def start(sizes: Sizes) -> Tensors:
        return layout.flatten(model.network.initial_state(sizes.batch, (grid, grid)))

    def example(sizes: Sizes) -> Tensors:
        cells = torch.randint(grid * grid, (sizes.batch, CHANNELS))
        positions = nn.functional.one_hot(cells, grid * grid).float().unflatten(-1, (grid, grid))
        return torch.rand(sizes.batch, features, grid, grid), positions

    look = StepProgram(
        "look",
        Look(model),
        inputs={"image": f"a window around the object, made {size} x {size}, RGB, 0 to 1; B 3 {size} {size}"},
        outputs={
            "features": f"of the image; B {features} {grid} {grid}",
            "maps": f"probability of the object, its border and its points; B 3 {grid} {grid}",
        },
        state=(),
        example=lambda sizes: (torch.rand(sizes.batch, 3, size, size),),
        start=lambda sizes: (),
    )
    step = StepProgram(
        "step",
        Next(model, layout),
        inputs={
            "features": "what `look` gave",
            "positions": f"1 in the cell of the first point, of t-2 (at first: the end point, if known) and of t-1 (at "
            f"first: the start point); B 3 {grid} {grid}",
        },
        outputs={"scores": "of the cells, row by row, and of `closed`, before the softmax; B K"},
        state=layout.names,
        example=example,
        start=start,
    )
    about = {
        "crop": settings.data.crop,
        "grid": grid,
        "labels": description.get("labels", []),
        "order": "clockwise on the screen",
    }
    return Steps([look, step], (size, size), about, use=USE.replace("SIZE", str(size)))
