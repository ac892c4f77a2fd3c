"""The outline page's server under many sessions, and pages whose server is away for a while."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

websockets = pytest.importorskip("websockets.sync.client", reason="no websockets: pip install 'semicoupled[serve]'")
playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")

SLOW = pytest.mark.slow
BOX = {"do": "box", "x": 20, "y": 20, "width": 60, "height": 50}


@pytest.fixture(scope="module")
def outlines(
    run_server: Callable[..., Any], small_run: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """A server over a tiny network."""
    with run_server(str(small_run), "--state", str(tmp_path_factory.mktemp("kept"))) as found:
        yield found


@pytest.fixture(scope="module")
def project(outlines: Any) -> str:
    """The id of a project of generated images."""
    body = {"run": "tiny", "source": {"sample": "shapes"}}
    return httpx.post(f"{outlines.address}/api/v1/outline/projects", json=body, timeout=300).json()["id"]


def memory_of(process: int) -> int:
    """Give the resident memory of the server alone, bytes."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@SLOW
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads memory from /proc")
def test_200_sessions_leave_nothing_behind(outlines: Any, project: str) -> None:
    place = f"{outlines.address.replace('http', 'ws')}/api/v1/outline/projects/{project}/live"

    def visit(number: int) -> None:
        with websockets.connect(place) as socket:
            socket.send(json.dumps({"id": number, "image": number % 6, "command": BOX}))
            assert json.loads(socket.recv(60))["state"]["current"]
            socket.send(json.dumps({"id": number, "image": number % 6, "command": {"do": "undo"}}))
            assert json.loads(socket.recv(60))["id"] == number
            if number % 3 == 0:
                socket.socket.close()  # without a word

    for number in range(120):  # until every image has all the steps that are kept
        visit(number)
    before = memory_of(outlines.process.pid)
    for number in range(200):
        visit(number)
    grown = memory_of(outlines.process.pid) - before
    assert grown < 8 * 2**20, f"{grown / 2**20:.1f} MiB"
    open_files = sum(1 for _ in Path(f"/proc/{outlines.process.pid}/fd").iterdir())
    assert open_files < 60


@SLOW
def test_a_flood_is_answered_in_turn(outlines: Any, project: str) -> None:
    place = f"{outlines.address.replace('http', 'ws')}/api/v1/outline/projects/{project}/live"
    with websockets.connect(place) as socket:
        for number in range(300):
            socket.send(json.dumps({"id": number, "image": 0, "command": {"do": "choose"}}))
        assert httpx.get(f"{outlines.address}/api/v1/status", timeout=30).status_code == 200
        assert [json.loads(socket.recv(60))["id"] for _ in range(300)] == list(range(300))


@SLOW
def test_a_page_comes_when_the_server_is_back(browser: Any, outlines: Any) -> None:
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{outlines.address}/#/")
    page.wait_for_selector(".task")
    context.set_offline(True)
    page.evaluate("location.hash = '#/training'")
    alert = page.get_by_role("alert")
    playwright.expect(alert).to_have_text("The server does not answer; is it still running? This page asks again.")
    context.set_offline(False)
    playwright.expect(page.locator("h1")).to_have_text("Training")
    playwright.expect(alert).to_have_count(0)
    context.close()
