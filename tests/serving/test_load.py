"""Many clients at once: nothing is lost, and memory stays as it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import pytest

from semicoupled.serving.client import Client

CLIENTS = 32


class Totals(NamedTuple):
    """What came of a load.

    Attributes:
        done: jobs that gave their whole result.
        lost: what went wrong.
        first: memory of the server and its worker once every client had a result, bytes.
        last: the same at the end.
    """

    done: int
    lost: list[str]
    first: int
    last: int


def load(address: str, process: int, memory: Callable[[int], int], seconds: float) -> Totals:
    """Let clients ask as fast as they get answers, and retry where the queue is full."""
    end = [float("inf")]  # until every client has had its first result
    done = [0] * CLIENTS
    lost: list[str] = []
    everyone, begun = threading.Barrier(CLIENTS + 1), threading.Event()

    def ask(index: int) -> None:
        with Client(address, timeout=300) as client:
            body = {"run": "nowcasting-small", "source": {"sample": "showers"}, "minutes": 5, "at": "newest"}
            first = True
            while time.monotonic() < end[0]:
                try:
                    found = client.job("/nowcasting/forecasts", body)
                    if found.arrays["forecast"].shape != (1, 192, 192):
                        lost.append(f"client {index}: {found.arrays['forecast'].shape}")
                    done[index] += 1
                except Exception as error:  # noqa: BLE001 - whatever it is, it is what the test asks about
                    lost.append(f"client {index}: {error!r}")
                if first:
                    first = False
                    everyone.wait(300)
                    begun.wait(60)

    threads = [threading.Thread(target=ask, args=(index,), daemon=True) for index in range(CLIENTS)]
    for thread in threads:
        thread.start()
    everyone.wait(300)
    first = memory(process)
    end[0] = time.monotonic() + seconds
    begun.set()
    for thread in threads:
        thread.join(300)
    assert not any(thread.is_alive() for thread in threads)
    return Totals(sum(done), lost, first, memory(process))


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [5, 60])
def test_32_clients_lose_nothing_and_memory_stays(server: object, memory: Callable[[int], int], seconds: float) -> None:
    totals = load(server.address, server.process.pid, memory, seconds)  # type: ignore[attr-defined]
    print(f"{totals.done} jobs, {totals.first / 2**20:.0f} MiB at first, {totals.last / 2**20:.0f} MiB at the end")
    assert totals.lost == []
    assert totals.done > CLIENTS
    assert totals.last < totals.first + 40 * 2**20  # of which 64 results of 0.3 MiB that are kept are half
    with Client(server.address) as client:  # type: ignore[attr-defined]
        status = client.status()
        assert (status["waiting"], status["running"]) == (0, 0)
