"""What goes into a file comes out of it again, and what is wrong with a file is said where it is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from outline_samples import make_pictures
from outline_strategies import annotations, same_instances
from PIL import Image

from semicoupled.errors import DataError, SettingsError
from semicoupled.tasks.outline.formats import cityscapes, coco, labelme, masks
from semicoupled.tasks.outline.formats.listing import find_format, format_of, read_annotations
from semicoupled.tasks.outline.formats.records import Annotations, Instance, Part, Picture
from semicoupled.tasks.outline.geometry.raster import covered
from semicoupled.tasks.outline.geometry.window import Window

quick = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
SQUARE = np.array([[2.0, 2.0], [20.0, 2.0], [20.0, 20.0], [2.0, 20.0]])


@quick
@given(data=st.data())
def test_coco_keeps_polygons_point_by_point(tmp_path: Path, data: st.DataObject) -> None:
    given_ = data.draw(annotations(tmp_path, holes=False, crowds=False))
    coco.write(given_, tmp_path / "a.json")
    again = read_annotations(tmp_path / "a.json")
    assert again.labels == given_.labels
    for one, other in zip(given_.pictures, again.pictures, strict=True):
        same_instances(one, other)


@quick
@given(data=st.data())
def test_coco_keeps_objects_with_holes_pixel_by_pixel(tmp_path: Path, data: st.DataObject) -> None:
    given_ = data.draw(annotations(tmp_path, holes=True, crowds=True))
    coco.write(given_, tmp_path / "a.json")
    again = coco.read(tmp_path / "a.json")
    region = Window(0, 0, 60, 40)
    for one, other in zip(given_.pictures, again.pictures, strict=True):
        drawn = [covered([p.polygons for p in i.parts], region) for i in one.instances]
        wanted = [(i.label, i.crowd, mask) for i, mask in zip(one.instances, drawn, strict=True) if mask.any()]
        found = [
            (i.label, i.crowd, covered([p.polygons for p in i.parts], region))
            for i in other.instances
            if covered([p.polygons for p in i.parts], region).any()
        ]
        assert [(label, crowd) for label, crowd, _ in found] == [(label, crowd) for label, crowd, _ in wanted]
        for ours, theirs in zip(wanted, found, strict=True):
            np.testing.assert_array_equal(ours[2], theirs[2])


@pytest.mark.parametrize("module", [labelme, cityscapes])
@quick
@given(data=st.data())
def test_json_a_picture_keeps_parts_holes_labels_and_points(
    tmp_path: Path, module: ModuleType, data: st.DataObject
) -> None:
    given_ = data.draw(annotations(tmp_path, holes=True, crowds=True))
    folder = tmp_path / f"{module.NAME}{len(list(tmp_path.iterdir()))}"
    files = module.write(Annotations(folder, given_.pictures, given_.labels), folder)
    assert len(files) == len(given_.pictures)
    again = read_annotations(folder)
    for one, other in zip(given_.pictures, again.pictures, strict=True):
        same_instances(one, other)


@quick
@given(data=st.data())
def test_masks_give_the_same_masks_again(tmp_path: Path, data: st.DataObject) -> None:
    given_ = data.draw(annotations(tmp_path, holes=True, crowds=True))
    folder = tmp_path / f"masks{len(list(tmp_path.iterdir()))}"
    masks.write(given_, folder)
    again = read_annotations(folder)
    assert again.labels == given_.labels
    for one, other in zip(given_.pictures, again.pictures, strict=True):
        values, _ = masks.mask_of(one)
        visible = [one.instances[number - 1] for number in np.unique(values[values > 0])]
        assert [(i.label, i.crowd) for i in other.instances] == [(i.label, i.crowd) for i in visible]
        for number, instance in zip(np.unique(values[values > 0]), other.instances, strict=True):
            drawn = covered([part.polygons for part in instance.parts], Window(0, 0, one.width, one.height))
            np.testing.assert_array_equal(drawn, values == number)


def test_an_object_with_a_hole_is_a_mask_in_coco(tmp_path: Path) -> None:
    ring = Instance("ring", (Part(SQUARE, (SQUARE / 2 + 5,)),))
    coco.write(Annotations(tmp_path, (Picture("a.png", 30, 30, (ring,)),)), tmp_path / "a.json")
    line = json.loads((tmp_path / "a.json").read_text())["annotations"][0]
    assert line["segmentation"]["size"] == [30, 30]
    assert line["area"] == 18 * 18 - 9 * 9
    assert line["bbox"] == [2, 2, 18, 18]
    again = coco.read(tmp_path / "a.json").pictures[0].instances[0]
    assert [len(part.holes) for part in again.parts] == [1]


def test_cityscapes_of_others_has_no_parts_groups_are_crowds_and_images_lie_in_another_folder(tmp_path: Path) -> None:
    folder = tmp_path / "gtFine" / "val" / "town"
    folder.mkdir(parents=True)
    objects = [
        {"label": "car", "polygon": [[0, 0], [9, 0], [9, 9]]},
        {"label": "persongroup", "polygon": [[0, 0], [9, 0], [9, 9]]},
        {"label": "car", "polygon": [[0, 0], [9, 0], [9, 9]], "deleted": 1},
        {"label": "car", "polygon": [[0, 0], [9, 0]]},
    ]
    content = {"imgHeight": 10, "imgWidth": 20, "objects": objects}
    (folder / "town_0_0_gtFine_polygons.json").write_text(json.dumps(content))
    found = read_annotations(tmp_path / "gtFine")
    assert found.pictures[0].file == "../leftImg8bit/val/town/town_0_0_leftImg8bit.png"
    assert [(i.label, i.crowd) for i in found.pictures[0].instances] == [("car", False), ("person", True)]
    assert len(found.notes) == 2


def test_labelme_rectangles_count_and_lines_are_left_out_and_said(tmp_path: Path) -> None:
    shapes = [
        {"label": "a", "points": [[1, 2], [5, 8]], "shape_type": "rectangle", "group_id": None, "flags": {}},
        {"label": "b", "points": [[1, 2], [5, 8]], "shape_type": "line", "group_id": None},
    ]
    content = {"shapes": shapes, "imagePath": "a.png", "imageWidth": 9, "imageHeight": 9}
    (tmp_path / "a.json").write_text(json.dumps(content))
    found = read_annotations(tmp_path / "a.json")
    assert [i.label for i in found.pictures[0].instances] == ["a"]
    assert found.pictures[0].instances[0].box == (1, 2, 4, 6)
    assert "is a 'line'" in found.notes[0]


def test_masks_of_others_have_no_names(tmp_path: Path) -> None:
    values = np.zeros((6, 8), np.uint8)
    values[1:3, 1:3], values[4:, 5:] = 7, 9
    (tmp_path / "masks").mkdir()
    Image.fromarray(values).save(tmp_path / "masks" / "one.png")
    Image.new("RGB", (8, 6)).save(tmp_path / "one.jpg")
    found = read_annotations(tmp_path / "masks")
    assert found.pictures[0].file == "../one.jpg"
    assert [(i.label, tuple(i.box)) for i in found.pictures[0].instances] == [
        ("object", (1, 1, 2, 2)),
        ("object", (5, 4, 3, 2)),
    ]


def test_masks_do_not_take_the_place_of_images(tmp_path: Path) -> None:
    pictures = make_pictures(tmp_path, 2)
    images = tmp_path / "images"
    Image.new("L", (120, 90)).save(images / "0_1.png")
    before = {file.name: file.read_bytes() for file in images.iterdir()}
    for some, folder in ((pictures, tmp_path), (pictures[1:], tmp_path), (pictures[:1], tmp_path / "elsewhere")):
        with pytest.raises(DataError, match=r"0_[01]\.png: is an image, and a mask would take its place"):
            masks.write(Annotations(folder, some), images)
    assert {file.name: file.read_bytes() for file in images.iterdir()} == before
    for _ in range(2):  # masks may be written again
        masks.write(Annotations(tmp_path, pictures), tmp_path / "masks")


def test_the_format_is_told_by_content(tmp_path: Path) -> None:
    pictures = make_pictures(tmp_path, 2)
    every = Annotations(tmp_path, pictures, ("disc", "blob"))
    for name in ("coco", "labelme", "cityscapes", "masks"):
        target = tmp_path / (f"{name}.json" if name == "coco" else name)
        find_format(name).write(every, target)
        assert name == format_of(target).NAME


COCO = {
    "images": [{"id": 1, "file_name": "a.png", "width": 9, "height": 9}],
    "categories": [{"id": 1, "name": "car"}],
    "annotations": [{"image_id": 1, "category_id": 1, "segmentation": [[1, 1, 5, 1, 5, 5]]}],
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": [{"id": 1, "width": 9, "height": 9}]}, r"images\[0\]: 'file_name' is None; expected a str"),
        ({"images": [*COCO["images"], *COCO["images"]]}, r"images\[1\]: id 1 is there twice"),
        ({"annotations": [{"image_id": 2, "category_id": 1}]}, r"annotations\[0\]: image_id 2 is no image"),
        ({"annotations": [{"image_id": 1, "category_id": 7}]}, r"category_id 7 is not in 'categories': \[1\]"),
        (
            {"annotations": [{"image_id": 1, "category_id": 1, "segmentation": [[1, 2, 3]]}]},
            r"annotations\[0\]: a polygon has the shape \(3,\)",
        ),
        (
            {"annotations": [{"image_id": 1, "category_id": 1, "segmentation": {"counts": [5], "size": [9, 9]}}]},
            r"add up to 5; expected 81",
        ),
        (  # these add up to 81 in 64 bits
            {
                "annotations": [
                    {
                        "image_id": 1,
                        "category_id": 1,
                        "segmentation": {"counts": [2**63 - 1, 2**63 - 1, 83], "size": [9, 9]},
                    }
                ]
            },
            r"add up to 18446744073709551697; expected 81",
        ),
        (
            {"annotations": [{"image_id": 1, "category_id": 1, "segmentation": {"counts": [81], "size": 9}}]},
            r"a\.json: expected a whole file of coco, got one that cannot be read",
        ),
    ],
)
def test_what_is_wrong_with_a_coco_file_is_named(tmp_path: Path, change: dict[str, object], message: str) -> None:
    (tmp_path / "a.json").write_text(json.dumps({**COCO, **change}))
    with pytest.raises(DataError, match=message):
        coco.read(tmp_path / "a.json")


def test_an_annotation_without_an_outline_is_left_out_and_said(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({**COCO, "annotations": [{"image_id": 1, "category_id": 1}]}))
    found = coco.read(tmp_path / "a.json")
    assert found.instances == []
    assert "has no outline" in found.notes[0]


def test_unknown_files_and_formats_name_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(DataError, match=r"x\.json: of no format that is known; expected a Cityscapes file"):
        read_annotations(tmp_path / "x.json")
    with pytest.raises(DataError, match=r"none: no such file or folder"):
        read_annotations(tmp_path / "none")
    with pytest.raises(SettingsError, match="'koko'"):
        find_format("koko")
    (tmp_path / "broken.json").write_text('{"images": [')
    for read in (coco.read, read_annotations):
        with pytest.raises(DataError, match=r"broken\.json: is not JSON .*line 1 column 13.*; expected a "):
            read(tmp_path / "broken.json")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.json").write_text('{"shapes": [')
    with pytest.raises(DataError, match=r"a\.json: is not JSON"):
        read_annotations(tmp_path / "folder")
    with pytest.raises(DataError, match="one file for 2 images"):
        labelme.write(Annotations(tmp_path, make_pictures(tmp_path, 2)), tmp_path / "one.json")
