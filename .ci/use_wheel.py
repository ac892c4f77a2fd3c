"""What a user does first with an installed package; dist.py runs it where the wheel is, and nothing else."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

import semicoupled
from semicoupled.errors import SemicoupledError

COMMAND = [str(Path(sys.executable).with_name("semicoupled"))]


def run(*arguments: str) -> None:
    """Run the command line, which must succeed."""
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"semicoupled {' '.join(arguments)}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
    print(f"ok: semicoupled {' '.join(arguments)}")


def make_rain(folder: Path) -> None:
    """Write an hour of showers that move, as NumPy arrays."""
    folder.mkdir()
    y, x = np.mgrid[:96, :96]
    for index in range(12):
        rain = 45 * np.exp(-((y - 48) ** 2 + (x - 20 - 2 * index) ** 2) / 200)
        when = datetime(2024, 5, 6, 12) + timedelta(minutes=5 * index)
        field = np.where(rain > 5, rain, 0).astype(np.float32)
        np.savez(folder / f"{when:%Y%m%d%H%M}.npz", field=field, quantity="dBZ", minutes=5, kilometers=1)


def make_drive(folder: Path) -> None:
    """Write images of a drive."""
    folder.mkdir()
    for index in range(8):
        Image.fromarray(np.full((120, 160, 3), 40 + 20 * index, np.uint8)).save(folder / f"{index}.png")


def compile_all() -> None:
    """Compile all that was installed, where what this Python warns of is an error."""
    folder = Path(semicoupled.__file__).parent
    done = subprocess.run([sys.executable, "-W", "error", "-m", "compileall", "-q", "-f", str(folder)], check=False)
    if done.returncode:
        sys.exit(f"{folder}: not all of it compiles without a warning")
    print("ok: compiled without a warning")


def serve() -> None:
    """Start the web app, and ask it for its page and for its models."""
    command = [*COMMAND, "serve", "--port", "0", "--state", "drawn", "--device", "cpu"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            address = re.search(r"http://\S+", server.stdout.readline())
            assert address is not None
            page = httpx.get(address[0])
            assert page.status_code == 200, page
            described = httpx.get(f"{address[0].rstrip('/')}/api/v1/openapi.json").json()
            assert "/api/v1/outline/projects" in described["paths"]
        finally:
            server.terminate()
    print("ok: semicoupled serve")


def main() -> None:
    """Help, doctor, a quick training, all shipped models, the web app, and an error."""
    assert "site-packages" in semicoupled.__file__, semicoupled.__file__
    compile_all()
    run("--help")
    run("doctor", "--json", "doctor.json")
    quick = ["--training.steps=2", "--training.batch=2", "--training.precision=float32", "--device=cpu"]
    run("train", "toy", "--preset", "which_way", "--run", "runs/toy", *quick)
    run("train", "toy", "--preset", "which_way", "--run", "runs/toy", *quick)
    make_rain(Path("rain"))
    run("predict", "nowcasting", "pretrained", "rain", "--lead", "15", "--out", "forecast.nc", "--device=cpu")
    make_drive(Path("drive"))
    run("predict", "driving", "pretrained", "drive", "--rate", "20", "--out", "angles.csv", "--device=cpu")
    assert Path("forecast.nc").stat().st_size > 10_000
    assert len(Path("angles.csv").read_text(encoding="utf-8").splitlines()) == 9
    run("data", "make", "outline", "made", "--count", "3")
    image = Path("made/test/00000.jpg")
    Path("boxes.csv").write_text(f"image,x,y,width,height\n{image.name},8,8,64,64\n", encoding="utf-8")
    run("predict", "outline", "pretrained", str(image), "--boxes", "boxes.csv", "--out", "drawn.json", "--device=cpu")
    assert "segmentation" in Path("drawn.json").read_text(encoding="utf-8")
    run("data", "make", "action", "clips", "--count", "1")
    run("predict", "action", "pretrained", "clips/test/disc/disc000", "--out", "answers.jsonl", "--device=cpu")
    head, answer = (json.loads(line) for line in Path("answers.jsonl").read_text(encoding="utf-8").splitlines())
    assert answer["answer"] in head["classes"]
    serve()
    try:
        semicoupled.load("nowhere")
    except SemicoupledError as error:
        said = str(error)
    else:
        said = "a run that is not there was loaded"
    assert "nowhere" in said, said


if __name__ == "__main__":
    main()
