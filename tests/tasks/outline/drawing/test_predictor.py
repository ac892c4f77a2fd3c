"""From images and boxes to files that other tools read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from outline_samples import make_pictures, small_settings
from PIL import Image

from semicoupled.errors import DataError, SettingsError
from semicoupled.sharing import parts_folder
from semicoupled.task_requests import PredictRequest
from semicoupled.tasks.outline.crops import Box
from semicoupled.tasks.outline.drawing.boxes import read_boxes
from semicoupled.tasks.outline.drawing.predictor import OutlinePredictor
from semicoupled.tasks.outline.formats.listing import read_annotations
from semicoupled.tasks.outline.model import build_model
from semicoupled.tasks.outline.predict_options import PredictOptions


@pytest.fixture(scope="module")
def predictor() -> OutlinePredictor:
    torch.manual_seed(0)
    settings = small_settings(head="cells", positions="fields")
    return OutlinePredictor(settings.data, build_model(settings.model, settings.data.grid).eval())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_pictures(tmp_path, 2)
    lines = ["image,x,y,width,height,label,start_x,start_y,end_x,end_y"]
    lines += ["images/0_0.png,14,22,42,46,disc,20,30,22,40", "images/0_1.png,14,22,42,46,disc,20,30,,"]
    lines += ["images/0_1.png,64,18,42,44,,,,,"]
    (tmp_path / "boxes.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def _predict(predictor: OutlinePredictor, inputs: list[Path], out: Path, **options: object) -> list[Path]:
    return list(predictor.predict(PredictRequest(inputs, [out], PredictOptions(**options))))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("form", ["coco", "labelme", "cityscapes", "masks"])
def test_every_format_holds_the_objects_that_were_asked_for(
    predictor: OutlinePredictor, folder: Path, form: str
) -> None:
    out = folder / ("out.json" if form == "coco" else "out")
    written = _predict(predictor, [folder / "images"], out, boxes=str(folder / "boxes.csv"), format=form)
    assert all(path.is_file() for path in written)
    found = read_annotations(out)
    assert [len(picture.instances) for picture in found.pictures] == [1, 2]
    if form != "masks":
        assert [one.label for _, one in found.instances] == ["disc", "disc", "object"]
        first = found.instances[0][1].parts[0].outline
        assert abs(first[0] - (20, 30)).max() <= 3  # the center of the start's cell
        assert abs(first[-1] - (22, 40)).max() <= 3


def test_coco_says_how_sure_each_point_is_and_keeps_the_names_of_the_boxes(
    predictor: OutlinePredictor, folder: Path
) -> None:
    _predict(predictor, [folder / "images"], folder / "out.json", boxes=str(folder / "boxes.csv"))
    content = json.loads((folder / "out.json").read_text())
    assert [image["file_name"] for image in content["images"]] == ["images/0_0.png", "images/0_1.png"]
    for line in content["annotations"]:
        assert 0 < line["score"] <= 1
        assert len(line["point_confidence"]) == len(line["segmentation"][0]) // 2


def test_boxes_alone_name_the_images_and_pictures_are_drawn(predictor: OutlinePredictor, folder: Path) -> None:
    pictures = folder / "shown"
    written = _predict(
        predictor, [], folder / "out.json", boxes=str(folder / "boxes.csv"), pictures=str(pictures), beam=2
    )
    assert sorted(path.name for path in written) == ["0_0.outlines.png", "0_1.outlines.png", "out.json"]
    assert Image.open(pictures / "0_0.outlines.png").size[0] > 300


def test_without_boxes_an_image_is_one_object(predictor: OutlinePredictor, folder: Path) -> None:
    _predict(predictor, [folder / "images"], folder / "out.json")
    found = read_annotations(folder / "out.json")
    assert [len(picture.instances) for picture in found.pictures] == [1, 1]


def test_images_of_one_name_in_several_folders_keep_files_and_pictures_of_their_own(
    predictor: OutlinePredictor, folder: Path
) -> None:
    for name in ("left", "right"):
        (folder / "both" / name).mkdir(parents=True)
        (folder / "both" / name / "a.png").write_bytes((folder / "images" / "0_0.png").read_bytes())
    shown = folder / "shown"
    _predict(predictor, [folder / "both"], folder / "out.json", pictures=str(shown))
    assert [one.file for one in read_annotations(folder / "out.json").pictures] == ["left/a.png", "right/a.png"]
    assert sorted(one.name for one in shown.iterdir()) == ["left_a.outlines.png", "right_a.outlines.png"]
    files = sorted((folder / "both").rglob("*.png"))
    written = _predict(predictor, files, folder / "out", format="labelme")
    assert [one.name for one in written] == ["left_a.json", "right_a.json"]
    assert [json.loads(one.read_text())["imagePath"] for one in written] == ["left/a.png", "right/a.png"]


def test_an_image_that_is_named_itself_can_be_skipped_too(predictor: OutlinePredictor, folder: Path) -> None:
    (folder / "broken.png").write_bytes(b"broken")
    with pytest.raises(DataError, match=r"broken\.png: 1 of 1 images cannot be used, more than the 1%"):
        _predict(predictor, [folder / "broken.png"], folder / "out.json", on_error="skip")


def test_predicted_outlines_can_be_boxes_again(predictor: OutlinePredictor, folder: Path) -> None:
    _predict(predictor, [folder / "images"], folder / "out.json", boxes=str(folder / "boxes.csv"))
    wanted = read_boxes(folder / "out.json")
    assert [one.label for one in wanted] == ["disc", "disc", "object"]
    assert wanted[0].image == "images/0_0.png"


def test_one_image_fails_or_is_skipped_and_many_skipped_fail(predictor: OutlinePredictor, folder: Path) -> None:
    (folder / "images" / "0_0.png").write_bytes(b"broken")
    with pytest.raises(DataError, match=r"0_0\.png: is no image"):
        _predict(predictor, [], folder / "out.json", boxes=str(folder / "boxes.csv"))
    with pytest.raises(
        DataError, match=r"boxes.csv: 1 of 2 images cannot be used, more than the 1%.*0_0\.png.*\. Nothing was written"
    ):
        _predict(predictor, [], folder / "out.json", boxes=str(folder / "boxes.csv"), on_error="skip")
    assert not (folder / "out.json").exists()


def test_objects_at_the_border_and_tiny_ones_are_outlined_and_boxes_outside_are_not(
    predictor: OutlinePredictor, folder: Path
) -> None:
    (folder / "edge.csv").write_text("image,x,y,width,height\nimages/0_0.png,-20,60,50,60\nimages/0_0.png,50,50,1,1\n")
    _predict(predictor, [], folder / "out.json", boxes=str(folder / "edge.csv"))
    assert len(read_annotations(folder / "out.json").instances) == 2
    (folder / "out.csv").write_text("image,x,y,width,height\nimages/0_0.png,500,10,5,5\n")
    with pytest.raises(DataError, match=r"the box \(500\.0, 10\.0, 5\.0, 5\.0\) lies outside of the image of 120 x 90"):
        _predict(predictor, [], folder / "out.json", boxes=str(folder / "out.csv"))


def test_a_box_beyond_all_measure_is_refused_with_its_image(predictor: OutlinePredictor, folder: Path) -> None:
    (folder / "huge.csv").write_text("image,x,y,width,height\nimages/0_0.png,0,0,1e6,1e6\n")
    with pytest.raises(DataError, match=r"0_0\.png: a box whose window is 12\d+ x 12\d+ px; expected at most"):
        _predict(predictor, [], folder / "out.json", boxes=str(folder / "huge.csv"))


def test_a_name_that_fits_several_images_is_refused(predictor: OutlinePredictor, folder: Path) -> None:
    for name in ("left", "right"):
        (folder / "both" / name).mkdir(parents=True)
        (folder / "both" / name / "a.png").write_bytes((folder / "images" / "0_0.png").read_bytes())
    (folder / "boxes.csv").write_text("image,x,y,width,height\na.png,14,22,42,46\n")
    with pytest.raises(DataError, match=r"boxes\.csv: 'a\.png' fits several images: .*left/a\.png, .*right/a\.png"):
        _predict(predictor, [folder / "both"], folder / "out.json", boxes=str(folder / "boxes.csv"))
    image = folder / "both" / "left" / "a.png"
    _predict(predictor, [image], folder / "out.json", boxes=str(folder / "boxes.csv"))
    assert [one.file for one in read_annotations(folder / "out.json").pictures] == ["a.png"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,x,y\n", "has no column 'width'"),
        ("image,x,y,width,height\na.png,1,2,3,four\n", r"line 2: 'four' is no number"),
        ("image,x,y,width,height\na.png,1,2,0,4\n", r"line 2: the box is 0 x 4 px"),
        ("image,x,y,width,height\n", "holds no boxes"),
        ("image,x,y,width,height,start_x\na.png,1,2,3,4,5\n", r"line 2: '' is no number"),
    ],
)
def test_what_is_wrong_with_boxes_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "boxes.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_boxes(tmp_path / "boxes.csv")


def test_points_of_boxes_in_coco(tmp_path: Path) -> None:
    content = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "annotations": [{"image_id": 1, "bbox": [1, 2, 3, 4], "start": [1, 3]}],
    }
    (tmp_path / "boxes.json").write_text(json.dumps(content))
    (wanted,) = read_boxes(tmp_path / "boxes.json")
    assert (wanted.box, wanted.start, wanted.end, wanted.label) == (Box(1, 2, 3, 4), (1, 3), None, "object")


def test_options_are_checked() -> None:
    with pytest.raises(SettingsError, match="--beam: expected at least 1"):
        PredictOptions(beam=0)


def test_an_image_on_its_side_gives_points_as_a_person_sees_it(predictor: OutlinePredictor, tmp_path: Path) -> None:
    pixels = np.zeros((40, 80, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "side.png", exif=exif)
    _predict(predictor, [tmp_path / "side.png"], tmp_path / "out.json")
    picture = read_annotations(tmp_path / "out.json").pictures[0]
    assert (picture.width, picture.height) == (40, 80)


@pytest.mark.parametrize("form", ["coco", "masks"])
def test_images_that_are_shared_come_out_the_same(
    predictor: OutlinePredictor, folder: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(out: Path) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in ([out] if out.is_file() else out.rglob("*")) if path.is_file()}

    options = {"boxes": str(folder / "boxes.csv"), "format": form, "pictures": str(folder / "pictures")}
    names = [folder / place / ("out.json" if form == "coco" else "out") for place in ("alone", "shared")]
    _ = _predict(predictor, [folder / "images"], names[0], **options)
    pictures = told(folder / "pictures")
    with monkeypatch.context() as torchrun:
        torchrun.setenv("RANK", "1")
        torchrun.setenv("WORLD_SIZE", "2")
        assert _predict(predictor, [folder / "images"], names[1], **options) == []
    assert len(list(parts_folder(names[1]).glob("*.piece"))) == 2
    written = _predict(predictor, [folder / "images"], names[1], **options)
    assert told(names[1]) == told(names[0])
    assert told(folder / "pictures") == pictures
    assert all(path.is_file() for path in written)
    assert not parts_folder(names[1]).exists()


def test_an_image_that_is_skipped_by_another_process_counts(
    predictor: OutlinePredictor, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "images/0_0.png").write_bytes(b"no image")
    options = {"boxes": str(folder / "boxes.csv"), "on_error": "skip"}
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(DataError, match=r"1 of 2 images cannot be used, more than the 1%.*0_0\.png"):
        _predict(predictor, [], folder / "out.json", **options)
