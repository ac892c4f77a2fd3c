"""Made data for ``--quick``."""

from __future__ import annotations

from pathlib import Path

from semicoupled.reproduce import doors, made
from semicoupled.reproduce.request import Request
from semicoupled.settings_file import parse_settings
from semicoupled.tasks.outline.formats.listing import read_parts
from semicoupled.tasks.outline.settings import OutlineSettings


def test_made_outlines_are_those_of_the_task_and_are_made_once(tmp_path: Path) -> None:
    folder, drawn = tmp_path / "made", made.outlines()
    _ = drawn.write(folder)
    before = {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))}
    _ = drawn.write(folder)
    assert {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))} == before
    parts = read_parts(parse_settings(OutlineSettings, drawn.settings(folder)).data)
    assert len({source.picture.file for source in parts.train}) == 4
    assert parts.validation


def test_made_data_lie_beside_the_run_folders_also_where_these_are_here() -> None:
    for out, folder in ((Path(), Path("made-driving")), (Path("some/runs"), Path("some/made-driving"))):
        assert f"--data.root={folder}" in doors.DRIVING.shared(Request(quick=True, out=out))
