"""What the pages do, as methods; see the package."""

from __future__ import annotations

import io
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import numpy as np

from semicoupled.serving.client.connection import Connection, ServerError, source
from semicoupled.serving.client.found import Found
from semicoupled.serving.client.outlines import OutlineProject

_ENDED = ("done", "failed", "cancelled")
Files = Iterable[Path | str]


class Client:
    """Talks to one server."""

    def __init__(self, address: str, token: str | None = None, *, timeout: float = 300.0) -> None:
        """Take a server's address.

        Args:
            address: such as ``http://127.0.0.1:8642``.
            token: where the server asks for one.
            timeout: seconds that one job may take, with the time that it waits.
        """
        self._connection = Connection(address, token, timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def status(self) -> dict[str, Any]:
        """Say what is served."""
        return self._json("GET", "/status")

    def upload(self, files: Files) -> str:
        """Send files, and give the id of the upload."""
        return self._connection.upload(files)

    def forecast(
        self,
        run: str,
        *,
        sample: str | None = None,
        files: Files | None = None,
        root: str | None = None,
        path: str = "",
        minutes: float | None = None,
        at: str = "checkable",
    ) -> Found:
        """Forecast from a sample, from files that are sent, or from a place below one of the server's roots.

        Raises:
            DataError: not one of them.
            ServerError: refused, or failed.
        """
        wanted = {"run": run, "minutes": minutes, "at": at}
        return self._found("/nowcasting/forecasts", wanted, sample, files, root, path)

    def steer(
        self,
        run: str,
        *,
        sample: str | None = None,
        files: Files | None = None,
        root: str | None = None,
        path: str = "",
        part: int | None = None,
        rate: float = 20.0,
    ) -> Found:
        """Say how a model would steer along a drive.

        Args:
            run: of driving.
            sample: a generated drive.
            files: that are sent.
            root: one of the server's roots.
            path: below it.
            part: of the parts that the result lists; None for the first that is not very short.
            rate: frames a second of a folder of images.

        Returns:
            Arrays over the frames, among them ``times`` (seconds), ``angle`` and ``truth`` (NaN where there is none),
            and a document with the angles' unit and ``scores`` by kind of road.

        Raises:
            DataError: not one of the places.
            ServerError: refused, or failed.
        """
        return self._found("/driving/angles", {"run": run, "part": part, "rate": rate}, sample, files, root, path)

    def act(
        self,
        run: str,
        *,
        sample: str | None = None,
        files: Files | None = None,
        root: str | None = None,
        path: str = "",
        part: int = 0,
        rate: float = 25.0,
    ) -> Found:
        """Say what happens in a video.

        Args:
            run: of action.
            sample: a drawn clip.
            files: that are sent.
            root: one of the server's roots.
            path: below it.
            part: of the videos that the result lists.
            rate: frames a second of a folder of images.

        Returns:
            Arrays over the frames, among them ``times`` (seconds), ``main`` and ``main_so_far`` (frames x classes), and
            a document with the ``classes`` of these columns and ``tops``: the likeliest ones of the whole video.

        Raises:
            DataError: not one of the places.
            ServerError: refused, or failed.
        """
        return self._found("/action/answers", {"run": run, "part": part, "rate": rate}, sample, files, root, path)

    def outlines(
        self,
        run: str,
        *,
        sample: str | None = None,
        files: Files | None = None,
        root: str | None = None,
        path: str = "",
        name: str | None = None,
    ) -> OutlineProject:
        """Open images to draw outlines in.

        Args:
            run: of outlines, which helps.
            sample: generated images.
            files: images that are sent, and annotations of them to go on with; the server keeps them with the project.
            root: one of the server's roots; its images stay there.
            path: a file or folder below it.
            name: of the project, for people.

        Raises:
            DataError: not one of the places.
            ServerError: refused.
        """
        with self._source(sample, files, root, path) as chosen:
            body = {"run": run, "source": chosen, "name": name}
            return OutlineProject(
                self._connection, self._connection.patient("POST", "/outline/projects", json=body).json()
            )

    def outline_project(self, project: str) -> OutlineProject:
        """Open a project again, by its id.

        Raises:
            ServerError: there is none.
        """
        return OutlineProject(self._connection, self._json("GET", f"/outline/projects/{project}"))

    def outline_projects(self) -> list[dict[str, Any]]:
        """List the projects of outlines, the last one that was changed first: `id`, `name`, `images`, `changed`."""
        return self._json("GET", "/outline/projects")

    def log(self, run: str) -> list[dict[str, Any]]:
        """Give all lines of a training's log."""
        lines: list[dict[str, Any]] = []
        after = 0
        while True:
            part = self._json("GET", f"/runs/{quote(run, safe='')}/log", params={"after": after})
            if not part["lines"]:
                return lines
            lines += part["lines"]
            after = part["next"]

    def job(self, path: str, body: Mapping[str, Any]) -> Found:
        """Do a job: begin it, again if the queue is full, wait for its end, fetch what it found out.

        Raises:
            ServerError: refused, failed, cancelled, or too late; a job that is too late is cancelled.
        """
        deadline = time.monotonic() + self._connection.timeout
        status = self._connection.patient("POST", path, deadline, json=body).json()
        wait = 0.02
        while status["state"] not in _ENDED:
            if time.monotonic() > deadline:
                self._request("DELETE", f"/jobs/{status['id']}")
                raise ServerError(504, f"the job took longer than {self._connection.timeout:g} s")
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

    def _found(
        self,
        where: str,
        wanted: Mapping[str, Any],
        sample: str | None,
        files: Files | None,
        root: str | None,
        path: str,
    ) -> Found:
        with self._source(sample, files, root, path) as chosen:
            return self.job(where, {**wanted, "source": chosen})

    @contextmanager
    def _source(
        self, sample: str | None, files: Files | None, root: str | None, path: str
    ) -> Generator[Mapping[str, Any]]:
        """Give the source that a place is, its files sent; they are removed from the server in the end."""
        upload = None if files is None else self._connection.upload(files)
        try:
            yield source(sample, upload, root, path)
        finally:
            if upload is not None:
                self._request("DELETE", f"/uploads/{upload}")

    def _array(self, path: str) -> np.ndarray:
        return np.load(io.BytesIO(self._request("GET", path).content), allow_pickle=False)

    def _json(self, method: str, path: str, **options: Any) -> Any:
        return self._connection.json(method, path, **options)

    def _request(self, method: str, path: str, **options: Any) -> Any:
        return self._connection.request(method, path, **options)
