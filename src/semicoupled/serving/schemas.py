"""What goes over the wire: requests that are checked before anything else, and answers that OpenAPI describes."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from semicoupled.serving.jobs import Job, Jobs
from semicoupled.serving.services import Services
from semicoupled.serving.work import Source


class Strict(BaseModel):
    """A request: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")


class SourceChoice(Strict):
    """What to look at: exactly one of a sample, a place below a root, an upload."""

    sample: str | None = Field(None, description="name of something generated", max_length=100)
    root: str | None = Field(None, description="name of a folder, as /roots lists it", max_length=300)
    path: str = Field("", description="file or folder below the root, parted by /", max_length=1000)
    upload: str | None = Field(None, description="id of an upload", max_length=100)

    @model_validator(mode="after")
    def _one(self) -> SourceChoice:
        given = [name for name in ("sample", "root", "upload") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"expected exactly one of sample, root, upload; got {', '.join(given) or 'none'}")
        return self

    def find(self, services: Services, most: int | None = None) -> Source:
        """Find the files that are meant.

        Args:
            services: of the server.
            most: that a folder may hold; None for what the server's limits say.

        Raises:
            DataError: there are none, or they lie where nobody may look.
        """
        if self.sample is not None:
            return Source(sample=self.sample)
        if self.root is not None:
            files = services.roots.files(self.root, self.path, most or services.settings.limits.files)
            return Source(files, base=services.roots.paths()[self.root])
        return Source(services.uploads.files(self.upload or ""))

    def find_place(self, services: Services) -> Source:
        """Find the one file or folder that is meant, for a job that looks into it itself.

        Raises:
            DataError: there is none, or it lies where nobody may look.
        """
        if self.sample is not None:
            return Source(sample=self.sample)
        if self.root is not None:
            found = services.roots.resolve(self.root, self.path)
            return Source(place=found, base=services.roots.paths()[self.root])
        files = services.uploads.files(self.upload or "")
        folder = files[0].parent
        return Source(place=files[0] if len(files) == 1 else folder, base=folder, dropped=True)


class JobStatus(BaseModel):
    """Where a job is."""

    id: str
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    done: float = Field(description="how far it is, 0 to 1")
    doing: str = Field(description="what it is doing, a few words")
    before: int = Field(description="jobs that come before it in the queue")
    error: str | None = Field(description="why it failed")
    seconds: float = Field(description="that it ran")
    files: list[str] = Field(description="names of what can be fetched, once it is done")

    @classmethod
    def of(cls, job: Job, jobs: Jobs) -> JobStatus:
        """Say where a job is."""
        return cls(
            id=job.id,
            state=job.state,
            done=round(job.done, 3),
            doing=job.doing,
            before=jobs.position(job),
            error=job.error,
            seconds=round(job.seconds, 3),
            files=sorted(job.result.files) if job.result else [],
        )


class TaskInfo(BaseModel):
    """A task that has a page."""

    name: str
    summary: str
    samples: list[str]


class RunInfo(BaseModel):
    """A run."""

    name: str
    task: str
    kind: str = Field(description="of its model: semicoupled, or a rival")
    shipped: bool = Field(description="whether it came with the package")
    ready: bool = Field(description="whether its weights are there")
    trained: bool = Field(description="whether it has a log")
    facts: dict[str, JsonValue] = Field(description="settings that a page shows")


class Status(BaseModel):
    """What is served, and by what."""

    version: str
    device: str | None = Field(description="None while the worker starts")
    device_name: str | None
    problem: str | None
    waiting: int
    running: int
    queue: int = Field(description="jobs that may wait")
    upload_bytes: int = Field(description="of the largest file that may be uploaded")
    upload_files: int = Field(description="that an upload may hold")
    tasks: list[TaskInfo]
    runs: list[RunInfo]
    roots: list[str]


class FileEntry(BaseModel):
    """One line of a folder's listing."""

    name: str
    folder: bool
    size: int = Field(description="of a file, bytes; of a folder, the number of things in it")


class FolderListing(BaseModel):
    """A folder below a root."""

    root: str
    path: str
    entries: list[FileEntry]
    truncated: bool


class UploadInfo(BaseModel):
    """An upload."""

    id: str
    files: list[str]
    bytes: int


class Problem(BaseModel):
    """Why a request was refused."""

    error: str


REFUSALS: dict[int | str, dict[str, object]] = {
    400: {"model": Problem, "description": "the data cannot be used as asked"},
    404: {"model": Problem, "description": "no such thing"},
    503: {"model": Problem, "description": "the queue is full; see Retry-After"},
}
