"""Fuzz the readers whose parsing is Python of ours, guided by the branches that an input reaches.

``python tests/fire/guided.py --minutes 10`` tries all of them for so long together and counts; ``--only clips`` tries
some; ``--page`` puts the counts into a page; an input that is not answered as it should be is kept in ``--faults``, and
``--only clips --input FILE`` reads it again. `fuzz.py` changes the files of every reader by what formats are like; here
an input that reaches a new branch is kept and changed further, which finds what lies behind several conditions. It
needs atheris (https://github.com/google/atheris, Linux): ``pip install atheris``.
"""

from __future__ import annotations

import argparse
import mmap
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from fire_readers import Reader, readers, wrong_readers
from fuzz import HANGS, PAGE_TITLE, Whole, copied, put, whole_files

FITS = (
    "action answers", "clips csv", "clips headerless", "clips hmdb51", "clips kinetics", "clips ucf101", "drive comma",
    "drive dbnet", "drive names", "drive table", "drive tub", "drive tub 1", "drive udacity", "driving answers", "log",
    "outline boxes", "outline cityscapes", "outline coco", "outline labelme", "rows", "shards",
)  # fmt: skip
"""Readers that decode text, or heads, themselves; in the others libraries in C do, whose branches are not seen here."""
MEMORY = 4096
"""Megabytes that the process may take, torch included."""
_TALLY = struct.Struct("QQ")
_COVERAGE = re.compile(r"\b(INITED|DONE)\s+cov: (\d+)")
_NO_TEXT = (".png", ".jpg", ".jpeg", ".mp4", ".avi")


class Guided(NamedTuple):
    """What was tried on a reader.

    Attributes:
        name: of the reader.
        read: inputs that were read.
        refused: inputs that were refused with an error of ours.
        begun: branches of semicoupled that whole files reach.
        reached: branches that some input reached.
        fault: what was said of an input that was not answered as it should be; empty where there was none.
    """

    name: str
    read: int
    refused: int
    begun: int
    reached: int
    fault: str


def guided(reader: str, folder: Path, faults: Path, seconds: float, seed: int) -> Guided:
    """Try a reader in a process of its own; it ends with the first input that is not answered as it should be.

    Args:
        reader: its name.
        folder: for files.
        faults: takes such an input.
        seconds: to try for.
        seed: of the changes.
    """
    folder.mkdir(parents=True)
    faults.mkdir(parents=True, exist_ok=True)
    tally = folder / "tally"
    tally.write_bytes(bytes(_TALLY.size))
    command = [sys.executable, __file__, "--child", reader, "--seed", str(seed), "--minutes", str(seconds / 60)]
    command += ["--folder", str(folder), "--faults", str(faults)]
    done = subprocess.run(command, capture_output=True, check=False)
    said = (done.stdout + done.stderr).decode(errors="replace")  # the traceback comes by the first
    coverage = {match[1]: int(match[2]) for match in _COVERAGE.finditer(said)}
    read, refused = _TALLY.unpack(tally.read_bytes())
    fault = "" if done.returncode == 0 and "DONE" in coverage else _fault(said, done.returncode)
    begun = coverage.get("INITED", 0)
    return Guided(reader, read, refused, begun, coverage.get("DONE", begun), fault)


def _fault(said: str, code: int) -> str:
    lines = said.splitlines()
    error = next((number for number, line in enumerate(lines) if "Uncaught Python exception" in line), None)
    told = lines[error + 1 : error + 2] if error is not None else lines[-3:]
    kept = [line for line in lines if "Test unit written to" in line]
    return " ".join([f"ended with {code}:", *told, *kept])


