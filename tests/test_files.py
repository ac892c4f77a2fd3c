from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from semicoupled.files import aside, remove_folder, replacing, replacing_folder, write_bytes, write_text
from semicoupled.owner import place


def test_a_file_is_written_with_its_folder(tmp_path: Path) -> None:
    write_text(tmp_path / "new" / "a.txt", "κ\n")
    write_bytes(tmp_path / "new" / "b.bin", b"\0\n")
    assert (tmp_path / "new" / "a.txt").read_bytes() == "κ\n".encode()
    assert (tmp_path / "new" / "b.bin").read_bytes() == b"\0\n"


def test_an_interrupted_write_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    write_text(file, "old")

    def interrupted() -> None:
        with replacing(file) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_the_old_file_stands_until_the_block_ends(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    write_text(file, "old")
    with replacing(file) as temporary:
        temporary.write_text("new")
        assert file.read_text() == "old"
    assert file.read_text() == "new"


def test_a_folder_is_replaced_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "folder"
    with replacing_folder(target) as folder:
        (folder / "old").write_text("old")
    with pytest.raises(FileNotFoundError), replacing_folder(target) as folder:
        (folder / "nowhere" / "new").write_text("new")
    assert [file.name for file in target.iterdir()] == ["old"]
    with replacing_folder(target) as folder:
        (folder / "new").write_text("new")
    assert [file.name for file in target.iterdir()] == ["new"]
    assert [path.name for path in target.parent.iterdir()] == ["folder"]


def left_behind(path: Path, kind: str = "part") -> Path:
    """Give the name that a process that is gone would have used beside a file."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return path.with_name(aside(path, kind).name.replace(f"-{os.getpid()}-", f"-{process.pid}-"))


def test_what_a_killed_process_left_is_removed_by_the_next_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    half, folder = left_behind(tmp_path / "other.bin"), left_behind(tmp_path / "folder")
    half.write_text("half")
    folder.mkdir()
    (folder / "half").write_text("half")
    elsewhere = half.with_name(half.name.replace(f".{place()}-", ".0000-" if place() != "0000" else ".ffff-"))
    kept = [aside(file), elsewhere, tmp_path / ".mine.part", tmp_path / "other.part"]
    for path in kept:
        path.write_text("somebody's")
    write_text(file, "new")
    assert sorted(tmp_path.iterdir()) == sorted([file, *kept])


def test_a_folder_that_was_killed_between_its_two_renames_comes_back(tmp_path: Path) -> None:
    before = left_behind(tmp_path / "folder", "old")
    before.mkdir()
    (before / "old").write_text("old")
    with pytest.raises(KeyboardInterrupt), replacing_folder(tmp_path / "folder"):
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
    assert (tmp_path / "folder" / "old").read_text() == "old"


def test_a_folder_is_removed_at_once(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").touch()
    remove_folder(tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []
