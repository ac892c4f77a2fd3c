"""What `semicoupled data check outline` finds, and what `data describe outline` says."""

from __future__ import annotations

import json
from pathlib import Path

from outline_samples import make_root

from semicoupled.report import Table
from semicoupled.task_requests import DataRequest
from semicoupled.tasks.outline.checking.check import check
from semicoupled.tasks.outline.checking.describe import describe
from semicoupled.tasks.outline.data_settings import DataSettings
from semicoupled.tasks.outline.settings import OutlineSettings


def test_check_finds_what_is_wrong(tmp_path: Path) -> None:
    root = make_root(tmp_path)
    assert check(DataRequest(OutlineSettings(), root)).exit_code == 0
    (root / "images" / "0_0.png").unlink()
    (root / "images" / "0_1.png").write_bytes((root / "images" / "0_2.png").read_bytes()[:300])
    text = (root / "instances_val.json").read_text().replace('"width": 120', '"width": 121')
    (root / "instances_val.json").write_text(text)
    report = check(DataRequest(OutlineSettings(), root))
    texts = " | ".join(f"{one.where}: {one.text}" for one in report.findings)
    assert report.exit_code == 1
    assert "0_0.png: no such file" in texts
    assert "0_1.png: is a broken image" in texts
    assert "is 120 x 90 px; its annotations say 121 x 90" in texts


def test_the_same_image_on_both_sides_is_a_problem(tmp_path: Path) -> None:
    root = make_root(tmp_path)
    (root / "instances_val.json").write_text((root / "instances_train.json").read_text())
    report = check(DataRequest(OutlineSettings(), root))
    assert any("4 images are both learned from and validated on" in one.text for one in report.findings)


def test_describe_reads_no_image(tmp_path: Path) -> None:
    root = make_root(tmp_path)
    for image in (root / "images").iterdir():
        image.unlink()
    report = describe(DataRequest(OutlineSettings(), root))
    assert "6 images with 12 objects, format coco. Images were not read" in report.summary
    (table,) = report.sections[0].parts
    assert isinstance(table, Table)
    assert {row[0] for row in table.rows} == {"instances_train.json", "instances_val.json"}
    assert report.exit_code == 0


def test_images_of_both_sides_lie_where_the_settings_say(tmp_path: Path) -> None:
    shape = {"label": "disc", "points": [[10, 10], [60, 10], [60, 60]], "shape_type": "polygon"}
    about = {"shapes": [shape], "imagePath": "a.png", "imageWidth": 120, "imageHeight": 90}
    for side in ("train", "val"):
        (tmp_path / side).mkdir()
        (tmp_path / side / "a.json").write_text(json.dumps(about))
    for images, both in ((None, False), (str(tmp_path / "all"), True)):
        report = check(DataRequest(OutlineSettings(data=DataSettings(images=images)), tmp_path))
        assert any("1 images are both learned from and validated on" in one.text for one in report.findings) == both
