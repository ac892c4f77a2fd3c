from __future__ import annotations

import errno
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from semicoupled.serving.jobs import ENDED, BusyError, Job, Jobs
from semicoupled.serving.settings import Limits
from semicoupled.serving.work import JobRequest, Source

MISBEHAVING = """
import os, time
from semicoupled.errors import DataError
from semicoupled.serving.work import Result

def prepare(device):
    if device != "cpu":
        raise DataError(f"device {device}: is not here")
    return {"device": device, "name": "a test"}

def quick(work, request):
    work.progress(0.5, "half")
    return Result({"pid": os.getpid()}, {"a.npy": b"x" * 1000})

def deaf(work, request):
    time.sleep(1000)

def polite(work, request):
    for step in range(1000):
        work.progress(step / 1000, "stepping")
        time.sleep(0.02)

def stubborn(work, request):
    while True:
        try:
            work.progress(0, "never")
        except BaseException:
            pass

def dying(work, request):
    os._exit(3)

def odd(work, request):
    raise ZeroDivisionError("in /home/somebody/private/file.py")

def gone(work, request):
    open("/data/radar/rain.h5")

def wrong(work, request):
    raise DataError("/data/radar/a.h5: is broken, as /home/somebody/private/b.h5 is")
"""
LIMITS = Limits(queue=3, seconds=1.0, grace_seconds=0.4, results=5)
NOTHING = Path("nowhere")
PREPARE = "misbehaving_jobs:prepare"


