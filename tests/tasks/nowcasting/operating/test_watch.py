"""Watching a folder: looks one after the other in this process, and real processes that are killed."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import semicoupled
from semicoupled.cli.main import main
from semicoupled.errors import DataError, RunError, SettingsError, StaleDataError
from semicoupled.tasks.nowcasting.operating import watch, writers

Make = Callable[..., Path]


class Earlier(datetime):
    """The time on a machine whose clock was set back."""

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return datetime(2021, 2, 5, 12, tzinfo=tz)


PATTERN = "f_{time}.nc"


class Watched:
    """A folder that is watched with a run, one look at a time."""

    def __init__(self, run: Path, files: Path, folder: Path) -> None:
        self.run, self.files, self.folder = run, sorted(files.iterdir()), folder
        self.incoming, self.out = folder / "in", folder / "out"
        self.incoming.mkdir()
        self.loaded = semicoupled.load(run, device="cpu")

    def come(self, *indices: int) -> None:
        for index in indices:
            shutil.copyfile(self.files[index], self.incoming / self.files[index].name)

    def look(self, **options: Any) -> list[str]:
        chosen: dict[str, Any] = {"watch": str(self.incoming), "once": True, "patience": 0.0, **options}
        return [path.name for path in self.loaded.predict([], self.out / PATTERN, **chosen)]

    @property
    def status(self) -> dict[str, Any]:
        return json.loads((self.out / "nowcast_status.json").read_text())


@pytest.fixture
def watched(make_run: Make, make_folder: Make, tmp_path: Path) -> Watched:
    return Watched(make_run(), make_folder(frames=9), tmp_path)


def name(minute: int) -> str:
    return f"f_20210205T20{minute:02}Z.nc"


def test_what_lies_there_is_history_and_then_every_frame_has_its_forecast(watched: Watched):
    watched.come(0, 1, 2, 3)
    assert watched.look() == [name(15)]
    assert watched.look() == []
    watched.come(4)
    assert watched.look() == [name(20)]
    watched.come(5, 6)  # came while nobody watched
    assert watched.look() == [name(25), name(30)]
    assert {path.name for path in watched.out.iterdir() if not path.name.startswith(".")} == {
        *(name(minute) for minute in (15, 20, 25, 30)),
        "nowcast_status.json",
    }
    status = watched.status
    assert status["frames"] == 7
    assert status["forecasts"] == 4
    assert status["newest_frame"] == status["newest_forecast"] == "2021-02-05T20:30:00+00:00"
    assert (status["late"], status["missing"], status["broken"], status["problem"]) == ([], [], [], None)


def test_a_watched_forecast_is_that_of_the_files(watched: Watched, tmp_path: Path):
    for index in range(5):
        watched.come(index)
        watched.look()
    watched.loaded.predict(watched.files[:5], tmp_path / "at_once.nc")
    with (
        xr.open_dataset(tmp_path / "at_once.nc", engine="h5netcdf") as one,
        xr.open_dataset(watched.out / name(20), engine="h5netcdf") as two,
    ):
        np.testing.assert_array_equal(one.reflectivity.values, two.reflectivity.values)
        np.testing.assert_array_equal(one.time.values, two.time.values)


def test_a_late_frame_is_reported_and_fills_its_hole(watched: Watched, caplog: pytest.LogCaptureFixture):
    watched.come(0, 1, 2)
    assert watched.look() == [name(10)]
    watched.come(4)
    assert watched.look() == []
    assert "missing: no frame of 2021-02-05 20:15 UTC, but one of 2021-02-05 20:20" in caplog.text
    assert watched.status["missing"] == ["2021-02-05T20:15:00+00:00"]
    watched.come(3)
    assert watched.look() == [name(15), name(20)]
    assert "late: 202102052015.h5 of 2021-02-05 20:15 UTC came after that of 2021-02-05 20:20" in caplog.text
    assert watched.status["missing"] == []
    assert watched.status["late"][0]["file"] == "202102052015.h5"
    assert watched.look() == []


def test_a_frame_that_never_comes_is_waited_for_or_allowed_to_be_missing(watched: Watched):
    watched.come(0, 1, 2)
    watched.look()
    for index, written in ((4, []), (5, []), (6, [name(30)])):  # the hole at 20:15 leaves the window
        watched.come(index)
        assert watched.look() == written
    watched.come(8)
    assert watched.look(allow_missing=1) == [name(20), name(25), name(40)]
    with xr.open_dataset(watched.out / name(40), engine="h5netcdf") as data:
        assert "20:35 were missing" in data.attrs["comment"]


def test_half_a_file_is_tried_again(watched: Watched, caplog: pytest.LogCaptureFixture):
    watched.come(0, 1, 2)
    watched.look()
    content = watched.files[3].read_bytes()
    path = watched.incoming / watched.files[3].name
    path.write_bytes(content[: len(content) // 2])
    assert watched.look(patience=10.0) == []
    assert "it may still be being written, and is tried again" in caplog.text
    assert watched.status["waiting"][0]["file"] == path.name
    path.write_bytes(content)
    assert watched.look(patience=10.0) == [name(15)]
    assert watched.status["waiting"] == []


def test_a_broken_file_is_given_up_once_and_taken_when_it_is_mended(watched: Watched):
    watched.come(0, 1, 2)
    watched.look()
    path = watched.incoming / watched.files[3].name
    path.write_bytes(watched.files[3].read_bytes()[:900])
    with pytest.raises(DataError, match=r"202102052015\.h5"):
        watched.look()
    assert watched.status["broken"][0]["file"] == path.name
    assert watched.look() == []  # said once
    watched.come(3)
    assert watched.look() == [name(15)]


def test_a_frame_from_the_future_does_not_drive_out_the_others(
    watched: Watched, make_knmi: Callable[..., Path], tmp_path: Path
):
    watched.come(0, 1, 2)
    watched.look()
    make_knmi(watched.incoming / "z.h5", np.zeros((64, 48)), datetime.now(UTC) + timedelta(days=300))
    with pytest.raises(DataError, match=r"z\.h5: is valid at .* in the future; is a clock wrong"):
        watched.look()
    watched.come(3)
    assert watched.look() == [name(15)]


def test_a_frame_that_seemed_to_come_from_the_future_is_taken_when_the_clock_is_right_again(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
):
    watched.come(0, 1, 2)
    watched.look()
    watched.come(3)
    with monkeypatch.context() as patch:
        patch.setattr(watch, "datetime", Earlier)
        with pytest.raises(DataError, match=r"202102052015\.h5: is valid at .* in the future; is a clock wrong"):
            watched.look()
        assert watched.look() == []  # said once
    assert watched.look() == [name(15)]
    watched.come(4)
    assert watched.look() == [name(20)]
    assert len(watched.status["broken"]) == 1


def test_another_product_among_the_files_is_left_out(watched: Watched, make_knmi: Callable[..., Path]):
    watched.come(0, 1, 2)
    watched.look()
    make_knmi(watched.incoming / "z.h5", np.zeros((30, 30)), datetime(2021, 2, 5, 20, 15, tzinfo=UTC))
    with pytest.raises(DataError, match=r"z\.h5: its grid is 30 x 30"):
        watched.look()
    sums = np.zeros((64, 48))
    other = make_knmi(watched.incoming / "y.h5", sums, datetime(2021, 2, 5, 20, 15, tzinfo=UTC), product="RAP")
    with pytest.raises(DataError, match=r"y\.h5: is of 'RAD_NL25_RAU_5mi'; expected 'RAD_NL25_PCP_NA', as in"):
        watched.look()
    other.unlink()
    watched.come(3)
    assert watched.look() == [name(15)]


def test_an_old_newest_frame_ends_with_its_own_exit_code(watched: Watched, capsys: pytest.CaptureFixture[str]):
    arguments = ["predict", "nowcasting", str(watched.run), "--watch", str(watched.incoming), "--once", "--device=cpu"]
    arguments += ["--out", str(watched.out / PATTERN), "--max-age=20"]
    assert main(arguments) == 6
    assert "no frame is there; expected one not older than 20 minutes" in capsys.readouterr().err
    watched.come(0, 1, 2)
    assert main(arguments) == 6
    shown = capsys.readouterr()
    assert shown.out == f"{watched.out / name(10)}\n"
    assert "the newest frame is of 2021-02-05 20:10 UTC" in shown.err
    assert watched.status["stale"] is True


def test_a_fresh_frame_is_not_old(make_run: Make, make_folder: Make, tmp_path: Path):
    folder = make_folder("now", frames=4, start=datetime.now(UTC) - timedelta(minutes=20))
    watched = Watched(make_run(), folder, tmp_path)
    watched.come(0, 1, 2, 3)
    assert len(watched.look(max_age=30)) == 1
    assert watched.status["stale"] is False
    with pytest.raises(StaleDataError):
        watched.look(max_age=4)


def test_a_full_disk_loses_no_forecast(watched: Watched, monkeypatch: pytest.MonkeyPatch):
    watched.come(0, 1, 2)
    watched.look()
    watched.come(3)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setitem(writers.WRITERS, ".nc", writers.NETCDF._replace(write=full))
        with pytest.raises(DataError, match=r"T2015Z\.nc: cannot be written .*No space left.*Is there room"):
            watched.look()
    assert not (watched.out / name(15)).exists()
    assert watched.look() == [name(15)]


def test_what_is_written_must_not_lie_in_the_watched_folder(watched: Watched):
    with pytest.raises(SettingsError, match="lies in the watched folder"):
        watched.loaded.predict([], watched.incoming / "f.nc", watch=str(watched.incoming))
    with pytest.raises(DataError, match="nowhere: no such folder"):
        watched.loaded.predict([], watched.out / "f.nc", watch=str(watched.folder / "nowhere"))


def test_a_long_history_is_not_read_whole(watched: Watched, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("semicoupled.tasks.nowcasting.operating.watch.AT_ONCE", 4)
    watched.come(*range(8))
    assert watched.look() == [name(35)]
    assert watched.status["frames"] == 4
    assert watched.look() == []


def test_a_long_backlog_loses_nothing(
    make_run: Make, make_folder: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Far more frames than the state keeps, in several batches."""
    monkeypatch.setattr("semicoupled.tasks.nowcasting.operating.watch.AT_ONCE", 5)
    watched = Watched(make_run(), make_folder(frames=20), tmp_path)
    watched.come(0, 1, 2)
    watched.look()
    watched.come(*range(3, 20))
    assert len(watched.look()) == 17
    assert watched.status["late"] == watched.status["missing"] == []
    assert watched.look() == []


class Process:
    """A watch in a process of its own."""

    def __init__(self, watched: Watched, *options: str) -> None:
        command = [sys.executable, "-m", "semicoupled", "predict", "nowcasting", str(watched.run), "--device=cpu"]
        command += ["--watch", str(watched.incoming), "--out", str(watched.out / PATTERN), "--poll=0.2", *options]
        self.watched = watched
        self.errors = (watched.folder / "stderr.txt").open("a")
        self.before = self.status_time()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.errors, text=True)

    def status_time(self) -> int:
        status = self.watched.out / "nowcast_status.json"
        return status.stat().st_mtime_ns if status.exists() else 0

    def wait_until_at_work(self) -> None:
        """A watch writes its status when it has looked for the first time, and holds the state from before that."""
        end = time.monotonic() + 300
        while self.status_time() == self.before:
            assert self.process.poll() is None, (self.watched.folder / "stderr.txt").read_text()
            assert time.monotonic() < end, "the watch has not begun"
            time.sleep(0.05)

    def wait_for(self, count: int) -> None:
        end = time.monotonic() + 300 + 30 * count  # on a machine that has much else to do
        while len(list(self.watched.out.glob("f_*.nc"))) < count:
            assert self.process.poll() is None, (self.watched.folder / "stderr.txt").read_text()
            assert time.monotonic() < end, f"{count} forecasts did not come"
            time.sleep(0.05)

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        self.process.communicate(timeout=60)
        self.errors.close()
        return self.process.returncode


@contextlib.contextmanager
def running(watched: Watched, *options: str) -> Iterator[Process]:
    process = Process(watched, *options)
    try:
        yield process
    finally:
        if process.process.poll() is None:
            process.end(signal.SIGKILL)


def check_kills(watched: Watched, first: int, batches: list[list[int]]) -> None:
    """Kill the watch again and again while files come; then every time has one forecast, as without a kill."""
    watched.out.mkdir()
    watched.come(*range(first))
    with running(watched) as process:
        process.wait_for(1)
        assert process.end(signal.SIGKILL) == -signal.SIGKILL
    done = 1
    for batch in batches:
        watched.come(batch[0])
        with running(watched) as process:
            process.wait_for(done + 1)
            for index in batch[1:]:
                watched.come(index)
            # at once, or somewhere in the midst of the work
            time.sleep(0.05 * len(batch))
            process.end(signal.SIGKILL)
        done = len(list(watched.out.glob("f_*.nc")))
    total = 1 + sum(map(len, batches))
    with running(watched) as process:
        process.wait_for(total)
        process.wait_until_at_work()
        with pytest.raises(RunError, match="in use by another process"):
            watched.look()
        assert process.end(signal.SIGTERM) == 0
    written = sorted(watched.out.glob("f_*.nc"))
    assert len(written) == total
    assert not list(watched.out.glob(".f_*"))
    status = watched.status
    assert status["forecasts"] >= total
    assert status["frames"] == first + total - 1
    for index in (first - 1, first + 1, first + total - 2):
        wanted = watched.folder / "wanted.nc"
        watched.loaded.predict(watched.files[: index + 1], wanted)
        with (
            xr.open_dataset(wanted, engine="h5netcdf") as one,
            xr.open_dataset(written[index - first + 1], engine="h5netcdf") as two,
        ):
            assert one.forecast_reference_time.values == two.forecast_reference_time.values
            np.testing.assert_array_equal(one.reflectivity.values, two.reflectivity.values)


