from __future__ import annotations

import os
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from semicoupled.errors import DataError, SettingsError
from semicoupled.serving import worker
from semicoupled.serving.places import looking_into, stamp
from semicoupled.serving.roots import Entry, Roots
from semicoupled.serving.schemas import SourceChoice
from semicoupled.serving.settings import Limits
from semicoupled.serving.work import JobRequest, Source, Work

ESCAPES = [
    "..",
    "../secret.txt",
    "event/../../secret.txt",
    "./event",
    "event/./one.h5",
    "/etc/passwd",
    "//etc/passwd",
    "event//one.h5",
    "event/",
    "..\\secret.txt",
    "event\\one.h5",
    "C:\\Windows\\win.ini",
    "C:/Windows/win.ini",
    "c:one.h5",
    "\\\\server\\share",
    "one\0.h5",
    "event/one.h5\0.txt",
    "%2e%2e/secret.txt",
    "..%2fsecret.txt",
    "．．/secret.txt",
    ".hidden",
    "event/.hidden",
    "~/secret",
    "file:///etc/passwd",
    "event/one.h5\n",
    "a" * 1001,
    "CON",
    "nothing",
]


@pytest.mark.parametrize("path", ESCAPES)
def test_a_root_cannot_be_left(data_root: Path, path: str) -> None:
    with pytest.raises(DataError, match=r"has no .*expected a file or a folder that its listing shows"):
        Roots([data_root]).resolve("data", path)


