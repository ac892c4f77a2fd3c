from __future__ import annotations

from pathlib import Path

import pytest

from semicoupled.files import replacing, replacing_folder, write_bytes, write_text


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
