from __future__ import annotations

import io
import json
import pickle
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from semicoupled.errors import DataError, RunError
from semicoupled.run_folder import PRETRAINED
from semicoupled.serving.client import Client, ServerError
from semicoupled.serving.radar_sample import SAMPLES, find_sample, rain_fields
from semicoupled.serving.served_runs import ServedRuns

API = "/api/v1"
SMALL = PRETRAINED / "nowcasting" / "small"
RUN = "nowcasting-small"


@pytest.fixture(scope="module")
def python(server: Any) -> Iterator[Client]:
    """The Python client of a real server."""
    with Client(server.address) as client:
        yield client


def test_the_client_forecasts_and_reads_fields(python: Client) -> None:
    found = python.forecast(RUN, sample="showers", minutes=20)
    document = found.document
    dbz, observed, truth = (found.field(name) for name in ("forecast", "observed", "truth"))
    assert dbz.shape == truth.shape == (4, 192, 192)
    assert observed.shape == (5, 192, 192)
    assert document["lead_minutes"] == [5, 10, 15, 20]
    assert document["truth_leads"] == 4
    assert np.nanmin(dbz) >= 0
    assert np.nanmax(dbz) <= 60
    assert (np.isnan(dbz) == np.isnan(observed[-1])).all()
    chance = found.field("exceedance")
    assert chance.shape == (len(document["thresholds"]), 4, 192, 192)
    assert 0 <= np.nanmin(chance) < 0.1
    assert 0.9 < np.nanmax(chance) <= 1
    models = document["scores"]["models"]
    assert set(models) == {"this model", "persistence", "advection", "advection_blur"}
    squared = float(np.nanmean((dbz[0] - truth[0])[~np.isnan(observed).any(0)] ** 2))
    assert models["this model"]["mse"][0] == pytest.approx(squared, rel=0.02)  # bytes are quarters of a dBZ
    assert models["this model"]["mse"][0] < models["persistence"]["mse"][0]
    with pytest.raises(DataError, match="has no field 'share': the share of time is not known"):
        found.field("share")
    names = {line["label"] for line in document["graticule"]}
    assert {"50°N", "10°E"} <= names


def test_the_newest_has_no_truth_and_says_so(python: Client) -> None:
    found = python.forecast(RUN, sample="front", minutes=10, at="newest")
    assert found.document["truth_leads"] == 0
    assert found.document["scores"]["models"] == {}
    assert "truth" not in found.arrays
    chosen = found.document["choices"][3]
    again = python.forecast(RUN, sample="front", minutes=10, at=chosen)
    assert again.document["reference"] == chosen
    with pytest.raises(ServerError, match="there is no field of 1999-01-01 00:00 UTC with 4 more before it"):
        python.forecast(RUN, sample="front", at="1999-01-01T00:00Z")


def test_files_that_are_sent_are_forecast_from(python: Client, tmp_path: Path) -> None:
    files = write_frames(tmp_path, 8)
    found = python.forecast(RUN, files=files, minutes=10)
    assert found.document["sources"] == [file.name for file in files[1:6]]
    assert found.document["truth_leads"] == 2
    assert found.document["grid"]["placed"] is False
    assert found.document["graticule"] == []


def write_frames(folder: Path, count: int) -> list[Path]:
    """Write fields of generated rain as .npz, which say what they are."""
    fields = rain_fields(SAMPLES["showers"], count, 2.0, 5.0, 64)
    files: list[Path] = []
    for index, dbz in enumerate(fields):
        time_ = f"2020-05-01T12:{5 * index:02d}:00"
        files.append(folder / f"rain_20200501T12{5 * index:02d}.npz")
        np.savez(files[-1], dbz=dbz[None], times=np.array([time_], "datetime64[s]"), kilometers=2.0, quantity="dBZ")
    return files


def test_a_damaged_file_is_said_without_its_place(python: Client, tmp_path: Path) -> None:
    (tmp_path / "broken.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + b"x" * 100)
    with pytest.raises(ServerError, match=r"broken\.h5") as caught:
        python.forecast(RUN, files=[tmp_path / "broken.h5"])
    assert "semicoupled_uploads" not in str(caught.value)
    assert "/tmp" not in str(caught.value)


def test_a_bomb_is_refused_before_it_is_unpacked(python: Client, tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (1, 20480, 20480)})
    import zipfile

    with (
        zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as file,
        file.open("dbz.npy", "w", force_zip64=True) as inside,
    ):
        inside.write(header.getvalue())
        for _ in range(400):
            inside.write(bytes(2**20))
    assert (tmp_path / "bomb.npz").stat().st_size < 2**20
    with pytest.raises(ServerError, match=r"unpacks to \d+ bytes; expected at most"):
        python.forecast(RUN, files=[tmp_path / "bomb.npz"])


def test_an_image_of_too_many_pixels_is_refused_before_it_is_decoded(python: Client, tmp_path: Path) -> None:
    from PIL import Image

    Image.new("L", (8200, 8200)).save(tmp_path / "rain_202005011200.png")
    with pytest.raises(ServerError, match=r"expected at most 16777216 pixels|decompression bomb"):
        python.forecast(RUN, files=[tmp_path / "rain_202005011200.png"])


