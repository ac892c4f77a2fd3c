"""Watching a folder: a forecast whenever a new frame comes, through restarts, late files and half-written ones.

What must not be lost is written to the state file before and after each forecast: the frames, the files that were
taken, and the times that were forecast from. After a kill, what was written already is known, and what was not is made
from the same frames: no time is forecast from twice under two names, and none is left out.

On the first start what lies in the folder is history: the newest frame alone is forecast from. From then on every frame
is, in order of time, also those that came while nobody watched.
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from semicoupled import __version__
from semicoupled.alone import alone
from semicoupled.description import Json
from semicoupled.errors import DataError, SettingsError, StaleDataError
from semicoupled.files import write_text
from semicoupled.tasks.nowcasting.files.frame import RadarFrame
from semicoupled.tasks.nowcasting.files.reading import read_frames
from semicoupled.tasks.nowcasting.files.sequences import find_files
from semicoupled.tasks.nowcasting.operating.session import NowcastSession, NowcastState
from semicoupled.tasks.nowcasting.operating.state_store import load_state, save_state
from semicoupled.tasks.nowcasting.operating.watch_memory import REMEMBERED, Memory, Stamp, clock, stale_sentence
from semicoupled.tasks.nowcasting.operating.writers import Target, write_targets
from semicoupled.tasks.nowcasting.settings import PredictOptions

log = logging.getLogger(__name__)

STATE = ".nowcast_state.safetensors"
STATUS = "nowcast_status.json"
STATUS_FORMAT = 1
AT_ONCE = 40
"""Files that are read at once, in order of their names; of those that lie there at the first start, the last."""
_FUTURE = timedelta(hours=1)
_NAP = 0.2


class Watch:
    """Watches one folder."""

    def __init__(
        self,
        session: NowcastSession,
        targets: Sequence[Target],
        options: PredictOptions,
        stopped: Callable[[], bool],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Say what to watch.

        Args:
            session: makes the forecasts.
            targets: where they are written to.
            options: with the folder.
            stopped: whether to end.
            now: the time.

        Raises:
            DataError: no such folder.
            SettingsError: the outputs lie in the watched folder.
        """
        self._session, self._targets, self._options = session, targets, options
        self._stopped, self._now = stopped, now
        self._folder = Path(str(options.watch))
        if not self._folder.is_dir():
            raise DataError(f"{self._folder}: no such folder; expected one that radar files come into")
        beside = targets[0].pattern.parent
        self._state_file = Path(options.state) if options.state else beside / STATE
        self._status_file = Path(options.status) if options.status else beside / STATUS
        for path in (*(target.pattern for target in targets), self._state_file, self._status_file):
            if self._folder.resolve() in path.resolve().parents:
                raise SettingsError(
                    f"{path}: lies in the watched folder {self._folder}, and would be taken for a radar file; "
                    "expected another folder for what is written"
                )
        self._fingerprint = session.fingerprint
        self._state: NowcastState | None = None
        self._memory = Memory()
        self._waiting: dict[str, str] = {}
        self._problem: DataError | None = None
        self._stale = False
        self._status: dict[str, Json] = {}
        self._saved = self._memory.to_json()

    def run(self) -> Iterator[Path]:
        """Forecast until it is stopped, or once.

        Returns:
            The files, as they are written.

        Raises:
            RunError: the state is of another run, is broken, or is in use by another process.
            DataError: looking once, a file or an output that cannot be used.
            StaleDataError: looking once, the newest frame is older than asked.
        """
        in_use = (
            f"{self._state_file}: is in use by another process that watches; expected one alone. End it, or name "
            "another with --state"
        )
        with alone(self._state_file.with_name(f"{self._state_file.name}.lock"), in_use):
            if self._state_file.exists():
                self._state, notes = load_state(self._state_file, self._fingerprint)
                self._memory = Memory.from_json(notes)
                self._saved = self._memory.to_json()
                log.info("%s: going on from %s", self._state_file, self._newest() or "an empty state")
            while True:
                yield from self._look()
                if self._memory.to_json() != self._saved:  # files were given up, and nothing else
                    self._save()
                self._report()
                if self._options.once or self._stopped():
                    break
                self._rest()
        if self._options.once:
            if self._problem is not None:
                raise self._problem
            if self._stale:
                raise StaleDataError(self._stale_sentence())

    def _look(self) -> Iterator[Path]:
        """Take what is new, and forecast from it."""
        self._problem = None
        tried: set[str] = set()
        while not self._stopped():
            yield from self._due_forecasts()  # after a restart, or a disk that was full, some are left
            if self._problem is not None and self._state is not None and self._due():
                return  # frames that came now would drive out those that still wait for their forecast
            files = self._new_files(tried)
            tried |= set(files)
            if not files:
                return
            yield from self._take_all(files)

    def _take_all(self, files: dict[str, Stamp]) -> Iterator[Path]:
        """Take some files, in order of their times, and forecast from each as soon as it is there."""
        read = [(frame, name) for name, stamp in files.items() for frame in self._read(name, stamp)]
        waiting = Counter(name for _, name in read)
        history = self._state is None
        for frame, name in sorted(read, key=lambda entry: entry[0].valid):
            if self._stopped():
                return
            self._take(frame, name, files[name])
            waiting[name] -= 1
            if not waiting[name]:
                self._memory.seen[name] = files[name]
            if not history:
                yield from self._advance()
                if self._problem is not None and self._state is not None and self._due():
                    return
        if history and self._state is not None:
            self._memory.floor = (self._state.times[-1] - self._state.step / 2).isoformat()
            yield from self._advance()

    def _advance(self) -> Iterator[Path]:
        """Report, remember and forecast, now that the state has changed."""
        if self._state is not None:
            self._note_missing()
            self._save()
            yield from self._due_forecasts()

    def _due_forecasts(self) -> Iterator[Path]:
        if self._state is None:
            return
        for moment in self._due():
            if self._stopped():
                return
            try:
                yield from self._forecast(self._state, moment)
            except DataError as error:  # the disk may have room again at the next look
                log.error("%s", error)
                self._problem = error
                return

    def _forecast(self, state: NowcastState, moment: datetime) -> Iterator[Path]:
        options = self._options
        steps = None if options.lead is None else self._session.steps_for(options.lead, state.step)
        forecast = self._session.forecast(state, steps, at=moment, allow_missing=options.allow_missing)
        yield from write_targets(forecast, self._targets)
        kept = {time.isoformat() for time in state.times}
        self._memory.done = [*(time for time in self._memory.done if time in kept), moment.isoformat()]
        self._memory.newest_forecast = max(self._memory.newest_forecast or "", moment.isoformat())
        self._memory.forecasts += 1
        self._save()

    def _due(self) -> list[datetime]:
        """List the times to forecast from, in order."""
        state, memory = self._state, self._memory
        assert state is not None
        floor = datetime.fromisoformat(memory.floor) if memory.floor else state.times[0]
        return [
            time
            for time in state.times
            if time > floor
            and time.isoformat() not in memory.done
            and len(self._session.missing(state, time)) <= self._options.allow_missing
        ]

    def _new_files(self, tried: Set[str]) -> dict[str, Stamp]:
        """List files that have come or changed, not too many at once."""
        files = self._files()
        self._memory.look_again(self._now())
        seen = self._memory.seen
        self._memory.early = {name: moment for name, moment in self._memory.early.items() if name in files}
        self._memory.seen = {name: stamp for name, stamp in seen.items() if name in files}
        self._waiting = {name: reason for name, reason in self._waiting.items() if name in files}
        new = [name for name, stamp in files.items() if seen.get(name) != stamp and name not in tried]
        if self._state is None and len(new) > AT_ONCE:
            log.info("%s: of %d files the last %d by name are read", self._folder, len(new), AT_ONCE)
            self._memory.seen |= {name: files[name] for name in new[:-AT_ONCE]}
            new = new[-AT_ONCE:]
        return {name: files[name] for name in new[:AT_ONCE]}

    def _files(self) -> dict[str, Stamp]:
        found: dict[str, Stamp] = {}
        try:
            for path in find_files(self._folder):
                about = path.stat()
                found[path.relative_to(self._folder).as_posix()] = Stamp(about.st_size, about.st_mtime_ns)
        except (DataError, OSError) as error:  # empty, or a file went while we looked: the next look sees it
            log.debug("%s: %s", self._folder, error)
        return found

    def _read(self, name: str, stamp: Stamp) -> tuple[RadarFrame, ...]:
        """Read a file, unless it is still being written."""
        path = self._folder / name
        try:
            frames = read_frames(path, self._session.settings.data.files)
            about = path.stat()
            if Stamp(about.st_size, about.st_mtime_ns) != stamp:
                raise DataError(f"{path}: changed while it was read")
        except (DataError, OSError) as error:
            age = self._now().timestamp() - stamp.modified / 1e9
            if 0 <= age < 60 * self._options.patience or "changed while" in str(error):
                if name not in self._waiting:
                    log.warning("%s; it may still be being written, and is tried again", str(error).rstrip("."))
                self._waiting[name] = str(error)
            else:
                self._give_up(name, stamp, str(error))
            return ()
        self._waiting.pop(name, None)
        return frames

    def _give_up(self, name: str, stamp: Stamp, reason: str) -> None:
        log.error("left out: %s", reason)
        self._waiting.pop(name, None)
        self._memory.seen[name] = stamp
        self._memory.broken = [*self._memory.broken, {"file": name, "reason": reason}][-REMEMBERED:]
        self._problem = DataError(reason)

    def _take(self, frame: RadarFrame, name: str, stamp: Stamp) -> None:
        """Bring a frame into the state."""
        if frame.valid > self._now() + _FUTURE:
            reason = f"{frame.source}: is valid at {frame.valid:%Y-%m-%d %H:%M} UTC, in the future; is a clock wrong?"
            self._give_up(name, stamp, reason)
            self._memory.early[name] = (frame.valid - _FUTURE).isoformat()
            return
        before = self._state
        try:
            self._state = self._session.update(before, frame)
        except DataError as error:
            self._give_up(name, stamp, str(error))
            return
        if before is not None and frame.valid < before.times[-1] and frame.valid not in before.times:
            kept = "" if frame.valid in self._state.times else "; it is too old to be of use"
            log.warning("late: %s of %s UTC came after that of %s%s", name, clock(frame.valid), self._newest(), kept)
            entry = {"file": name, "time": frame.valid.isoformat(), "after": before.times[-1].isoformat()}
            self._memory.late = [*self._memory.late, entry][-REMEMBERED:]
        if self._state is not before:
            self._memory.frames += 1
        lacking = frame.valid.isoformat()
        self._memory.missing = [moment for moment in self._memory.missing if moment != lacking]

    def _note_missing(self) -> None:
        """Report the holes before the newest frame, each once."""
        state = self._state
        assert state is not None
        lacking = [moment for moment in self._session.missing(state) if moment > state.times[0]]
        for moment in lacking:
            if moment.isoformat() not in self._memory.missing:
                log.warning("missing: no frame of %s UTC, but one of %s", clock(moment), self._newest())
                self._memory.missing = [*self._memory.missing, moment.isoformat()][-REMEMBERED:]
        still = len(self._session.missing(state))
        if still > self._options.allow_missing:
            log.info("no forecast from %s UTC yet: %d of its frames are not there", self._newest(), still)

    def _save(self) -> None:
        notes = self._memory.to_json()
        try:
            save_state(self._state_file, self._state, self._fingerprint, notes)
            self._saved = notes
        except OSError as error:
            self._problem = DataError(
                f"{self._state_file}: the state cannot be written ({error}); after a restart forecasts would be made "
                "again. Is there room on the disk?"
            )
            log.error("%s", self._problem)

    def _report(self) -> None:
        """Write the status where it has changed."""
        newest = None if self._state is None else self._state.times[-1]
        age = None if newest is None else (self._now() - newest).total_seconds() / 60
        limit = self._options.max_age
        was, self._stale = self._stale, limit is not None and (age is None or age > limit)
        if self._stale and not was:
            log.warning("%s", self._stale_sentence())
        if was and not self._stale:
            log.info("frames are coming again: %s UTC", self._newest())
        memory = self._memory
        status: dict[str, Json] = {
            "format": STATUS_FORMAT,
            "version": __version__,
            "watching": str(self._folder),
            "newest_frame": None if newest is None else newest.isoformat(),
            "stale": self._stale,
            "newest_forecast": memory.newest_forecast,
            "frames": memory.frames,
            "forecasts": memory.forecasts,
            "late": memory.late,
            "missing": memory.missing,
            "waiting": [{"file": name, "reason": reason} for name, reason in sorted(self._waiting.items())],
            "broken": memory.broken,
            "problem": None if self._problem is None else str(self._problem),
        }
        if status == self._status:
            return
        self._status = status
        shown = {**status, "updated": self._now().isoformat(), "age_minutes": None if age is None else round(age, 1)}
        try:
            write_text(self._status_file, json.dumps(shown, indent=1) + "\n")
        except OSError as error:
            log.error("%s: cannot be written (%s). Is there room on the disk?", self._status_file, error)

    def _stale_sentence(self) -> str:
        newest = None if self._state is None else self._state.times[-1]
        return stale_sentence(newest, cast(float, self._options.max_age), self._now(), self._folder)

    def _rest(self) -> None:
        end = time.monotonic() + self._options.poll
        while not self._stopped() and time.monotonic() < end:
            time.sleep(min(_NAP, self._options.poll))

    def _newest(self) -> str | None:
        return None if self._state is None else clock(self._state.times[-1])
