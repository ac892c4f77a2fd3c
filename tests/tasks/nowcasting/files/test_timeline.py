from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.files.formats.times import parse_time, pattern_of, time_of
from semicoupled.tasks.nowcasting.files.timeline import make_timeline, usual_step

START = datetime(2021, 2, 5, 20, 5, tzinfo=UTC)


def every(minutes: float, count: int, leave_out: tuple[int, ...] = ()) -> list[datetime]:
    return [START + timedelta(minutes=minutes * index) for index in range(count) if index not in leave_out]


def test_the_step_is_the_most_frequent_one():
    assert usual_step(every(5, 8, (3, 5))) == timedelta(minutes=5)
    assert usual_step([START], timedelta(minutes=15)) == timedelta(minutes=15)


def test_gaps_cut_and_are_counted():
    line = make_timeline("event", every(5, 10, (4, 5)))
    assert [len(piece) for piece in line.pieces] == [4, 4]
    assert [gap.missing for gap in line.gaps] == [2]


@pytest.mark.parametrize(("wanted", "count"), [(5, 12), (10, 6), (15, 4)])
def test_every_nth_field_up_to_the_newest(wanted: float, count: int):
    times = every(5, 12)
    line = make_timeline("event", times, wanted)
    assert line.step == timedelta(minutes=wanted)
    assert [len(piece) for piece in line.pieces] == [count]
    assert line.pieces[0][-1] == 11  # a forecast starts from the newest
    steps = {times[two] - times[one] for one, two in zip(line.pieces[0], line.pieces[0][1:], strict=False)}
    assert steps == {timedelta(minutes=wanted)}


def test_a_missing_field_is_a_gap_only_where_it_was_needed():
    assert make_timeline("event", every(5, 13, (5,)), 10).gaps == []  # 12, 10, 8, ... are taken
    (gap,) = make_timeline("event", every(5, 13, (6,)), 10).gaps
    assert gap.missing == 1


def test_a_step_that_cannot_be_had_is_refused():
    message = r"event: one field every 6 minutes; expected a step that data.step_minutes 10 is a multiple of"
    with pytest.raises(DataError, match=message):
        make_timeline("event", every(6, 5), 10)
    with pytest.raises(DataError, match="one field every 10 minutes"):
        make_timeline("event", every(10, 5), 5)


@pytest.mark.parametrize(
    "name",
    [
        "RAD_NL25_RAC_202102052005.h5",
        "rain_20210205200500.png",
        "rain-2021-02-05T20:05:00Z.npy",
        "20210205_2005.gif",
        "20210205.2005.gif",
        "2021-02-05_20-05.png",
        "2021-02-05 20h05.png",
        "T_PAAH21_C_EUOC_20210205200500.hdf",
        "from_202102052000_to_202102052005.png",
        "20210205/2005.png",
        "2021-02-05/rain_200500.png",
    ],
)
def test_times_in_names(name: str):
    assert time_of(Path("/data/2_radar") / name) == START


@pytest.mark.parametrize("name", ["rain.png", "rain_1.png", "20211305_2005.png", "1234567890123456.png", "2005.png"])
def test_names_without_a_time(name: str):
    assert time_of(Path("/data") / name) is None


def test_times_in_text():
    assert parse_time("2021-02-05T21:05:00+01:00") == START
    assert parse_time("20210205 2005") == START
    assert parse_time("soon") is None


def test_what_names_of_one_product_have_in_common():
    assert pattern_of(Path("a/radar1_202102052005.png")) == "radar#_#.png"
