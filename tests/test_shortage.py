"""What the machine ran short of is a sentence that says what to do; what is something else stays what it is."""

from __future__ import annotations

import errno
import importlib
import os
import re

import numpy as np
import pytest
import torch

from semicoupled.cli import doctor
from semicoupled.cli.main import main
from semicoupled.errors import DataError, ShortageError
from semicoupled.find_task import less_memory, predict_options, settings_class, task_folders
from semicoupled.shortage import shortage


def system(number: int) -> OSError:
    return OSError(number, os.strerror(number), "/data/run/log.jsonl")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk(number: int) -> None:
    told = shortage(system(number))
    assert isinstance(told, ShortageError)
    assert re.match(
        r"/data/run/log\.jsonl: cannot be written, the disk is full .*last checkpoint.*Make room", str(told)
    )


def test_a_full_disk_that_a_library_tells_in_its_own_words() -> None:
    told = shortage(RuntimeError('IoError(Os { code: 28, kind: StorageFull, message: "No space left on device" })'))
    assert isinstance(told, ShortageError)
    assert str(told).startswith("cannot be written, the disk is full")


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_a_place_that_may_not_be_written(number: int) -> None:
    told = shortage(system(number))
    assert isinstance(told, DataError)
    assert re.match(r"/data/run/log\.jsonl: .*; expected a place that may be .* written .*choose another", str(told))


def no_memory_of_torch() -> None:
    _ = torch.empty(10**15)


def no_memory_of_numpy() -> None:
    _ = np.ones(10**15)


def no_memory_of_a_gpu() -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")


def no_memory_below() -> None:
    try:
        raise MemoryError
    except MemoryError as error:
        raise ValueError("could not go on") from error


@pytest.mark.parametrize("fill", [no_memory_of_torch, no_memory_of_numpy, no_memory_of_a_gpu, no_memory_below])
def test_memory_that_is_used_up_says_what_to_lower(fill, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setattr(doctor, "main", lambda arguments: fill())
    assert main(["doctor"]) == 7
    said = capsys.readouterr().err
    assert said.startswith("semicoupled: error: the memory of this machine")
    for name in ("training.batch", "segments.length", "data.height", "--workers 0", "bf16"):
        assert name in said


@pytest.mark.parametrize("task", task_folders())
@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_every_task_says_what_its_commands_could_do_with_less_of(
    task: str, command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        importlib.import_module(f"semicoupled.cli.{command}"), "main", lambda rest: no_memory_of_numpy()
    )
    assert main([command, task, "runs/one"]) == 7
    said = capsys.readouterr().err
    own = less_memory(task, command)
    assert own is not None
    assert said.endswith(f"Lower what is held at once: {own}\n")
    for group, name in re.findall(r"--(?:([a-z]+)\.)?([a-z]+)", own):  # there is such an option
        held = predict_options(task) if not group else getattr(settings_class(task)(), group)
        assert hasattr(held, name), name


def test_a_process_that_was_ended() -> None:
    told = shortage(RuntimeError("DataLoader worker (pid 77) is killed by signal: Killed. "))
    assert isinstance(told, ShortageError)
    assert re.match(r"a process that loads data was ended .*pid 77.*fewer --workers", str(told))


@pytest.mark.parametrize("error", [ValueError("no"), RuntimeError("shapes"), BrokenPipeError(32, "Broken pipe")])
def test_everything_else_is_not_touched(error: Exception) -> None:
    assert shortage(error) is None


def test_errors_that_came_from_each_other_in_a_ring_end() -> None:
    one, other = ValueError("a"), ValueError("b")
    one.__context__, other.__context__ = other, one
    assert shortage(one) is None
