"""Every reader of files, each with whole files that it reads."""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch

TESTS = Path(__file__).parents[1]
SIZES = (12, 10)
"""Rows and columns of a made radar field."""
WHOLE = b"whole" * 9


class Reader(NamedTuple):
    """A reader of files.

    Attributes:
        name: of the reader and the format.
        make: writes whole files into a folder, and gives the path to read.
        read: reads them; a `SemicoupledError` is an answer, everything else is not.
    """

    name: str
    make: Callable[[Path], Path]
    read: Callable[[Path], object]


@functools.cache
def module(*names: str) -> ModuleType:
    """Import what makes files for other tests, by its folders and its name."""
    file = TESTS.joinpath(*names).with_suffix(".py")
    spec = importlib.util.spec_from_file_location("_".join(("fire", *names)), file)
    assert spec is not None
    assert spec.loader is not None
    made = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def readers() -> list[Reader]:
    """Give all of them."""
    from fire_kept import kept_readers

    return [*_radar(), *_drives(), *_outlines(), *_videos(), *_own(), *kept_readers()]


def wrong_readers() -> list[Reader]:
    """Give readers that do what none may, to see that it is seen; on whole files they do nothing wrong."""

    def make(folder: Path) -> Path:
        (folder / "file").write_bytes(WHOLE)
        return folder / "file"

    def unless_whole(harm: Callable[[], object]) -> Callable[[Path], object]:
        return lambda path: None if path.is_file() and path.read_bytes() == WHOLE else harm()

    def hang() -> None:
        while True:
            pass

    harms: dict[str, Callable[[], object]] = {
        "crash": os.abort,
        "flood": lambda: bytearray(1 << 34),
        "slip": lambda: {}["a key"],
        "hang": hang,
    }
    return [Reader(name, make, unless_whole(harm)) for name, harm in harms.items()]


def _radar() -> list[Reader]:
    from semicoupled.tasks.nowcasting.data_settings import FileSettings, Reading
    from semicoupled.tasks.nowcasting.files.sequences import read_sequences

    reading = Reading(files=FileSettings(quantity="dBZ", gain=0.5, offset=-32, minutes=5, kilometers=1))
    samples = functools.partial(module, "tasks", "nowcasting", "samples")
    fields = np.random.default_rng(0).integers(0, 120, (2, *SIZES)).astype(np.uint8)

    def saved(path: Path, *, packed: bool) -> Path:
        with path.open("wb") as file:
            (np.savez_compressed if packed else np.save)(file, fields)
        return path

    def knmi(path: Path) -> Path:
        return module("tasks", "nowcasting", "conftest").write_knmi(path, fields[0], samples().TIME)

    rain = {"units": "mm/h"}
    made: dict[str, Callable[[Path], Path]] = {
        "knmi": knmi,
        "odim": lambda path: samples().write_odim(path, fields[0]),
        "fmi": lambda path: samples().write_fmi(path, fields[0]),
        "fmi plain": lambda path: samples().write_fmi(path, fields[0], packed=False),
        "meteoswiss": lambda path: samples().write_meteoswiss(path, np.tile(fields[0], (54, 71))[:640, :710]),
        "netcdf": lambda path: samples().write_netcdf(path, samples().dataset(fields / 10, **rain)),
        "netcdf classic": lambda path: samples().write_classic_netcdf(path, samples().dataset(fields / 10, **rain)),
        "png": lambda path: samples().write_png(path, fields[0]),
        "gif": lambda path: samples().write_gif(path, fields),
        "npz": functools.partial(saved, packed=True),
        "npy": functools.partial(saved, packed=False),
        "zarr 2": lambda path: samples().write_mlcast(path.with_suffix(".zarr"), np.ones((2, 6, 5)), version=2),
        "zarr 3": lambda path: samples().write_mlcast(path.with_suffix(".zarr"), np.ones((2, 6, 5)), version=3),
    }

    def make(name: str, folder: Path) -> Path:
        return made[name](folder / "rain_202102052005")

    def read(path: Path) -> object:
        return read_sequences([path], reading=reading)

    return [Reader(f"radar {name}", functools.partial(make, name), read) for name in made]


