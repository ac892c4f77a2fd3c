from __future__ import annotations

import asyncio
import errno
import io
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect

from semicoupled.errors import DataError
from semicoupled.serving.outward import refuse_outward
from semicoupled.serving.settings import Limits
from semicoupled.serving.uploads import Uploads, stored_name

UPLOADS = "/api/v1/uploads"
NASTY = [
    "../../etc/passwd",
    "/etc/passwd",
    "..\\..\\x",
    "C:\\x",
    "con",
    "NUL.h5",
    "com1.txt",
    "a\0b.h5",
    ".bashrc",
    "a..h5",
    "..",
    ".",
    "",
    "a/b.h5",
    "x\n.h5",
    "é.h5",
    "a b.h5",
    "trailing.",
    "-rf",
    "a" * 200,
    "%2e%2e%2fx",
    "a:stream",
    "$(id).h5",
    "<script>.h5",
]


@pytest.fixture
def uploads(small_limits: Limits) -> Iterator[Uploads]:
    made = Uploads(small_limits)
    yield made
    made.close()


@pytest.mark.parametrize("name", NASTY)
def test_a_name_never_becomes_a_path(client: TestClient, name: str) -> None:
    upload = client.post(UPLOADS).json()["id"]
    answer = client.put(f"{UPLOADS}/{upload}/files", params={"name": name}, content=b"x")
    assert answer.status_code == 201
    found = client.app.state.services.uploads.find(upload)
    (stored,) = found.folder.iterdir()
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*", stored.name)
    assert stored.stem.lower() not in ("con", "nul", "com1")  # devices of Windows
    assert answer.json()["files"] == [name[:120]]  # what the user called it is still said


@given(st.text())
def test_whatever_the_name_it_stays_in_its_folder(name: str) -> None:
    stored = stored_name(name, 7)
    assert Path(stored).name == stored
    assert (Path("/base") / stored).parent == Path("/base")
    assert not stored.startswith((".", "-"))
    assert stored.isascii()
    assert stored.replace("_", "").replace("-", "").replace(".", "").isalnum()
    assert ".." not in stored


def test_a_harmless_name_stays_since_it_may_hold_the_time() -> None:
    assert stored_name("RAD_NL25_RAC_RM_202102052000.h5", 3) == "RAD_NL25_RAC_RM_202102052000.h5"


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("Screenshot 2026-01-02 at 10.00.00.png", "Screenshot_2026-01-02_at_10.00.00.png"),
        ("201609281600_fmi (1).pgm.gz", "201609281600_fmi_1_.pgm.gz"),
        ("видео.mp4", "file_0003.mp4"),
        ("con.mp4", "file_0003.mp4"),
        ("camera/2016.h5", "2016.h5"),
        ("17_cam_image_array_.jpg", "17_cam_image_array_.jpg"),
        ("catalog_0.catalog_manifest", "catalog_0.catalog_manifest"),
    ],
)
def test_what_a_file_is_can_still_be_told_by_its_name(name: str, stored: str) -> None:
    assert stored_name(name, 3) == stored


def test_two_files_of_one_name_are_both_kept(client: TestClient) -> None:
    upload = client.post(UPLOADS).json()["id"]
    for content in (b"one", b"two"):
        client.put(f"{UPLOADS}/{upload}/files?name=a.h5", content=content)
    files = client.app.state.services.uploads.files(upload)
    assert {path.name: path.read_bytes() for path in files} == {"a.h5": b"one", "a.again1.h5": b"two"}


def test_files_of_one_name_are_all_kept_where_another_one_failed_between_them() -> None:
    async def content(text: bytes, fails: asyncio.Event | None = None) -> AsyncIterator[bytes]:
        yield text
        if fails is not None:
            await fails.wait()
            raise ClientDisconnect

    async def send(uploads: Uploads) -> dict[str, bytes]:
        upload, fails = uploads.begin(), asyncio.Event()
        await uploads.add(upload.id, "a.h5", content(b"one"))
        between = asyncio.create_task(uploads.add(upload.id, "b.h5", content(b"x", fails)))
        await asyncio.sleep(0)  # it has begun
        await uploads.add(upload.id, "a.h5", content(b"two"))
        fails.set()
        with pytest.raises(ClientDisconnect):
            await between
        await uploads.add(upload.id, "a.h5", content(b"three"))
        return {path.name: path.read_bytes() for path in uploads.files(upload.id)}

    uploads = Uploads(Limits())
    found = asyncio.run(send(uploads))
    uploads.close()
    assert sorted(found.values()) == [b"one", b"three", b"two"]


@pytest.mark.parametrize("upload", ["x", "..", "%2e%2e", "..%2f..", "a" * 5000])
def test_an_unknown_upload_is_none(client: TestClient, upload: str) -> None:
    answer = client.put(f"{UPLOADS}/{upload}/files?name=a", content=b"x")
    assert answer.status_code in (400, 404, 405)


