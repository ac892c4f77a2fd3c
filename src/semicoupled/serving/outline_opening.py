"""Images and annotations that come into a project."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from semicoupled.errors import DataError
from semicoupled.serving.awaited import finished
from semicoupled.serving.outline_document import Thing
from semicoupled.serving.outline_options import ReadOptions
from semicoupled.serving.outline_projects import Project, ProjectImage, saving
from semicoupled.serving.outline_sample import truth_of, write_sample
from semicoupled.serving.schemas import SourceChoice
from semicoupled.serving.served_runs import ServedRun
from semicoupled.serving.services import Services
from semicoupled.serving.turns import in_turns
from semicoupled.serving.work import JobRequest, Source

_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".pgm", ".ppm")
_GENERATED = "generated"


class Opened(NamedTuple):
    """A project and what could not be taken into it.

    Attributes:
        project: with its images.
        problems: one sentence a file.
    """

    project: Project
    problems: list[str]


async def open_images(services: Services, run: ServedRun, wanted: SourceChoice, name: str | None) -> Opened:
    """Open images, with the annotations that lie beside them as far as they can be read.

    Raises:
        DataError: there are none that can be used.
    """
    if wanted.sample is not None:
        return await _generated(services, run, wanted.sample)
    source = await asyncio.to_thread(wanted.find, services, services.settings.limits.images)  # there may be many
    files = [path for path in source.files if path.suffix.lower() in _SUFFIXES or not path.suffix]
    others = [path for path in source.files if path.suffix.lower() == ".json"]
    if not files:
        raise DataError(f"there is no image among them; expected files that end in {', '.join(_SUFFIXES)}")
    looked = await finished(
        services.jobs,
        JobRequest("semicoupled.serving.outline_job:sizes", run.folder.path, source._replace(files=tuple(files))),
    )
    about: Any = looked.document["images"]
    base = services.roots.paths()[wanted.root] if wanted.root is not None else None
    images: list[ProjectImage] = []
    problems: list[str] = []
    shown = {} if wanted.upload is None else services.uploads.find(wanted.upload).names
    with _beginning(services, name or wanted.root or "Own images", run, wanted.root) as project:
        for path, one in zip(files, about, strict=True):
            if "problem" in one:
                problems.append(one["problem"])
                continue
            if base is not None:
                file = path.relative_to(base).as_posix()
                images.append(ProjectImage(file, file, one["width"], one["height"]))
            else:
                await asyncio.to_thread(shutil.copyfile, path, project.folder / "images" / path.name)
                known = _name(shown.get(path.name, ""), path)
                images.append(ProjectImage(known, path.name, one["width"], one["height"]))
        if not images:
            raise DataError(problems[0])
        project = replace(project, images=tuple(images))
        services.projects.save(project)
    if others:
        try:
            read = await _read(services, project, source._replace(files=tuple(others)))
            _ = await _take(services, project, read, truth=False)
        except DataError as error:  # the images are there all the same
            problems.append(str(error))
    return Opened(services.projects.find(project.id), problems)


def with_run(services: Services, project: Project, run: ServedRun) -> Project:
    """Let another run help."""
    found = replace(project, run=run.name)
    services.projects.save(found)
    return found


def is_generated(project: Project) -> bool:
    """Whether the server made a project's images itself."""
    return project.root is None and (project.folder / _GENERATED).is_file()


async def read_annotations(
    services: Services, project: Project, wanted: SourceChoice, *, truth: bool
) -> Mapping[str, Any]:
    """Take annotations into a project.

    Returns:
        How many `objects` came to how many `images`, how many images in the files are `strangers`, and `notes`.

    Raises:
        DataError: they cannot be read, or belong to none of the images.
    """
    source = await asyncio.to_thread(wanted.find, services, services.settings.limits.images)
    files = tuple(path for path in source.files if path.suffix.lower() == ".json") or source.files
    return await _take(services, project, await _read(services, project, source._replace(files=files)), truth=truth)


async def _read(services: Services, project: Project, source: Source) -> Mapping[str, Any]:
    known = tuple((one.name, one.width, one.height) for one in project.images)
    request = JobRequest("semicoupled.serving.outline_files_job:read", project.folder, source, ReadOptions(known))
    return (await finished(services.jobs, request)).document


async def _take(services: Services, project: Project, read: Mapping[str, Any], *, truth: bool) -> Mapping[str, Any]:
    things = {int(image): tuple(Thing.of(one) for one in each) for image, each in read["things"].items()}
    if not things:
        raise DataError(
            f"none of the {read['strangers']} images in these annotations is one of the project's; expected the same "
            f"names, such as {project.images[0].name}"
        )
    if truth:
        services.projects.keep_truth(project, {**services.projects.truth(project), **things})
    else:
        async for image, each in in_turns(things.items()):  # each is written to the disk, and there may be thousands
            sheet = services.projects.sheet(project, image)
            services.projects.keep(project, image, sheet.stepped(sheet.now.added(each)))
    services.projects.labeled(project, read["labels"])
    count = sum(map(len, things.values()))
    notes = [services.clean(note) for note in read["notes"]]
    return {"objects": count, "images": len(things), "strangers": read["strangers"], "notes": notes}


async def _generated(services: Services, run: ServedRun, sample: str) -> Opened:
    with _beginning(services, "Generated", run, None) as project:
        files = await asyncio.to_thread(write_sample, sample, project.folder / "images")
        (project.folder / _GENERATED).touch()
        images = tuple(ProjectImage(name, name, width, height) for name, width, height in files)
        project = replace(project, images=images)
        services.projects.save(project)
        services.projects.keep_truth(project, truth_of(sample))
    labels = [thing.label for things in truth_of(sample).values() for thing in things]
    return Opened(services.projects.labeled(project, labels), [])


@contextlib.contextmanager
def _beginning(services: Services, name: str, run: ServedRun, root: str | None) -> Generator[Project]:
    """Begin a project; of one that cannot be made whole, nothing stays.

    Raises:
        DataError: the disk is full, or cannot be written to.
    """
    project = services.projects.begin(name, run.name, root)
    try:
        with saving():
            yield project
    except BaseException:
        services.projects.remove(project)
        raise


def _name(given: str, path: Path) -> str:
    """How an uploaded image is called; never a way out of its folder."""
    plain = given.replace("\\", "/").rpartition("/")[2]
    return plain if plain.strip(". ") and plain.isprintable() else path.name
