"""What a study of a task is asked: which variants and seeds, with which settings, and where their run folders go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from semicoupled.studies.trials import Trial, Variant, make_trials
from semicoupled.task_parts import TaskSettings
from semicoupled.training.progress import Progress

SettingsOf = Callable[[Variant, int, Sequence[str], Sequence[str] | None], TaskSettings]
"""Gives the settings of a variant with a seed, of options for all variants, and of the presets that all begin with."""


@dataclass(frozen=True)
class StudyRequest:
    """A call of a study.

    Args:
        variants: which of the study's.
        seeds: every variant is trained with each.
        folder: takes a run folder for each variant and seed, with what it answered.
        options: settings for all variants alike, ``--data.root=DIR`` among them; a variant's own win.
        presets: of the task, that all variants begin with; None for the study's own.
        once: names of variants that are trained with the first seed alone.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        workers: processes that load data.
        progress: who is told how far it is.
    """

    variants: Sequence[Variant]
    seeds: Sequence[int]
    folder: Path
    options: Sequence[str] = ()
    presets: Sequence[str] | None = None
    once: Sequence[str] = ()
    device: str = "auto"
    workers: int = 0
    progress: Progress | None = None

    def trials(self, settings_of: SettingsOf) -> list[Trial]:
        """Give the trainings, without beginning any.

        Args:
            settings_of: the study's.

        Raises:
            SettingsError: no variant or no seed, settings that do not go together, or a variant that begins with the
                weights of one that is neither among them nor trained already.
        """

        def settings(variant: Variant, seed: int) -> TaskSettings:
            return settings_of(variant, seed, self.options, self.presets)

        return make_trials(self.variants, self.seeds, self.folder, settings, self.once)
