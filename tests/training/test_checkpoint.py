from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any

import pytest
import torch

from semicoupled.errors import RunError
from semicoupled.training.checkpoint import MIGRATIONS, load_newest, read_checkpoint, remove_leftovers, save_checkpoint


def content(value: int) -> dict[str, Any]:
    return {"weights": {"a": torch.full((100,), float(value))}, "pair": (1, [2.5, None]), "name": "x"}


def names(folder: Path) -> list[int]:
    return sorted(int(path.name.split("-")[1]) for path in folder.iterdir())


def damage(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)


def test_the_newest_comes_back_whole_and_two_are_kept(tmp_path: Path) -> None:
    for step in (1, 2, 3):
        save_checkpoint(tmp_path, step, content(step))
    assert names(tmp_path) == [2, 3]
    found = load_newest(tmp_path)
    assert found is not None
    assert found.step == 3
    torch.testing.assert_close(found.content["weights"]["a"], torch.full((100,), 3.0))
    assert found.content["pair"] == (1, [2.5, None])


def test_no_checkpoint_is_none(tmp_path: Path) -> None:
    assert load_newest(tmp_path / "nothing") is None
    assert load_newest(tmp_path) is None


@pytest.mark.parametrize("how", ["one bit", "cut off", "empty"])
def test_a_damaged_one_falls_back_to_the_one_before_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    save_checkpoint(tmp_path, 1, content(1))
    newest = save_checkpoint(tmp_path, 2, content(2))
    if how == "one bit":
        damage(newest)
    else:
        newest.write_bytes(newest.read_bytes()[:1000] if how == "cut off" else b"")
    with caplog.at_level(logging.WARNING):
        found = load_newest(tmp_path)
    assert found is not None
    assert found.step == 1
    assert newest.name in caplog.text
    assert "is damaged" in caplog.text


def test_after_a_fall_back_the_damaged_one_goes(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, 1, content(1))
    damage(save_checkpoint(tmp_path, 4, content(4)))
    save_checkpoint(tmp_path, 2, content(2))
    assert names(tmp_path) == [1, 2]
    damage(next(path for path in tmp_path.iterdir() if "00000002" in path.name))
    save_checkpoint(tmp_path, 2, content(2))
    assert names(tmp_path) == [1, 2]
    found = load_newest(tmp_path)
    assert found is not None
    assert found.step == 2


def test_all_damaged_is_said_and_nothing_is_begun_anew(tmp_path: Path) -> None:
    damage(save_checkpoint(tmp_path, 1, content(1)))
    damage(save_checkpoint(tmp_path, 2, content(2)))
    with pytest.raises(RunError, match="all 2 checkpoints are damaged"):
        load_newest(tmp_path)


def test_what_a_kill_left_half_written_is_removed(tmp_path: Path) -> None:
    remove_leftovers(tmp_path / "nothing", None)
    save_checkpoint(tmp_path, 1, content(1))
    (tmp_path / ".checkpoint-00000002-0a1b2c3d.part").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("someone's own")
    remove_leftovers(tmp_path, 1)
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".pt") == ["notes.txt"]


def test_what_a_kill_left_before_it_was_removed_is_removed(tmp_path: Path) -> None:
    first = save_checkpoint(tmp_path, 1, content(1))
    kept = first.read_bytes()
    for step in (2, 3):
        save_checkpoint(tmp_path, step, content(step))
    first.write_bytes(kept)
    assert names(tmp_path) == [1, 2, 3]
    remove_leftovers(tmp_path, 3)
    assert names(tmp_path) == [2, 3]


def test_looking_changes_nothing(tmp_path: Path) -> None:
    """Another process may be writing meanwhile."""
    kept = save_checkpoint(tmp_path, 1, content(1)).read_bytes()
    for step in (2, 3):
        save_checkpoint(tmp_path, step, content(step))
    (tmp_path / f"checkpoint-00000001-{hashlib.sha256(kept).hexdigest()[:16]}.pt").write_bytes(kept)
    (tmp_path / ".checkpoint-00000004-0a1b2c3d.part").write_bytes(b"half")
    before = sorted(tmp_path.iterdir())
    found = load_newest(tmp_path)
    assert found is not None
    assert found.step == 3
    assert sorted(tmp_path.iterdir()) == before


def test_a_failed_write_leaves_the_old_ones(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, 1, content(1))
    with pytest.raises(Exception, match="pickle"):
        save_checkpoint(tmp_path, 2, {"bad": lambda: None})
    assert names(tmp_path) == [1]


def test_an_older_format_is_migrated_step_by_step_or_refused(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, 7, {"log": ["begun"]})

    def migration(version: int):
        return lambda old: {"log": [*old["log"], f"{version} to {version + 1}"]}

    table = {2: migration(2), 3: migration(3)}
    found = read_checkpoint(path, newest=4, migrations=table)
    assert found.step == 7
    assert found.content["log"] == ["begun", "2 to 3", "3 to 4"]
    with pytest.raises(RunError, match=r"is of format 2, which this version \(format 4\) no longer reads"):
        read_checkpoint(path, newest=4, migrations={3: migration(3)})


def test_format_1_computed_in_the_precision_of_its_settings() -> None:
    migrated = MIGRATIONS[1]({"settings": {"training.precision": "bf16"}, "model": 1})
    assert migrated == {"settings": {"training.precision": "bf16"}, "model": 1, "precision": "bf16"}


def test_a_newer_or_unknown_format_is_refused(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, 1, content(1))
    with pytest.raises(RunError, match=r"is of format 2, this version reads formats up to 0\. Update semicoupled"):
        read_checkpoint(path, newest=0)
    for rubbish in ({"model": 1}, [1, 2], {"format": "new", "content": {}}):
        torch.save(rubbish, path)
        with pytest.raises(RunError, match="has no format number"):
            read_checkpoint(path)
    path.write_bytes(b"rubbish")
    with pytest.raises(RunError, match="is no checkpoint"):
        read_checkpoint(path)


class Bomb:
    def __reduce__(self):
        return (print, ("executed",))


def test_nothing_in_a_checkpoint_is_executed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bomb.pt"
    torch.save({"format": 1, "step": 1, "content": {"x": Bomb()}}, path)
    with pytest.raises(RunError, match="is no checkpoint"):
        read_checkpoint(path)
    assert "executed" not in capsys.readouterr().out
