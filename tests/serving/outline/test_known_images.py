"""Images of a project, found by what annotation files call them."""

from __future__ import annotations

import time

import pytest

from semicoupled.serving.known_images import KnownImages

NAMES = (
    "a/one.png",
    "b/one.png",
    "deep/b/one.png",
    "two.jpg",
    "street_000_leftImg8bit.png",
    "x/same.png",
    "y/same.jpg",
)
KNOWN = KnownImages([(name, 10 + number, 5) for number, name in enumerate(NAMES)])


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("a/one.png", "a/one.png"),
        ("images/deep/b/one.png", "deep/b/one.png"),
        ("one.png", None),  # all end alike, and any could be meant
        ("other/one.png", None),
        ("b\\one.png", "b/one.png"),  # the whole name, as deep/b/one.png has it at its end
        ("c/b/one.png", None),
        ("train/two.jpg", "two.jpg"),
        ("street_000_gtFine_polygons.json", None),
        ("street_000.json", "street_000_leftImg8bit.png"),
        ("street_000_leftImg8bit.png", "street_000_leftImg8bit.png"),
        ("two.json", "two.jpg"),
        ("same.json", None),  # either could be meant
        ("none.png", None),
        ("", None),
        ("/", None),
    ],
)
def test_a_name_means_the_image_that_ends_alike(file: str, name: str | None) -> None:
    found = KNOWN.find(file)
    assert (None if found is None else NAMES[found]) == name


def test_images_that_are_called_the_same_are_not_told_apart() -> None:
    assert KnownImages([("a.png", 8, 8), ("a.png", 8, 8)]).find("a.png") is None
    assert KnownImages([("a.png", 8, 8), ("x/a.png", 8, 8)]).find("a.png") == 0


def test_sizes_are_in_the_order_of_the_images() -> None:
    assert KNOWN.sizes[3] == (13, 5)


def test_ten_thousand_images_are_found_at_once() -> None:
    many = [(f"images/{number:05d}.png", 8, 8) for number in range(10_000)]
    begun = time.process_time()
    known = KnownImages(many)
    assert [known.find(f"{number:05d}.png") for number in range(10_000)] == list(range(10_000))
    assert time.process_time() - begun < 5  # looked through one by one it takes minutes