def test_a_kill_loses_and_doubles_nothing(watched: Watched):
    check_kills(watched, 3, [[3, 4, 5]])


@pytest.mark.slow
def test_kill_after_kill_loses_and_doubles_nothing(watched: Watched):
    check_kills(watched, 3, [[3, 4], [5, 6, 7, 8]])


@pytest.mark.slow
def test_a_real_evening_file_by_file_with_kills(make_run: Make, real_data: Path, tmp_path: Path):
    evening = real_data / "radar" / "knmi_2021" / "2021-02-05"
    if not evening.is_dir():
        pytest.skip(f"no {evening}")
    watched = Watched(make_run(), evening, tmp_path)
    check_kills(watched, 5, [[5, 6, 7], list(range(8, 20)), list(range(20, 36))])


def test_a_termination_ends_cleanly_and_a_second_watch_is_refused(watched: Watched):
    watched.come(0, 1, 2)
    with running(watched) as process:
        process.wait_for(1)
        assert process.end(signal.SIGTERM) == 0
    assert (watched.out / name(10)).exists()
    errors = (watched.folder / "stderr.txt").read_text()
    assert "Traceback" not in errors
    assert [path.name for path in watched.out.iterdir() if path.suffix == ".json"] == ["nowcast_status.json"]
    assert not list(watched.out.rglob("*.part"))