def _drives() -> list[Reader]:
    from semicoupled.tasks.driving.data_settings import AngleSettings, DataSettings
    from semicoupled.tasks.driving.formats.reading import read_drives
    from semicoupled.tasks.driving.operating.answer_table import read_csv

    samples = functools.partial(module, "tasks", "driving", "samples")
    degrees = DataSettings(angle=AngleSettings(unit="degrees", sign=1))
    comma = DataSettings(angle=AngleSettings(unit="degrees", factor=0.1))
    timed = dataclasses.replace(degrees, file_rate=20.0)

    @functools.cache
    def drive() -> Any:
        return samples().make_drive(12)

    def comma2k19(folder: Path) -> Path:
        samples().write_comma2k19(folder / "route", [drive()])
        return folder

    def read(settings: DataSettings, path: Path) -> object:
        drives = read_drives(path, settings)
        return [drive.frames.read(index) for drive in drives[:3] for index in range(min(3, len(drive)))]

    made: dict[str, tuple[Callable[[Path], Path], DataSettings]] = {
        "tub": (lambda folder: samples().write_tub(folder, {"a": drive(), "b": drive()}, deleted=(3,)), DataSettings()),
        "tub 1": (lambda folder: samples().write_tub_v1(folder, drive()), DataSettings()),
        "table": (lambda folder: samples().write_table(folder / "d.csv", {"a": drive()}).parent, degrees),
        "comma": (lambda folder: samples().write_comma(folder, "drive", drive()), comma),
        "comma2k19": (comma2k19, DataSettings()),
        "dbnet": (lambda folder: samples().write_dbnet(folder, drive()), timed),
        "udacity": (lambda folder: samples().write_udacity(folder, drive()), DataSettings()),
        "names": (lambda folder: samples().write_names(folder, drive(), times=True), degrees),
    }

    def answers(folder: Path) -> Path:
        lines = [f"one,{frame},{frame / 20:.3f},{0.1 * frame:.5f},,,0.2" for frame in range(9)]
        path = folder / "answers.csv"
        path.write_text("\n".join(["drive,frame,time,angle,spatial,temporal,truth", *lines]) + "\n")
        return path

    return [
        *(Reader(f"drive {name}", make, functools.partial(read, settings)) for name, (make, settings) in made.items()),
        Reader("driving answers", answers, read_csv),
    ]


