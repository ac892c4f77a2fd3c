"""Outlines from Python: the images of a project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from semicoupled.errors import DataError, nearest
from semicoupled.files import write_bytes
from semicoupled.serving.client.command_socket import CommandSocket
from semicoupled.serving.client.connection import Connection, ServerError
from semicoupled.serving.client.outline_image import OutlineImage
from semicoupled.serving.client.points import Points

ExportFormat = Literal["coco", "labelme", "cityscapes"]


class OutlineProject:
    """Images that are drawn in. It stays on the server's disk until `remove`; closing it closes a socket alone."""

    def __init__(self, connection: Connection, document: Mapping[str, Any]) -> None:
        """Take what the server says of a project; `Client.outlines` and `Client.outline_project` give one."""
        self.id = str(document["id"])
        self._connection = connection
        self._busy: Points | None = None
        self.socket = CommandSocket(connection, f"{self._path}/live")
        """By which what is drawn comes; for `Points`."""
        self.problems: tuple[str, ...] = tuple(document["problems"])
        """What could not be used when it was opened, and why."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket, after what is being drawn is done; what was drawn stays."""
        if self._busy is not None:
            with suppress(ServerError):
                self._busy.drain()
        self.socket.close()

    @property
    def document(self) -> dict[str, Any]:
        """What the server says of it now: its run, labels, images with their sizes and numbers of objects."""
        return self._connection.json("GET", self._path)

    @property
    def images(self) -> list[str]:
        """Names of the images, in order."""
        return [one["name"] for one in self.document["images"]]

    def image(self, which: int | str = 0) -> OutlineImage:
        """Give an image to draw in.

        Args:
            which: its number, from 0, or its name.

        Raises:
            DataError: there is none of this name.
            ServerError: there is none of this number.
        """
        if isinstance(which, str):
            names = self.images
            if which not in names:
                raise DataError(f"there is no image {which!r} in the project. {nearest(which, names)}")
            which = names.index(which)
        return OutlineImage(self, which)

    def use(self, run: str) -> None:
        """Let another run help."""
        self._connection.json("PATCH", self._path, json={"run": run})

    def read(self, files: Iterable[Path | str], *, truth: bool = False) -> Mapping[str, Any]:
        """Send COCO, labelme or Cityscapes files that belong to the images.

        Args:
            files: of annotations.
            truth: to compare with, and not to go on with.

        Returns:
            How many `objects` came to how many `images`, how many images in the files are `strangers`, and `notes`.
        """
        upload = self._connection.upload(files)
        body = {"source": {"upload": upload}, "use": "truth" if truth else "objects"}
        try:
            return self._connection.patient("POST", f"{self._path}/annotations", json=body).json()
        finally:
            self._connection.request("DELETE", f"/uploads/{upload}")

    def export(self, form: ExportFormat = "coco", *, accepted: bool = False) -> bytes:
        """Give all that is drawn.

        Args:
            form: ``coco`` (a JSON file), ``labelme`` or ``cityscapes`` (a zip file of JSON files).
            accepted: only what was accepted.
        """
        self.settle()
        body = {"format": form, "accepted": accepted}
        return self._connection.patient("POST", f"{self._path}/exports", json=body).content

    def save(self, file: Path | str, form: ExportFormat = "coco", *, accepted: bool = False) -> Path:
        """Write what `export` gives to a file, whole or not at all."""
        path = Path(file)
        write_bytes(path, self.export(form, accepted=accepted))
        return path

    def remove(self) -> None:
        """Remove it from the server, with the images that were sent; images below a root stay."""
        self.close()
        self._connection.request("DELETE", self._path)

    @property
    def _path(self) -> str:
        return f"/outline/projects/{self.id}"

    def settle(self) -> None:
        """Wait for what is being drawn."""
        if self._busy is not None:
            self._busy.drain()

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """Ask about the project, over HTTP; for `OutlineImage`."""
        self.settle()
        return self._connection.patient(method, f"{self._path}{path}", **options).json()

    def order(self, image: OutlineImage, command: Mapping[str, Any]) -> Points:
        """Give a command over the socket; for `OutlineImage`."""
        self.settle()
        self._busy = Points(self, image, command)
        return self._busy

    def free(self) -> None:
        """Forget what was drawn last; for `Points`."""
        self._busy = None