def test_maps_of_the_inside(python: Client) -> None:
    found = python.job("/inside/maps", {"run": RUN, "source": {"sample": "showers"}, "channel": 5})
    encoder, decoder = found.document["stacks"]
    assert [encoder["name"], decoder["name"]] == ["encoder", "decoder"]
    assert [layer["frames"] for layer in encoder["layers"]] == [5] * 4
    layer = encoder["layers"][2]
    spatial, temporal, product = (found.arrays[f"{layer['key']}_{kind}"] for kind in ("spatial", "temporal", "product"))
    assert spatial.shape == temporal.shape == product.shape == (5, 24, 24)
    assert layer["channel"] == 5
    assert layer["high"]["product"] == pytest.approx(product.max(), rel=1e-6)
    first = encoder["layers"][0]
    parts = [found.arrays[f"{first['key']}_{kind}"] for kind in ("spatial", "temporal", "product")]
    np.testing.assert_allclose(parts[0] / (1 + np.exp(-parts[1])), parts[2], rtol=1e-4, atol=1e-5)  # (6)
    with pytest.raises(ServerError, match="layer 1 of encoder has no channel 99; expected 0 to 31"):
        python.job("/inside/maps", {"run": RUN, "source": {"sample": "showers"}, "channel": 99})


def test_the_socket_follows_a_job_to_its_end(server: Any) -> None:
    from websockets.exceptions import ConnectionClosedError
    from websockets.sync.client import connect

    with Client(server.address) as client:
        wanted = {"run": RUN, "source": {"sample": "showers"}, "minutes": 10}
        job = client._json("POST", "/nowcasting/forecasts", json=wanted)
        where = server.address.replace("http", "ws")
        with connect(f"{where}{API}/jobs/{job['id']}/events") as socket:
            said = [json.loads(message) for message in socket]
        assert said[-1]["state"] == "done"
        assert [each["done"] for each in said] == sorted(each["done"] for each in said)
        with (
            connect(f"{where}{API}/jobs/nothing/events") as socket,
            pytest.raises(ConnectionClosedError, match="no such job"),
        ):
            socket.recv()


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="reads what a process has loaded from /proc")
def test_the_server_itself_loads_no_torch(server: Any) -> None:
    with Client(server.address) as python:
        deadline = time.monotonic() + 300
        while python.status()["device"] is None and time.monotonic() < deadline:
            time.sleep(0.2)
        assert python.status()["device"] == "cpu"  # the worker is there, and has said what it has
    assert "libtorch" not in Path(f"/proc/{server.process.pid}/maps").read_text()


def test_openapi_describes_everything(client: TestClient) -> None:
    api = client.get(f"{API}/openapi.json").json()
    assert len(api["paths"]) >= 12
    for path, methods in api["paths"].items():
        assert path.startswith(API)
        for about in methods.values():
            assert about["tags"]
            assert about["description"] or about["summary"]
    sockets = {
        "/jobs/{job_id}/events": "until it ends",
        "/runs/{name}/log/events": "as they are written",
        "/action/live": "its time, seconds, as 8 bytes",
        "/outline/projects/{project_id}/live": '{"id", "point"}',
    }
    assert set(api["x-websockets"]) == {API + path for path in sockets}
    for path, said in sockets.items():
        assert said in api["x-websockets"][API + path]
    body = api["components"]["schemas"]["ForecastRequest"]["properties"]
    assert set(body) == {"run", "source", "minutes", "at"}


@pytest.mark.parametrize(
    ("wanted", "code", "message"),
    [
        ({"run": "nothing", "source": {"sample": "showers"}}, 404, "there is no run 'nothing'"),
        ({"run": "../nowcasting-small", "source": {"sample": "showers"}}, 404, "there is no run '../nowcasting-small'"),
        ({"run": RUN, "source": {"sample": "snow"}}, 400, "there is no sample 'snow'"),
        ({"run": RUN, "source": {"root": "date", "path": ""}}, 400, "Did you mean 'data'"),
        ({"run": RUN, "source": {}}, 422, "expected exactly one of sample, root, upload; got none"),
        ({"run": RUN, "source": {"sample": "a", "upload": "b"}}, 422, "got sample, upload"),
        ({"run": RUN, "source": {"sample": "a", "file": "/etc/passwd"}}, 422, "source.file: Extra inputs"),
        ({"run": RUN, "source": {"sample": "showers"}, "minutes": 100000}, 422, "less than or equal to 360"),
        ({"run": RUN, "source": {"sample": "showers"}, "minutes": "nan"}, 422, "minutes"),
    ],
)
def test_what_does_not_fit_is_refused_and_said(
    client: TestClient, wanted: dict[str, Any], code: int, message: str
) -> None:
    answer = client.post(f"{API}/nowcasting/forecasts", json=wanted)
    assert answer.status_code == code
    assert message in answer.json()["error"]
    assert str(PRETRAINED) not in answer.text


