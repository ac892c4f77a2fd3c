"""What can be chosen in a prediction of outlines. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from semicoupled.ranges import at_least
from semicoupled.skipping import OnError

FormatName = Literal["coco", "labelme", "cityscapes", "masks"]


@dataclass(frozen=True)
class PredictOptions:
    """What can be chosen for each prediction.

    Args:
        boxes: objects to outline: a COCO file (``bbox``, and ``start`` and ``end`` if they are there), or a CSV file
            with the columns ``image, x, y, width, height`` and, where they are known, ``label, start_x, start_y, end_x,
            end_y``. Without it every image is taken for the picture of one object.
        format: of the file, or folder, that is written: ``coco``, ``labelme``, ``cityscapes`` or ``masks``.
        images: folder that names of images in `boxes` are relative to, where inputs are not given.
        pictures: folder for a picture of every image, its outlines colored by confidence.
        beam: outlines that are kept in view; 1 takes the likeliest point each time.
        firsts: first points that are tried where none is given; see `EvaluationSettings`.
        on_error: ``fail`` at the first image that cannot be used, or ``skip`` it; more than 1 % skipped fails all the
            same.
        devices: processes that share the images: each on a GPU of its own where there are several, else on the CPU's
            cores. What a killed one had begun is taken up by the others, and what a killed call had done by the next.
            On several machines start them with torchrun, and leave this out.
    """

    boxes: str | None = None
    format: FormatName = "coco"
    images: str | None = None
    pictures: str | None = None
    beam: int = 1
    firsts: int = 1
    on_error: OnError = "fail"
    devices: int = 1

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("beam", "firsts", "devices"):
            at_least(f"--{name}", getattr(self, name), 1)

    @property
    def without_inputs(self) -> bool:
        """Whether no inputs need to be given."""
        return self.boxes is not None
