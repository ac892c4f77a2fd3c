"""Readers of what semicoupled itself has kept, each with whole files: runs, studies, projects, claims, and pipes."""

from __future__ import annotations

import dataclasses
import functools
import io
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from fire_readers import Reader, module

COUNT = 6


def kept_readers() -> list[Reader]:
    """Give all of them."""
    return [*_runs(), *_studies(), *_pieces(), *_projects(), *_published(), *_others()]


def _runs() -> list[Reader]:
    """Give whole run folders of each task, read as `semicoupled.load` and the task's predictor do."""
    import semicoupled
    from semicoupled.find_task import find_task, settings_class
    from semicoupled.run_folder import open_run
    from semicoupled.tasks.nowcasting.scores.probability import Calibration, Neighborhood
    from semicoupled.tasks.nowcasting.scores.run_scores import read_calibrations
    from semicoupled.training.weights import save_weights

    small: dict[str, dict[str, dict[str, Any]]] = {
        "action": {"model": {"widths": (4, 4), "strides": (2, 2)}, "data": {"height": 24, "width": 32}},
        "driving": {"model": {"widths": (4, 4), "strides": (2, 2)}, "data": {"height": 24, "width": 32}},
        "nowcasting": {"model": {"layers": 2, "width": 8, "patch": 2, "scales": 2}, "data": {"output_frames": 2}},
        "outline": {"model": {"features": 8, "widths": (8, 8)}, "data": {"size": 64, "grid": 16}},
    }
    said: dict[str, dict[str, Any]] = {
        "action": {"classes": ["left", "right"]},
        "driving": {"unit": "degrees", "frame_seconds": 0.05},
        "nowcasting": {"step_seconds": 300.0, "kilometers": 1.0},
        "outline": {"labels": ["disc"]},
    }

    def make(task: str, folder: Path) -> Path:
        settings = settings_class(task)()
        groups = {name: dataclasses.replace(getattr(settings, name), **values) for name, values in small[task].items()}
        settings = dataclasses.replace(settings, **groups)  # pyright: ignore[reportArgumentType]
        made = open_run(folder / "run", task, settings)
        made.write_description(said[task])
        if task == "nowcasting":
            rows = ((0.1, 0.2), (0.3, 0.4))
            calibration = Calibration((20.0, 30.0), (5.0, 10.0), rows, rows, Neighborhood())
            made.write_extra("calibration", calibration.to_json())
        model: Any = find_task(task).build(settings, said[task])
        save_weights(made.weights_file, model, {})
        made.weights_file.chmod(0o644)
        return made.path

    def read(path: Path) -> object:
        run = semicoupled.load(path, device="cpu")
        return read_calibrations(run.description), run.task.predictor(run.settings, run.description, run.model)

    return [Reader(f"run folder {task}", functools.partial(make, task), read) for task in small]


def _studies() -> list[Reader]:
    """Give what the studies keep of answers, and of trainings."""
    from semicoupled.studies.training import TRAINED, Trained, read_trained
    from semicoupled.tasks.action.study import answers as action
    from semicoupled.tasks.driving.answers import DriveAnswers
    from semicoupled.tasks.driving.study import answers as driving
    from semicoupled.tasks.nowcasting.scores.metrics import Counts
    from semicoupled.tasks.nowcasting.scores.scoring import Axes
    from semicoupled.tasks.nowcasting.study import counts as rain

    place: Any = SimpleNamespace(name="held", fingerprint="f", classes=["a"], truth=np.zeros(2), groups=np.zeros(2))
    place.clips = [SimpleNamespace(name=f"{number}.mp4") for number in range(2)]

    def drives(folder: Path) -> Path:
        angles = [np.linspace(0, 1, COUNT) for _ in range(3)]
        driving._write(
            folder / "answers-held.npz", [DriveAnswers("one", "a", "degrees", *angles, None, None, None)], "f"
        )
        return folder

    def clips(folder: Path) -> Path:
        action.write_answers(folder, place, action.Answers(np.full((2, 1), 0.5, np.float32), None, None))
        return folder

    def counted(folder: Path) -> Path:
        fields = [np.zeros((1, 2, 3)) for _ in dataclasses.fields(Counts)]
        found = rain.Counted({"ours": Counts(*fields)}, ["one"], Axes((5.0, 10.0), (20.0,), (10.0,), (4.0, 8.0)))
        rain._write(folder / "counts-held.npz", found, "f")
        return folder

    def trained(folder: Path) -> Path:
        (folder / TRAINED).write_text(json.dumps(Trained(4, 1.5, 2, 99)._asdict()))
        return folder

    return [
        Reader("study answers of drives", drives, lambda path: driving.load_answers(path, place)),
        Reader("study answers of clips", clips, lambda path: action.load_answers(path, place)),
        Reader("study counts of rain", counted, lambda path: rain.load_counts(path, place)),
        Reader("study outlines", _outlined, _read_outlined),
        Reader("study trained", trained, read_trained),
    ]


