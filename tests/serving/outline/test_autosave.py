"""What is drawn when the disk is full, when files are damaged, and when two servers share a state folder."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from semicoupled.errors import DataError, RunError, SettingsError
from semicoupled.serving import outline_projects
from semicoupled.serving.app import create_app
from semicoupled.serving.outline_document import Drawing, Sheet
from semicoupled.serving.outline_projects import Project, ProjectImage, Projects
from semicoupled.serving.settings import Limits, ServeSettings

API = "/api/v1/outline"
BOX = {"x": 20.0, "y": 15.0, "width": 80.0, "height": 60.0}


@pytest.fixture
def make_projects(tmp_path: Path) -> Callable[[], Projects]:
    """Makes what servers that share one state folder hold."""
    return lambda: Projects(tmp_path, Limits())


def begun(projects: Projects, name: str = "one") -> Project:
    empty = projects.begin(name, "run", None)
    project = Project(empty.id, empty.folder, name, "run", (ProjectImage("a.png", "a.png", 120, 90),) * 2)
    projects.save(project)
    return project


def with_box(sheet: Sheet, left: float = 1.0) -> Sheet:
    return sheet.stepped(sheet.now.begun((left, 1.0, 5.0, 5.0), "leaf", part=False))


def fill_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, text: str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(outline_projects, "write_text", refuse)


def test_a_full_disk_changes_nothing(make_projects: Callable[[], Projects], monkeypatch: pytest.MonkeyPatch) -> None:
    projects = make_projects()
    project = begun(projects)
    kept = with_box(Sheet())
    projects.keep(project, 0, kept)
    fill_disk(monkeypatch)
    with pytest.raises(DataError, match=r"cannot be saved \(No space left on device\), so nothing was changed"):
        projects.keep(project, 0, with_box(kept))
    assert projects.sheet(project, 0) == kept
    assert make_projects().sheet(project, 0) == kept
    with pytest.raises(DataError, match="cannot be saved"):
        projects.labeled(project, ["stone"])
    assert projects.find(project.id).labels == ()


def test_a_state_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.write_text("no folder")
    with pytest.raises(SettingsError, match="is a file; expected a folder for what is drawn"):
        ServeSettings(state=taken)
    projects = Projects(taken / "below", Limits())  # whatever it is that stands in the way
    with pytest.raises(DataError, match=r"cannot be saved \(Not a directory\)"):
        projects.all()


def test_two_servers_of_one_state_folder_go_on_from_each_other(make_projects: Callable[[], Projects]) -> None:
    one, two = make_projects(), make_projects()
    project = begun(one)
    assert one.sheet(project, 0) == two.sheet(project, 0) == Sheet()
    one.keep(project, 0, with_box(one.sheet(project, 0)))
    assert two.sheet(project, 0) == one.sheet(project, 0)
    two.keep(project, 0, with_box(two.sheet(project, 0), 2.0))
    assert len(one.sheet(project, 0).now.things) == 2  # nothing of either is lost
    one.labeled(project, ["leaf"])
    assert two.labeled(two.find(project.id), ["stone"]).labels == ("leaf", "stone")
    assert one.find(project.id).labels == ("leaf", "stone")
    one.keep_truth(project, {0: one.sheet(project, 0).now.things})
    assert list(two.truth(project)) == [0]
    two.remove(two.find(project.id))
    with pytest.raises(RunError, match="no such project any more"):
        one.find(project.id)


def test_labels_come_to_what_the_project_is_now(make_projects: Callable[[], Projects]) -> None:
    projects = make_projects()
    old = begun(projects)
    projects.labeled(old, ["leaf"])
    assert projects.labeled(old, ["stone"]).labels == ("leaf", "stone")


def test_what_a_killed_server_left_unfinished_is_removed(make_projects: Callable[[], Projects], tmp_path: Path) -> None:
    whole, old, new = begun(make_projects()), "0" * 32, "1" * 32
    long_ago = time.time() - 4000
    for name in (old, new):
        (tmp_path / "outline" / name / "images").mkdir(parents=True)
        (tmp_path / "outline" / name / "images" / "a.png").write_bytes(b"a part of it")
    for name in (old, whole.id):
        os.utime(tmp_path / "outline" / name, (long_ago, long_ago))
    another = begun(make_projects())
    left = {path.name for path in (tmp_path / "outline").iterdir()}
    assert left == {whole.id, new, another.id}  # the new one may be in the making, by another server


def test_a_removed_project_stays_removed(make_projects: Callable[[], Projects]) -> None:
    projects = make_projects()
    project = begun(projects)
    projects.remove(project)
    with pytest.raises(RunError, match="no such project any more"):
        projects.keep(project, 0, with_box(Sheet()))  # a drawing that was under way
    assert not project.folder.exists()


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", '{"format": 2}', '{"format": 1, "name": "x"}', '{"images": 3}', "\0\0\0"]
)
def test_a_damaged_project_hides_no_other(make_projects: Callable[[], Projects], content: str) -> None:
    projects = make_projects()
    good, bad = begun(projects, "good"), begun(projects, "bad")
    (bad.folder / "project.json").write_text(content)
    assert [one.id for one in projects.all()] == [good.id]
    with pytest.raises(DataError, match=r"project.json of a project cannot be read .*expected what was saved"):
        projects.find(bad.id)


@pytest.mark.parametrize(
    "content", ["", "{}", '{"things": 3}', '{"revision": 1, "things": [], "now": {"things": [0]}}']
)
def test_a_damaged_drawing_is_said_and_the_others_stay(make_projects: Callable[[], Projects], content: str) -> None:
    projects = make_projects()
    project = begun(projects)
    projects.keep(project, 1, with_box(Sheet()))
    (project.folder / "sheet_0.json").write_text(content)
    with pytest.raises(DataError, match=r"sheet_0.json of a project cannot be read .*Bring it back from a copy"):
        projects.sheet(project, 0)
    assert projects.sheet(project, 1).now.things
    assert (project.folder / "sheet_0.json").read_text() == content  # nobody wrote over it


def test_a_project_of_a_newer_version_is_named(make_projects: Callable[[], Projects]) -> None:
    projects = make_projects()
    project = begun(projects)
    (project.folder / "project.json").write_text('{"format": 2, "name": "x"}')
    with pytest.raises(DataError, match="its format is 2, expected 1; was it made by a newer version"):
        projects.find(project.id)


def test_every_letter_is_kept(make_projects: Callable[[], Projects]) -> None:
    projects = make_projects()
    project = begun(projects)
    label = "<img src=x onerror=alert(1)> \"'\\ ü 😀 \n"
    drawing = Drawing().begun((1.0, 1.0, 5.0, 5.0), label, part=False)
    projects.keep(project, 0, Sheet().stepped(drawing))
    assert make_projects().sheet(project, 0).now.things[0].label == label


@pytest.fixture(scope="module")
def served(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """A client of an app without a worker: for what needs no network."""
    state = tmp_path_factory.mktemp("state")
    app = create_app(ServeSettings(runs=(str(small_run),), state=state, shipped=False))
    return TestClient(app, base_url="http://127.0.0.1:8642", raise_server_exceptions=False)


@pytest.fixture
def project(served: TestClient) -> str:
    app: Any = served.app
    return begun(app.state.services.projects).id


def test_a_full_disk_is_said_to_the_page(served: TestClient, project: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with served.websocket_connect(f"ws://127.0.0.1:8642{API}/projects/{project}/live") as socket:
        fill_disk(monkeypatch)
        socket.send_json({"id": 1, "image": 0, "command": {"do": "box", **BOX}})
        said = socket.receive_json()
        assert said["id"] == 1
        assert "cannot be saved (No space left on device), so nothing was changed" in said["error"]
        monkeypatch.undo()
        socket.send_json({"id": 2, "image": 0, "command": {"do": "box", **BOX, "revision": 0}})
        assert socket.receive_json()["state"]["revision"] == 1
    fill_disk(monkeypatch)
    answer = served.post(f"{API}/projects/{project}/images/0/commands", json={"do": "undo"})
    assert answer.status_code == 400
    assert "cannot be saved" in answer.json()["error"]


@pytest.mark.parametrize(
    "message",
    [
        [1, 2],
        5,
        None,
        "text",
        {},
        {"id": 1, "command": 5},
        {"id": 1, "image": 0, "command": [1]},
        {"id": 1, "image": "0", "command": {"do": "undo"}},
        {"id": 1, "image": float("inf"), "command": {"do": "undo"}},
        {"id": 1, "image": 10**30, "command": {"do": "undo"}},
        {"id": 1, "image": -1, "command": {"do": "undo"}},
        {"id": 1, "image": 0, "command": {"do": "box", **BOX, "x": float("nan")}},
        {"id": 1, "image": 0, "command": {"do": "box", **BOX, "width": float("nan")}},
        {"id": 1, "image": 0, "command": {"do": "box", **BOX, "width": float("inf")}},
        {"id": {"a": [1]}, "image": 0, "command": {"do": "__class__"}},
    ],
)
def test_nonsense_is_answered_and_the_socket_stays(served: TestClient, project: str, message: Any) -> None:
    with served.websocket_connect(f"ws://127.0.0.1:8642{API}/projects/{project}/live") as socket:
        socket.send_json(message)
        assert socket.receive_json()["error"]
        socket.send_json({"id": 7, "image": 0, "command": {"do": "box", **BOX}})
        assert socket.receive_json()["state"]["revision"] == 1


@pytest.mark.parametrize("content", ["", "{", "[" * 20_000, "NaN x", b"\x00\x01", b""])
def test_what_is_no_json_ends_the_socket(served: TestClient, project: str, content: str | bytes) -> None:
    with served.websocket_connect(f"ws://127.0.0.1:8642{API}/projects/{project}/live") as socket:
        if isinstance(content, bytes):
            socket.send_bytes(content)
        else:
            socket.send_text(content)
        assert socket.receive()["type"] == "websocket.close"
    assert served.get(f"{API}/projects/{project}").status_code == 200


def test_what_goes_wrong_unforeseen_is_answered(
    served: TestClient, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served.websocket_connect(f"ws://127.0.0.1:8642{API}/projects/{project}/live") as socket:
        monkeypatch.setattr(Projects, "sheet", lambda *about: 1 / 0)
        socket.send_json({"id": 1, "image": 0, "command": {"do": "undo"}})
        assert socket.receive_json() == {
            "id": 1,
            "error": "something unexpected went wrong; the server's log says more",
        }
        monkeypatch.undo()
        socket.send_json({"id": 2, "image": 0, "command": {"do": "undo"}})
        assert socket.receive_json()["state"]["revision"] == 0
