"""The queue: one job at a time, in a process of its own, with cancel and time-out that really free it.

A job that is told to stop gets a moment to do so by itself; then its process is killed and a new one takes the next
job. A process that dies, of a damaged file for example, takes no other job with it.
"""

from __future__ import annotations

import logging
import multiprocessing
import secrets
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from semicoupled.description import Json
from semicoupled.errors import SemicoupledError
from semicoupled.serving.settings import Limits
from semicoupled.serving.work import JobRequest, Result
from semicoupled.serving.worker import UNEXPECTED, work_until_told

log = logging.getLogger(__name__)

State = Literal["waiting", "running", "done", "failed", "cancelled"]
ENDED: tuple[State, ...] = ("done", "failed", "cancelled")
_PREPARE = "semicoupled.serving.worker:prepare_networks"
_SOON = ("semicoupled.serving.nowcast_job", "semicoupled.serving.outline_job", "semicoupled.training.weights")
_POLL = 0.02
_START = 900.0
"""Seconds that a process may take to begin: a busy machine reads torch from a slow disk."""


class BusyError(SemicoupledError):
    """The queue is full.

    Args:
        retry_after: seconds after which there is probably room again.
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"the queue is full; try again in {retry_after} s")
        self.retry_after = retry_after


@dataclass
class Job:
    """A job, from the queue to its end.

    Args:
        id: what the client knows it by.
        request: what to do.
        state: where it is.
        done: how far it is, 0 to 1.
        doing: a few words.
        error: why it failed, or None.
        result: what it gave, or None.
        seconds: that it ran.
        stop: whether it is to be stopped.
        parts: of the result, that came before it.
        begun: when, s on the monotonic clock; 0 before.
    """

    id: str
    request: JobRequest
    state: State = "waiting"
    done: float = 0.0
    doing: str = "waiting"
    error: str | None = None
    result: Result | None = None
    seconds: float = 0.0
    stop: bool = False
    parts: list[Json] = field(default_factory=list[Json], repr=False)
    begun: float = field(default=0.0, repr=False)


class Jobs:
    """All jobs: those that wait, the one that runs, and the last ones that have ended."""

    def __init__(
        self, limits: Limits, device: str = "auto", prepare: str = _PREPARE, soon: Sequence[str] = _SOON
    ) -> None:
        """Prepare; `start` begins.

        Args:
            limits: of the queue, of the time of a job, of what is kept.
            device: where networks run.
            prepare: name of the function that makes the worker's device ready and says what it is.
            soon: modules that the first jobs will need.
        """
        self._prepare, self._soon = prepare, tuple(soon)
        self._limits, self._device = limits, device
        self._clean: Callable[[str], str] = str
        self._lock = threading.Condition()
        self._waiting: deque[Job] = deque()
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._now: Job | None = None
        self._closing = False
        self._mean = 1.0
        self.facts: dict[str, str] = {}
        self.problem: str | None = None
        self.restarts = 0
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
        self._context = multiprocessing.get_context("spawn")
        self._process: Any = None
        self._pipe: Any = None
        self._stops: Any = None

    def clean_with(self, clean: Callable[[str], str]) -> None:
        """Say what makes of an error's message what users may see."""
        self._clean = clean

    def start(self) -> None:
        """Begin to do jobs."""
        self._thread.start()

    def close(self) -> None:
        """End the worker; what waits is cancelled."""
        with self._lock:
            self._closing = True
            for job in self._waiting:
                job.state, job.doing = "cancelled", "cancelled"
            self._waiting.clear()
            self._lock.notify_all()
        if self._thread.is_alive():
            self._thread.join(5)
        self._kill()

    @property
    def process_id(self) -> int | None:
        """Of the worker, or None where there is none."""
        return None if self._process is None else self._process.pid

    def load(self) -> tuple[int, int]:
        """Give how many jobs wait, and how many run."""
        with self._lock:
            return len(self._waiting), int(self._now is not None and self._now.state == "running")

    def submit(self, request: JobRequest, *, keep: bool = True) -> Job:
        """Put a job into the queue.

        Args:
            request: what to do.
            keep: whether its result can be fetched later; else whoever holds the job alone has it, and no other result
                is forgotten for it.

        Raises:
            BusyError: it is full.
        """
        with self._lock:
            if len(self._waiting) >= self._limits.queue:
                raise BusyError(max(1, min(60, round(self._mean * len(self._waiting) / 2))))
            job = Job(secrets.token_urlsafe(12), request)
            if keep:
                self._jobs[job.id] = job
            self._waiting.append(job)
            self._forget()
            self._lock.notify_all()
            return job

    def find(self, job_id: str) -> Job | None:
        """Give a job, or None if there is none, or none any more."""
        with self._lock:
            job = self._jobs.get(job_id)
            if job is not None and job.state in ENDED:
                self._jobs.move_to_end(job_id)
            return job

    def position(self, job: Job) -> int:
        """Give how many jobs come before a waiting one."""
        with self._lock:
            return self._waiting.index(job) if job in self._waiting else 0

    def cancel(self, job: Job) -> None:
        """Stop a job, wherever it is; one that has ended stays as it is."""
        with self._lock:
            if job.state == "waiting":
                self._waiting.remove(job)
                job.state, job.doing = "cancelled", "cancelled"
            job.stop = True
            self._lock.notify_all()

    def _run(self) -> None:
        while not self._closing:
            if self._process is None or not self._process.is_alive():
                self._begin_process()
            with self._lock:
                if not self._waiting and not self._closing:
                    self._lock.wait(0.5)
                if self._closing or not self._waiting or self._process is None:
                    continue
                job = self._now = self._waiting.popleft()
                job.state, job.doing, job.begun = "running", "starting", time.monotonic()
            self._do(job)
            with self._lock:
                job.seconds = time.monotonic() - job.begun
                self._mean += 0.2 * (job.seconds - self._mean)
                self._forget()

    def _do(self, job: Job) -> None:
        deadline = job.begun + self._limits.seconds
        told: float | None = None
        try:
            self._pipe.send((job.id, job.request))
            while True:
                if self._pipe.poll(_POLL) and self._take(job, self._pipe.recv()):
                    return
                now = time.monotonic()
                if told is None and (job.stop or self._closing or now > deadline):
                    told = now
                    self._stops.send(job.id)
                if told is not None and now > told + self._limits.grace_seconds:
                    self._kill()
                    self._end(job, *self._why(job))
                    return
        except (EOFError, OSError):
            self._kill()
            log.error("the worker died in job %s", job.id)
            self._end(job, "failed", "the worker died of this; the file may be damaged, or too large for the memory")
        except Exception:  # no memory for a large result, for example; without this thread no job would ever end again
            self._kill()
            log.exception("job %s could not be handed over", job.id)
            self._end(job, "failed", UNEXPECTED)

    def _why(self, job: Job) -> tuple[State, str | None]:
        if job.stop or self._closing:
            return "cancelled", None
        return (
            "failed",
            f"it took longer than {self._limits.seconds:g} s, and was stopped; take fewer or smaller fields",
        )

    def _take(self, job: Job, message: tuple[Any, ...]) -> bool:
        """Take a message of the worker in; whether it was the last one of the job."""
        kind, about, *rest = message
        if about != job.id:
            return False
        if kind == "progress":
            job.done, job.doing = rest
            return False
        if kind == "part":
            job.parts.append(rest[0])
            return False
        if kind == "done":
            job.result = rest[0]
            self._end(job, "done", None)
        elif kind == "failed":
            self._end(job, "failed", self._clean(rest[0]))
        else:
            self._end(job, *self._why(job))
        return True

    @staticmethod
    def _end(job: Job, state: State, error: str | None) -> None:
        job.error, job.doing = error, state
        job.done = 1.0 if state == "done" else job.done
        job.state = state

    def _begin_process(self) -> None:
        self._kill()
        self.restarts += 1
        try:
            ours = self._start_process()
        except OSError as error:  # no memory, or too many open files; it may be over in a moment
            self.problem = (
                f"the worker cannot be started ({error.strerror or error}); end other programs, it is tried again"
            )
            self._give_up()
            return
        begun = time.monotonic()
        while not self._closing and time.monotonic() < begun + _START:
            try:
                if not ours.poll(0.1):
                    continue
                kind, facts = ours.recv()
            except (EOFError, OSError):
                break
            if kind == "facts":
                self.facts, self.problem = facts, None
                continue
            if kind == "ready":
                return
            self.problem = self._clean(facts)
            break
        if not self._closing:
            self.problem = self.problem or "the worker does not start; the server's log says more"
            self._give_up()
        self._kill()

    def _start_process(self) -> Any:
        """Start the worker; gives our end of its pipe."""
        ours, theirs = self._context.Pipe()
        hears, stops = self._context.Pipe(duplex=False)
        process = self._context.Process(
            target=work_until_told,
            args=(theirs, hears, self._device, self._limits, self._prepare, self._soon),
            daemon=True,
            name="worker",
        )
        try:
            process.start()
        except OSError:
            ours.close()
            stops.close()
            raise
        finally:
            theirs.close()
            hears.close()
        self._process, self._pipe, self._stops = process, ours, stops
        return ours

    def _give_up(self) -> None:
        """Say to all who wait that there is no worker, and rest before the next try."""
        log.error("%s", self.problem)
        with self._lock:  # a job that leaves the queue has ended by then: else it could not be cancelled
            while self._waiting:
                self._end(self._waiting.popleft(), "failed", self.problem)
            self._lock.wait_for(lambda: self._closing, 1)

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.join(5)
            self._pipe.close()
            self._stops.close()

    def _forget(self) -> None:
        """Let the oldest results go; call it with the lock."""
        ended = [job for job in self._jobs.values() if job.state in ENDED]
        kept = sum(job.result.bytes for job in ended if job.result is not None)
        count = len(ended)
        for job in ended:
            if count <= self._limits.results and (kept <= self._limits.results_bytes or count == 1):
                return
            kept -= job.result.bytes if job.result is not None else 0
            count -= 1
            del self._jobs[job.id]