def _pieces() -> list[Reader]:
    """Give what processes that share a prediction keep for each other, as the one that puts it together reads it."""
    from semicoupled.tasks.driving import answers as driving
    from semicoupled.tasks.driving.operating.answer_table import to_csv
    from semicoupled.tasks.nowcasting.operating.each_time import written_by
    from semicoupled.tasks.outline.drawing import found as outline
    from semicoupled.tasks.outline.drawing.decoding import Drawn
    from semicoupled.tasks.outline.drawing.outlines import Outlined
    from semicoupled.tasks.outline.formats import coco
    from semicoupled.tasks.outline.formats.records import Annotations

    def kept(content: Callable[[], bytes], folder: Path) -> Path:
        (folder / "one.piece").write_bytes(content())
        return folder / "one.piece"

    def drive() -> bytes:
        angles = [np.linspace(0, 1, COUNT) for _ in range(5)]
        return driving.packed(driving.DriveAnswers("one", "a", "degrees", *angles, ("straight",) * COUNT))

    def outlines() -> bytes:
        points = np.array([[3.0, 3.0], [9.0, 3.0], [6.0, 8.0]])
        drawn = Drawn(np.array([[1, 1], [4, 1], [2, 3]]), np.full(3, 0.9), closed=True, score=-0.3)
        return outline.packed(outline.found_of("a.png", 12, 10, ["disc"], [Outlined(points, drawn)]))

    def put_together(path: Path) -> object:
        found = outline.unpacked(_content(path))
        if isinstance(found, outline.Found):
            coco.write(Annotations(path.parent, (found.picture,), ("disc",)), path.with_name("out.json"))
        return found

    return [
        Reader(
            "piece of driving", functools.partial(kept, drive), lambda path: to_csv([driving.unpacked(_content(path))])
        ),
        Reader("piece of outline", functools.partial(kept, outlines), put_together),
        Reader(
            "piece of nowcasting",
            functools.partial(kept, lambda: json.dumps(["out/a.nc", "out/a.png"]).encode()),
            lambda path: written_by(_content(path)),
        ),
    ]


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


OBJECTS: Any = SimpleNamespace(
    fingerprint="f", labels=np.array(["a"]), images=np.array(["a.png"]), annotated=np.array([0])
)


def _outlined(folder: Path) -> Path:
    from semicoupled.tasks.outline.scores.evaluation import Judged
    from semicoupled.tasks.outline.scores.metrics import Overlap, Score
    from semicoupled.tasks.outline.study import answers

    judged = Judged("a", Score(Overlap(3, 4), 5, (0.5, 0.6)), 7, crossing=False, closed=True)
    answers._write(folder, OBJECTS, answers.Answers({"box": [judged]}, np.zeros((1, 2))))
    return folder


def _read_outlined(path: Path) -> object:
    from semicoupled.tasks.outline.study import answers

    return answers.load_answers(path, OBJECTS)


def _projects() -> list[Reader]:
    """Give what people drew in the web app, and the log that it shows."""
    from semicoupled.serving.api_training import read_lines
    from semicoupled.serving.outline_document import Drawing, Piece, Sheet, Thing
    from semicoupled.serving.outline_projects import ProjectImage, Projects
    from semicoupled.serving.settings import Limits

    def make(folder: Path) -> Path:
        projects = Projects(folder, Limits())
        begun = projects.begin("pictures", "run", None)
        project = dataclasses.replace(begun, images=(ProjectImage("a.png", "a.png", 120, 90),), labels=("disc",))
        projects.save(project)
        piece = Piece((1.0, 2.0, 30.0, 40.0), (), (5.0, 6.0), True, (((3.0, 3.0), (9.0, 3.0), (6.0, 8.0)),))
        thing = Thing(1, "disc", (piece,), accepted=True, clicks=2)
        projects.keep(project, 0, Sheet().stepped(Drawing((thing,), 1)))
        projects.keep_truth(project, {0: [thing]})
        return folder

    def read(path: Path) -> object:
        projects = Projects(path, Limits())
        return [(projects.sheet(project, 0).json(), projects.truth(project)) for project in projects.all()]

    def log(folder: Path) -> Path:
        lines = [{"kind": "training", "step": step, "seconds": 0.1, "main_loss": 0.5} for step in range(5)]
        (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        return folder / "log.jsonl"

    return [
        Reader("projects", make, read),
        Reader("log of a page", log, lambda path: read_lines(path, 0).model_dump_json()),
    ]


def _published() -> list[Reader]:
    """Give weights that others have published."""
    from semicoupled.networks.from_torchvision import read_state, take_weights

    def network() -> torch.nn.Module:
        return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))

    def pickled(folder: Path) -> Path:
        torch.save(network().state_dict(), folder / "weights.pth")
        return folder / "weights.pth"

    def tensors(folder: Path) -> Path:
        from safetensors.torch import save_file

        save_file(network().state_dict(), folder / "weights.safetensors")
        (folder / "weights.safetensors").chmod(0o644)
        return folder / "weights.safetensors"

    def read(path: Path) -> object:
        return take_weights(network(), read_state(path), path)

    return [Reader("published weights", pickled, read), Reader("published safetensors", tensors, read)]


