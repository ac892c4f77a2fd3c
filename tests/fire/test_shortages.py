"""Whatever the machine runs short of: a sentence, nothing half, and the same command comes to the undisturbed end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fire_commands import Command
from fire_compare import check_same, check_whole, hidden
from fire_kills import commands
from fire_process import run

pytestmark = [pytest.mark.skipif(sys.platform == "win32", reason="starts processes by fork"), pytest.mark.slow]


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Command, Path]:
    """The training of a toy, and its undisturbed result."""
    command, _, whole = commands("toy", tmp_path_factory.mktemp("toy"), kinds=("train",))["train"]
    return command, whole


@pytest.mark.parametrize(
    ("setup", "more", "code", "words"),
    [
        ("full_disk", [], 7, "the disk is full"),
        ("used_up_memory", [], 7, "Lower what is held at once: training.batch"),
        ("ended_worker", ["--workers=1"], 7, "Give fewer --workers"),
        ("clock_that_jumps", [], 0, ""),
    ],
)
def test_a_training_that_was_disturbed_is_taken_up(
    toy: tuple[Command, Path], tmp_path: Path, setup: str, more: list[str], code: int, words: str
) -> None:
    command, whole = toy
    out = tmp_path / "out"
    out.mkdir()
    ended = run([*command.make(out), *more], out, setup=f"fire_setups:{setup}")
    assert ended.code == code, ended.said
    assert words in ended.said
    assert "Traceback" not in ended.said
    check_whole(out)
    assert hidden(out) == []  # what raised has cleaned up behind itself
    assert run(command.make(out), out).code == 0
    check_same(out, whole)


def test_a_run_folder_that_may_not_be_written_is_named(toy: tuple[Command, Path], tmp_path: Path) -> None:
    command, whole = toy
    out = tmp_path / "out"
    out.mkdir()
    with read_only(out):
        ended = run(command.make(out), tmp_path / "counted")
    assert ended.code == 3, ended.said
    assert f"{out}/" in ended.said
    assert "choose another with --run" in ended.said
    assert run(command.make(out), out).code == 0
    check_same(out, whole)


@pytest.mark.parametrize("name", ["nowcasting train", "nowcasting evaluate", "nowcasting predict", "driving predict"])
def test_a_disk_that_fills_up_anywhere_leaves_nothing_half(name: str, tmp_path: Path) -> None:
    task, kind = name.split()  # JSON, NetCDF, GIF, CSV and video among what they write
    command, _, whole = commands(task, tmp_path / "data", kinds=(kind,))[kind]
    needed = sum(file.stat().st_size // 4096 + 3 for file in whole.rglob("*"))
    full = 0
    with small_disk(
        tmp_path / "disk", 4096 * (2 * needed + 64)
    ) as disk:  # at its end there is an old one and a new one
        out = disk / "out"
        for part in range(8):
            out.mkdir(exist_ok=True)
            with filled(disk, 4096 * (1 + part * needed // 8)):
                ended = run(command.make(out), out)
                assert ended.code in (0, 3, 7), ended.said
                assert "Traceback" not in ended.said
                full += ended.code != 0
                assert ended.code == 0 or "disk" in ended.said
                check_whole(out)
                assert hidden(out) == []
        assert full >= 2
        assert run(command.make(out), out).code == 0
        check_same(out, whole)


@contextmanager
def small_disk(place: Path, size: int) -> Generator[Path]:
    """Give a disk of so many bytes, or skip where none can be made."""
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], check=False, capture_output=True, text=True
    )
    if made.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {made.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextmanager
def filled(disk: Path, left: int) -> Generator[None]:
    """Fill a disk until so many bytes are left."""
    room = os.statvfs(disk)
    ballast = disk / "ballast"
    free = room.f_bavail * room.f_frsize
    ballast.write_bytes(b"\0" * max(0, free - left))
    try:
        yield
    finally:
        ballast.unlink()


@contextmanager
def read_only(folder: Path) -> Generator[None]:
    """Let nobody write into a folder; skip where that cannot be had."""
    if os.getuid() != 0:
        folder.chmod(0o555)
        try:
            yield
        finally:
            folder.chmod(0o755)
        return
    for options in (["--bind", str(folder)], ["-o", "remount,bind,ro"]):  # rights do not bind root
        made = subprocess.run(["mount", *options, str(folder)], check=False, capture_output=True, text=True)
        if made.returncode != 0:
            pytest.skip(f"a folder cannot be made read-only here: {made.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
