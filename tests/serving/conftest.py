"""Apps for tests: with a worker, without one, a real server, and a browser that visits its pages."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip("fastapi", reason="no fastapi: pip install 'semicoupled[serve]'")
pytest.importorskip("httpx", reason="no httpx: pip install 'semicoupled[serve]'")
pytest.importorskip("uvicorn", reason="no uvicorn: pip install 'semicoupled[serve]'")

from fastapi.testclient import TestClient

from semicoupled.run_folder import PRETRAINED, open_run
from semicoupled.serving.app import create_app
from semicoupled.serving.radar_sample import SAMPLES, rain_fields
from semicoupled.serving.settings import Limits, ServeSettings
from semicoupled.serving.work import Work

ADDRESS = "http://127.0.0.1:8642"
SMALL = PRETRAINED / "nowcasting" / "small"
READY = {
    "nowcasting": ".player",
    "toy": ".player",
    "inside": ".player",
    "training": ".uplot",
    "reference": ".op",
    "driving": ".stage",
    "action": ".stage",
    "": ".task",
}
PATIENCE = 300_000


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


def memory_of(process: int) -> int:
    """Give the resident memory of a process and all below it, bytes."""
    total = 0
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                if int(folder.name) == process or parent == process:
                    total += int((folder / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            except (OSError, ValueError, IndexError):
                continue
    return total


@pytest.fixture(scope="session")
def memory() -> Callable[[int], int]:
    """`memory_of`, or skip."""
    if not Path("/proc/self/statm").exists():
        pytest.skip("reads memory from /proc")
    return memory_of


@pytest.fixture
def small_limits() -> Limits:
    """Limits that a test can reach."""
    return Limits(upload_bytes=2000, uploads_bytes=5000, body_bytes=4000, files=3, queue=2, seconds=1.0, results=3)


def make_toy(path: Path) -> None:
    """Make a run of the toys whose network is as it was born."""
    from semicoupled.tasks.toy.model import ToyModel, build_network
    from semicoupled.tasks.toy.settings import ModelSettings, ToySettings
    from semicoupled.training.settings import GoalWeights
    from semicoupled.training.weights import save_weights

    model = ModelSettings(widths=(8, 8), strides=(2, 1))
    settings = ToySettings(model=model, goals=GoalWeights(spatial=1.0, temporal=1.0))
    run = open_run(path, "toy", settings)
    run.write_description({})
    save_weights(run.weights_file, ToyModel(build_network(model), 8, 6, settings.sub_goals), {})


def make_action(path: Path, **model: object) -> None:
    """Make a run of action whose network is as it was born."""
    from semicoupled.tasks.action.data_settings import DataSettings
    from semicoupled.tasks.action.model import build_model
    from semicoupled.tasks.action.settings import ActionSettings, ModelSettings
    from semicoupled.training.settings import GoalWeights
    from semicoupled.training.weights import save_weights

    looks: dict[str, Any] = {"widths": (4, 6, 6), "strides": (2, 2, 1), "first_kernel": 3, "pool_first": False, **model}
    about = ModelSettings(**looks)
    goals = {} if about.kind == "semicoupled" else {"goals": GoalWeights(spatial=0.0, temporal=0.0)}
    settings = ActionSettings(data=DataSettings(height=24, width=32, frames=8), model=about, **goals)
    classes = ["bend", "jack", "wave"]
    run = open_run(path, "action", settings)
    run.write_description({"classes": classes})
    network = build_model(settings, len(classes))
    for name, parameter in network.named_parameters():
        if "head" in name and name.endswith("weight"):
            torch.nn.init.normal_(parameter, std=2.0, generator=torch.Generator().manual_seed(3))
    save_weights(run.weights_file, network, {})


def make_training(path: Path) -> None:
    """Make a run with a log of three losses and switches."""
    shutil.copytree(SMALL, path)
    lines = [
        {
            "kind": "training", "step": step, "seconds": step / 10, "main_loss": 2.0 / step, "spatial_loss": 3.0 / step,
            "temporal_loss": 4.0 / step, "spatial_focus": 1 - step / 400, "stop_spatial": 0.4, "learning_rate": 1e-3,
        }
        for step in range(10, 200, 10)
    ]  # fmt: skip
    lines.append({"kind": "validation", "step": 190, "seconds": 19.0, "score": -0.25})
    (path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def write_radar_files(folder: Path) -> None:
    """Write nine radar images of made rain, five minutes apart."""
    folder.mkdir(parents=True)
    for index, dbz in enumerate(rain_fields(SAMPLES["front"], 9, 2.0, 5.0, 64)):
        clock = f"12{5 * index:02d}"
        times = np.array([f"2020-05-01T{clock[:2]}:{clock[2:]}:00"], "datetime64[s]")
        np.savez(folder / f"rain_20200501T{clock}.npz", dbz=dbz[None], times=times, kilometers=2.0, quantity="dBZ")


@pytest.fixture(scope="session")
def make_action_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes runs of action; see `make_action`."""

    def make(**model: object) -> Path:
        path = tmp_path_factory.mktemp("runs") / "people"
        make_action(path, **model)
        return path

    return make


