"""What the server is started with."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path

from semicoupled.errors import SettingsError

MIB = 2**20
_TOKEN = re.compile(r"[A-Za-z0-9._~-]+")
"""What stands in an address, a header and a cookie as it is."""


@dataclass(frozen=True)
class Limits:
    """How much a server lets through.

    Args:
        upload_bytes: of one uploaded file.
        uploads_bytes: of all uploaded files together.
        body_bytes: of any other request.
        inline_bytes: of a request of an annotation program, with an image in it.
        files: of one upload, or of one folder that is read.
        images: of one folder below a root whose images are to be outlined; they are looked at one by one.
        pixels: of one field or image, before anything is decoded.
        values: of all fields of one file.
        queue: jobs that may wait.
        seconds: that a job may take.
        grace_seconds: that a job has to stop by itself; killing it costs the models that are loaded, and the start of
            another process.
        results_bytes: of finished jobs that are kept; the oldest go first.
        results: finished jobs that are kept.
        upload_seconds: that an upload is kept after it was last used.
        uploads: that may be open at once.
        head_seconds: that a request may take to say what it wants.
        body_seconds: that its body may take, besides what its size allows for.
        body_rate: bytes a second, the slowest that a body may come.
    """

    upload_bytes: int = 64 * MIB
    uploads_bytes: int = 1024 * MIB
    body_bytes: int = MIB
    inline_bytes: int = 32 * MIB
    files: int = 600
    images: int = 10_000
    pixels: int = 2**24
    values: int = 2**28
    queue: int = 16
    seconds: float = 120.0
    grace_seconds: float = 5.0
    results_bytes: int = 256 * MIB
    results: int = 64
    upload_seconds: float = 3600.0
    uploads: int = 256
    head_seconds: float = 20.0
    body_seconds: float = 60.0
    body_rate: int = 16 * 1024

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in self.__dataclass_fields__:
            if not getattr(self, name) > 0:
                raise SettingsError(f"limits.{name}: expected more than 0, got {getattr(self, name)!r}.")


@dataclass(frozen=True)
class ServeSettings:
    """What is served, and to whom.

    Args:
        runs: run folders, or folders that hold some, or ``pretrained[:NAME]``.
        roots: folders whose files may be looked at.
        host: address that is listened on.
        token: what a client must know; None where everyone who reaches the address may come in.
        device: where networks run.
        limits: how much is let through.
        shipped: whether the models that come with the package are offered, too.
        state: folder for what people draw; None for one that goes when the server ends.
        label_studio: address of the Label Studio whose images may be fetched, or None.
        label_studio_key: its access token.
    """

    runs: tuple[str, ...] = ()
    roots: tuple[Path, ...] = ()
    host: str = "127.0.0.1"
    token: str | None = None
    device: str = "auto"
    limits: Limits = field(default_factory=Limits)
    shipped: bool = True
    state: Path | None = None
    label_studio: str | None = None
    label_studio_key: str | None = None

    def __post_init__(self) -> None:
        """Refuse to be open to the network without a token."""
        if self.token is None and not is_loopback(self.host):
            raise SettingsError(
                f"host {self.host!r} can be reached from other machines; expected a token, got none. Leave --host out, "
                "or give a token"
            )
        if self.state is not None and self.state.is_file():
            raise SettingsError(f"--state {self.state}: is a file; expected a folder for what is drawn")
        if self.token is not None and len(self.token) < 16:
            raise SettingsError(f"token: expected at least 16 characters, got {len(self.token)}.")
        if self.token is not None and not _TOKEN.fullmatch(self.token):
            raise SettingsError("token: expected letters without accents, digits, '-', '_', '.' and '~', got others.")


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
