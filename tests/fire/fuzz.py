"""Change files, and see that every reader answers with content or with one of our errors: no crash, no hang, no flood.

``python tests/fire/fuzz.py --minutes 2`` tries all readers for so long together and counts; ``--page`` puts that
into a page; ``--only radar`` tries some of them; ``--only "radar odim" --number 17`` one input again, with its
traceback. What is tried depends on the seed and the number alone. Each reader runs in a process of its own whose memory
is limited, so that a crash of a library is seen, and one that hangs is ended.
"""

from __future__ import annotations

import argparse
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from fire_changes import change_file
from fire_process import context
from fire_readers import Reader, readers, wrong_readers

MEMORY = 1 << 30
"""Bytes that a reader of small files may take, beyond what the process had before."""
HANGS = 20.0
"""Seconds of processor time after which an input counts as one that hangs."""
MOST_FAULTS = 20
"""Crashes of one reader after which the next is tried."""
PAGE_TITLE = "# Under fire\n"
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
    chosen: Sequence[Reader], folder: Path, *, count: int | None = None, seconds: float | None = None, seed: int = 0
) -> list[Tried]:
    """Try readers one after the other in a process of their own; one that crashes or hangs is followed by another.

    Args:
        chosen: which.
        folder: for files.
        count: inputs for each; None for as many as time allows.
        seconds: to try each for; None for all of `count`.
        seed: of the changes.
    """
    tally = {reader.name: _Tally() for reader in chosen}
    waiting = [(reader.name, 0) for reader in chosen]
    while waiting:
        receiver, sender = context().Pipe(duplex=False)
        process = context().Process(
            target=_work, args=(waiting, str(folder), seed, count, seconds, sender), daemon=True
        )
        process.start()
        sender.close()
        silent = False
        try:
            while waiting and not silent:
                if receiver.poll(SILENT):
                    _take(receiver.recv(), tally, waiting)
                else:
                    silent = True
        except EOFError:
            pass
        if silent:
            process.kill()
        process.join(10)
        code, ended = process.exitcode or 0, process.exitcode is not None
        receiver.close()
        if waiting:
            name, number = waiting[0]
            died = signal.Signals(-code).name if code < 0 else str(code)
            hangs = silent or not ended or code == -signal.SIGXCPU
            tally[name].faults.append(Fault(number, "hangs" if hangs else f"died of {died}"))
            waiting[0] = (name, number + 1)
            if len(tally[name].faults) > MOST_FAULTS or (count is not None and number + 1 >= count):
                del waiting[0]
    return [Tried(name, each.read, each.refused, each.faults, each.megabytes) for name, each in tally.items()]


@dataclass
class _Tally:
    read: int = 0
    refused: int = 0
    faults: list[Fault] = field(default_factory=list)
    megabytes: float = 0.0


def _take(message: tuple[str, str, int, str], tally: dict[str, _Tally], waiting: list[tuple[str, int]]) -> None:
    """Count what the process says: what became of an input, or that it is through with a reader."""
    kind, name, number, what = message
    each = tally[name]
    if kind == "done":
        each.megabytes = max(each.megabytes, float(what))
        del waiting[0]
        return
    each.read += kind == "read"
    each.refused += kind == "refused"
    if kind == "fault":
        each.faults.append(Fault(number, what))
    waiting[0] = (name, number if kind == "begin" else number + 1)


def _work(
    waiting: Sequence[tuple[str, int]], folder: str, seed: int, count: int | None, seconds: float | None, sender: Any
) -> None:  # in a process of its own
    import torch

    torch.set_num_threads(1)
    known = {reader.name: reader for reader in (*readers(), *wrong_readers())}
    for name, first in waiting:
        resource.setrlimit(resource.RLIMIT_CPU, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        _try(known[name], Path(folder), seed, first, count, seconds, sender)


def _try(
    reader: Reader, folder: Path, seed: int, first: int, count: int | None, seconds: float | None, sender: Any
) -> None:
    from semicoupled.errors import SemicoupledError

    place = folder / reader.name.replace(" ", "_")
    shutil.rmtree(place, ignore_errors=True)
    whole = whole_files(reader, place / "whole")
    path = copied(whole, place / "tried")
    sender.send(("begin", reader.name, first, ""))
    _ = reader.read(path)  # everything is imported, and it is readable
    most = _memory() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    number = first
    until = None if seconds is None else time.monotonic() + seconds
    while (count is None or number < count) and (until is None or time.monotonic() < until):
        sender.send(("begin", reader.name, number, ""))
        other = changes(reader, whole, seed, number)
        put(place / "tried", other)
        used = int(time.process_time() + HANGS)
        resource.setrlimit(resource.RLIMIT_CPU, (used + 1, resource.RLIM_INFINITY))
        try:
            _ = reader.read(path)
        except SemicoupledError:
            sender.send(("refused", reader.name, number, ""))
        except Exception as error:  # noqa: BLE001  # that is what is looked for
            sender.send(("fault", reader.name, number, _where(error)))
        else:
            sender.send(("read", reader.name, number, ""))
        put(place / "tried", {name: whole.files[name] for name in other})
        number += 1
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    shutil.rmtree(place, ignore_errors=True)
    taken = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - resident) / 1024
    sender.send(("done", reader.name, number, str(taken)))


class Whole(NamedTuple):
    """Whole files: the folder, what to read in it, and all files by name."""

    folder: Path
    path: str
    files: dict[str, bytes]


def whole_files(reader: Reader, folder: Path) -> Whole:
    folder.mkdir(parents=True)
    path = reader.make(folder)
    files = {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}
    return Whole(folder, str(path.relative_to(folder)), files)


def copied(whole: Whole, target: Path) -> Path:
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
    said = str(error).splitlines()[0][:150] if str(error) else ""
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}: {said}"


def main() -> int:
    """Try all readers, and print a line for each."""
    parser = argparse.ArgumentParser(description="Change files, and see how every reader answers.")
    parser.add_argument("--minutes", type=float, default=2.0, help="for all readers together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="a part of a reader's name")
    parser.add_argument("--page", type=Path, help="put the counts into this page of the documentation")
    parser.add_argument("--number", type=int, help="try this input alone, here, and show its traceback")
    options = parser.parse_args()
    chosen = [reader for reader in readers() if options.only in reader.name]
    with tempfile.TemporaryDirectory(prefix="fuzz_") as temporary:
        if options.number is not None:
            whole = whole_files(chosen[0], Path(temporary) / "whole")
            path = copied(whole, Path(temporary) / "tried")
            put(Path(temporary) / "tried", changes(chosen[0], whole, options.seed, options.number))
            print(chosen[0].read(path))
            return 0
        seconds = 60 * options.minutes / len(chosen)
        tried = []
        for reader in chosen:
            (done,) = fuzz([reader], Path(temporary), seconds=seconds, seed=options.seed)
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
    read, refused = sum(done.read for done in tried), sum(done.refused for done in tried)
    said = f"{read + refused + faults} inputs to {len(tried)} readers, {faults} faults"
    print(said)
    if options.page is not None:
        from semicoupled.page import put_section

        line = (
            f"## Changed files\n\n    python tests/fire/fuzz.py --minutes {options.minutes:g} --seed {options.seed}\n\n"
        )
        line += f"- {said}: {read} were read, {refused} refused with a sentence; the most memory that one took beyond "
        line += f"what it had before was {max(done.megabytes for done in tried):.0f} MB\n"
        put_section(options.page, "fuzz", line, PAGE_TITLE)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
