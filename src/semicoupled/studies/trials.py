"""Variants and their trials: a trial is one variant, trained from one seed, in one run folder.

A variant is a task's settings with some presets laid over them and some options changed, so that ``semicoupled train``
trains one of them alone. What a task asks of a trained variant, and how it shows the answers, is its own affair.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from semicoupled.errors import SettingsError, nearest
from semicoupled.settings_file import parse_settings
from semicoupled.task_parts import TaskSettings
from semicoupled.training.progress import NoProgress, Progress

T = TypeVar("T")

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
"""Okabe and Ito's colors, which color-blind people can tell apart."""


@dataclass(frozen=True)
class Variant:
    """One line of a study's table.

    Attributes:
        name: what rows and run folders call it.
        label: what people read.
        options: what differs from the study's presets.
        presets: of the task, laid over what the study begins with.
        after: the name of the variant whose weights it begins with, of the same seed; None begins anew.
    """

    name: str
    label: str
    options: tuple[str, ...] = ()
    presets: tuple[str, ...] = ()
    after: str | None = None


class Trial(NamedTuple):
    """One training of a study: a variant with a seed, in its run folder.

    Attributes:
        variant: what it differs in.
        seed: that everything random follows from.
        settings: all of them.
        path: of the run folder.
    """

    variant: Variant
    seed: int
    settings: TaskSettings
    path: Path


class Spread(NamedTuple):
    """What several seeds gave: mean, lowest and highest.

    Attributes:
        mean: over the seeds.
        low: the lowest.
        high: the highest.
    """

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Take at least one value."""
        return cls(statistics.mean(values), min(values), max(values))


def choose(study: str, variants: Iterable[Variant], names: Sequence[str] = ()) -> tuple[Variant, ...]:
    """Give a study's variants, or those of them that are named, in the study's order.

    Args:
        study: its name, for the error.
        variants: all it has.
        names: those that are wanted; none for all.

    Raises:
        SettingsError: it has no such variant.
    """
    known = {variant.name: variant for variant in variants}
    for name in names:
        if name not in known:
            raise SettingsError(f"study {study} has no variant {name!r}. {nearest(name, known)}")
    return tuple(variant for name, variant in known.items() if not names or name in names)


def variant_settings(
    settings: type[T],
    folder: Path,
    variant: Variant,
    seed: int,
    options: Sequence[str] = (),
    presets: Sequence[str] = (),
) -> T:
    """Give a variant's settings.

    Args:
        settings: the task's settings class.
        folder: of the task's presets.
        variant: whose presets and options are laid over the defaults.
        seed: of samples, weights and switches.
        options: for all variants alike, ``--data.root=DIR``; the variant's own win.
        presets: that all variants begin with; the variant's own win.

    Raises:
        SettingsError: an unknown name, or a value of the wrong kind.
    """
    files = tuple(folder / f"{preset}.yaml" for preset in (*presets, *variant.presets))
    return replace(_parsed(settings, (*options, *variant.options), files), seed=seed)


@lru_cache(maxsize=256)
def _parsed(settings: type[Any], options: tuple[str, ...], files: tuple[Path, ...]) -> Any:
    """Settings of all seeds: reading them takes a tenth of a second, and a study has dozens of trainings."""
    return parse_settings(settings, options, files)


def make_trials(
    variants: Sequence[Variant],
    seeds: Sequence[int],
    folder: Path,
    settings_of: Callable[[Variant, int], TaskSettings],
    once: Collection[str] = (),
) -> list[Trial]:
    """Make all settings before the first training, so that a wrong one is found at once.

    Args:
        variants: what is compared.
        seeds: every variant is trained with each. One seed of all variants comes before the next seed, so that a study
            that is cut short has compared something. What begins with the weights of another comes behind it.
        folder: takes a run folder for each trial.
        settings_of: gives the settings of a variant with a seed.
        once: names of variants that are trained with the first seed alone.

    Raises:
        SettingsError: no variant or no seed; or a variant begins with the weights of one that is neither among them
            nor trained already.
    """
    if not variants or not seeds:
        raise SettingsError("a study needs at least one variant and one seed, got none")
    trials = [
        Trial(variant, seed, settings_of(variant, seed), folder / f"{variant.name}-{seed}")
        for seed in seeds
        for variant in variants
        if seed == seeds[0] or variant.name not in once
    ]
    begun: set[Path] = set()
    for trial in trials:
        source = begins_with(trial)
        if source is not None and source not in begun and not (source / "model.safetensors").is_file():
            raise SettingsError(
                f"variant {trial.variant.name} begins with the weights of {trial.variant.after}, seed {trial.seed}, "
                f"but {source} is not trained. Name {trial.variant.after}, too, before it"
            )
        begun.add(trial.path)
    return trials


def begins_with(trial: Trial) -> Path | None:
    """The run folder whose weights a trial begins with; None where it begins anew."""
    return None if trial.variant.after is None else trial.path.with_name(f"{trial.variant.after}-{trial.seed}")


def run_trials(
    title: str,
    trials: Sequence[Trial],
    run: Callable[[Trial], None],
    is_done: Callable[[Trial], bool],
    progress: Progress | None = None,
) -> None:
    """Run those trials that are not done yet, and say how long the others will take.

    Args:
        title: what is run.
        trials: in this order.
        run: trains and scores one; taken up again where it was left, if it was.
        is_done: whether nothing is left to do of one.
        progress: who is told how far it is.
    """
    shown = progress or NoProgress()
    shown.begin(title, len(trials))
    try:
        left = [trial for trial in trials if not is_done(trial)]
        shown.update(len(trials) - len(left))
        begun = time.monotonic()
        for done, trial in enumerate(left, start=1):
            run(trial)
            seconds = (time.monotonic() - begun) / done * (len(left) - done)
            shown.update(len(trials) - len(left) + done, seconds_left=seconds)
    finally:
        shown.end()


def options_list(variants: Iterable[Variant]) -> str:
    """Say in Markdown what each variant differs in, one line each."""
    lines: list[str] = []
    for variant in variants:
        said = [*(f"--preset {preset}" for preset in variant.presets), *variant.options]
        said += [f"--init RUN of {variant.after}"] if variant.after else []
        lines.append(f"* {variant.label}: " + (" ".join(f"`{option}`" for option in said) or "as the preset"))
    return "\n".join(lines) + "\n"


def in_order(variants: Iterable[Variant], present: Iterable[str]) -> tuple[Variant, ...]:
    """Give those variants whose names are present, in the study's order."""
    names = set(present)
    return tuple(variant for variant in variants if variant.name in names)
