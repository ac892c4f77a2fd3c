"""All that the pages and the API share: the runs, the roots, the uploads and the queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from semicoupled.serving.jobs import Jobs
from semicoupled.serving.messages import public
from semicoupled.serving.outline_projects import Projects
from semicoupled.serving.roots import Roots
from semicoupled.serving.served_runs import ServedRuns
from semicoupled.serving.settings import ServeSettings
from semicoupled.serving.uploads import Uploads


@dataclass
class Services:
    """What a server holds.

    Args:
        settings: that it was started with.
        runs: trained models, and trainings.
        roots: folders whose files may be looked at.
        uploads: files that were dropped.
        jobs: the queue.
        projects: what people draw.
    """

    settings: ServeSettings
    runs: ServedRuns
    roots: Roots
    uploads: Uploads
    jobs: Jobs
    projects: Projects

    @classmethod
    def of(cls, settings: ServeSettings) -> Services:
        """Find runs and folders, and prepare the rest.

        Raises:
            SettingsError: a root is no folder.
            RunError: a run is none.
        """
        runs = ServedRuns(settings.runs, shipped=settings.shipped)
        roots = Roots(settings.roots)
        uploads = Uploads(settings.limits)
        services = cls(
            settings,
            runs,
            roots,
            uploads,
            Jobs(settings.limits, settings.device),
            Projects(settings.state, settings.limits),
        )
        services.jobs.clean_with(services.clean)
        return services

    def clean(self, message: str) -> str:
        """Make of an error's message what users may see."""
        places = [*self.roots.paths().items(), *(("upload", folder) for folder in self.uploads.folders())]
        places += [("project", folder) for folder in self.projects.folders()]
        places += [(run.name, run.folder.path) for run in self.runs.all().values()]
        return public(message, places)

    def start(self) -> None:
        """Begin to work."""
        self.jobs.start()

    def close(self) -> None:
        """End the worker, and remove what was uploaded."""
        self.jobs.close()
        self.uploads.close()
        self.projects.close()


def services(connection: HTTPConnection) -> Services:
    """Give the services of the app that a request came to."""
    return connection.app.state.services


Serving = Annotated[Services, Depends(services)]
