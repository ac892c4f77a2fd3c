"""Change files, and see that every reader answers with content or with one of our errors: no crash, no hang, no flood.

``python tests/fire/fuzz.py --minutes 2`` tries all readers for so long together and counts; ``--only radar`` some of
them; ``--only "radar odim" --number 17`` one input again, with its traceback. What is tried depends on the seed and the
number alone. Each reader runs in a process of its own whose memory is limited, so that a crash of a library is seen,
and one that hangs is ended.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from fire_changes import change_file
from fire_process import PRELOADED
from fire_readers import Reader, readers

MEMORY = 1 << 30
"""Bytes that a reader of small files may take, beyond what the process had before."""
HANGS = 20.0
"""Seconds of processor time after which an input counts as one that hangs."""
SILENT = 240.0
"""Seconds after which a process that says nothing is ended: libraries may hang without using the processor."""


class Fault(NamedTuple):
    """An input that was not answered as it should be.

    Attributes:
        number: of the input.
        what: the kind of failure, and where.
    """

    number: int
    what: str


class Tried(NamedTuple):
    """What was tried on a reader.

    Attributes:
        name: of the reader.
        read: inputs that were read: the change did no harm, or none that shows.
        refused: inputs that were refused with an error of ours.
        faults: all others.
        megabytes: the most memory that was taken, beyond what the process had before.
    """

    name: str
    read: int
    refused: int
    faults: list[Fault]
    megabytes: float


def fuzz(
    reader: Reader, folder: Path, *, count: int | None = None, seconds: float | None = None, seed: int = 0
) -> Tried:
    """Try a reader in a process of its own; one that crashes or hangs is followed by another.

    Args:
        reader: which.
        folder: for files; made.
        count: inputs; None for as many as time allows.
        seconds: to try for; None for all of `count`.
        seed: of the changes.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*PRELOADED, "fire_warm", "fuzz"])
    results: Counter[str] = Counter()
    faults: list[Fault] = []
    number, most = 0, 0.0
    until = None if seconds is None else time.monotonic() + seconds
    while (count is None or number < count) and (until is None or time.monotonic() < until):
        receiver, sender = context.Pipe(duplex=False)
        left = None if until is None else until - time.monotonic()
        arguments = (reader.name, str(folder), seed, number, count, left, sender)
        process = context.Process(target=_work, args=arguments, daemon=True)
        process.start()
        sender.close()
        silent = False
        begun = number
        try:
            while True:
                if not receiver.poll(SILENT):
                    silent = True
                    break
                kind, number, what = receiver.recv()
                if kind == "done":
                    most = max(most, float(what))
                    break
                if kind == "begin":
                    continue
                results[kind] += 1
                if kind == "fault":
                    faults.append(Fault(number, what))
                number += 1
        except EOFError:
            pass
        if process.is_alive():
            process.kill() if silent else process.join(10)
        process.join()
        receiver.close()
        if process.exitcode == 0 and not silent:
            break
        code = process.exitcode or 0
        died = (
            "hangs"
            if silent or code == -signal.SIGXCPU
            else f"died of {signal.Signals(-code).name if code < 0 else code}"
        )
        faults.append(Fault(number, died))
        number += 1
        if number == begun + 1 and len(faults) > 20:
            break
    return Tried(reader.name, results["read"], results["refused"], faults, most)


