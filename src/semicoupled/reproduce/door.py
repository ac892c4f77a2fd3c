"""The door to a task's study: what it is run on and with, so that a table of the paper is a study with other variants.

A reproduction trains nothing by itself. Run folders are those of ``semicoupled study``, so that what a study has
trained is not trained again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from semicoupled.errors import SettingsError
from semicoupled.paper_table import Size
from semicoupled.reproduce.made import Made
from semicoupled.reproduce.request import Request
from semicoupled.rows import Row
from semicoupled.studies.request import StudyRequest
from semicoupled.studies.trials import Trial, Variant


@dataclass(frozen=True)
class DataNeed:
    """Which data an experiment needs.

    Attributes:
        paper: what the paper used.
        where: where that can be had.
        nearest: what stands in for it.
        settings: of the nearest data, by name; ``{data}`` is the folder of docs/data.md.
        defaults: of any data that are given, unless they say otherwise.
        needed: names of settings without which it cannot begin.
    """

    paper: str
    where: str
    nearest: str
    settings: Mapping[str, str]
    defaults: Mapping[str, str]
    needed: tuple[str, ...] = ("data.root",)


@dataclass(frozen=True)
class Door:
    """A study of a task, as reproductions use it.

    Attributes:
        study: its name; its run folders lie in ``runs/study-NAME``.
        task: its task.
        budget: time of each training at the size ``small``.
        presets: that all variants begin with, by size; empty where the variants name all of theirs.
        data: which it needs.
        made: data for ``--quick``.
    """

    study: str
    task: str
    budget: str
    presets: Mapping[Size, tuple[str, ...]]
    data: DataNeed
    made: Made

    def folder(self, request: Request) -> Path:
        """Give the folder of the run folders."""
        if request.out is not None:
            return request.out
        if request.quick:
            return Path("runs") / "reproduce-quick" / self.study
        return Path("runs") / (f"study-{self.study}" + ("-paper" if request.size == "paper" else ""))

    def budget_of(self, request: Request) -> str | None:
        """Give the time of each training; None where steps end it."""
        if request.budget is not None or request.quick or request.size == "paper":
            return request.budget
        return self.budget

    def data_settings(self, request: Request) -> dict[str, str]:
        """Give the settings that say where the data are; none of them where nothing is known of data."""
        found = dict(self.data.defaults)
        if request.root is not None:
            return {**found, "data.root": request.root}
        if request.data is not None and not request.quick:
            return {**found, **{name: text.format(data=request.data) for name, text in self.data.settings.items()}}
        return found

    def said_data(self, request: Request) -> str:
        """Say which data are scored: their folder, or that they are made."""
        return "generated" if self._is_made(request) else self.data_settings(request).get("data.root", "")

    def check_data(self, request: Request) -> None:
        """Refuse to begin without data.

        Raises:
            SettingsError: a setting is missing that says where they are.
        """
        said = {*self.data_settings(request), *(text.lstrip("-").partition("=")[0] for text in request.settings)}
        for name in self.data.needed:
            if name not in said and not request.quick:
                raise SettingsError(
                    f"--{name}: expected where the data are, got nothing. The paper used {self.data.paper}; "
                    f"{self.data.nearest} stands in for it: set SEMICOUPLED_DATA to the folder of docs/data.md, give "
                    f"--{name}, or try --quick"
                )

    def shared(self, request: Request) -> list[str]:
        """Give the settings that all trainings share; what the caller gave wins."""
        quick = (*self._variants.QUICK, "--training.log_every=1")
        return [
            *request.training_options(quick, self.budget_of(request)),
            *(f"--{name}={text}" for name, text in self.data_settings(request).items()),
            *(self.made.settings(self._made_folder(request)) if self._is_made(request) else ()),
            *request.settings,
        ]

    def trials(self, request: Request, variants: Sequence[Variant]) -> list[Trial]:
        """Give the trainings, without beginning any.

        Raises:
            SettingsError: settings that do not go together.
        """
        return self._study_request(request, variants).trials(self._variants.settings_of)

    def run(self, request: Request, variants: Sequence[Variant]) -> list[Row]:
        """Train and score what is not done yet, and give the study's rows.

        Raises:
            SettingsError: no data, or settings that do not go together.
            DataError: the data cannot be used.
            RunError: a run folder was begun with other settings.
        """
        self.check_data(request)
        _ = self.trials(request, variants)  # refuses wrong settings before anything is written
        if self._is_made(request):
            _ = self.made.write(self._made_folder(request))
        running = import_module(f"semicoupled.tasks.{self.task}.study.running")
        return running.run_study(self._study_request(request, variants))

    def _is_made(self, request: Request) -> bool:
        return request.quick and request.root is None

    def _made_folder(self, request: Request) -> Path:
        return self.folder(request).parent / f"made-{self.task}"

    @property
    def _variants(self) -> Any:
        return import_module(f"semicoupled.tasks.{self.task}.study.variants")

    def _study_request(self, request: Request, variants: Sequence[Variant]) -> StudyRequest:
        if request.presets and not self.presets:
            raise SettingsError(
                f"--preset: the lines of the study {self.study} name their presets themselves. Leave it out"
            )
        return StudyRequest(
            variants,
            request.chosen_seeds,
            self.folder(request),
            self.shared(request),
            request.presets or self.presets.get(request.size),
            device=request.device,
            workers=request.workers,
            progress=request.progress,
        )
