"""What property tests draw from."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from semicoupled.tasks.outline.formats.records import Annotations, Instance, Part, Picture

coordinates = st.floats(-40, 160, allow_nan=False, width=32).map(float)
polygons = hnp.arrays(np.float64, st.tuples(st.integers(3, 12), st.just(2)), elements=coordinates)
grid_points = hnp.arrays(
    np.float64, st.tuples(st.integers(3, 90), st.just(2)), elements=st.floats(-2, 30, width=32).map(float)
)
masks = hnp.arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9)))
labels = st.sampled_from(["car", "person", "traffic sign", "Straße", "group", "subgroup"])


@st.composite
def parts(draw: st.DrawFn, *, holes: bool) -> Part:
    """A part; its holes need not lie in it."""
    return Part(draw(polygons), tuple(draw(st.lists(polygons, max_size=2))) if holes else ())


@st.composite
def instances(draw: st.DrawFn, *, holes: bool, crowds: bool) -> Instance:
    """An object of one to three parts."""
    own = tuple(draw(st.lists(parts(holes=holes), min_size=1, max_size=3)))
    return Instance(draw(labels), own, draw(st.booleans()) if crowds else False)


@st.composite
def annotations(draw: st.DrawFn, folder: object, *, holes: bool = True, crowds: bool = True) -> Annotations:
    """Up to three pictures."""
    pictures = tuple(
        Picture(
            f"images/p{number}.png", 60, 40, tuple(draw(st.lists(instances(holes=holes, crowds=crowds), max_size=3)))
        )
        for number in range(draw(st.integers(1, 3)))
    )
    return Annotations(folder, pictures, ("car", "person", "traffic sign", "Straße", "group", "subgroup"))  # pyright: ignore[reportArgumentType]


def same_instances(one: Picture, other: Picture) -> None:
    """Labels, crowds, parts, holes, and every point."""
    assert (one.file, one.width, one.height) == (other.file, other.width, other.height)
    assert [(i.label, i.crowd, len(i.parts)) for i in one.instances] == [
        (i.label, i.crowd, len(i.parts)) for i in other.instances
    ]
    for ours, theirs in zip(one.instances, other.instances, strict=True):
        for mine, yours in zip(ours.parts, theirs.parts, strict=True):
            assert len(mine.polygons) == len(yours.polygons)
            for polygon, again in zip(mine.polygons, yours.polygons, strict=True):
                np.testing.assert_array_equal(polygon, again)