def test_status_says_what_there_is(client: TestClient) -> None:
    status = client.get(f"{API}/status").json()
    assert [task["name"] for task in status["tasks"]] == ["action", "driving", "nowcasting", "outline", "toy"]
    small = next(run for run in status["runs"] if run["name"] == RUN)
    assert small["shipped"]
    assert small["ready"]
    assert small["facts"]["minutes"] == 60
    assert str(PRETRAINED) not in json.dumps(status)
    assert status["device"] is None  # this app's worker was not started


def test_every_task_that_has_a_page_has_its_script() -> None:
    from semicoupled.find_task import find_task
    from semicoupled.serving.app import STATIC
    from semicoupled.serving.pages import pages

    for name, page in pages().items():
        assert (STATIC / "pages" / f"{name}.js").is_file()
        assert page.SUMMARY
        assert name == "toy" or find_task(name).summary == page.SUMMARY


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.write_text, (Path(self.place), "owned")

    def __init__(self, place: str) -> None:
        self.place = place


def test_weights_come_from_safetensors_alone(tmp_path: Path) -> None:
    """A run whose weights are a pickle: it is refused, and what the pickle would do is not done."""
    import shutil

    from semicoupled.serving.settings import Limits
    from semicoupled.serving.work import Work

    run = tmp_path / "run"
    shutil.copytree(SMALL, run)
    run.chmod(0o755)
    owned = tmp_path / "owned"
    for name in ("model.safetensors", "model.pt", "model.pkl"):
        (run / name).unlink(missing_ok=True)
        (run / name).write_bytes(pickle.dumps(Evil(str(owned))))
    with pytest.raises(RunError, match="expected weights in the safetensors format"):
        Work("cpu", Limits(), lambda done, doing: None).run(run)
    assert not owned.exists()
    pickle.loads((run / "model.pt").read_bytes())
    assert owned.exists()  # the attack was a real one


def test_arrays_that_hold_pickles_are_refused(python: Client, tmp_path: Path) -> None:
    np.save(tmp_path / "rain_202005011200.npy", np.array([Evil(str(tmp_path / "owned"))], dtype=object))
    with pytest.raises(ServerError, match=r"rain_202005011200\.npy"):
        python.forecast(RUN, files=[tmp_path / "rain_202005011200.npy"])
    assert not (tmp_path / "owned").exists()


def test_a_log_is_read_on_where_it_was_left(make_client: Callable[..., TestClient], tmp_path: Path) -> None:
    run = tmp_path / "runs" / "one"
    import shutil

    shutil.copytree(SMALL, run)
    log = run / "log.jsonl"
    lines = [{"kind": "training", "step": step, "seconds": 1.0, "main_loss": 0.5} for step in (10, 20)]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"kind": "tra')
    client = make_client(runs=(str(tmp_path / "runs"),))
    part = client.get(f"{API}/runs/one/log").json()
    assert part["lines"] == lines
    with log.open("a") as file:
        file.write('ining", "step": 30}\n')
    more = client.get(f"{API}/runs/one/log", params={"after": part["next"]}).json()
    assert more["lines"] == [{"kind": "training", "step": 30}]
    with client.websocket_connect(f"ws://127.0.0.1:8642{API}/runs/one/log/events?after={part['next']}") as socket:
        assert socket.receive_json()["lines"] == more["lines"]
        with log.open("a") as file:
            file.write('{"kind": "training", "step": 40}\n')
        assert socket.receive_json()["lines"] == [{"kind": "training", "step": 40}]
    log.write_text(json.dumps(lines[0]) + "\n")
    again = client.get(f"{API}/runs/one/log", params={"after": more["next"]}).json()
    assert again["begun_anew"]
    assert again["lines"] == lines[:1]
    assert client.get(f"{API}/runs/..%2fone/log").status_code == 404


def test_a_folder_of_runs_is_looked_into_again(tmp_path: Path) -> None:
    import shutil

    shutil.copytree(SMALL, tmp_path / "runs" / "one")
    runs = ServedRuns([str(tmp_path / "runs"), "pretrained:nowcasting/small"])
    assert list(runs.all())[:2] == [RUN, "one"]
    shutil.copytree(SMALL, tmp_path / "runs" / "two")
    assert "two" in runs.all()
    (tmp_path / "runs" / "two" / "model.safetensors").unlink()
    with pytest.raises(RunError, match="two: has no weights yet"):
        runs.find("two")
    with pytest.raises(RunError, match="is no run folder, and holds none"):
        ServedRuns([str(tmp_path)])


def test_generated_rain_is_the_same_each_time_and_moves() -> None:
    with pytest.raises(DataError, match=r"there is no sample 'shower'\. Did you mean 'showers'"):
        find_sample("shower")
    for rain in SAMPLES.values():
        one, two = (rain_fields(rain, 3, 2.0, 5.0, 64) for _ in range(2))
        np.testing.assert_array_equal(one, two)
        assert np.isnan(one[:, 0, 0]).all()
        wet = float((one > 7).mean())
        assert 0.05 < wet < 0.8
        assert np.nanmean(np.abs(one[1] - one[0])) > 0.5
