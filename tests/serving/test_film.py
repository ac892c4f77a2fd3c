from __future__ import annotations

import io
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from semicoupled.serving.film import SIDE, Choice, Film, told


def frame(value: int, height: int = 12, width: int = 16) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def pictures(film: Film) -> list[np.ndarray]:
    about = film.describe()
    sizes, content = about["sizes"], b"".join(film.files().values())
    assert isinstance(sizes, list)
    edges = np.cumsum([0, *sizes])
    assert edges[-1] == len(content)
    return [np.asarray(Image.open(io.BytesIO(content[start:stop]))) for start, stop in pairwise(edges)]


def test_a_short_video_is_there_frame_by_frame() -> None:
    film = Film()
    for value in range(0, 250, 2):
        film.add(frame(value))
    found = pictures(film)
    assert [round(float(picture.mean())) for picture in found] == pytest.approx(list(range(0, 250, 2)), abs=1)
    assert film.every == 1
    assert sorted(film.files()) == ["film_000.jpgs", "film_001.jpgs", "film_002.jpgs"]
    assert (film.chosen() == np.arange(125)).all()


@pytest.mark.parametrize(("count", "every", "kept"), [(8, 1, 8), (9, 2, 5), (16, 2, 8), (17, 4, 5), (100, 16, 7)])
def test_of_a_long_video_every_nth_frame_is_kept(count: int, every: int, kept: int) -> None:
    film = Film(most=8)
    for value in range(count):
        film.add(frame(value))
    assert (film.every, len(film), film.count) == (every, kept, count)
    assert film.chosen().tolist() == list(range(0, count, every))
    assert [round(float(picture.mean())) for picture in pictures(film)] == pytest.approx(film.chosen().tolist(), abs=1)


def test_pictures_are_small_and_of_one_size() -> None:
    film = Film()
    film.add(frame(0, 480, 640))
    film.add(frame(0, 100, 80))
    assert film.size == (SIDE, SIDE * 3 // 4)
    assert {picture.shape for picture in pictures(film)} == {(SIDE * 3 // 4, SIDE, 3)}


def test_choices_as_json() -> None:
    assert told([Choice("a", 3, 0.123456), Choice("b")]) == [
        {"name": "a", "frames": 3, "seconds": 0.12},
        {"name": "b", "frames": None, "seconds": None},
    ]
