"""Annotations from one format into another."""

from __future__ import annotations

from pathlib import Path

import pytest
from outline_samples import make_root

from semicoupled.cli.main import main
from semicoupled.errors import SettingsError
from semicoupled.task_requests import ConvertRequest
from semicoupled.tasks.outline.formats import coco
from semicoupled.tasks.outline.formats.convert import convert
from semicoupled.tasks.outline.formats.listing import read_annotations


def test_convert_leads_to_the_images_from_where_the_new_file_lies(tmp_path: Path) -> None:
    root = make_root(tmp_path / "root")
    for form, name in (("labelme", "shapes"), ("cityscapes", "v1.2"), ("masks", "masks.v2"), ("coco", "coco.json")):
        out = tmp_path / "new" / name
        report = convert(ConvertRequest(root / "instances_val.json", out, form))
        assert "2 images with 4 objects" in report.summary
        found = read_annotations(out)
        assert all((found.folder / one.file).is_file() for one in found.pictures)
        assert len(found.instances) == 4
    report = convert(ConvertRequest(root / "instances_val.json", tmp_path / "new" / "plain", "coco"))
    assert all((tmp_path / "new" / one.file).is_file() for one in coco.read(tmp_path / "new" / "plain").pictures)
    with pytest.raises(SettingsError, match="a folder can be of several formats; add --format"):
        convert(ConvertRequest(root / "instances_val.json", tmp_path / "other"))


def test_convert_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = make_root(tmp_path)
    command = ["data", "convert", "outline", str(root / "instances_val.json"), str(tmp_path / "b.json")]
    assert main(command) == 0
    assert "coco to coco" in capsys.readouterr().out
    assert main(["data", "convert", "toy", "a", "b"]) == 2
    assert "has one format alone" in capsys.readouterr().err