def test_too_many_files_are_refused(make_client: Callable[..., TestClient], small_limits: Limits) -> None:
    client = make_client(limits=small_limits)
    upload = client.post(UPLOADS).json()["id"]
    codes = [client.put(f"{UPLOADS}/{upload}/files?name=a{i}", content=b"x").status_code for i in range(4)]
    assert codes == [201, 201, 201, 400]


def test_a_full_store_says_when_to_come_again(make_client: Callable[..., TestClient], small_limits: Limits) -> None:
    client = make_client(limits=small_limits)
    codes: list[int] = []
    for _ in range(4):
        upload = client.post(UPLOADS).json()["id"]
        answer = client.put(f"{UPLOADS}/{upload}/files?name=a", content=b"x" * 1500)
        codes.append(answer.status_code)
    assert codes == [201, 201, 201, 503]
    assert answer.headers["retry-after"] == "60"


async def drip(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        await asyncio.sleep(0)
        yield part


def test_files_that_come_at_once_share_the_room() -> None:
    uploads = Uploads(Limits(upload_bytes=1000, uploads_bytes=1500))

    async def both() -> list[object]:
        ids = [uploads.begin().id for _ in range(2)]
        parts = [b"x" * 100] * 9
        return await asyncio.gather(*(uploads.add(each, "a", drip(*parts)) for each in ids), return_exceptions=True)

    found = asyncio.run(both())
    assert sorted(type(one).__name__ for one in found) == ["FullError", "str"]
    assert sum(file.stat().st_size for file in uploads.folder.rglob("*") if file.is_file()) == 900
    assert asyncio.run(uploads.add(uploads.begin().id, "b", drip(b"x" * 500)))  # what was refused takes no room
    uploads.close()


def test_too_many_uploads_are_refused(make_client: Callable[..., TestClient]) -> None:
    client = make_client(limits=Limits(uploads=2))
    answers = [client.post(UPLOADS) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 503]
    assert "2 uploads are open, the most there may be" in answers[-1].json()["error"]


def test_a_full_disk_is_said_and_leaves_nothing(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = client.post(UPLOADS).json()["id"]
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    class Full(io.BytesIO):
        def write(self, content: object) -> int:
            raise full

    monkeypatch.setattr(Path, "open", lambda *about, **more: Full())
    answer = client.put(f"{UPLOADS}/{upload}/files?name=a.h5", content=b"x" * 100)
    monkeypatch.undo()
    assert answer.status_code == 503
    assert "cannot keep the file (No space left on device); make room" in answer.json()["error"]
    assert client.app.state.services.uploads.find(upload).bytes == 0
    assert client.put(f"{UPLOADS}/{upload}/files?name=a.h5", content=b"x").json()["files"] == ["a.h5"]


def test_files_are_removed_when_they_are_not_used_and_at_the_end(tmp_path: Path) -> None:
    uploads = Uploads(Limits(upload_seconds=1e-9))
    first = uploads.begin()
    (first.folder / "a").write_bytes(b"x")
    uploads.begin()
    assert not first.folder.exists()
    with pytest.raises(DataError, match="no such upload any more; drop the files again"):
        uploads.find(first.id)
    assert uploads.folder.stat().st_mode & 0o077 == 0  # nobody else may look
    uploads.close()
    assert not uploads.folder.exists()


def test_an_empty_upload_says_so(uploads: Uploads) -> None:
    with pytest.raises(DataError, match="holds no files; expected at least one"):
        uploads.files(uploads.begin().id)


def make_external(path: Path, secret: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_group("image1").create_dataset(
            "image_data", (2, 3), np.uint8, external=[(str(secret), 0, h5py.h5f.UNLIMITED)]
        )


def make_link(path: Path, secret: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_group("image1")["image_data"] = h5py.ExternalLink(str(secret), "/x")


def make_virtual(path: Path, secret: Path) -> None:
    with h5py.File(path, "w") as file:
        layout = h5py.VirtualLayout((2, 3), np.uint8)
        layout[:] = h5py.VirtualSource(str(secret), "x", (2, 3))
        file.create_group("deep").create_virtual_dataset("image_data", layout)


@pytest.mark.parametrize("make", [make_external, make_link, make_virtual])
def test_a_file_that_reaches_out_of_itself_is_refused(make: Callable[[Path, Path], None], tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"SECRET")
    make(tmp_path / "radar.h5", secret)
    with pytest.raises(DataError, match=r"'image_data'.* another file; expected everything in this one"):
        refuse_outward([tmp_path / "radar.h5"])


def test_a_plain_file_is_let_through(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "radar.h5", "w") as file:
        file["a/b"] = np.zeros((2, 3))
        file["ring"] = h5py.SoftLink("/a")
        file["a/again"] = file["a"]
    (tmp_path / "other.bin").write_bytes(b"no HDF5")
    refuse_outward([tmp_path / "radar.h5", tmp_path / "other.bin", tmp_path])
    with h5py.File(tmp_path / "radar.h5") as file:  # looked at, and left as it was
        assert sorted(file) == ["a", "ring"]
        assert np.asarray(file["ring/b"]).shape == (2, 3)