@pytest.fixture
def work() -> Work:
    """What a job has in the worker."""
    return Work("cpu", Limits(), lambda done, doing: None)


@pytest.fixture(scope="session")
def site_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs and radar images: something for every page."""
    folder = tmp_path_factory.mktemp("site")
    make_toy(folder / "runs" / "shapes")
    make_training(folder / "runs" / "rain")
    make_action(folder / "runs" / "people")
    write_radar_files(folder / "radar" / "evening")
    return folder


@pytest.fixture(scope="session")
def site(site_folder: Path, run_server: Callable[..., AbstractContextManager[Server]]) -> Iterator[str]:
    """The address of a server of that folder."""
    with run_server(str(site_folder / "runs"), "--root", str(site_folder / "radar")) as found:
        yield found.address


@pytest.fixture
def write_radar() -> Callable[[Path], None]:
    """`write_radar_files`."""
    return write_radar_files


@pytest.fixture
def patience() -> int:
    """Milliseconds that a busy machine may take to start a worker."""
    return PATIENCE


@pytest.fixture
def pixels() -> Callable[[Any, str], list[int]]:
    """Gives the pixels of a panel, by its title."""

    def read(page: Any, title: str) -> list[int]:
        script = "(e) => [...e.getContext('2d').getImageData(0, 0, e.width, e.height).data]"
        return page.locator("figure", has_text=title).locator("canvas").first.evaluate(script)

    return read


@pytest.fixture
def shoot() -> Callable[[Any, str], None]:
    """Keeps a picture of a page for people where SEMICOUPLED_SHOTS names a folder."""

    def keep(page: Any, name: str) -> None:
        if "SEMICOUPLED_SHOTS" in os.environ:
            page.screenshot(path=str(Path(os.environ["SEMICOUPLED_SHOTS"]) / f"{name}.png"), full_page=True)

    return keep


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    """A browser without a window."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
    playwright.expect.set_options(timeout=30_000)
    with playwright.sync_playwright() as play:
        found = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield found
        found.close()


class Visit:
    """A page that remembers what went wrong and what it asked for.

    Args:
        page: of Playwright.
        site: the server's address.
    """

    def __init__(self, page: Any, site: str) -> None:
        self.page, self.site = page, site
        self.problems: list[str] = []
        self.asked: set[str] = set()
        page.on("console", self.hear)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", lambda request: self.asked.add(request.url))

    def hear(self, said: Any) -> None:
        """Keep what the console says."""
        if said.type in ("error", "warning") and "willReadFrequently" not in said.text:  # it is the tests that read
            self.problems.append(said.text)

    def open(self, name: str) -> Any:
        """Go to a page, and wait until what matters is there."""
        self.page.goto(f"{self.site}/#/{name}")
        self.page.wait_for_selector(READY[name.split("?")[0]], timeout=PATIENCE)
        return self.page


@pytest.fixture
def visit(browser: Any, site: str) -> Iterator[Callable[..., Visit]]:
    """Makes visits of the site in contexts of their own; at the end nothing may have gone wrong in any."""
    contexts: list[Any] = []
    visits: list[Visit] = []

    def make(width: int = 1280, height: int = 800, **options: Any) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": height}, **{"reduced_motion": "reduce", **options}
        )
        contexts.append(context)
        visits.append(Visit(context.new_page(), site))
        return visits[-1]

    yield make
    for context in contexts:
        context.close()
    for each in visits:
        assert each.problems == []
        assert all(url.startswith((site, site.replace("http", "ws"))) for url in each.asked), each.asked
