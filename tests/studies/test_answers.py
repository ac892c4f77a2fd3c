"""What a study keeps of its variants' answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from semicoupled.errors import SettingsError
from semicoupled.studies.answers import VALIDATION, fingerprint_of, named_places, read_kept, write_kept

FILE = "deep/answers-validation.npz"


def unpack(held: Mapping[str, np.ndarray]) -> list[int]:
    return held["values"].tolist()


@pytest.mark.parametrize(
    "mark",
    [{"fingerprint": np.array("abc")}, {"about": np.array(json.dumps({"fingerprint": "abc", "drives": []}))}],
    ids=["alone", "in about"],
)
def test_answers_come_back_to_those_who_ask_the_same(tmp_path: Path, mark: Mapping[str, np.ndarray]) -> None:
    assert read_kept(tmp_path / FILE, "abc", unpack) is None
    write_kept(tmp_path / FILE, {**mark, "values": np.array([1, 2])})
    assert read_kept(tmp_path / FILE, "abc", unpack) == [1, 2]
    assert read_kept(tmp_path / FILE, "abd", unpack) is None
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["answers-validation.npz"]


def test_a_broken_file_is_as_good_as_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_kept(tmp_path / FILE, {"fingerprint": np.array("abc"), "other": np.array([1])})
    assert read_kept(tmp_path / FILE, "abc", unpack) is None
    assert "is broken" in caplog.text
    (tmp_path / FILE).write_bytes((tmp_path / FILE).read_bytes()[:40])
    assert read_kept(tmp_path / FILE, "abc", unpack) is None


def test_fingerprints_tell_what_is_asked_apart() -> None:
    assert fingerprint_of(["a", 1, None]) == fingerprint_of(("a", 1, None))
    assert len({fingerprint_of(asked) for asked in (["a", 1], ["a", 2], ["a", "1"], [["a"], 1])}) == 4


def test_what_is_held_back_comes_first_and_names_come_once(tmp_path: Path) -> None:
    assert named_places([tmp_path / "track", tmp_path / "road"]) == {
        VALIDATION: None,
        "track": tmp_path / "track",
        "road": tmp_path / "road",
    }
    with pytest.raises(SettingsError, match=r"a folder called 'road' is there already; expected each once"):
        _ = named_places([tmp_path / "road", tmp_path / "other" / "road"])
