"""Predictions of many files by several processes, on one machine or many: each takes the next piece that nobody has.

Beside the output OUT there is a folder OUT.parts while it is made: claims (`semicoupled.claims`) and what the pieces
gave. Whatever is killed, its pieces are taken up by those that live, or by the next call. In the end one process puts
the output together, in the order of the pieces, as one process alone would.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from semicoupled.claims import STALE_SECONDS, Claims
from semicoupled.errors import DataError, SettingsError
from semicoupled.files import remove_folder, write_text

_ABOUT = "about.json"
_WHOLE = "whole.json"
WAIT = 0.2
"""Seconds between two looks at what others still work on."""
Made = TypeVar("Made")


class Group(NamedTuple):
    """Processes that share the work.

    Attributes:
        rank: of this one; 0 puts the file together.
        size: how many there are.
    """

    rank: int
    size: int

    @classmethod
    def of_torchrun(cls) -> Group:
        """Give what torchrun says; one process alone where it says nothing."""
        return cls(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))


def parts_folder(out: Path) -> Path:
    """Give the folder of what is not yet put together."""
    return out.with_name(f"{out.name}.parts")


class Sharing(NamedTuple):
    """How work is shared.

    Attributes:
        group: who shares it.
        started: processes that this one starts, itself among them.
    """

    group: Group
    started: int


def sharing_of(devices: int, out: Path) -> Sharing | None:
    """Say whether a prediction is shared: among several processes, or because some began it.

    Args:
        devices: processes that were asked for.
        out: the output.

    Returns:
        How; None where one process alone does it.

    Raises:
        SettingsError: torchrun has started processes, and more were asked for.
    """
    group = Group.of_torchrun()
    if group.size > 1 and devices > 1:
        raise SettingsError(f"devices {devices}: torchrun has started {group.size} processes. Leave it out")
    if group.size == 1 and devices == 1 and not parts_folder(out).exists():
        return None
    return Sharing(group, devices if group.size == 1 else 1)


class Parts:
    """The folder of what several processes made of an output, until it is put together.

    A process that comes late must not begin anew what the others have ended, and no clock tells it: clocks jump, and
    those of machines and disks differ. So the folder stays until everybody has come. Each process of a group claims a
    piece of its own name; the first one says that the output is whole; whoever then sees that all have come removes
    the folder. A process that was killed before it came leaves it to the next call with the same output.
    """

    def __init__(self, out: Path, about: Mapping[str, Any], group: Group) -> None:
        """Touch nothing yet.

        Args:
            out: the output to be.
            about: what the pieces follow from; JSON.
            group: who shares the work; of processes that one of it has started, that one alone.
        """
        self.folder = parts_folder(out)
        self._about, self._group = json.dumps(about, sort_keys=True), group
        self._key = hashlib.sha256(self._about.encode()).hexdigest()[:16]

    def begin(self, stopped: Callable[[], bool]) -> bool:
        """Make the folder, or go on with one that is there.

        Args:
            stopped: asked while this process waits for the first one.

        Returns:
            Whether to go on; False where the output was put together before this process came, or it was stopped.

        Raises:
            DataError: the parts are of another model, other inputs or other options.
        """
        patience = time.monotonic() + STALE_SECONDS
        while (said := self._said_whole()) is not None:
            if self._group.rank == 0:  # of an earlier call, to which a process never came
                self._remove()
                continue
            if said == self._whole() and self._is_late():
                return False
            if stopped() or time.monotonic() > patience:  # the first one clears it, or is gone
                return False
            time.sleep(WAIT)
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / _ABOUT
        if not file.exists():
            write_text(file, self._about)
        elif file.read_text(encoding="utf-8", errors="replace") != self._about:  # what is no text differs, too
            raise DataError(
                f"{self.folder}: was made by another model, from other inputs or with other options; expected the "
                "same, to go on with it. Choose another --out, or remove the folder"
            )
        return True

    def work(
        self,
        waiting: deque[str],
        most: int,
        do: Callable[[Sequence[str]], Iterable[Made]],
        told: Callable[[int], None],
        stopped: Callable[[], bool],
    ) -> Iterator[Made]:
        """Take, do and finish pieces, until all are made, by whomever, or this process is stopped.

        Args:
            waiting: names of the pieces, each once, the same for all processes; what is made leaves it, so that it is
                empty in the end unless this process was stopped.
            most: pieces to take at a time.
            do: makes the pieces of some names; twice the same of the same name.
            told: is told how many are not yet made, after each time.
            stopped: asked before every time.

        Yields:
            What `do` gives.
        """
        with Claims(self.folder) as claims:
            self._forget(claims)
            while waiting and not stopped():
                if self._ended():
                    waiting.clear()
                    break
                self._come(claims)
                taken = self._take(claims, waiting, most)
                yield from do(taken)
                for name in taken:
                    claims.finish(self.key(name))
                told(len(waiting))
                if waiting and not taken:  # others work on all that is left
                    time.sleep(WAIT)
            if not waiting:
                self._come(claims)
                self._leave(claims)

    def end(self) -> None:
        """Say that the output is whole. The folder goes, once all processes have come."""
        if not self._all_came():
            write_text(self.folder / _WHOLE, self._whole())
        if self._all_came():
            self._remove()

    def key(self, name: str) -> str:
        """Give what a piece is called among those of any output: what another model made is never taken for it."""
        return f"{self._key} {name}"

    def _take(self, claims: Claims, waiting: deque[str], most: int) -> list[str]:
        """Claim some. What is finished leaves the queue, what others have goes to its end; each is looked at once."""
        taken: list[str] = []
        for _ in range(len(waiting)):
            name = waiting.popleft()
            if claims.take(self.key(name)):
                taken.append(name)
                if len(taken) == most:
                    break
            elif not claims.finished(self.key(name)):
                waiting.append(name)
        return taken

    def _process(self, rank: int) -> str:
        return self.key(f"process {rank} of {self._group.size}")

    def _come(self, claims: Claims) -> None:
        """Say that this process is here."""
        own = self._process(self._group.rank)
        if self._group.rank and not claims.begun(own):
            _ = claims.take(own)

    def _forget(self, claims: Claims) -> None:
        """Forget, as the first one, those that were killed before it came: they are of an earlier call."""
        if self._group.rank == 0:
            for rank in range(1, self._group.size):
                other = self._process(rank)
                if claims.begun(other) and claims.take(other):
                    claims.free(other)

    def _leave(self, claims: Claims) -> None:
        if self._group.rank:
            claims.finish(self._process(self._group.rank))
            if self._said_whole() is not None and self._all_came():
                self._remove()

    def _all_came(self) -> bool:
        claims = Claims(self.folder)
        return all(claims.begun(self._process(rank)) for rank in range(1, self._group.size))

    def _ended(self) -> bool:
        return not (self.folder / _ABOUT).exists() or self._said_whole() is not None

    def _is_late(self) -> bool:
        """Whether this process had not come to the call whose output is whole; it has now."""
        with Claims(self.folder) as claims:
            if not claims.take(self._process(self._group.rank)):
                return False
            self._leave(claims)
        return True

    def _whole(self) -> str:
        return json.dumps({"about": self._key, "processes": self._group.size})

    def _said_whole(self) -> str | None:
        try:
            return (self.folder / _WHOLE).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def _remove(self) -> None:
        with contextlib.suppress(FileNotFoundError):  # another one was quicker
            remove_folder(self.folder)