def _work(
    name: str, folder: str, seed: int, first: int, count: int | None, seconds: float | None, sender: Any
) -> None:  # in a process of its own
    import torch

    from semicoupled.errors import SemicoupledError

    torch.set_num_threads(1)
    (reader,) = (each for each in readers() if each.name == name)
    place = Path(folder) / name.replace(" ", "_")
    shutil.rmtree(place, ignore_errors=True)
    whole = _whole(reader, place / "whole")
    path = _copy(whole, place / "tried")
    _ = reader.read(path)  # everything is imported, and it is readable
    taken = _memory()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    number = first
    until = None if seconds is None else time.monotonic() + seconds
    while (count is None or number < count) and (until is None or time.monotonic() < until):
        sender.send(("begin", number, ""))
        other = changes(reader, whole, seed, number)
        put(place / "tried", other)
        used = int(time.process_time() + HANGS)
        resource.setrlimit(resource.RLIMIT_CPU, (used + 1, resource.RLIM_INFINITY))
        try:
            _ = reader.read(path)
        except SemicoupledError:
            sender.send(("refused", number, ""))
        except Exception as error:  # noqa: BLE001  # that is what is looked for
            sender.send(("fault", number, _where(error)))
        else:
            sender.send(("read", number, ""))
        put(place / "tried", {name: whole.files[name] for name in other})
        number += 1
    resource.setrlimit(resource.RLIMIT_CPU, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    sender.send(("done", number, str((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - resident) / 1024)))


class Whole(NamedTuple):
    """Whole files: the folder, what to read in it, and all files by name."""

    folder: Path
    path: str
    files: dict[str, bytes]


def _whole(reader: Reader, folder: Path) -> Whole:
    folder.mkdir(parents=True)
    path = reader.make(folder)
    files = {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}
    return Whole(folder, str(path.relative_to(folder)), files)


def _copy(whole: Whole, target: Path) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(whole.folder, target)
    return target / whole.path


def changes(reader: Reader, whole: Whole, seed: int, number: int) -> dict[str, bytes | None]:
    """Give the files that are other ones in an input, with their content; None where one is gone."""
    chosen = random.Random(f"{reader.name} {seed} {number}")
    names = list(whole.files)
    small = [name for name in names if not name.lower().endswith((".jpg", ".png"))] or names
    changed: dict[str, bytes | None] = {}
    for _ in range(chosen.choice((1, 1, 1, 2))):
        name = chosen.choice(small if chosen.random() < 0.8 else names)
        gone = chosen.random() < 0.02
        changed[name] = None if gone else change_file(name, whole.files[name], chosen)
    return changed


def put(folder: Path, files: Mapping[str, bytes | None]) -> None:
    """Put files in place of others; each is a new one, because a library may still hold the old."""
    for name, content in files.items():
        (folder / name).unlink(missing_ok=True)
        if content is not None:
            (folder / name).write_bytes(content)


def _memory() -> int:
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
    return int(pages) * resource.getpagesize()


def _where(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "semicoupled" in frame.filename and "tests" not in frame.filename]
    last = (ours or frames)[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}: {str(error).splitlines()[0][:150] if str(error) else ''}"


def main() -> int:
    """Try all readers, and print a line for each."""
    parser = argparse.ArgumentParser(description="Change files, and see how every reader answers.")
    parser.add_argument("--minutes", type=float, default=2.0, help="for all readers together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="a part of a reader's name")
    parser.add_argument("--number", type=int, help="try this input alone, here, and show its traceback")
    options = parser.parse_args()
    chosen = [reader for reader in readers() if options.only in reader.name]
    with tempfile.TemporaryDirectory(prefix="fuzz_") as temporary:
        if options.number is not None:
            whole = _whole(chosen[0], Path(temporary) / "whole")
            path = _copy(whole, Path(temporary) / "tried")
            put(Path(temporary) / "tried", changes(chosen[0], whole, options.seed, options.number))
            print(chosen[0].read(path))
            return 0
        seconds = 60 * options.minutes / len(chosen)
        tried = []
        for reader in chosen:
            done = fuzz(reader, Path(temporary), seconds=seconds, seed=options.seed)
            tried.append(done)
            print(
                f"{done.name}: {done.read} read, {done.refused} refused, {len(done.faults)} faults, "
                f"{done.megabytes:.0f} MB",
                flush=True,
            )
            kinds = Counter(fault.what for fault in done.faults)
            for what, times in kinds.most_common():
                first = next(fault.number for fault in done.faults if fault.what == what)
                print(f"    {times} x {what} (--only {done.name!r} --number {first})", flush=True)
    faults = sum(len(done.faults) for done in tried)
    print(f"{sum(done.read + done.refused for done in tried) + faults} inputs to {len(tried)} readers, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
