"""Pieces of a prediction, shared by several processes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from semicoupled.errors import DataError, SettingsError
from semicoupled.sharing import (
    Group,
    SharedPieces,
    Sharing,
    Work,
    parts_folder,
    share,
    share_of_threads,
    sharing_of,
    weights_digest,
)
from semicoupled.training.progress import NoProgress

NAMES = ["a", "b", "c"]
ABOUT = {"weights": "1"}


def never() -> bool:
    return False


def after(count: int) -> Callable[[], bool]:
    asked = iter([False] * count)
    return lambda: next(asked, True)


def maker(model: torch.nn.Module, text: str) -> Callable[[int], bytes]:
    return lambda index: f"{text}{index}".encode()


def test_what_one_began_another_goes_on_with(tmp_path: Path) -> None:
    out, made = tmp_path / "out.csv", []

    def make(index: int) -> bytes:
        made.append(index)
        return b"%d" % index

    assert not SharedPieces(out, ABOUT).make(NAMES, make, NoProgress(), after(2))
    assert made == [0, 1]
    pieces = SharedPieces(out, ABOUT)
    assert pieces.make(NAMES, make, NoProgress(), never)
    assert made == [0, 1, 2]
    assert [pieces.result(name) for name in NAMES] == [b"0", b"1", b"2"]
    pieces.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_piece_that_failed_is_taken_up(tmp_path: Path) -> None:
    def broken(index: int) -> bytes:
        raise DataError(f"piece {index}")

    with pytest.raises(DataError, match="piece 0"):
        SharedPieces(tmp_path / "out", ABOUT).make(NAMES, broken, NoProgress(), never)
    pieces = SharedPieces(tmp_path / "out", ABOUT)
    assert pieces.make(NAMES, lambda index: b"%d" % index, NoProgress(), never)
    assert pieces.result("a") == b"0"


def test_parts_of_another_model_are_refused(tmp_path: Path) -> None:
    _ = SharedPieces(tmp_path / "out", ABOUT).make(NAMES, lambda _: b"", NoProgress(), after(1))
    other = SharedPieces(tmp_path / "out", {"weights": "2"})
    with pytest.raises(DataError, match=r"out\.parts: was made by another model, from other inputs or with other"):
        other.make(NAMES, lambda _: b"", NoProgress(), never)


def test_the_first_of_torchruns_processes_puts_it_together(tmp_path: Path) -> None:
    out = tmp_path / "out"
    work = Work(out, ABOUT, NAMES, maker, torch.nn.Linear(1, 1), ("piece ",))
    assert share(work, Sharing(Group(1, 2), 1), None, never) is None
    assert parts_folder(out).is_dir()
    pieces = share(work, Sharing(Group(0, 2), 1), None, never)
    assert pieces is not None
    assert pieces.result("c") == b"piece 2"
    out.write_bytes(b"whole")
    pieces.remove()
    assert share(work, Sharing(Group(1, 2), 1), None, never) is None, "a process that comes late"
    assert not parts_folder(out).exists()


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
