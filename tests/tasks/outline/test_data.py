"""Samples: sequences of cells, what is fed back, and what varies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from outline_samples import SMALL_DATA, make_pictures, small_settings

from semicoupled.errors import DataError, SettingsError
from semicoupled.tasks.outline.augment import mirrored, recolored, slipped
from semicoupled.tasks.outline.data import OutlineData, maps_of, see, sources_of
from semicoupled.tasks.outline.data_settings import DataSettings
from semicoupled.tasks.outline.formats import coco
from semicoupled.tasks.outline.formats.listing import read_parts
from semicoupled.tasks.outline.formats.records import Annotations, Instance, Part, Picture
from semicoupled.tasks.outline.geometry.polygons import cells_of, signed_area
from semicoupled.tasks.outline.network.prompts import position_maps, teach
from semicoupled.tasks.outline.task import splits
from semicoupled.training.sampling import SampleKey

CELLS = np.array([[2, 1], [9, 2], [8, 9], [1, 7]])


def test_the_sequence_leads_from_the_start_to_the_end_and_closes() -> None:
    taught = teach(CELLS, grid=16, length=6, with_end=True)
    assert cells_of(taught.target[:3], 16).tolist() == CELLS[1:].tolist()
    assert taught.target[3:].tolist() == [256] * 3
    np.testing.assert_allclose(taught.weight, [1.5] * 4 + [0, 0])
    end, start = (1, 7), (2, 1)
    np.testing.assert_array_equal(taught.maps[0], position_maps(start, end, start, 16))
    np.testing.assert_array_equal(taught.maps[1], position_maps(start, start, (9, 2), 16))
    np.testing.assert_array_equal(taught.maps[3], position_maps(start, (8, 9), end, 16))
    assert not taught.maps[4:].any()


def test_without_the_end_the_first_step_knows_no_point_before() -> None:
    taught = teach(CELLS, grid=16, length=4, with_end=False)
    assert not taught.maps[0, 1].any()
    np.testing.assert_array_equal(taught.maps[1:], teach(CELLS, grid=16, length=4, with_end=True).maps[1:])


def test_what_is_fed_may_slip_but_the_target_does_not() -> None:
    rng = np.random.default_rng(0)
    fed = slipped(np.repeat(CELLS, 50, axis=0), 0.5, 16, rng)
    moved = (fed != np.repeat(CELLS, 50, axis=0)).any(1).mean()
    assert 0.3 < moved < 0.55
    assert np.abs(fed - np.repeat(CELLS, 50, axis=0)).max() == 1
    taught = teach(CELLS, fed=CELLS + 1, grid=16, length=4, with_end=True)
    assert taught.maps[0, 2, 2, 3] == 1
    assert cells_of(taught.target[:3], 16).tolist() == CELLS[1:].tolist()


def test_a_mirrored_outline_is_clockwise_and_covers_the_mirrored_object(outline_root: Path) -> None:
    polygon = np.array([[1.0, 1.0], [9.0, 2.0], [5.0, 9.0]])
    turned = mirrored(polygon, 16)
    assert signed_area(polygon) > 0
    assert signed_area(turned) == pytest.approx(signed_area(polygon))
    settings = DataSettings(root=str(outline_root), **{**SMALL_DATA, "box_jitter": 0, "color": 0})  # pyright: ignore[reportArgumentType]
    source = read_parts(settings).train[0]
    plain = see(source, settings)
    views = [see(source, settings, np.random.default_rng(seed)) for seed in range(8)]
    flipped = [view for view in views if not np.array_equal(view.image, plain.image)]
    assert 0 < len(flipped) < 8
    for view in flipped:
        np.testing.assert_array_equal(view.image, plain.image[:, ::-1])
        assert signed_area(view.cells) > 0
        ours, theirs = maps_of(view, 16)[0], maps_of(plain, 16)[0][:, ::-1]
        assert (ours != theirs).mean() < 0.02  # centers on a side fall to either side


def test_samples_vary_from_draw_to_draw_and_validation_does_not(outline_root: Path) -> None:
    settings = small_settings(outline_root).data
    parts = read_parts(settings)
    train = OutlineData(parts.train, settings, training=True)
    one, other = train[SampleKey(0, 1)], train[SampleKey(0, 2)]
    assert not one.image.equal(other.image)
    assert all(a.equal(b) for a, b in zip(train[SampleKey(0, 1)], one, strict=True))
    validation = OutlineData(parts.validation, settings, training=False)
    assert all(a.equal(b) for a, b in zip(validation[SampleKey(0, 1)], validation[SampleKey(0, 2)], strict=True))
    ends = [bool(train[SampleKey(0, draw)].frames[0, 1].any()) for draw in range(40)]
    assert 0.2 < np.mean(ends) < 0.8  # a mixture of prompts


def test_maps_show_the_object_its_border_and_its_points(outline_root: Path) -> None:
    settings = small_settings(outline_root).data
    view = see(read_parts(settings).train[0], settings)
    maps = maps_of(view, 16)
    assert maps[2].sum() == len(view.cells)
    assert (maps[1] >= maps[2]).all()
    assert abs(maps[0].sum() - signed_area(view.polygons[0])) < 0.15 * signed_area(view.polygons[0])
    inside = maps[0].astype(bool) & ~maps[1].astype(bool)
    assert inside.any()


def test_colors_change_and_stay_colors() -> None:
    image = np.random.default_rng(0).integers(0, 255, (9, 9, 3), dtype=np.uint8)
    changed = recolored(image, 0.5, np.random.default_rng(1))
    assert changed.dtype == np.uint8
    assert not np.array_equal(changed, image)
    np.testing.assert_array_equal(recolored(image, 0.0, np.random.default_rng(1)), image)


def test_crowds_tiny_and_thin_objects_are_not_learned_from(tmp_path: Path) -> None:
    square = np.array([[10.0, 10.0], [40.0, 10.0], [40.0, 40.0], [10.0, 40.0]])
    instances = (
        Instance("good", (Part(square),)),
        Instance("crowd", (Part(square),), crowd=True),
        Instance("tiny", (Part(square / 10),)),
        Instance("thin", (Part(np.array([[0.0, 0.0], [200.0, 1.0], [100.0, 0.9]])),)),
    )
    sources = sources_of(Annotations(tmp_path, (Picture("a.png", 50, 50, instances),)), None, ())
    settings = DataSettings(crop="square", least_area=64)
    assert [source.instance.label for source in OutlineData(sources, settings, training=True).sources] == ["good"]


def test_a_split_of_which_nothing_can_be_learned_is_refused(outline_root: Path) -> None:
    settings = small_settings(outline_root)
    tiny = replace(settings, data=replace(settings.data, least_area=1e9))
    with pytest.raises(
        DataError, match=r"none of the 8 outlines for train can be learned; .*data\.least_area \(1e\+09"
    ):
        splits(tiny)


def test_the_two_parts_are_found_by_name_or_every_fifth_image_is_held_back(outline_root: Path, tmp_path: Path) -> None:
    parts = read_parts(small_settings(outline_root).data)
    assert (len(parts.train), len(parts.validation)) == (8, 4)
    coco.write(Annotations(tmp_path, make_pictures(tmp_path, 5)), tmp_path / "all.json")
    alone = read_parts(DataSettings(root=str(tmp_path / "all.json")))
    assert (len(alone.train), len(alone.validation)) == (8, 2)
    assert not {source.file for source in alone.train} & {source.file for source in alone.validation}
    one = read_parts(DataSettings(root=str(outline_root), labels=("disc",)))
    assert {source.instance.label for source in (*one.train, *one.validation)} == {"disc"}


def test_no_root_and_no_outlines_are_said(outline_root: Path) -> None:
    with pytest.raises(SettingsError, match=r"data\.root: expected a file or folder"):
        read_parts(DataSettings())
    with pytest.raises(DataError, match=r"no outlines of cat for train.*Known labels: blob, disc"):
        read_parts(DataSettings(root=str(outline_root), labels=("cat",)))
    with pytest.raises(SettingsError, match=r"data\.size: expected a multiple of data\.grid"):
        DataSettings(size=225)
