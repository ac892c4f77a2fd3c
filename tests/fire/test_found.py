"""What `fuzz.py` has found, each once: it was a traceback, and is a sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from fire_readers import readers

from semicoupled.errors import DataError, RunError, SemicoupledError
from semicoupled.serving.api_training import read_lines
from semicoupled.studies.training import read_trained
from semicoupled.training.checkpoint import Checkpoint
from semicoupled.training.position import Position, Resumable
from semicoupled.training.settings import GoalWeights, SegmentSettings, SwitchSettings, TrainingSettings
from semicoupled.training.weights import FILE, save_weights

DEEP = b"[" * 100_000
READERS = {reader.name: reader for reader in readers()}


def replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        assert old in content
        return content.replace(old, new, 1)

    return change


def told(**values: Any) -> Callable[[bytes], bytes]:
    """Change entries of a JSON document; a name with dots goes down, numbers into lists."""

    def change(content: bytes) -> bytes:
        document = json.loads(content)
        for name, value in values.items():
            place = document
            *way, last = [int(part) if part.isdecimal() else part for part in name.split("__")]
            for part in way:
                place = place[part]
            place[last] = value
        return json.dumps(document).encode()

    return change


def slowed(content: bytes) -> bytes:
    """Let an AVI's frames be days apart: the scale of its rate, behind type, handler, flags, language and delay."""
    place = content.index(b"strh") + 8 + 20
    return content[:place] + (10**7).to_bytes(4, "little") + content[place + 4 :]


FOUND: list[tuple[str, str, Callable[[bytes], bytes], str]] = [
    ("drive tub", "manifest.json", replaced(b"paths", b"pa\xffhs"), r"manifest\.json: expected the five lines"),
    ("drive tub", "*.catalog", lambda content: DEEP + b"\n" + content, r"catalog, line 1: is not JSON"),
    ("drive tub 1", "record_1.json", told(**{"cam/image_array": "\x00.jpg"}), "embedded null byte"),
    ("drive comma", "log/*.h5", replaced(b"SNOD", b"SNOX"), "cannot be read"),
    ("drive comma2k19", "**/value", replaced(b"}", b"("), r"value: is no whole array of numbers"),
    ("outline coco", "a.json", told(categories=3), r"a\.json: 'categories' is 3; expected a list"),
    ("outline coco", "a.json", told(annotations=3), r"a\.json: 'annotations' is 3; expected a list"),
    ("outline boxes of coco", "a.json", told(categories=["x"]), r"categories\[0\]: holds a str"),
    ("outline boxes of coco", "a.json", told(categories__0__id=[1]), r"categories\[0\]: 'id' is \[1\]"),
    ("outline boxes of coco", "a.json", told(annotations__0__bbox=[1e999, 0, 1, 1]), "inf is no number"),
    ("outline boxes of coco", "a.json", told(annotations__0__bbox=[10**400, 0, 1, 1]), "is no number"),
    ("outline labelme", "out/*.json", told(shapes__0__flags=7), r"\.json: expected a whole file of labelme"),
    ("outline cityscapes", "out/*.json", told(objects__0__instance=[1]), r"json: expected a whole file of cityscapes"),
    ("outline masks", "out/labels.json", told(masks={"0_0.png": {"crowds": 0.5}}), "'crowds' is 0.5; expected a list"),
    ("clips headerless", "train.txt", replaced(b"a.mp4", b"9" * 5000), "File name too long|too long"),
    ("clips kinetics", "train.csv", replaced(b"10,20", b"inf,20"), "expected times in seconds, got 'inf'"),
    ("toy clip", "clip.npy", replaced(b"}", b"("), r"clip\.npy: cannot be read"),
    ("settings toy", "settings.yaml", lambda content: b"seed: " + DEEP, r"settings\.yaml: is not YAML"),
    ("settings toy", "settings.yaml", lambda content: b"seed: 2001-99-99", r"settings\.yaml: is not YAML"),
    ("settings toy", "settings.yaml", lambda content: b"a: &a [1]\nb: *a", r"refers to \*a; expected every setting"),
    ("settings toy", "settings.yaml", lambda content: content + b"#" * 2**21, "expected settings of at most 262144"),
    ("rows", "rows.json", lambda content: DEEP, r"rows\.json: is not JSON"),
    ("rows", "rows.json", told(rows__0__value=10**400), r"rows\.json: format 1, but a part is"),
    ("log", "log.jsonl", replaced(b'{"kind"', b'{"k\xff'), r"log\.jsonl: line 1 is broken"),
    ("log", "log.jsonl", lambda content: b"[3]\n" + content, r"log\.jsonl: line 1 has no kind and step"),
    ("run folder", "run/run.json", lambda content: DEEP, r"run\.json: is broken"),
    ("run folder action", "run/description.json", told(classes=3), r"description\.json: 'classes' is 3; expected the"),
    ("run folder action", "run/description.json", told(classes=[]), r"'classes' is \[\]; expected the names"),
    ("video avi", "v.avi", slowed, r"v\.avi: no frame comes from 0 s to \d+ s; expected one every 600 s"),
    ("page", "page.md", lambda content: b"<!-- one: end -->" + content.replace(b"one: end", b""), "has only one of"),
    ("page", "page.md", lambda content: content + b"\xff", r"page\.md: is no text in UTF-8"),
    ("piped jpeg", "piped", lambda content: b"\xff\xd9 no picture", "expected JPEG images one after the other"),
    ("piece of driving", "one.piece", lambda content: content[:-30], "a piece of this prediction .* cannot be read"),
    ("piece of outline", "one.piece", lambda content: content[:-30], "a piece of this prediction .* cannot be read"),
    ("piece of nowcasting", "one.piece", lambda content: content[:-3], "a piece of this prediction .* cannot be read"),
    ("action answers", "answers.jsonl", lambda content: content + DEEP + b"\n", "is no file of answers"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "file", "change", "words"), FOUND, ids=lambda value: "" if callable(value) else str(value)[:30]
)
def test_it_is_a_sentence(name: str, file: str, change: Callable[[bytes], bytes], words: str, tmp_path: Path) -> None:
    reader = READERS[name]
    path = reader.make(tmp_path)
    chosen = sorted(tmp_path.glob(file))[0]
    chosen.write_bytes(change(chosen.read_bytes()))
    with pytest.raises(SemicoupledError) as caught:
        reader.read(path)
    assert re.search(words, str(caught.value)), str(caught.value)[:500]


