"""What is served: version, device, queue, tasks, runs."""

from __future__ import annotations

from fastapi import APIRouter

from semicoupled import __version__
from semicoupled.serving.pages import pages
from semicoupled.serving.schemas import RunInfo, Status, TaskInfo
from semicoupled.serving.served_runs import ServedRun
from semicoupled.serving.services import Serving
from semicoupled.training.log import FILE

router = APIRouter(tags=["system"])


@router.get("/status")
def status(serving: Serving) -> Status:
    """Say what is served, and by what."""
    waiting, running = serving.jobs.load()
    found = pages()
    return Status(
        version=__version__,
        device=serving.jobs.facts.get("device"),
        device_name=serving.jobs.facts.get("name"),
        problem=serving.jobs.problem,
        waiting=waiting,
        running=running,
        queue=serving.settings.limits.queue,
        upload_bytes=serving.settings.limits.upload_bytes,
        upload_files=serving.settings.limits.files,
        tasks=[TaskInfo(name=name, summary=page.SUMMARY, samples=list(page.samples())) for name, page in found.items()],
        runs=[_info(run) for run in serving.runs.all().values()],
        roots=list(serving.roots.names()),
    )


def _info(run: ServedRun) -> RunInfo:
    page = pages().get(run.task)
    try:
        facts = {} if page is None else page.facts(run.settings)
    except (KeyError, TypeError):  # settings of another version
        facts = {}
    return RunInfo(
        name=run.name,
        task=run.task,
        kind=run.kind,
        shipped=run.shipped,
        ready=run.ready,
        trained=(run.folder.path / FILE).is_file(),
        facts=facts,
    )
