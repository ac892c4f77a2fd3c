"""Images as cameras, scanners and broken disks give them."""

from __future__ import annotations

from pathlib import Path
from threading import Event, Thread
from time import sleep
from typing import Any

import numpy as np
import pytest
from PIL import Image

from semicoupled.errors import DataError
from semicoupled.tasks.outline import images
from semicoupled.tasks.outline.images import SUFFIXES, Size, read_image, read_size


def _half(width: int = 8, height: int = 4) -> np.ndarray:
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[:, width // 2 :] = (200, 100, 50)
    return pixels


def test_exif_turns_the_image(tmp_path: Path) -> None:
    image = Image.fromarray(_half())
    exif = image.getexif()
    exif[0x0112] = 6  # turned a quarter to the right when it is shown
    image.save(tmp_path / "turned.png", exif=exif)
    read = read_image(tmp_path / "turned.png")
    assert read.shape == (8, 4, 3)
    assert read_size(tmp_path / "turned.png") == Size(4, 8)
    assert (read[:4] == 0).all()
    assert (read[4:] == (200, 100, 50)).all()


def test_transparency_is_shown_on_white(tmp_path: Path) -> None:
    pixels = np.dstack([_half(), np.zeros((4, 8), np.uint8)])
    pixels[:, 4:, 3] = 255
    Image.fromarray(pixels, "RGBA").save(tmp_path / "clear.png")
    read = read_image(tmp_path / "clear.png")
    assert (read[:, :4] == 255).all()
    assert (read[:, 4:] == (200, 100, 50)).all()


@pytest.mark.parametrize("kind", ["uint16", "gray", "palette", "float"])
def test_gray_of_any_depth_has_three_equal_colors(tmp_path: Path, kind: str) -> None:
    gray = np.linspace(0, 1, 32).reshape(4, 8)
    image = {
        "uint16": lambda: Image.fromarray((1000 + 4000 * gray).astype(np.uint16)),
        "gray": lambda: Image.fromarray((255 * gray).astype(np.uint8)),
        "palette": lambda: Image.fromarray((255 * gray).astype(np.uint8)).convert("P"),
        "float": lambda: Image.fromarray((gray - 0.5).astype(np.float32)),
    }[kind]()
    file = tmp_path / ("gray.tif" if kind == "float" else "gray.png")
    image.save(file)
    read = read_image(file)
    assert read.shape == (4, 8, 3)
    assert (read == read[..., :1]).all()
    np.testing.assert_allclose(read[..., 0], 255 * gray, atol=1)


def test_cmyk_has_its_colors(tmp_path: Path) -> None:
    Image.fromarray(_half()).convert("CMYK").save(tmp_path / "print.jpg", quality=100)
    read = read_image(tmp_path / "print.jpg")
    np.testing.assert_allclose(read[:, 6:].mean((0, 1)), (200, 100, 50), atol=12)


def test_broken_missing_and_other_files_are_named(tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(tmp_path / "whole.png")
    (tmp_path / "half.png").write_bytes((tmp_path / "whole.png").read_bytes()[:2000])
    (tmp_path / "text.jpg").write_text("no image")
    with pytest.raises(DataError, match=r"half\.png: is a broken image"):
        read_image(tmp_path / "half.png")
    with pytest.raises(DataError, match=r"text\.jpg: is no image"):
        read_image(tmp_path / "text.jpg")
    with pytest.raises(DataError, match=r"none\.jpg: no such file"):
        read_image(tmp_path / "none.jpg")


@pytest.mark.parametrize("kind", ["EPS", "ICNS", "PCX", "SGI", "TGA"])
def test_other_kinds_of_images_are_not_opened_whatever_their_name(tmp_path: Path, kind: str) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png", kind)  # for PostScript Pillow would start a program
    for read in (read_image, read_size):
        with pytest.raises(DataError, match=r"a\.png: is no image that can be read; expected one of \.jpg"):
            read(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_images_of_all_endings_that_are_listed_are_read(tmp_path: Path, suffix: str) -> None:
    Image.new("L", (6, 4), 200).save(tmp_path / f"a{suffix}")
    assert read_image(tmp_path / f"a{suffix}").shape == (4, 6, 3)


def test_images_that_threads_open_at_once_leave_pillows_own_limit_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("L", (6, 4)).save(tmp_path / "a.png")
    real, before = Image.open, Image.MAX_IMAGE_PIXELS
    inside = Event()

    def slow(*given: Any, **named: Any) -> Image.Image:
        inside.set()  # the first one is within; the second one comes, and leaves last
        sleep(0.05)
        return real(*given, **named)

    monkeypatch.setattr(Image, "open", slow)
    first = Thread(target=read_size, args=(tmp_path / "a.png",))
    first.start()
    assert inside.wait(30)
    assert read_size(tmp_path / "a.png") == Size(6, 4)
    first.join()
    assert before is not None
    assert before == Image.MAX_IMAGE_PIXELS


def test_huge_images_are_read_up_to_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("L", (16000, 12000)).save(tmp_path / "huge.png")  # Pillow's own alarm goes off at 179 million pixels
    assert read_size(tmp_path / "huge.png") == Size(16000, 12000)
    monkeypatch.setattr(images, "MOST_PIXELS", 1_000_000)
    with pytest.raises(DataError, match=r"16000 x 12000 pixels; expected at most 1e\+06"):
        read_image(tmp_path / "huge.png")