def _others() -> list[Reader]:
    from semicoupled.claims import Claims
    from semicoupled.data.live import read_mjpeg, read_raw
    from semicoupled.export.exporter import _check_folder
    from semicoupled.page import put_section
    from semicoupled.tasks.action.data_settings import DataSettings
    from semicoupled.tasks.action.listing.clip import Clip
    from semicoupled.tasks.action.store import ClipStore
    from semicoupled.tasks.outline.formats import coco
    from semicoupled.tasks.outline.formats.listing import read_annotations
    from semicoupled.training.description import remember_description

    about: dict[str, Any] = {"classes": ["left", "right"], "unit": "degrees"}

    def described(folder: Path) -> Path:
        remember_description(folder, about)
        return folder

    def claimed(folder: Path) -> Path:
        (folder / "claims").mkdir(exist_ok=True)  # its context would make it, and free the claim
        assert Claims(folder / "claims").take("one")
        return folder / "claims"

    def pictures() -> list[bytes]:
        import cv2

        noise = np.random.default_rng(0).integers(0, 255, (3, 12, 16, 3)).astype(np.uint8)
        return [cv2.imencode(".jpg", image)[1].tobytes() for image in noise]

    def bytes_of(content: Callable[[], bytes], folder: Path) -> Path:
        (folder / "piped").write_bytes(content())
        return folder / "piped"

    def page(folder: Path) -> Path:
        put_section(folder / "page.md", "one", "text\n", "# Title\n")
        return folder / "page.md"

    def exported(folder: Path) -> Path:
        (folder / "out").mkdir()
        (folder / "out" / "signature.json").write_text(json.dumps({"kind": "semicoupled export", "programs": {}}))
        return folder / "out"

    def store(folder: Path) -> ClipStore:
        settings = DataSettings(height=24, width=32, cache_folder=str(folder))
        video = folder.parent / "clip.mp4"  # its time is part of the name that it is kept under
        if not video.exists():
            module("tasks", "action", "samples").write_video(video, frames=4)
        return ClipStore([Clip(video, "left", "clip")], settings)

    def cached(folder: Path) -> Path:
        _ = store(folder).frames(0)
        return folder

    def run_lengths(folder: Path) -> Path:
        from semicoupled.tasks.outline.formats.records import Annotations
        from semicoupled.tasks.outline.formats.rle import encode, to_text

        made = module("tasks", "outline", "outline_samples").make_pictures(folder, 2)
        coco.write(Annotations(folder, made, ("disc", "blob")), folder / "a.json")
        document = json.loads((folder / "a.json").read_text())
        mask = np.zeros((90, 120), np.bool_)
        mask[20:40, 30:60] = True
        for number, one in enumerate(document["annotations"]):
            counts = encode(mask)
            one["segmentation"] = {"size": [90, 120], "counts": to_text(counts) if number % 2 else counts}
        (folder / "a.json").write_text(json.dumps(document))
        return folder / "a.json"

    raw = functools.partial(bytes_of, lambda: bytes(range(144)) * 4)
    return [
        Reader("description", described, lambda path: remember_description(path, about)),
        Reader("claims", claimed, lambda path: Claims(path).take("one")),
        Reader("piped jpeg", functools.partial(bytes_of, lambda: b"".join(pictures())), _piped(read_mjpeg)),
        Reader("piped raw", raw, _piped(lambda pipe: read_raw(pipe, "8x6"))),
        Reader("page", page, lambda path: put_section(path, "one", "other\n", "# Title\n")),
        Reader("export", exported, _check_folder),
        Reader("clip store", cached, lambda path: store(path).frames(0)),
        Reader("outline coco run lengths", run_lengths, read_annotations),
    ]


def _piped(reader: Callable[[Any], Any]) -> Callable[[Path], object]:
    def read(path: Path) -> object:
        pipe = io.BytesIO(path.read_bytes() if path.exists() else b"")
        return [frame.image.shape for frame in reader(pipe).frames]

    return read
