"""Two studies on the toys: ways to train on long sequences (Sec. 5.3), and what each part is worth (Table 3).

A study trains the same network in several variants. A variant is a preset with some options changed, so that
``semicoupled train toy --preset star --segments.carry end`` trains one of them alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from semicoupled.errors import SettingsError, nearest
from semicoupled.find_task import find_task
from semicoupled.rows import Row, read_rows, write_rows
from semicoupled.run_folder import open_run
from semicoupled.settings_file import parse_settings
from semicoupled.studies.trials import Trial, Variant, make_trials, run_trials
from semicoupled.studies.trials import choose as choose_of
from semicoupled.task_parts import TaskModel
from semicoupled.tasks.toy.settings import ToySettings
from semicoupled.training.progress import Progress

TASK = "toy"
METRIC = "accuracy_within_one"
SCORES = "scores.json"
"""In a run folder: its scores. A run that has them is finished."""
ALL_DISTANCES = "all"
DISTANCES = ((0, 10), (11, 20), (21, 30), (31, 40), (41, 50))
"""Ranges of distances from the star that are scored apart, in frames, both ends included."""

WAYS = ("streamed", "segmented")
"""How a trained model is tested: the whole sequence with its state, frame by frame; or cut as in training."""

QUICK = (
    "--training.steps=4",
    "--training.batch=4",
    "--data.validation=8",
    "--data.test=8",
    "--model.widths=[4,4]",
    "--model.strides=[4,4]",
)
"""Options that make every training a matter of seconds. It then shows that the study runs, not what comes out."""


@dataclass(frozen=True)
class Study:
    """What is compared.

    Attributes:
        name: of the study, and of the preset that its variants begin with.
        title: what it asks.
        variants: in the order of the table.
    """

    name: str
    title: str
    variants: tuple[Variant, ...]


_NO_OVERLAP = "--goals.overlap=0"
_CARRY = {"start": (), "end": ("--segments.carry=end",), "none": ("--segments.carry=none",)}
_CARRIED = {"start": "from its own start", "end": "from the last one's end", "none": "not carried"}

STAR = Study(
    "star",
    "How many frames ago was the star?",
    (
        *(
            Variant(
                f"ltsc_{carry}_overlap_{overlap}",
                f"LTSC, state {_CARRIED[carry]}, overlap loss {overlap}",
                (*options, *(() if overlap == "on" else (_NO_OVERLAP,))),
            )
            for carry, options in _CARRY.items()
            for overlap in ("on", "off")
        ),
        Variant("truncated_bptt", "truncated BPTT", ("--segments.method=truncated_bptt",)),
        Variant("strided", "strided sampling", ("--segments.method=strided",)),
        Variant("full_sequence", "full sequence, no segments", ("--segments.length=null",)),
    ),
)

ABLATION = Study(
    "ablation",
    "What is each part worth?",
    (
        Variant("whole", "whole"),
        # Eq. 20 follows the spatial loss: without one, STSGD decouples the branches
        Variant(
            "without_sub_goals",
            "without the two sub-goals",
            ("--goals.spatial=0", "--goals.temporal=0", "--switches.method=stsgd"),
        ),
        Variant("without_temporal_goal", "without the temporal goal only", ("--goals.temporal=0",)),
        Variant("without_astsgd", "without ASTSGD", ("--switches.method=none",)),
        Variant("without_ltsc", "without LTSC: short clips, each alone", ("--segments.carry=none", _NO_OVERLAP)),
    ),
)

STUDIES = {study.name: study for study in (STAR, ABLATION)}


def choose(study: str, names: Sequence[str] = ()) -> tuple[Variant, ...]:
    """Give the variants of a study, or those of them that are named.

    Raises:
        SettingsError: no such study, or it has no such variant.
    """
    if study not in STUDIES:
        raise SettingsError(f"there is no study {study!r}. {nearest(study, STUDIES)}")
    return choose_of(study, STUDIES[study].variants, names)


def settings_of(study: str, variant: Variant, seed: int, options: Sequence[str] = ()) -> ToySettings:
    """Give a variant's settings.

    Args:
        study: its name.
        variant: one of its variants.
        seed: of samples, weights and switches.
        options: for all variants alike, ``--training.steps=400``; the variant's own win.
    """
    preset = Path(__file__).parent / "presets" / f"{study}.yaml"
    return parse_settings(ToySettings, [*options, *variant.options, f"--seed={seed}"], [preset])


def run_study(
    study: str,
    variants: Sequence[Variant],
    seeds: Sequence[int],
    folder: Path,
    *,
    options: Sequence[str] = (),
    device: str = "auto",
    workers: int = 0,
    progress: Progress | None = None,
) -> list[Row]:
    """Train and test variants; those whose run folder is finished are not trained again.

    Args:
        study: its name.
        variants: which of them.
        seeds: every variant is trained with each.
        folder: takes a run folder for each variant and seed, with its scores in it.
        options: settings for all variants alike.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        workers: processes that load data.
        progress: who is told how far it is.
    """
    trials = make_trials(variants, seeds, folder, lambda variant, seed: settings_of(study, variant, seed, options))

    def run(trial: Trial) -> None:
        from semicoupled.training.loop import fit

        _ = open_run(trial.path, TASK, trial.settings)
        result = fit(find_task(TASK), trial.settings, trial.path, device=device, workers=workers, progress=progress)
        settings = cast(ToySettings, trial.settings)
        rows = score(trial.variant, settings, cast(TaskModel, result.model), result.steps, progress)
        write_rows(trial.path / SCORES, TASK, "generated", rows)

    def is_done(trial: Trial) -> bool:
        if not (trial.path / SCORES).exists():
            return False
        _ = open_run(trial.path, TASK, trial.settings)  # refuses other settings
        return True

    run_trials(f"study {study}", trials, run, is_done, progress)
    ordered = sorted(trials, key=lambda trial: (variants.index(trial.variant), seeds.index(trial.seed)))
    return [row for trial in ordered for row in read_rows(trial.path / SCORES).rows]


def score(
    variant: Variant, settings: ToySettings, model: TaskModel, steps: int, progress: Progress | None = None
) -> list[Row]:
    """Test a trained variant, streamed and segmented.

    Args:
        variant: which one it is.
        settings: what it was trained with.
        model: in eval mode.
        steps: optimizer steps it was trained for.
        progress: who is told how far it is.

    Returns:
        How often it says how long ago the star was, within a frame: by distance, and over all distances.
    """
    from semicoupled.tasks.toy.data import ToyData
    from semicoupled.tasks.toy.evaluation import ask
    from semicoupled.tasks.toy.metrics import distance_accuracy

    ranges = {f"{low}-{high}": (low, high) for low, high in DISTANCES}
    ranges[ALL_DISTANCES] = (0, settings.data.length)
    rows: list[Row] = []
    for way in WAYS:
        found = ask(model, ToyData(settings.data, "seen"), way=way, segments=settings.segments, progress=progress)
        for name, (low, high) in ranges.items():
            share = distance_accuracy(found.scores, found.batch.answer, low, high)
            if share.count:
                condition = {
                    "question": settings.data.question,
                    "variant": variant.name,
                    "tested": way,
                    "distance": name,
                    "steps": steps,
                    "seed": settings.seed,
                }
                rows.append(Row(settings.model.kind, METRIC, condition, share.value, share.count, "1", share.interval))
    return rows
