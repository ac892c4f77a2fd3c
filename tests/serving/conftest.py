"""Apps for tests: with a worker, without one, and a real server for browsers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="no fastapi: pip install 'semicoupled[serve]'")
pytest.importorskip("httpx", reason="no httpx: pip install 'semicoupled[serve]'")
pytest.importorskip("uvicorn", reason="no uvicorn: pip install 'semicoupled[serve]'")

from fastapi.testclient import TestClient

from semicoupled.serving.app import create_app
from semicoupled.serving.settings import Limits, ServeSettings

ADDRESS = "http://127.0.0.1:8642"


@pytest.fixture
def make_client(tmp_path: Path) -> Iterator[Callable[..., TestClient]]:
    """Makes clients of apps whose worker is not started: for everything that is refused before it."""
    clients: list[TestClient] = []

    def make(**changes: object) -> TestClient:
        app = create_app(ServeSettings(**{"host": "127.0.0.1", **changes}))
        client = TestClient(app, base_url=ADDRESS, raise_server_exceptions=False)
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.app.state.services.close()


@pytest.fixture
def client(make_client: Callable[..., TestClient], data_root: Path) -> TestClient:
    """A client of an app with one root."""
    return make_client(roots=(data_root,))


@pytest.fixture
def data_root(tmp_path: Path) -> Path:
    """A folder with files in it, and a secret beside it."""
    root = tmp_path / "data"
    (root / "event").mkdir(parents=True)
    (root / "event" / "one.h5").write_bytes(b"1")
    (root / "event" / "two.h5").write_bytes(b"22")
    (root / "event" / "readme.md").write_text("no data")
    (root / ".hidden").write_text("hidden")
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret.h5").write_bytes(b"secret")
    return root


class Server:
    """A server in a process of its own.

    Args:
        process: of the server.
        address: that it printed.
    """

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process, self.address = process, address


@contextmanager
def running(*arguments: str) -> Generator[Server]:
    """Start `semicoupled serve` on a free port, and end it."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "semicoupled", "serve", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found, f"the server printed no address; it ended with {process.poll()}"
        yield Server(process, found[0].rstrip("/"))
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real server over the shipped weights and a root with a README."""
    root = tmp_path_factory.mktemp("root")
    with running("--root", str(root)) as found:
        yield found


@pytest.fixture(scope="session")
def run_server() -> Callable[..., AbstractContextManager[Server]]:
    """`running`."""
    return running


@pytest.fixture(scope="session")
def chromium() -> str:
    """Give the path of a chromium that is there, or skip."""
    pytest.importorskip("playwright", reason="no playwright: pip install playwright")
    found = os.environ.get("SEMICOUPLED_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no chromium: install your system's, or set SEMICOUPLED_CHROMIUM")
    return found


@pytest.fixture
def small_limits() -> Limits:
    """Limits that a test can reach."""
    return Limits(upload_bytes=2000, uploads_bytes=5000, body_bytes=4000, files=3, queue=2, seconds=1.0, results=3)
