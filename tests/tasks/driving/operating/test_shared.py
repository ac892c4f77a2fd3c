"""Drives shared by several processes: one table, that of one process."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from tests.tasks.driving.operating.using import predictor
from tests.tasks.killed import WAIT, kill_one_of_two, start

from semicoupled.errors import SettingsError
from semicoupled.run_folder import LoadedRun
from semicoupled.sharing import parts_folder
from semicoupled.task_requests import PredictRequest
from semicoupled.tasks.driving.answers import packed, unpacked
from semicoupled.tasks.driving.operating.inputs import read_inputs
from semicoupled.tasks.driving.predict_options import PredictOptions


def test_packed_answers_are_the_same_numbers(loaded: LoadedRun, tub: Path) -> None:
    ours = predictor(loaded)
    for drive in read_inputs([tub], ours.settings.data, ours.unit):
        for main_only in (True, False):
            said = ours.answer(drive, main_only=main_only)
            again = unpacked(packed(said))
            assert (again.drive, again.run, again.unit, again.roads) == (said.drive, said.run, said.unit, said.roads)
            for name in ("times", "truth", "main", "spatial", "temporal"):
                one, two = getattr(said, name), getattr(again, name)
                assert (one is None) == (two is None)
                assert one is None or (one.dtype == two.dtype and one.tobytes() == two.tobytes())


def test_what_was_stopped_is_taken_up_and_comes_out_the_same(
    loaded: LoadedRun, tub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = predictor(loaded)
    alone, out = tmp_path / "alone.csv", tmp_path / "out.csv"
    assert list(ours.predict(PredictRequest([tub], [alone]))) == [alone]
    asked = iter([False, True])
    with monkeypatch.context() as torchrun:
        torchrun.setenv("RANK", "1")
        torchrun.setenv("WORLD_SIZE", "2")
        request = PredictRequest([tub], [out], PredictOptions(), stopped=lambda: next(asked))
        assert list(ours.predict(request)) == []
    assert len(list(parts_folder(out).glob("*.done"))) == 1
    assert list(ours.predict(PredictRequest([tub], [out], PredictOptions()))) == [out]
    assert out.read_bytes() == alone.read_bytes()
    assert not parts_folder(out).exists()


def test_live_frames_are_not_shared() -> None:
    with pytest.raises(SettingsError, match=r"--devices 2: live frames go to one process"):
        PredictOptions(devices=2, camera="0")
    with pytest.raises(SettingsError, match=r"--devices: expected at least 1, got 0"):
        PredictOptions(devices=0)


@pytest.mark.slow
def test_what_a_killed_process_had_begun_is_taken_up(run: Path, samples: ModuleType, tmp_path: Path) -> None:
    tub = samples.write_tub(tmp_path / "tub", {f"d{i}": samples.make_drive(60, seed=i) for i in range(8)})
    alone, out = tmp_path / "alone.csv", tmp_path / "out.csv"

    line = ["predict", "driving", str(run), str(tub), "--out"]
    assert start([*line, str(alone)]).wait(WAIT) == 0
    kill_one_of_two([*line, str(out)], out)
    assert out.read_bytes() == alone.read_bytes()
