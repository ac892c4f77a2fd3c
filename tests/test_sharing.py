"""Pieces of a prediction, shared by several processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from semicoupled.errors import DataError, SettingsError
from semicoupled.shared_pieces import SharedPieces, Work, share, weights_digest
from semicoupled.sharing import Group, Parts, Sharing, parts_folder, sharing_of
from semicoupled.training.progress import NoProgress
from semicoupled.workers import share_of_threads

NAMES = ["a", "b", "c"]
ABOUT = {"weights": "1"}
ALONE = Group(0, 1)


def never() -> bool:
    return False


def after(count: int) -> Callable[[], bool]:
    asked = iter([False] * count)
    return lambda: next(asked, True)


def maker(model: torch.nn.Module, text: str) -> Callable[[int], bytes]:
    return lambda index: f"{text}{index}".encode()


def begun(out: Path, about: dict[str, str] = ABOUT, group: Group = ALONE) -> SharedPieces:
    parts = Parts(out, about, group)
    assert parts.begin(never)
    return SharedPieces(parts)


def numbered(index: int) -> bytes:
    return b"%d" % index


def test_what_one_began_another_goes_on_with(tmp_path: Path) -> None:
    out, made = tmp_path / "out.csv", []

    def make(index: int) -> bytes:
        made.append(index)
        return b"%d" % index

    assert not begun(out).make(NAMES, make, NoProgress(), after(2))
    assert made == [0, 1]
    pieces = begun(out)
    assert pieces.make(NAMES, make, NoProgress(), never)
    assert made == [0, 1, 2]
    assert [pieces.result(name) for name in NAMES] == [b"0", b"1", b"2"]
    pieces.end()
    assert list(tmp_path.iterdir()) == []


def test_a_piece_that_failed_is_taken_up(tmp_path: Path) -> None:
    def broken(index: int) -> bytes:
        raise DataError(f"piece {index}")

    with pytest.raises(DataError, match="piece 0"):
        begun(tmp_path / "out").make(NAMES, broken, NoProgress(), never)
    pieces = begun(tmp_path / "out")
    assert pieces.make(NAMES, numbered, NoProgress(), never)
    assert pieces.result("a") == b"0"


def test_parts_of_another_model_are_refused(tmp_path: Path) -> None:
    _ = begun(tmp_path / "out").make(NAMES, numbered, NoProgress(), after(1))
    with pytest.raises(DataError, match=r"out\.parts: was made by another model, from other inputs or with other"):
        _ = begun(tmp_path / "out", {"weights": "2"})


def test_a_piece_of_another_model_that_lies_there_is_not_taken(tmp_path: Path) -> None:
    """Of a process that stood still while the others ended, and wrote into the folder afterwards."""
    out = tmp_path / "out"
    assert begun(out).make(NAMES, lambda _: b"old", NoProgress(), never)
    (parts_folder(out) / "about.json").unlink()
    pieces = begun(out, {"weights": "2"})
    assert pieces.make(NAMES, numbered, NoProgress(), never)
    assert [pieces.result(name) for name in NAMES] == [b"0", b"1", b"2"]


def test_pieces_are_taken_several_at_a_time_and_told(tmp_path: Path) -> None:
    parts = Parts(tmp_path / "out", ABOUT, ALONE)
    assert parts.begin(never)
    waiting, told = deque(NAMES), list[int]()
    assert list(parts.work(waiting, 2, lambda names: ["+".join(names)], told.append, never)) == ["a+b", "c"]
    assert told == [1, 0]
    assert not waiting


def test_the_first_of_torchruns_processes_puts_it_together(tmp_path: Path) -> None:
    out = tmp_path / "out"
    work = Work(out, ABOUT, NAMES, maker, torch.nn.Linear(1, 1), ("piece ",))
    assert share(work, Sharing(Group(1, 2), 1), None, never) is None
    assert parts_folder(out).is_dir()
    pieces = share(work, Sharing(Group(0, 2), 1), None, never)
    assert pieces is not None
    assert pieces.result("c") == b"piece 2"
    pieces.end()
    assert not parts_folder(out).exists()


def fail(model: torch.nn.Module) -> Callable[[int], bytes]:
    raise AssertionError("all is made")


@pytest.mark.parametrize("ended", [1, 2**31])
def test_who_comes_late_makes_nothing_anew_whatever_the_clocks_say(tmp_path: Path, ended: float) -> None:
    out = tmp_path / "out"
    work = Work(out, ABOUT, NAMES, maker, torch.nn.Linear(1, 1), ("",))
    pieces = share(work, Sharing(Group(0, 3), 1), None, never)
    assert pieces is not None
    out.write_bytes(b"whole")
    pieces.end()
    for path in (out, *parts_folder(out).iterdir(), parts_folder(out)):
        os.utime(path, (ended, ended))
    late = work._replace(maker=fail, arguments=())
    assert share(late, Sharing(Group(1, 3), 1), None, never) is None
    assert parts_folder(out).is_dir(), "one is still to come"
    assert share(late, Sharing(Group(2, 3), 1), None, never) is None
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("made", [1, 2**31])
def test_an_output_of_before_is_no_reason_to_do_nothing_whatever_the_clocks_say(tmp_path: Path, made: float) -> None:
    out = tmp_path / "out"
    out.write_bytes(b"of another model")
    os.utime(out, (made, made))
    work = Work(out, ABOUT, NAMES, maker, torch.nn.Linear(1, 1), ("",))
    assert share(work, Sharing(Group(1, 2), 1), None, never) is None
    assert len(list(parts_folder(out).glob("*.piece"))) == 3


def test_what_is_left_because_one_never_came_is_cleared_by_the_first_of_the_next_call(tmp_path: Path) -> None:
    out = tmp_path / "out"
    pieces = begun(out, group=Group(0, 3))
    came = begun(out, group=Group(1, 3))
    assert pieces.make(NAMES, numbered, NoProgress(), never)
    assert came.make(NAMES, numbered, NoProgress(), never)
    pieces.end()
    assert not Parts(out, ABOUT, Group(1, 3)).begin(lambda: True), "waits for the first one, as it came before"
    again = begun(out, group=Group(0, 3))
    assert not again.make(NAMES, numbered, NoProgress(), after(1))
    assert len(list(parts_folder(out).glob("*.piece"))) == 1
    assert begun(out, group=Group(1, 3)).make(NAMES, numbered, NoProgress(), never)


def test_who_was_killed_in_an_earlier_call_has_not_come_to_this_one(tmp_path: Path) -> None:
    out = tmp_path / "out"
    pieces = begun(out, group=Group(0, 2))
    parts = Parts(out, ABOUT, Group(0, 2))
    code = (
        "import os, pathlib, sys; from semicoupled.claims import Claims\n"
        "Claims(pathlib.Path(sys.argv[1])).take(sys.argv[2]); os._exit(1)"
    )
    name = parts.key("process 1 of 2")
    _ = subprocess.run([sys.executable, "-c", code, str(parts_folder(out)), name], check=False)
    assert len(list(parts_folder(out).glob("*.claim"))) == 1
    assert pieces.make(NAMES, numbered, NoProgress(), never)
    pieces.end()
    assert not Parts(out, ABOUT, Group(1, 2)).begin(never)
    assert list(tmp_path.iterdir()) == []


def test_who_stood_still_while_the_others_ended_makes_nothing_more(tmp_path: Path) -> None:
    out, slow = tmp_path / "out", begun(tmp_path / "out", group=Group(1, 2))

    def make(index: int) -> bytes:
        assert index == 0
        first = begun(out, group=Group(0, 2))
        for claim in parts_folder(out).glob("*.claim"):
            claim.write_text("another-machine 1 abcd", encoding="utf-8")
            os.utime(claim, (1, 1))
        assert first.make(NAMES, numbered, NoProgress(), never)
        first.end()
        return b"0"

    assert slow.make(NAMES, make, NoProgress(), never)


def test_who_was_stopped_puts_nothing_together(tmp_path: Path) -> None:
    work = Work(tmp_path / "out", ABOUT, NAMES, maker, torch.nn.Linear(1, 1), ("",))
    assert share(work, Sharing(Group(0, 1), 1), None, after(1)) is None


def test_one_process_shares_only_what_others_began(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    assert sharing_of(1, out) is None
    assert sharing_of(3, out) == Sharing(Group(0, 1), 3)
    parts_folder(out).mkdir()
    assert sharing_of(1, out) == Sharing(Group(0, 1), 1)
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    assert sharing_of(1, out) == Sharing(Group(1, 2), 1)
    with pytest.raises(SettingsError, match=r"devices 2: torchrun has started 2 processes"):
        sharing_of(2, out)


@pytest.mark.slow
def test_processes_that_are_started_share(tmp_path: Path) -> None:
    work = Work(tmp_path / "out", ABOUT, NAMES, maker, torch.nn.Linear(1, 1), ("piece ",))
    pieces = share(work, Sharing(Group(0, 1), 2), None, never)
    assert pieces is not None
    assert [pieces.result(name) for name in NAMES] == [b"piece 0", b"piece 1", b"piece 2"]


def test_weights_are_told_apart() -> None:
    one, two = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    assert weights_digest(one) != weights_digest(two)
    two.load_state_dict(one.state_dict())
    assert weights_digest(one) == weights_digest(two)


def test_threads_are_shared_and_given_back() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(6)
        for size, own in ((2, 3), (4, 1), (9, 1)):
            with share_of_threads(size):
                assert torch.get_num_threads() == own
            assert torch.get_num_threads() == 6
    finally:
        torch.set_num_threads(before)
