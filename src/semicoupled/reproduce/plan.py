"""What would be done: the trainings with their settings and their state, how long it takes, and the data it needs."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from semicoupled.page import markdown_table
from semicoupled.report import Cell, Table
from semicoupled.reproduce.reproduction import Reproduction, options_as_code
from semicoupled.reproduce.request import Request
from semicoupled.run_folder import read_run
from semicoupled.settings_file import differences
from semicoupled.studies.training import TRAINED
from semicoupled.studies.trials import Trial
from semicoupled.training.settings import parse_time_budget

TO_DO, BEGUN, OTHER, TRAINED_ALREADY = "to do", "begun", "begun with other settings", "trained"
_DONE = (TRAINED, "scores.json")


class Plan(NamedTuple):
    """What would be done.

    Attributes:
        table: what is trained, a line for all seeds of a variant.
        trainings: how many there are.
        left: how many are not trained yet.
        minutes: that these take at most, beside the scoring; None where steps end them.
        notes: lines about the data and what differs.
    """

    table: Table
    trainings: int
    left: int
    minutes: float | None
    notes: tuple[str, ...]


def make_plan(found: Reproduction, request: Request) -> Plan:
    """Plan a reproduction; nothing is read but run folders that are there.

    Args:
        found: the reproduction.
        request: what is asked for.

    Raises:
        SettingsError: settings that do not go together.
    """
    states = [(trial, state_of(trial)) for trial in found.trials(request)]
    lines: list[list[Cell]] = [_line(own) for own in _by_folder(states)]
    left = sum(state != TRAINED_ALREADY for _, state in states)
    budget = found.budget(request)
    minutes = 0.0 if not left else None if budget is None else left * parse_time_budget(budget).seconds / 60
    heads = ["trained", "run folders", "seeds", "state", "ends after", "batch", "differs in"]
    notes: list[str] = [f"The paper: {found.paper}"]
    if found.data is not None:
        notes += [
            f"Data: the paper used {found.data.paper} ({found.data.where}). Here: {found.data.nearest}.",
            *(f"  --{name} {_placed(text)}" for name, text in found.data.settings.items()),
        ]
    notes += [f"Differs: {sentence}" for sentence in found.differs] if request.size == "small" else []
    return Plan(Table(heads, lines, found.title), len(states), left, minutes, tuple(notes))


def state_of(trial: Trial) -> str:
    """Say how far a training is, by its run folder."""
    if not trial.path.is_dir() or not any(trial.path.iterdir()):
        return TO_DO
    if differences(read_run(trial.path).settings(), trial.settings):
        return OTHER
    return TRAINED_ALREADY if any((trial.path / name).exists() for name in _DONE) else BEGUN


def list_section() -> str:
    """Say in Markdown what there is, with how many trainings it takes, how long, and on which data, from nothing."""
    from semicoupled.reproduce.registry import NAMES, find_reproduction

    nowhere = Path("/nowhere")
    lines: list[list[Cell]] = []
    for name in NAMES:
        found = find_reproduction(name)
        # a folder that is not there: what was trained on this machine says nothing about the others
        request = Request(out=nowhere, data=nowhere)
        plan = make_plan(found, request)
        needed = "made" if found.data is None else found.data.nearest
        time = "seconds" if not plan.trainings else said_time(plan.minutes)
        lines.append(
            [f"`{name}`", found.title.partition(": ")[2] or found.title, plan.trainings, options_as_code(time), needed]
        )
    table = Table(["", "what it shows", "trainings", "time", "data that stand in"], lines)
    return (
        "    semicoupled reproduce --list --page docs/reproduce.md\n\n"
        "With three seeds, at the size `small`; tables and figures of one study share their trainings.\n\n"
        + markdown_table(table)
    )


def said_time(minutes: float | None) -> str:
    """Say how long something takes."""
    if minutes is None:
        return "as long as its steps take; --budget limits it"
    return f"about {minutes:.0f} minutes" if minutes < 120 else f"about {minutes / 60:.1f} hours"


def _placed(text: str) -> str:
    """Write a setting of the nearest data as documentation does: below ``$DATA``."""
    placed = text.format(data="$DATA")
    return f'"{placed}"' if placed != text else shlex.quote(text)


def _by_folder(states: Sequence[tuple[Trial, str]]) -> list[list[tuple[Trial, str]]]:
    """Gather the seeds of a variant, in the order of the variants."""
    found: dict[str, list[tuple[Trial, str]]] = {}
    for trial, state in states:
        found.setdefault(_folder(trial, "N"), []).append((trial, state))
    return list(found.values())


def _folder(trial: Trial, seed: str) -> str:
    return str(trial.path.with_name(f"{trial.variant.name}-{seed}"))


def _line(own: Sequence[tuple[Trial, str]]) -> list[Cell]:
    trial, _ = own[0]
    training, variant = trial.settings.training, trial.variant
    seeds = {state: [str(one.seed) for one, its in own if its == state] for _, state in own}
    state = next(iter(seeds)) if len(seeds) == 1 else "; ".join(f"{', '.join(of)}: {one}" for one, of in seeds.items())
    ends = training.time_budget or f"{training.steps} steps"
    batch = f"{training.batch}" + (f" x {training.accumulate}" if training.accumulate > 1 else "")
    said = [*(f"--preset {preset}" for preset in variant.presets), *variant.options]
    every = ", ".join(str(one.seed) for one, _ in own)
    folder = _folder(trial, str(trial.seed) if len(own) == 1 else "N")
    return [variant.label, folder, every, state, ends, batch, " ".join(said)]
