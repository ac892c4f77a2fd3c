"""Real videos: mouths that say words, and people who move."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from semicoupled.tasks.action.data_settings import DataSettings
from semicoupled.tasks.action.listing.recognize import list_clips
from semicoupled.tasks.action.splitting import split_clips
from semicoupled.tasks.action.store import decode_clip


@pytest.fixture
def folder() -> Path:
    root = os.environ.get("SEMICOUPLED_DATA")
    if not root or not (Path(root) / "action").is_dir():
        pytest.skip("needs real data: set SEMICOUPLED_DATA to the folder that holds action/ (docs/data.md)")
    return Path(root) / "action"


def test_lips(folder: Path) -> None:
    listing = list_clips(folder / "lips")
    assert (listing.format, len(listing.clips), len(listing.classes)) == ("CSV", 2200, 20)
    parts = split_clips(listing, validation="F10,M02,M07")
    assert (len(parts.train), len(parts.validation)) == (1600, 600)
    assert {clip.group for clip in parts.validation} == {"F10", "M02", "M07"}
    frames = decode_clip(parts.train[0], DataSettings(height=32, width=64, color="gray"))
    assert frames.shape[1:] == (32, 64, 1)
    assert 4 <= len(frames) <= 27
    assert float(np.abs(np.diff(frames.astype(float), axis=0)).mean()) > 0.5  # something moves


def test_weizmann(folder: Path) -> None:
    listing = list_clips(folder / "weizmann4")
    assert (len(listing.clips), listing.classes) == (24, ["bend", "jack", "wave1", "wave2"])
    assert decode_clip(listing.clips[0], DataSettings(height=64, width=64)).shape[1:] == (64, 64, 3)
