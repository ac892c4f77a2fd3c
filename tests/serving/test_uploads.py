from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

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
    assert [path.name for path in found.folder.iterdir()] == ["file_0000"]
    assert answer.json()["files"] == [name[:120]]  # what the user called it is still said


@given(st.text())
def test_whatever_the_name_it_stays_in_its_folder(name: str) -> None:
    stored = stored_name(name, 7)
    assert Path(stored).name == stored
    assert (Path("/base") / stored).parent == Path("/base")
    assert not stored.startswith((".", "-"))
    assert stored == "file_0007" or stored == name


def test_a_harmless_name_stays_since_it_may_hold_the_time() -> None:
    assert stored_name("RAD_NL25_RAC_RM_202102052000.h5", 3) == "RAD_NL25_RAC_RM_202102052000.h5"


def test_two_files_of_one_name_are_both_kept(client: TestClient) -> None:
    upload = client.post(UPLOADS).json()["id"]
    for content in (b"one", b"two"):
        client.put(f"{UPLOADS}/{upload}/files?name=a.h5", content=content)
    files = client.app.state.services.uploads.files(upload)
    assert [path.read_bytes() for path in files] == [b"one", b"two"]


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
