"""The rule of what may be left out: at the first, at 1 %, and what is said."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from semicoupled.errors import DataError
from semicoupled.skipping import Skipped, place_of


def test_the_first_ends_it_where_nothing_may_be_skipped() -> None:
    error = DataError("a.png: is empty")
    with pytest.raises(DataError) as caught:
        Skipped("fail", "drive").add(error)
    assert caught.value is error


def test_one_in_a_hundred_is_left_out_and_named(caplog: pytest.LogCaptureFixture) -> None:
    skipped = Skipped("skip", "drive", "images")
    skipped.add(DataError("a.png: is empty"))
    with caplog.at_level(logging.WARNING):
        skipped.close(100)
    assert caplog.messages == ["left out: a.png: is empty", "drive: 1 of 100 images left out"]
    assert skipped.reasons == ["a.png: is empty"]


@pytest.mark.parametrize(("lost", "total"), [(1, 99), (2, 199), (3, 3)])
def test_more_are_too_many(lost: int, total: int) -> None:
    skipped = Skipped("skip", "drive", "records", hint="Nothing was written")
    skipped.add(DataError("first"))
    if lost > 1:
        skipped.add(DataError("second"), lost - 1)
    with pytest.raises(DataError) as caught:
        skipped.close(total)
    assert str(caught.value) == (
        f"drive: {lost} of {total} records cannot be used, more than the 1% that may be left out. The first: first. "
        "Nothing was written"
    )


def test_some_may_be_spared_however_few_there_are() -> None:
    skipped = Skipped("skip", "drive", spared=1)
    skipped.add(DataError("first"))
    skipped.check(10)
    skipped.add(DataError("second"))
    with pytest.raises(DataError, match="2 of 10 frames cannot be used"):
        skipped.check(10)


def test_nothing_left_out_is_nothing_said(caplog: pytest.LogCaptureFixture) -> None:
    Skipped("skip", "drive").close(0)
    assert not caplog.messages


def test_a_place_is_one_path_or_the_first_and_how_many_more() -> None:
    assert place_of([Path("a"), Path("a")]) == "a"
    assert place_of([Path("a"), Path("b"), Path("c"), Path("b")]) == "a and 2 more"
    assert place_of([]) == ""