def _outlines() -> list[Reader]:
    from semicoupled.tasks.outline.drawing.boxes import read_boxes
    from semicoupled.tasks.outline.formats import cityscapes, coco, labelme, masks
    from semicoupled.tasks.outline.formats.listing import read_annotations
    from semicoupled.tasks.outline.formats.records import Annotations
    from semicoupled.tasks.outline.images import read_image

    samples = functools.partial(module, "tasks", "outline", "outline_samples")

    def written(form: Any, folder: Path) -> Path:
        given = Annotations(folder, samples().make_pictures(folder, 2), ("disc", "blob"))
        out = folder / ("a.json" if form is coco else "out")
        form.write(given, out)
        return out

    def image(kind: str, folder: Path) -> Path:
        from PIL import Image

        path = folder / f"image.{kind}"
        pixels = np.random.default_rng(0).integers(0, 255, (20, 30, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(path)
        return path

    def boxes(folder: Path) -> Path:
        path = folder / "boxes.csv"
        path.write_text("image,label,x,y,width,height\n" + "".join(f"{i}.png,a,{i},2,10,12.5\n" for i in range(4)))
        return path

    made = {"coco": coco, "labelme": labelme, "cityscapes": cityscapes, "masks": masks}
    return [
        *(Reader(f"outline {n}", functools.partial(written, form), read_annotations) for n, form in made.items()),
        Reader("outline boxes", boxes, read_boxes),
        Reader("outline boxes of coco", functools.partial(written, coco), read_boxes),
        *(Reader(f"image {kind}", functools.partial(image, kind), read_image) for kind in ("png", "jpg", "tif", "bmp")),
    ]


def _videos() -> list[Reader]:
    from semicoupled.tasks.action.frames import iterate_frames
    from semicoupled.tasks.action.listing.recognize import list_clips
    from semicoupled.tasks.action.operating.records import RecordFile

    listing = functools.partial(module, "tasks", "action", "test_listing")
    samples = functools.partial(module, "tasks", "action", "samples")
    about = {"classes": ["left"], "weights": "0", "options": {}}

    def hmdb(folder: Path) -> Path:
        names = ["a_wave_0.avi", "b_wave_1.avi"]
        listing().touch(folder, *(f"{label}/{name}" for label in ("wave", "run") for name in names))
        (folder / "splits").mkdir()
        for label in ("wave", "run"):
            (folder / "splits" / f"{label}_test_split1.txt").write_text(f"{names[0]} 1 \n{names[1]} 2 \n")
        return folder

    def kinetics(folder: Path) -> Path:
        listing().touch(folder, "train/run/AbC_000010_000020.mp4", "val/one.mp4")
        head = "label,youtube_id,time_start,time_end,split\n"
        (folder / "train.csv").write_text(head + "run,AbC,10,20,train\n")
        (folder / "val.csv").write_text(head + "walk,one,5,15,validate\n")
        return folder

    def table(folder: Path) -> Path:
        listing().touch(folder, "a.mp4", "b.mp4")
        lines = ["split,label,video,start,end,group", "train,run,a.mp4,0,2,x", "test,walk,b.mp4,,,y"]
        (folder / "videos.csv").write_text("\n".join(lines) + "\n")
        return folder

    def headerless(folder: Path) -> Path:
        listing().touch(folder, "videos/a.mp4", "videos/b.mp4", "videos/c.mp4")
        (folder / "train.txt").write_text("a.mp4 0\nb.mp4 120 1\n")
        (folder / "val.txt").write_text("c.mp4\t1\n")
        (folder / "classes.txt").write_text("run\nwalk\n")
        return folder

    def frames(folder: Path) -> Path:
        return samples().write_frames(folder / "clip", samples().square(4))

    def shards(folder: Path) -> Path:
        frames(folder)
        files: dict[str, bytes] = {"left/one.cls": b"1"}
        files |= {f"left/one.{path.name}": path.read_bytes() for path in sorted((folder / "clip").iterdir())}
        return module("tars").write_tar(folder / "a.tar", {**files, "x" * 120 + ".json": b"{}"})

    def records(folder: Path) -> Path:
        path = folder / "answers.jsonl"
        record = {"video": "a.mp4", "frames": [[0.0, 1.0]], "count": 1, "answer": "left", "error": None}
        lines = [{"format": 1, "task": "action", **about}, record, {**record, "video": "b.mp4"}]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return path

    lists = {"ucf101": lambda folder: listing().ucf(folder), "hmdb51": hmdb, "kinetics": kinetics, "csv": table}
    return [
        *(Reader(f"clips {name}", make, list_clips) for name, make in (lists | {"headerless": headerless}).items()),
        *(
            Reader(
                f"video {kind}",
                lambda folder, kind=kind: samples().write_video(folder / f"v.{kind}", frames=5),
                lambda path: list(iterate_frames(path, rate=10)),
            )
            for kind in ("mp4", "avi", "mkv")
        ),
        Reader("shards", shards, lambda path: [list(iterate_frames(clip.path)) for clip in list_clips(path).clips]),
        Reader("frames", frames, lambda path: list(iterate_frames(path, rate=None, frame_rate=10.0))),
        Reader("action answers", records, lambda path: RecordFile(path, about)),
    ]


def _own() -> list[Reader]:
    import semicoupled
    from semicoupled.find_task import settings_class, task_folders
    from semicoupled.rows import Row, read_rows, write_rows
    from semicoupled.settings_file import read_settings, write_settings
    from semicoupled.training.checkpoint import FOLDER, load_newest, read_checkpoint, save_checkpoint
    from semicoupled.training.log import read_log
    from semicoupled.training.weights import load_weights, read_about, save_weights

    def rows(folder: Path) -> Path:
        found = [Row("ours", "csi", {"lead": lead}, 0.5, 9, interval=(0.4, 0.6)) for lead in (5, 10)]
        write_rows(folder / "rows.json", "toy", "made", found)
        return folder / "rows.json"

    def settings(task: str, folder: Path) -> Path:
        write_settings(folder / "settings.yaml", settings_class(task)())
        return folder / "settings.yaml"

    def network() -> torch.nn.Module:
        return torch.nn.Linear(3, 2)

    def weights(folder: Path) -> Path:
        save_weights(folder / "model.safetensors", network(), {"step": "1", "scores": "{}"})
        return folder / "model.safetensors"

    def checkpoint(folder: Path) -> Path:
        model = network()
        optimizer = torch.optim.AdamW(model.parameters())
        content = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "random": torch.get_rng_state()}
        return save_checkpoint(folder / FOLDER, 3, content)

    def log(folder: Path) -> Path:
        lines = [{"kind": "training", "step": step, "seconds": 0.1, "main_loss": 0.5} for step in range(5)]
        (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        return folder

    def clip(folder: Path) -> Path:
        np.save(folder / "clip.npy", np.zeros((4, 8, 8), np.float32))
        return folder / "clip.npy"

    def run(folder: Path) -> Path:
        from semicoupled.find_task import find_task
        from semicoupled.run_folder import open_run
        from semicoupled.tasks.toy.settings import ModelSettings, ToySettings

        chosen = ToySettings(model=ModelSettings(widths=(4, 4), strides=(2, 2)))
        made = open_run(folder / "run", "toy", chosen)
        made.write_description({})
        save_weights(made.weights_file, find_task("toy").build(chosen, {}), {})  # pyright: ignore[reportArgumentType]
        return made.path

    def state(folder: Path) -> Path:
        from datetime import timedelta

        from semicoupled.tasks.nowcasting.operating.session import NowcastState
        from semicoupled.tasks.nowcasting.operating.state_store import save_state

        samples = module("tasks", "nowcasting", "samples")
        field = samples.write_png(folder / "rain_202102052005", np.zeros(SIZES, np.uint8))
        from semicoupled.tasks.nowcasting.data_settings import FileSettings
        from semicoupled.tasks.nowcasting.files.reading import read_frames

        (frame,) = read_frames(field, FileSettings(quantity="dBZ", gain=0.5, offset=-32, minutes=5, kilometers=1))
        field.unlink()
        kept = NowcastState(
            times=(samples.TIME,),
            dbz=(np.zeros(SIZES, np.float32),),
            sources=(Path("a"),),
            grid=frame.grid,
            step=timedelta(minutes=5),
            product="x",
        )
        save_state(folder / "watch.state", kept, "1", {"seen": {}})
        return folder / "watch.state"

    def read_state(path: Path) -> object:
        from semicoupled.tasks.nowcasting.operating.state_store import load_state

        return load_state(path, "1")

    def read_clip(path: Path) -> object:
        from semicoupled.tasks.toy import predictor

        return predictor._read(path)  # pyright: ignore[reportPrivateUsage]

    return [
        Reader("rows", rows, read_rows),
        *(
            Reader(
                f"settings {task}",
                functools.partial(settings, task),
                lambda path, task=task: read_settings(settings_class(task), path),
            )
            for task in task_folders()
        ),
        Reader("weights", weights, lambda path: (load_weights(path, network()), read_about(path))),
        Reader("checkpoint", checkpoint, read_checkpoint),
        Reader("checkpoints", checkpoint, lambda path: load_newest(path.parent)),
        Reader("log", log, read_log),
        Reader("toy clip", clip, read_clip),
        Reader("run folder", run, lambda path: semicoupled.load(path, device="cpu")),
        Reader("state of a watch", state, read_state),
    ]
