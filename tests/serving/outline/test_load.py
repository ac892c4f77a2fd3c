"""Many people who draw at once: no point is lost, and memory stays as it is."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest

from semicoupled.serving.client import Client, OutlineImage, OutlineProject, Points
from semicoupled.serving.outline_document import Sheet

websockets = pytest.importorskip("websockets.sync.client", reason="no websockets: pip install 'semicoupled[serve]'")
CLIENTS = 32
PATIENCE = 300
Outline = list[tuple[float, float]]


class Person:
    """Draws in an image, and remembers the outline as it must be: from what was asked and which points came."""

    def __init__(self, client: Client, number: int) -> None:
        self.number = number
        self.project: OutlineProject = client.outlines("tiny", root="pictures", path="one.png", name=f"{number}")
        self.image: OutlineImage = self.project.image()
        self.image.box(25, 18, 70, 54, label=f"thing {number}")
        self.now: Outline = []
        self.before: list[Outline] = []
        self.after: list[Outline] = []
        self.rounds = self.done = self.refused = 0

    def round(self) -> None:
        """Draw, move a point and what follows, take it back, do it again."""
        self.rounds += 1
        place = (20.0 + self.number, 30.0 + self.rounds % 30)
        self._drawn([place], self.image.start(place))
        for index in (1, 2):
            if index < len(self.now):
                place = (30.0 + self.rounds % 40, 20.0 + self.number)
                self._drawn([*self.now[:index], place], self.image.move(index, place))
        for _ in range(self.rounds % 3):
            self.image.undo()
            self.after.insert(0, self.now)
            self.now = self.before.pop()
            self._check()
        if self.after:
            self.image.redo()
            self.before.append(self.now)
            self.now = self.after.pop(0)
            self._check()

    def _drawn(self, head: Outline, points: Points) -> None:
        new = [*head, *((point.x, point.y) for point in points)]
        self.before, self.after, self.now = [*self.before, self.now], [], new
        self.refused += points.refusals
        self._check()

    def _check(self) -> None:
        self.done += 1
        found = self.image.part.points
        assert found == self.now, f"person {self.number}: {found} instead of {self.now}"

    def found(self, state: Path) -> tuple[Outline, Outline, str]:
        """Give the outline that the server has, the one on disk, and the label there."""
        said = self.image.refresh().objects[0].parts[0].points
        file = state / "outline" / self.project.id / "sheet_0.json"
        (thing,) = Sheet.of(json.loads(file.read_text())).now.things
        return said, [(corner.x, corner.y) for corner in thing.pieces[0].corners], thing.label


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [3, 60])
def test_32_people_draw_at_once_and_nothing_is_lost(
    small_run: Path,
    image_root: Path,
    tmp_path: Path,
    run_server: Callable[..., AbstractContextManager[Any]],
    memory: Callable[[int], int],
    seconds: float,
) -> None:
    lost: list[str] = []
    end = [float("inf")]  # until everybody has been round once
    everyone, begun = threading.Barrier(CLIENTS + 1), threading.Event()

    def draw(person: Person) -> None:
        try:
            person.round()
            everyone.wait(PATIENCE)
            begun.wait(60)
            while time.monotonic() < end[0]:
                person.round()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what the test asks about
            everyone.abort()
            lost.append(f"person {person.number}: {error!r}")

    with (
        run_server(str(small_run), "--root", str(image_root), "--state", str(tmp_path)) as server,
        ExitStack() as stack,
    ):
        clients = [stack.enter_context(Client(server.address, timeout=PATIENCE)) for _ in range(CLIENTS)]
        people = [Person(client, number) for number, client in enumerate(clients)]
        for person in people:
            stack.enter_context(person.project)
        threads = [threading.Thread(target=draw, args=(person,), daemon=True) for person in people]
        for thread in threads:
            thread.start()
        everyone.wait(PATIENCE)
        first = memory(server.process.pid)
        end[0] = time.monotonic() + seconds
        begun.set()
        for thread in threads:
            thread.join(PATIENCE)
        assert not any(thread.is_alive() for thread in threads)
        assert lost == []
        last = memory(server.process.pid)
        for person in people:
            assert person.found(tmp_path) == (person.now, person.now, f"thing {person.number}")
        status = clients[0].status()
    done, refused = sum(person.done for person in people), sum(person.refused for person in people)
    print(f"{done} steps, {refused} refusals, {first / 2**20:.0f} MiB at first, {last / 2**20:.0f} MiB at the end")
    assert (status["waiting"], status["running"]) == (0, 0)
    assert refused > 0  # there are more people than places in the queue
    assert all(person.rounds > 1 for person in people)
    assert last < first + 40 * 2**20


def test_a_full_queue_says_when_to_try_again_over_the_socket_and_over_http(real_server: str) -> None:
    """More previews than there are places, all at once: each is answered, or told how long to wait."""
    import httpx

    with (
        Client(real_server, timeout=PATIENCE) as client,
        client.outlines("tiny", root="pictures", path="one.png") as project,
        ExitStack() as stack,
    ):
        project.image().box(25, 18, 70, 54)
        url = f"{real_server}/api/v1/outline/projects/{project.id}"
        sockets = [
            stack.enter_context(websockets.connect(f"ws{url.removeprefix('http')}/live", open_timeout=PATIENCE))
            for _ in range(CLIENTS)
        ]
        order = {"do": "start", "x": 30, "y": 45, "preview": True}
        for number, socket in enumerate(sockets):
            socket.send(json.dumps({"id": number, "image": 0, "command": order}))
        answers = []
        for socket in sockets:
            while "point" in (message := json.loads(socket.recv(PATIENCE))):
                pass
            answers.append(message)
        refused = [one for one in answers if "piece" not in one]
        assert all("the queue is full" in one["error"] and one["retry_after"] >= 1 for one in refused)
        assert 0 < len(refused) < CLIENTS
        codes: list[tuple[int, str | None]] = []

        def post() -> None:
            answer = httpx.post(f"{url}/images/0/commands", json=order, timeout=PATIENCE)
            codes.append((answer.status_code, answer.headers.get("retry-after")))

        threads = [threading.Thread(target=post) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert {code for code, _ in codes} == {200, 503}
        assert all(int(wait or 0) >= 1 for code, wait in codes if code == 503)
