from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from tests.tars import write_tar

from semicoupled.data.tar import tar_members
from semicoupled.errors import DataError

FILES = {"a.txt": b"one", "deep/er/b.bin": bytes(1000), "empty": b"", "c" * 150 + ".txt": b"long", "ä/ö.txt": b"umlaut"}


def contents(path: Path) -> dict[str, bytes]:
    whole = path.read_bytes()
    return {member.name: whole[member.offset : member.offset + member.size] for member in tar_members(path)}


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_format_is_read(tmp_path: Path, form: int) -> None:
    files = dict(FILES)
    if form == tarfile.USTAR_FORMAT:  # up to 100 characters, with folders up to 255
        files = {name: content for name, content in files.items() if len(name) < 100}
        files[f"{'d' * 90}/{'e' * 90}.txt"] = b"split"
    assert contents(write_tar(tmp_path / "a.tar", files, form)) == files


def test_folders_are_passed_over_and_a_pax_size_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        folder = tarfile.TarInfo("folder")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        info = tarfile.TarInfo("file")
        info.size, info.pax_headers = 3, {"size": "3", "comment": "of one\nline more"}
        archive.addfile(info, io.BytesIO(b"abc"))
    assert contents(path) == {"file": b"abc"}


def test_a_folder_has_no_content_whatever_size_it_says(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        folder = tarfile.TarInfo("folder")
        folder.type, folder.size = tarfile.DIRTYPE, 4096
        archive.addfile(folder)
        info = tarfile.TarInfo("file")
        info.size = 3
        archive.addfile(info, io.BytesIO(b"abc"))
    assert contents(path) == {"file": b"abc"}


def test_an_archive_without_its_end_is_read(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", {"a": b"1"})
    path.write_bytes(path.read_bytes()[:1024])
    assert contents(path) == {"a": b"1"}


def test_a_cut_archive_names_the_member(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", {"a": b"1", "b": bytes(5000)})
    path.write_bytes(path.read_bytes()[:4000])
    found = tar_members(path)
    assert next(found).name == "a"
    with pytest.raises(DataError, match=r"a\.tar: b: is cut off \(2464 of 5000 bytes are there\)"):
        next(found)


def test_damage_names_what_lies_before(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", {"a": b"1", "b": b"2"})
    content = bytearray(path.read_bytes())
    content[1030] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.tar: is damaged \(no header behind a\)"):
        list(tar_members(path))


@pytest.mark.parametrize(("kind", "target"), [(tarfile.SYMTYPE, "/etc/passwd"), (tarfile.LNKTYPE, "a"), (b"3", "")])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes, target: str) -> None:
    path = write_tar(tmp_path / "a.tar", {"bad.mp4": b""}, type=kind, linkname=target)
    with pytest.raises(DataError, match=r"a\.tar: bad\.mp4: is a link, a device or another special member"):
        list(tar_members(path))


def test_what_is_no_plain_archive_is_told(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    with pytest.raises(DataError, match=r"a\.tar: is compressed \(gzip\); expected a plain tar archive"):
        list(tar_members(tmp_path / "a.tar"))
    (tmp_path / "b.tar").write_bytes(b"no archive" * 100)
    with pytest.raises(DataError, match=r"b\.tar: is no tar archive"):
        list(tar_members(tmp_path / "b.tar"))
    (tmp_path / "e.tar").touch()
    with pytest.raises(DataError, match=r"e\.tar: is empty \(0 bytes\)"):
        list(tar_members(tmp_path / "e.tar"))
    with pytest.raises(DataError, match=r"c\.tar: cannot be read \(No such file"):
        list(tar_members(tmp_path / "c.tar"))


def test_a_name_that_claims_to_be_huge_is_refused(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", {"x" * 300: b"1"}, tarfile.GNU_FORMAT)
    content = bytearray(path.read_bytes())
    content[124:136] = b"77777777777\0"
    content[148:156] = b" " * 8
    content[148:156] = b"%06o\0 " % sum(content[:512])
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a name or record of 8589934591 bytes; expected at most"):
        list(tar_members(path))
