"""Work that several processes share, on one machine or many, by small files in a folder that all of them see.

Who begins a piece claims it: a file that only one can make. A claim is touched while its owner lives; where that stops,
another takes the piece up. A piece may be done twice after a stall, so that doing it must give the same twice.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import socket
import threading
from pathlib import Path
from types import TracebackType

from semicoupled.owner import alive

STALE_SECONDS = 60.0
"""How long a claim stands that nobody touches, where its owner is on another machine."""


class Claims:
    """Takes pieces of work by name, and knows which are finished. A context manager: what is not finished is freed."""

    def __init__(self, folder: Path, *, stale: float = STALE_SECONDS) -> None:
        """Look at nothing yet.

        Args:
            folder: of the claims, the same for all who share the work; made, if need be, where claims are kept alive.
            stale: seconds after which a claim that is not touched may be taken by others.
        """
        self._folder, self._stale = folder, stale
        self._owner = f"{socket.gethostname()} {os.getpid()} {secrets.token_hex(4)}"
        self._held: set[str] = set()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="claims", daemon=True)

    def __enter__(self) -> Claims:
        """Begin to keep claims alive."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._heart.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Free what was claimed and not finished."""
        self._ended.set()
        self._heart.join()
        for name in list(self._held):
            self._claim(name).unlink(missing_ok=True)
            self._held.discard(name)

    def take(self, name: str) -> bool:
        """Claim a piece.

        Args:
            name: of the piece.

        Returns:
            Whether it is ours now; False where it is finished, or somebody works on it.
        """
        if self.finished(name):
            return False
        claim = self._claim(name)
        if claim.exists() and not (self._abandoned(claim) and self._clear(claim)):
            return False
        try:
            descriptor = os.open(claim, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        except (FileExistsError, FileNotFoundError):  # somebody was quicker; or all is done, and the folder gone
            return False
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(self._owner)
        with self._lock:
            self._held.add(name)
        if self.finished(name):  # by the one whose claim went between the two looks
            self.free(name)
            return False
        return True

    def finish(self, name: str) -> None:
        """Say that a piece that is ours is done, once what it gave is on the disk."""
        with contextlib.suppress(FileNotFoundError):  # others have done it, too, and all else; the folder is gone
            self._done(name).touch()
        self.free(name)

    def free(self, name: str) -> None:
        """Give a piece back that is ours, as if it had not been begun."""
        with self._lock:
            self._held.discard(name)
        self._claim(name).unlink(missing_ok=True)

    def begun(self, name: str) -> bool:
        """Whether somebody has done a piece, or works on it, or left it behind unfinished."""
        return self._claim(name).exists() or self.finished(name)

    def finished(self, name: str) -> bool:
        """Whether somebody has done a piece."""
        return self._done(name).exists()

    def _claim(self, name: str) -> Path:
        return self._folder / f"{_key(name)}.claim"

    def _done(self, name: str) -> Path:
        return self._folder / f"{_key(name)}.done"

    def _abandoned(self, claim: Path) -> bool:
        """Whether an owner is known to be gone, or has not touched its claim for long."""
        try:
            host, process, _ = claim.read_text(encoding="utf-8").rsplit(" ", 2)
            if host == socket.gethostname() and not alive(int(process)):
                return True
        except ValueError:
            pass  # just made, and still empty: its age tells
        except FileNotFoundError:
            return False
        try:
            return self._now() - claim.stat().st_mtime > self._stale
        except FileNotFoundError:
            return False

    def _now(self) -> float:
        """Give the time of the disk that holds the folder: clocks of machines differ, and jump."""
        mark = self._folder / f".now.{secrets.token_hex(4)}"
        mark.touch()
        try:
            return mark.stat().st_mtime
        finally:
            mark.unlink(missing_ok=True)

    def _clear(self, claim: Path) -> bool:
        """Put an abandoned claim aside; of several who try it, one succeeds."""
        aside = claim.with_suffix(f".{secrets.token_hex(4)}")
        try:
            claim.rename(aside)
        except FileNotFoundError:
            return False
        aside.unlink(missing_ok=True)
        return True

    def _beat(self) -> None:
        while not self._ended.wait(self._stale / 4):
            with self._lock:
                held = list(self._held)
            for name in held:
                try:
                    os.utime(self._claim(name))
                except FileNotFoundError:
                    continue  # somebody took it after a stall; both finish it


def _key(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:24]
