"""A short client: what the pages do, from Python.

    with Client("http://127.0.0.1:8642") as client:
        found = client.forecast("small", sample="showers", minutes=60)
        found.document["lead_times"], found.field("forecast")          # K H W, dBZ, NaN = missing

It needs httpx (``pip install 'semicoupled[serve]'``), and neither torch nor the rest of this package's weight.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from semicoupled.errors import DataError, MissingExtraError, SemicoupledError

try:
    import httpx
except ImportError as error:
    raise MissingExtraError("the client needs httpx; pip install 'semicoupled[serve]'") from error

_ENDED = ("done", "failed", "cancelled")


class ServerError(SemicoupledError):
    """The server refused.

    Args:
        status: of the answer.
        message: what it says.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


@dataclass(frozen=True)
class Found:
    """What a job found out.

    Args:
        document: as the server describes it.
        arrays: its arrays, by name without ``.npy``.
    """

    document: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]

    def field(self, name: str) -> np.ndarray:
        """Give a field of a forecast in its unit: dBZ, or 0 to 1 for ``exceedance`` and ``share``; NaN = missing.

        Raises:
            DataError: there is none of this name.
        """
        if name not in self.arrays:
            why = self.document.get("missing_layers", {}).get(name, f"there are {', '.join(sorted(self.arrays))}")
            raise DataError(f"the result has no field {name!r}: {why}")
        encoding = self.document["encoding"]
        steps = encoding["share_steps" if name in ("exceedance", "share") else "dbz_steps"]
        values = self.arrays[name]
        return np.where(values == encoding["missing"], np.nan, values / np.float32(steps)).astype(np.float32)


class Client:
    """Talks to one server."""

    def __init__(self, address: str, token: str | None = None, *, timeout: float = 300.0) -> None:
        """Take a server's address.

        Args:
            address: such as ``http://127.0.0.1:8642``.
            token: where the server asks for one.
            timeout: seconds that one job may take, with the time that it waits.
        """
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(base_url=f"{address.rstrip('/')}/api/v1", headers=headers, timeout=60)
        self._timeout = timeout

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def status(self) -> dict[str, Any]:
        """Say what is served."""
        return self._json("GET", "/status")

    def upload(self, files: Iterable[Path | str]) -> str:
        """Send files, and give the id of the upload."""
        upload = self._json("POST", "/uploads")["id"]
        for file in map(Path, files):
            self._json("PUT", f"/uploads/{upload}/files", params={"name": file.name}, content=file.read_bytes())
        return upload

    def forecast(
        self,
        run: str,
        *,
        sample: str | None = None,
        files: Iterable[Path | str] | None = None,
        root: str | None = None,
        path: str = "",
        minutes: float | None = None,
        at: str = "checkable",
    ) -> Found:
        """Forecast from a sample, from files that are sent, or from a place below one of the server's roots.

        Raises:
            ServerError: refused, or failed.
        """
        source: dict[str, Any] = {"sample": sample} if sample is not None else {"root": root, "path": path}
        upload = None if files is None else self.upload(files)
        if upload is not None:
            source = {"upload": upload}
        try:
            return self.job("/nowcasting/forecasts", {"run": run, "source": source, "minutes": minutes, "at": at})
        finally:
            if upload is not None:
                self._request("DELETE", f"/uploads/{upload}")

    def log(self, run: str) -> list[dict[str, Any]]:
        """Give all lines of a training's log."""
        lines: list[dict[str, Any]] = []
        after = 0
        while True:
            part = self._json("GET", f"/runs/{run}/log", params={"after": after})
            if not part["lines"]:
                return lines
            lines += part["lines"]
            after = part["next"]

    def job(self, path: str, body: Mapping[str, Any]) -> Found:
        """Do a job: begin it, again if the queue is full, wait for its end, fetch what it found out.

        Raises:
            ServerError: refused, failed, cancelled, or too late; a job that is too late is cancelled.
        """
        deadline = time.monotonic() + self._timeout
        status = self._begin(path, body, deadline)
        wait = 0.02
        while status["state"] not in _ENDED:
            if time.monotonic() > deadline:
                self._request("DELETE", f"/jobs/{status['id']}")
                raise ServerError(504, f"the job took longer than {self._timeout:g} s")
            time.sleep(wait)
            wait = min(1.0, 1.5 * wait)
            status = self._json("GET", f"/jobs/{status['id']}")
        if status["state"] != "done":
            raise ServerError(400, status["error"] or status["state"])
        where = f"/jobs/{status['id']}"
        arrays = {
            name.removesuffix(".npy"): self._array(f"{where}/files/{name}")
            for name in status["files"]
            if name.endswith(".npy")
        }
        return Found(self._json("GET", f"{where}/result"), arrays)

    def _begin(self, path: str, body: Mapping[str, Any], deadline: float) -> dict[str, Any]:
        while True:
            response = self._http.post(path, json=body)
            if response.status_code != 503 or time.monotonic() > deadline:
                return _checked(response).json()
            time.sleep(float(response.headers.get("Retry-After", 1)))

    def _array(self, path: str) -> np.ndarray:
        return np.load(io.BytesIO(self._request("GET", path).content), allow_pickle=False)

    def _json(self, method: str, path: str, **options: Any) -> Any:
        return self._request(method, path, **options).json()

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return _checked(self._http.request(method, path, **options))


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_success:
        return response
    try:
        message = str(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        message = response.reason_phrase
    raise ServerError(response.status_code, message)