def test_a_training_that_did_not_say_what_it_took_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"trained\.json: cannot be read"):
        read_trained(tmp_path)


@pytest.mark.parametrize("file", ["project.json", "sheet_0.json", "truth.json"])
def test_a_drawing_that_is_nested_too_deep_hides_no_other(file: str, tmp_path: Path) -> None:
    reader = READERS["projects"]
    path = reader.make(tmp_path)
    (chosen,) = tmp_path.rglob(file)
    chosen.write_bytes(DEEP)
    if file == "project.json":
        assert reader.read(path) == []
    else:
        with pytest.raises(DataError, match=rf"{file} of a project cannot be read"):
            reader.read(path)


def test_a_line_that_is_nested_too_deep_is_left_out_of_what_a_page_shows(tmp_path: Path) -> None:
    reader = READERS["log of a page"]
    path = reader.make(tmp_path)
    path.write_bytes(DEEP + b"\n" + path.read_bytes())
    assert len(read_lines(path, 0).lines) == 5


def test_what_is_nested_too_deep_is_no_export_of_ours(tmp_path: Path) -> None:
    reader = READERS["export"]
    path = reader.make(tmp_path)
    (path / "signature.json").write_bytes(DEEP)
    with pytest.raises(DataError, match="is there and is no export of semicoupled"):
        reader.read(path)


class Settings:
    seed = 0
    training, switches = TrainingSettings(steps=1), SwitchSettings()
    segments, goals = SegmentSettings(), GoalWeights()


def resumable() -> Resumable:
    model = torch.nn.Linear(2, 2)
    settings: Any = Settings()
    return Resumable(settings, model, torch.optim.AdamW(model.parameters()), None, None, torch.device("cpu"), "float32")


def test_a_checkpoint_that_lacks_a_part_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="its checkpoint of step 3 has no settings, precision, position, model"):
        resumable().take_up(tmp_path, Checkpoint(3, {}))


def test_kept_weights_that_do_not_say_their_step_are_named(tmp_path: Path) -> None:
    save_weights(tmp_path / FILE, torch.nn.Linear(2, 2), {"scores": "{}"})
    with pytest.raises(RunError, match=r"model\.safetensors: does not say of which step it is"):
        resumable().take_up(tmp_path, Checkpoint(3, resumable().content(Position(step=3))))
