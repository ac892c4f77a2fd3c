"""One process at a time: refused while another is inside, free once that one is gone, however it went."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from tests.inside import another_process

from semicoupled.alone import alone
from semicoupled.errors import RunError


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    lock = tmp_path / "new/a.lock"
    with another_process(lock), pytest.raises(RunError, match=r"^a: in use$"), alone(lock, "a: in use"):
        raise AssertionError("it is inside")


def test_one_that_was_killed_is_gone(tmp_path: Path) -> None:
    with another_process(tmp_path / "a.lock") as process:
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        with alone(tmp_path / "a.lock", "in use"):
            pass


def test_one_that_is_through_is_gone(tmp_path: Path) -> None:
    with another_process(tmp_path / "a.lock") as process:
        process.communicate("")
        assert process.returncode == 0
        with alone(tmp_path / "a.lock", "in use"):
            pass


def test_what_it_started_does_not_hold_on(tmp_path: Path) -> None:
    """Processes that load data outlive a killed training by seconds; it is to be taken up at once."""
    forks = "if os.fork() == 0: os.close(1); time.sleep(20); os._exit(0)"
    with another_process(tmp_path / "a.lock", forks) as process:
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        with alone(tmp_path / "a.lock", "in use"):
            pass


def test_what_is_in_the_file_stays(tmp_path: Path) -> None:
    (tmp_path / "a.lock").write_text("mine")
    with alone(tmp_path / "a.lock", "in use"):
        pass
    assert (tmp_path / "a.lock").read_text() == "mine"
