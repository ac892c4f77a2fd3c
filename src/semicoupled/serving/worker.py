"""The process that decodes files and runs networks. It can be killed at any moment: nothing is kept in it alone."""

from __future__ import annotations

import importlib
import logging
import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

from semicoupled.description import Json
from semicoupled.errors import SemicoupledError
from semicoupled.serving.outward import refuse_outward
from semicoupled.serving.places import refuse_swapped
from semicoupled.serving.settings import Limits
from semicoupled.serving.work import Cancelled, JobRequest, Work, find_function

log = logging.getLogger(__name__)
UNEXPECTED = "something unexpected went wrong; the server's log says more"
"""What is said where only the log knows more."""


def work_until_told(
    connection: Connection, stops: Connection, device: str, limits: Limits, prepare: str, soon: Sequence[str]
) -> None:
    """Do jobs until the connection closes.

    Messages that are sent: ``("facts", facts)`` and then ``("ready", None)``, or ``("broken", why)``;
    ``("progress", job, done, doing)``, ``("part", job, part)``, ``("done", job, result)``,
    ``("failed", job, message, kind)``,
    ``("cancelled", job)``.

    Args:
        connection: gives ``(job, request)``, and takes the messages.
        stops: gives the jobs that nobody waits for any more.
        device: where networks run.
        limits: how much is let through.
        prepare: name of the function that makes the device ready and says what it is.
        soon: modules that the first jobs will need.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the server, which then ends this process
    try:
        connection.send(("facts", find_function(prepare)(device)))
    except SemicoupledError as error:
        connection.send(("broken", str(error)))
        return
    for name in soon:
        importlib.import_module(name)
    connection.send(("ready", None))
    job = ""
    stopped: set[str] = set()

    def stop_if_told() -> None:
        while stops.poll():
            stopped.add(stops.recv())
        if job in stopped:
            raise Cancelled

    def tell(done: float, doing: str) -> None:
        stop_if_told()
        connection.send(("progress", job, done, doing))

    def give(part: Json) -> None:
        stop_if_told()
        connection.send(("part", job, part))

    work = Work(device, limits, tell, give)
    while True:
        try:
            job, request = connection.recv()
        except (EOFError, OSError):
            return
        connection.send(_do(work, job, request))


def _do(work: Work, job: str, request: JobRequest) -> tuple[Any, ...]:
    # all of them live for this long only, so that a stranger's large file is not kept
    from PIL import Image

    from semicoupled.tasks.nowcasting.files.formats.limits import Sizes, at_most

    limits = work.limits
    Image.MAX_IMAGE_PIXELS = limits.pixels // 2  # Pillow refuses twice that
    try:
        with at_most(Sizes(limits.pixels, limits.values, limits.values // 8)):
            refuse_swapped(request.source)
            refuse_outward(request.source.files)
            return "done", job, find_function(request.name)(work, request)
    except Cancelled:
        return "cancelled", job
    except SemicoupledError as error:
        return "failed", job, str(error), type(error).__name__
    except MemoryError:
        return "failed", job, "there is not enough memory for this; take fewer or smaller fields", "MemoryError"
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        log.exception("job %s failed", job)
        why = f"cannot be read ({error.strerror}); was it moved or removed meanwhile? Choose again"
        return "failed", job, f"{error.filename}: {why}", "OSError"
    except Exception:
        log.exception("job %s failed", job)
        return "failed", job, UNEXPECTED, "Unexpected"


def prepare_networks(device: str) -> dict[str, str]:
    """Make a process ready to run networks, and say on what.

    Raises:
        SettingsError: no such device.
    """
    import torch

    from semicoupled.devices import choose_device, return_freed_memory

    return_freed_memory()
    chosen = str(choose_device(device))
    threads = torch.get_num_threads()
    cpu = f"the CPU, {threads} thread{'' if threads == 1 else 's'}"
    name = torch.cuda.get_device_name(chosen) if chosen.startswith("cuda") else cpu
    # as plain text: torch's own kind of text would bring torch into the server, which has no need of it
    return {"device": chosen, "name": name, "torch": str(torch.__version__)}