@pytest.mark.parametrize(
    "query",
    [
        "..%2F..%2Fsecret.txt",
        "%2e%2e%2fsecret.txt",
        "..%252fsecret.txt",
        "%2Fetc%2Fpasswd",
        "..%5Csecret.txt",
        "event%00",
        "%c0%ae%c0%ae%2fsecret.txt",
    ],
)
def test_nor_can_it_over_http(client: TestClient, query: str) -> None:
    answer = client.get(f"/api/v1/files?root=data&path={query}")
    assert answer.status_code == 400
    assert 'secret"' not in answer.text
    source = {"root": "data", "path": "../secret.txt"}
    answer = client.post("/api/v1/nowcasting/forecasts", json={"run": "nowcasting-small", "source": source})
    assert answer.status_code == 400
    assert client.app.state.services.jobs.load() == (0, 0)


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/js/%2e%2e/%2e%2e/app.py"]
)
def test_the_server_s_own_files_cannot_be_left(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "secret" not in answer.text


def test_links_that_lead_out_are_neither_shown_nor_followed(data_root: Path) -> None:
    outside = data_root.parent / "elsewhere"
    (data_root / "event" / "away").symlink_to(outside)
    (data_root / "event" / "away.h5").symlink_to(outside / "secret.h5")
    (data_root / "event" / "broken").symlink_to(data_root / "nowhere")
    (data_root / "event" / "ring").symlink_to(data_root / "event")
    (data_root / "event" / "inside.h5").symlink_to(data_root / "event" / "one.h5")
    roots = Roots([data_root])
    names = [entry.name for entry in roots.list("data", "event").entries]
    assert names == ["ring", "inside.h5", "one.h5", "readme.md", "two.h5"]
    for path in ("event/away", "event/away/secret.h5", "event/away.h5"):
        with pytest.raises(DataError, match="has no"):
            roots.resolve("data", path)
    files = [path.name for path in roots.files("data", "", 10)]
    assert files == ["inside.h5", "one.h5", "two.h5"]


def test_a_store_with_a_link_out_is_refused(data_root: Path) -> None:
    store = data_root / "event" / "radar.zarr"
    store.mkdir()
    (store / "chunk").symlink_to(data_root.parent / "secret.txt")
    with pytest.raises(DataError, match=r"radar\.zarr: a link in it leads out of its root"):
        Roots([data_root]).files("data", "event", 10)


def test_links_in_a_ring_are_refused(data_root: Path) -> None:
    store = data_root / "ring.zarr"
    store.mkdir()
    (store / "one").symlink_to(store / "other")
    (store / "other").symlink_to(store / "one")
    with pytest.raises(DataError, match=r"ring\.zarr: a link in it leads out"):
        Roots((data_root,)).files("data", "ring.zarr", 10)
    source = Source(place=store.resolve(), base=data_root.resolve())
    with (
        pytest.raises(DataError, match=r"ring\.zarr: a link in it leads elsewhere"),
        looking_into(Work("cpu", Limits(), lambda done, doing: None), source),
    ):
        pass


def test_a_link_to_what_has_gone_is_no_hindrance(data_root: Path) -> None:
    before = stamp(data_root)
    (data_root / "event" / "gone.h5").symlink_to(data_root / "event" / "nowhere.h5")
    assert stamp(data_root) != before


def test_a_root_that_is_a_link_itself_is_followed_once(data_root: Path) -> None:
    link = data_root.parent / "link"
    link.symlink_to(data_root)
    roots = Roots([link])
    assert roots.names() == ("data",)
    assert roots.resolve("data", "event/one.h5") == data_root / "event" / "one.h5"


def test_what_is_inside_is_found(data_root: Path) -> None:
    roots = Roots([data_root, data_root])
    assert roots.names() == ("data", "data 2")
    assert roots.list("data", "").entries == (Entry("event", True, 3),)
    assert roots.list("data", "event").entries[0] == Entry("one.h5", False, 1)
    assert [path.name for path in roots.files("data", "event", 10)] == ["one.h5", "two.h5"]  # the README is no data
    assert roots.files("data", "event/two.h5", 10) == (data_root / "event" / "two.h5",)


def test_too_many_files_are_refused(data_root: Path) -> None:
    with pytest.raises(DataError, match="holds more than 1 files; expected fewer"):
        Roots([data_root]).files("data", "event", 1)


def test_a_missing_root_is_said_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere: no such folder\. Give a folder of data"):
        Roots([tmp_path / "nowhere"])


def test_an_unknown_root_names_the_known(data_root: Path) -> None:
    with pytest.raises(DataError, match="Did you mean 'data'"):
        Roots([data_root]).resolve("dat", "")


def test_names_that_cannot_be_asked_for_are_not_shown(data_root: Path, client: TestClient) -> None:
    (data_root / os.fsdecode(b"\xff.h5")).write_bytes(b"x")  # bytes that are no UTF-8
    for name in ("new\nline.h5", "back\\slash.h5", "bell\a.h5"):
        (data_root / name).write_bytes(b"x")
    for name in ("q\"uote'.h5", "<img src=x>.h5", "über 😀.h5", "%2e%2e.h5", "a" * 240 + ".h5"):
        (data_root / name).write_bytes(b"xx")
    answer = client.get("/api/v1/files?root=data")
    shown = [entry["name"] for entry in answer.json()["entries"]]
    assert shown == sorted(
        ["event", "q\"uote'.h5", "<img src=x>.h5", "über 😀.h5", "%2e%2e.h5", "a" * 240 + ".h5"],
        key=lambda name: (name != "event", name),
    )
    for name in shown[1:]:
        assert client.app.state.services.roots.resolve("data", name).read_bytes() == b"xx"
    assert len(Roots([data_root]).files("data", "", 100)) == 2 + 5


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with a name")
def test_a_pipe_is_neither_shown_nor_read(data_root: Path) -> None:
    os.mkfifo(data_root / "event" / "pipe.h5")  # whoever opens it waits for ever
    roots = Roots([data_root])
    assert "pipe.h5" not in [entry.name for entry in roots.list("data", "event").entries]
    for ask in (roots.resolve, lambda root, path: roots.files(root, path, 10)):
        with pytest.raises(DataError, match=r"has no 'event/pipe\.h5'"):
            ask("data", "event/pipe.h5")


def test_a_root_that_vanishes_is_said(data_root: Path, client: TestClient) -> None:
    data_root.rename(data_root.parent / "gone")
    answer = client.get("/api/v1/files?root=data")
    assert answer.status_code == 400
    assert "is not there any more; was it moved, or is its disk not connected?" in answer.json()["error"]
    assert client.get("/api/v1/status").status_code == 200
    (data_root.parent / "gone").rename(data_root)
    assert client.get("/api/v1/files?root=data").status_code == 200


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_said(data_root: Path) -> None:
    (data_root / "event").chmod(0)
    with pytest.raises(DataError, match="cannot be looked into"):
        Roots([data_root]).list("data", "event")
    (data_root / "event").chmod(0o700)


def test_a_file_that_goes_while_a_folder_is_listed_is_left_out(
    data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = Roots([data_root])
    inside = [*Roots._inside(data_root / "event", data_root), data_root / "event" / "gone.h5"]
    monkeypatch.setattr(Roots, "_inside", staticmethod(lambda folder, base: inside))
    assert [entry.name for entry in roots.list("data", "event").entries] == ["one.h5", "readme.md", "two.h5"]


def test_a_file_that_becomes_a_link_before_it_is_read_is_refused(data_root: Path) -> None:
    work = Work("cpu", Limits(), lambda done, doing: None)
    source = Source(Roots([data_root]).files("data", "event", 10), base=data_root)
    asked = JobRequest("tests.nowhere:nothing", data_root, source)
    (data_root / "event" / "one.h5").unlink()
    (data_root / "event" / "one.h5").symlink_to(data_root.parent / "elsewhere" / "secret.h5")
    kind, _, said, _ = worker._do(work, "job", asked)
    assert kind == "failed"
    assert said == "one.h5: leads elsewhere; expected a file below the folder that was chosen"


def test_what_is_asked_for_below_a_root_says_which(client: TestClient) -> None:
    services = client.app.state.services
    base = services.roots.paths()["data"]
    chosen = SourceChoice(sample=None, root="data", path="event/one.h5", upload=None).find(services)
    assert (chosen.base, chosen.files) == (base, (base / "event" / "one.h5",))