def run_child(name: str, folder: Path, faults: Path, seconds: float, seed: int) -> None:
    """Try a reader in this process, which libFuzzer ends."""
    import atheris  # pyright: ignore[reportMissingImports]

    with atheris.instrument_imports(include=["semicoupled"]):  # what was imported before would not be watched
        from semicoupled.errors import SemicoupledError

        reader = find_reader(name)
        whole = whole_files(reader, folder / "whole")
        path = copied(whole, folder / "tried")
        _ = reader.read(path)
    changed = chosen_files(whole)
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, file in enumerate(changed):
        (corpus / str(number)).write_bytes(bytes([number]) + whole.files[file])
    with (folder / "tally").open("r+b") as opened:
        tally = mmap.mmap(opened.fileno(), _TALLY.size)
    counts = [0, 0]

    def one(data: bytes) -> None:
        file = chosen_of(changed, data)
        put(folder / "tried", {file: data[1:]})
        try:
            _ = reader.read(path)
            counts[0] += 1
        except SemicoupledError:
            counts[1] += 1
        _TALLY.pack_into(tally, 0, *counts)
        put(folder / "tried", {file: whole.files[file]})

    most = 2 * max(len(whole.files[file]) for file in changed) + 64
    options = [
        f"-max_total_time={max(1, round(seconds))}",
        f"-seed={seed + 1}",
        f"-max_len={most}",
        f"-timeout={HANGS:.0f}",
        f"-rss_limit_mb={MEMORY}",
        f"-artifact_prefix={faults}/{name.replace(' ', '_')}-",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], one)
    atheris.Fuzz()


def find_reader(name: str) -> Reader:
    """Give the reader of this name."""
    return next(reader for reader in (*readers(), *wrong_readers()) if reader.name == name)


def chosen_files(whole: Whole) -> list[str]:
    """Name the files that are changed: those that are text or an archive, not the images and videos beside them."""
    named = [name for name in whole.files if not name.lower().endswith(_NO_TEXT) and whole.files[name]]
    return named[:256]


def chosen_of(names: Sequence[str], data: bytes) -> str:
    """Name the file that an input is of, by its first byte."""
    return names[data[0] % len(names) if data else 0]


def read_again(reader: Reader, folder: Path, data: bytes) -> object:
    """Read an input that was kept."""
    whole = whole_files(reader, folder / "whole")
    path = copied(whole, folder / "tried")
    changed = chosen_files(whole)
    put(folder / "tried", {chosen_of(changed, data): data[1:]})
    return reader.read(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the readers, and print a line for each; 1 if an input was not answered as it should be."""
    parser = argparse.ArgumentParser(description="Fuzz readers, guided by the branches that an input reaches.")
    parser.add_argument("--minutes", type=float, default=10.0, help="for all readers together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="a part of a reader's name")
    parser.add_argument("--page", type=Path, help="put the counts into this page of the documentation")
    parser.add_argument("--faults", type=Path, default=Path("faults"), help="folder for inputs that were not answered")
    parser.add_argument("--input", type=Path, help="read this kept input again, here, and show its traceback")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child is not None:
        run_child(options.child, options.folder, options.faults, 60 * options.minutes, options.seed)
    chosen = [name for name in FITS if options.only in name]
    with tempfile.TemporaryDirectory(prefix="guided_") as temporary:
        if options.input is not None:
            print(read_again(find_reader(chosen[0]), Path(temporary), options.input.read_bytes()))
            return 0
        tried: list[Guided] = []
        for name in chosen:
            folder = Path(temporary) / name.replace(" ", "_")
            done = guided(name, folder, options.faults, 60 * options.minutes / len(chosen), options.seed)
            shutil.rmtree(folder)
            tried.append(done)
            print(
                f"{name}: {done.read} read, {done.refused} refused, {done.begun} branches at first, {done.reached} in "
                f"the end{'. ' + done.fault if done.fault else ''}",
                flush=True,
            )
    faults = sum(bool(done.fault) for done in tried)
    read, refused = sum(done.read for done in tried), sum(done.refused for done in tried)
    begun, reached = sum(done.begun for done in tried), sum(done.reached for done in tried)
    said = f"{read + refused + faults} inputs to {len(tried)} readers, {faults} faults"
    print(said)
    if options.page is not None:
        from semicoupled.page import put_section

        command = f"python tests/fire/guided.py --minutes {options.minutes:g} --seed {options.seed}"
        text = f"## Guided by what is reached\n\n    {command}\n\n"
        text += (
            f"- {said}: {read} were read, {refused} refused with a sentence; whole files reach {begun} branches of the "
        )
        text += f"readers, the inputs {reached}\n"
        put_section(options.page, "guided", text, PAGE_TITLE)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
