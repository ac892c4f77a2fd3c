"""Figure 2: the toys (which way, which shape), the maps of both branches on them, and those on drives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from semicoupled.paper_table import Size
from semicoupled.report import Cell, Table
from semicoupled.reproduce.doors import DRIVING
from semicoupled.reproduce.reproduction import Outcome, Reproduction
from semicoupled.reproduce.request import Request
from semicoupled.rows import Row, read_rows, write_rows
from semicoupled.run_folder import LoadedRun, load
from semicoupled.studies.scores import spread_cell
from semicoupled.studies.training import train_all
from semicoupled.studies.trials import Spread, Trial, Variant, make_trials, variant_settings
from semicoupled.tasks.toy.settings import ToySettings
from semicoupled.tasks.toy.shapes_quick import QUICK

QUESTIONS = {"which_way": "which way does it go?", "which_shape": "what is it?"}
KINDS = {"semicoupled": "Semi-Coupled Structure", "cnn_lstm": "CNN+LSTM"}
TESTS = {"seen": "as learned", "unseen_shapes": "shapes never seen", "shuffled_frames": "frames in disorder"}
SCORES = "scores.json"


def _presets(question: str, kind: str) -> tuple[str, ...]:
    return (question,) if kind == "semicoupled" else (question, kind, f"{question}_{kind}")


VARIANTS = tuple(
    Variant(
        f"{question}_{kind}",
        f"{label}: {said}",
        () if kind == "semicoupled" else (f"--model.kind={kind}",),
        _presets(question, kind),
    )
    for question, said in QUESTIONS.items()
    for kind, label in KINDS.items()
)


def trials(request: Request) -> list[Trial]:
    """Give the trainings on the toys, and on a drive if there is one."""
    driven = DRIVING.trials(_one_seed(request), [_drive(request.size)]) if with_drive(request) else []
    return [*toy_trials(request), *driven]


def toy_trials(request: Request) -> list[Trial]:
    """Give the trainings on the toys."""
    presets = Path(__file__).parents[1] / "tasks" / "toy" / "presets"
    shared = request.training_options(QUICK, request.budget)
    return make_trials(
        VARIANTS,
        request.chosen_seeds,
        _folder(request),
        lambda variant, seed: variant_settings(ToySettings, presets, variant, seed, shared),
    )


def with_drive(request: Request) -> bool:
    """Whether there is a drive to look at (Fig. 2c)."""
    return request.quick or "data.root" in DRIVING.data_settings(request)


def run(request: Request) -> Outcome:
    """Train the toys, score them on their tests, and draw what both branches see."""
    planned = toy_trials(request)

    def finish(trial: Trial, loaded: LoadedRun) -> None:
        from semicoupled.tasks.toy.evaluation import rows_of_tests

        scored = rows_of_tests(cast(ToySettings, trial.settings), loaded.model, request.progress)
        named = [replace(row, condition={"variant": trial.variant.name, **row.condition}) for row in scored]
        write_rows(trial.path / SCORES, "toy", "generated", named)

    _ = train_all(
        "toy",
        "figure 2",
        planned,
        finish,
        lambda trial: (trial.path / SCORES).exists(),
        device=request.device,
        workers=request.workers,
        progress=request.progress,
    )
    rows = [row for trial in planned for row in read_rows(trial.path / SCORES).rows]
    pictures = {}
    for question, said in QUESTIONS.items():
        trial = next(trial for trial in planned if trial.variant.name == f"{question}_semicoupled")
        pictures[f"figure2b-{question}"] = (
            _maps(trial, request, said),
            f"Fig. 2a and b: a clip ({said}), and below it the top layer's maps of the spatial branch, the "
            "temporal branch and their product, in the channel that varies most.",
        )
    if with_drive(request):
        pictures["figure2c"] = (
            _drive_places(request),
            "Fig. 2c: where each branch is busy on a drive, over all channels; bright is busiest of its line.",
        )
    notes = ["" if with_drive(request) else "Fig. 2c is left out: no drive was given (--data.root)."]
    return Outcome("toy", "generated", rows, [score_table(rows)], pictures, [note for note in notes if note])


def score_table(rows: Sequence[Row]) -> Table:
    """Lay the shares of right answers out: a line for each question and network, a column a test."""
    lines: list[list[Cell]] = []
    for variant in VARIANTS:
        cells: list[Cell] = [variant.label]
        for test in TESTS:
            found = [
                row.value for row in rows if row.condition["variant"] == variant.name and row.condition["test"] == test
            ]
            cells.append(spread_cell(Spread.of(found)) if found else None)
        lines.append(cells)
    seeds = sorted({int(row.condition["seed"]) for row in rows})
    caption = (
        "Fig. 2 and Sec. 1: share of clips answered right, mean (lowest - highest) of the seeds "
        f"{', '.join(map(str, seeds))}. The paper says that the structure is above LSTM on shapes never "
        "seen and on frames in disorder, and prints no figures."
    )
    return Table(["", *TESTS.values()], lines, caption)


def _folder(request: Request) -> Path:
    if request.out is not None:
        return request.out / "toys"
    return Path("runs") / ("reproduce-quick" if request.quick else "reproduce") / "figure2"


def _maps(trial: Trial, request: Request, title: str):  # a figure; matplotlib is imported late
    from semicoupled.reproduce.looking import top_maps

    return top_maps(load(trial.path, request.device, "toy"), title)


def _one_seed(request: Request) -> Request:
    """A picture needs one training; its run folder is that of Table 5."""
    return replace(request, seeds=request.chosen_seeds[:1], out=None if request.out is None else request.out / "drives")


def _drive(size: Size) -> Variant:
    from semicoupled.tasks.driving.study.lines import STREAMS_OF, TABLE_5

    variant = next(line for line in TABLE_5 if line.name == STREAMS_OF).variant(size)
    assert variant is not None  # a line of ours
    return variant


def _drive_places(request: Request):  # see `_maps`
    from semicoupled.reproduce.looking import busy_places

    variant, one = _drive(request.size), _one_seed(request)
    _ = DRIVING.run(one, [variant])
    trial = DRIVING.trials(one, [variant])[0]
    return busy_places(load(trial.path, request.device, "driving"), variant.label)


FIGURE_2 = Reproduction(
    "figure2",
    "Figure 2: toys, and what each branch sees",
    "shapes that move: which way, and which shape, on shapes never seen and on frames in disorder, beside "
    "LSTM; maps of both branches there and on drives.",
    (
        "The toys are generated by this package; the paper shows two clips and tells no sizes.",
        "Fig. 2c is drawn from the car of a tenth of the size, not from roads.",
    ),
    DRIVING.data,
    (),
    trials,
    run,
)