@pytest.fixture(scope="module")
def module_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a module of jobs that misbehave, on the path: a spawned process takes that over."""
    folder = tmp_path_factory.mktemp("jobs")
    (folder / "misbehaving_jobs.py").write_text(MISBEHAVING)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield folder


@pytest.fixture(scope="module")
def jobs(module_path: Path) -> Iterator[Jobs]:
    made = Jobs(LIMITS, "cpu", PREPARE, ())
    made.start()
    yield made
    made.close()


def request(name: str) -> JobRequest:
    return JobRequest(f"misbehaving_jobs:{name}", NOTHING, Source())


def wait(job: Job, seconds: float = 60.0) -> Job:
    end = time.monotonic() + seconds
    while job.state not in ENDED:
        assert time.monotonic() < end, job
        time.sleep(0.01)
    return job


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_job_gives_its_result(jobs: Jobs) -> None:
    job = wait(jobs.submit(request("quick")))
    assert job.state == "done"
    assert job.done == 1.0
    assert job.result is not None
    assert job.result.document == {"pid": jobs.process_id}
    assert jobs.find(job.id) is job
    assert jobs.find("nothing") is None


@pytest.mark.parametrize("name", ["deaf", "stubborn", "polite"])
def test_cancel_frees_the_worker_whatever_it_does(jobs: Jobs, name: str) -> None:
    before = wait(jobs.submit(request("quick")))
    job = jobs.submit(request(name))
    until(lambda: job.state == "running")
    time.sleep(0.1)
    jobs.cancel(job)
    wait(job, 10)
    assert job.state == "cancelled"
    assert job.error is None
    after = wait(jobs.submit(request("quick")))
    assert after.state == "done"
    assert before.result is not None
    assert after.result is not None
    same = before.result.document == after.result.document
    assert same == (name == "polite")  # what listens keeps its process and its models; what does not is killed


@pytest.mark.parametrize("name", ["deaf", "polite"])
def test_a_time_out_frees_the_worker(jobs: Jobs, name: str) -> None:
    job = wait(jobs.submit(request(name)))
    assert job.state == "failed"
    assert job.error == "it took longer than 1 s, and was stopped; take fewer or smaller fields"
    assert 1.0 <= job.seconds < 8
    assert wait(jobs.submit(request("quick"))).state == "done"


def test_a_job_that_kills_its_process_takes_no_other_with_it(jobs: Jobs) -> None:
    one, two = jobs.submit(request("dying")), jobs.submit(request("quick"))
    assert wait(one).error is not None
    assert "the worker died of this" in str(one.error)
    assert wait(two).state == "done"


def test_errors_say_what_and_not_where(jobs: Jobs) -> None:
    assert wait(jobs.submit(request("odd"))).error == "something unexpected went wrong; the server's log says more"
    from semicoupled.serving.messages import public

    jobs.clean_with(lambda text: public(text, [("radar", Path("/data/radar"))]))
    try:
        assert wait(jobs.submit(request("wrong"))).error == "radar/a.h5: is broken, as …/b.h5 is"
    finally:
        jobs.clean_with(str)


def test_a_file_that_has_gone_is_said(jobs: Jobs) -> None:
    said = str(wait(jobs.submit(request("gone"))).error)
    assert said.startswith("/data/radar/rain.h5: cannot be read (No such file or directory); was it moved")


def test_a_full_queue_says_when_to_come_again(jobs: Jobs) -> None:
    running = jobs.submit(request("polite"))
    until(lambda: running.state == "running")
    waiting = [jobs.submit(request("quick")) for _ in range(LIMITS.queue)]
    assert [jobs.position(job) for job in waiting] == [0, 1, 2]
    with pytest.raises(BusyError, match=r"the queue is full; try again in \d+ s") as caught:
        jobs.submit(request("quick"))
    assert 1 <= caught.value.retry_after <= 60
    jobs.cancel(waiting[1])
    assert waiting[1].state == "cancelled"
    assert jobs.position(waiting[2]) == 1
    jobs.cancel(running)
    assert [wait(job).state for job in waiting] == ["done", "cancelled", "done"]
    jobs.cancel(waiting[0])
    assert waiting[0].state == "done"  # what has ended stays as it is


def test_old_results_go_and_those_that_are_looked_at_stay(jobs: Jobs) -> None:
    first = wait(jobs.submit(request("quick")))
    for _ in range(LIMITS.results + 2):
        wait(jobs.submit(request("quick")))
        assert jobs.find(first.id) is first
    until(lambda: len(jobs._jobs) <= LIMITS.results)


def test_a_device_that_is_not_there_is_said(module_path: Path) -> None:
    broken = Jobs(LIMITS, "cuda:99", PREPARE, ())
    broken.start()
    try:
        until(lambda: broken.problem is not None)
        job = wait(broken.submit(request("quick")))
        assert job.state == "failed"
        assert "device cuda:99: is not here" in str(job.error)
    finally:
        broken.close()


def test_the_end_ends_the_worker(module_path: Path) -> None:
    ending = Jobs(LIMITS, "cpu", PREPARE, ())
    ending.start()
    job = ending.submit(request("deaf"))
    until(lambda: job.state == "running")
    waiting = ending.submit(request("quick"))
    process = ending.process_id
    assert process is not None
    ending.close()
    assert job.state == "cancelled"
    assert waiting.state == "cancelled"
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_many_cancels_at_once_stop_each_job_once(jobs: Jobs) -> None:
    running = jobs.submit(request("polite"))
    until(lambda: running.state == "running")
    waiting = jobs.submit(request("polite"))
    threads = [threading.Thread(target=jobs.cancel, args=(job,)) for job in (running, waiting) * 8]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [wait(job, 10).state for job in (running, waiting)] == ["cancelled", "cancelled"]
    assert wait(jobs.submit(request("quick"))).state == "done"


@pytest.mark.parametrize("busy", [False, True])
def test_a_worker_that_is_killed_is_followed_by_another(jobs: Jobs, busy: bool) -> None:
    before = wait(jobs.submit(request("quick")))
    job = jobs.submit(request("polite")) if busy else None
    until(lambda: job is None or job.state == "running")
    process = jobs.process_id
    assert process is not None
    os.kill(process, signal.SIGKILL)
    if job is not None:
        assert "the worker died of this" in str(wait(job, 10).error)
    else:
        until(lambda: jobs.process_id not in (None, process))
    after = wait(jobs.submit(request("quick")))
    assert after.state == "done"
    assert before.result is not None
    assert after.result is not None
    assert before.result.document != after.result.document


def test_a_clock_that_jumps_ends_no_job(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = time.time
    job = jobs.submit(request("quick"))
    for jump in (86_400.0, -86_400.0):
        monkeypatch.setattr(time, "time", lambda jump=jump: clock() + jump)
        assert wait(job).state == "done"
        assert 0 <= job.seconds < 1
        job = jobs.submit(request("quick"))
    assert wait(job).state == "done"


def test_what_nobody_asks_for_again_is_not_kept(jobs: Jobs) -> None:
    job = jobs.submit(request("quick"), keep=False)
    assert jobs.find(job.id) is None
    assert wait(job).result is not None


def test_a_job_that_cannot_be_sent_takes_no_other_with_it(jobs: Jobs) -> None:
    unsendable = JobRequest("misbehaving_jobs:quick", NOTHING, Source(), options=lambda: None)
    job = jobs.submit(unsendable)
    assert "something unexpected" in str(wait(job).error)
    assert wait(jobs.submit(request("quick"))).state == "done"


def test_a_worker_that_cannot_be_started_is_said_and_tried_again(
    module_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starting = Jobs(LIMITS, "cpu", PREPARE, ())
    refused = OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    def refuse(*_: object, **__: object) -> None:
        raise refused

    monkeypatch.setattr(starting._context, "Process", refuse)
    job = starting.submit(request("quick"))
    starting.start()
    try:
        assert "the worker cannot be started (Too many open files)" in str(wait(job).error)
        monkeypatch.undo()
        again = starting.submit(request("quick"))
        until(lambda: again.state in ENDED)
        again = again if again.state == "done" else wait(starting.submit(request("quick")))  # refused a last time
        assert again.state == "done"
        assert starting.problem is None
    finally:
        starting.close()
