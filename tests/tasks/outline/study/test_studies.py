"""The study of outlines: what is trained and scored, what is not done again, what the page shows."""

from __future__ import annotations

import dataclasses
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from semicoupled.cli.main import main
from semicoupled.errors import RunError, SettingsError
from semicoupled.rows import Row, read_rows
from semicoupled.settings_file import differences
from semicoupled.studies.request import StudyRequest
from semicoupled.studies.scores import select
from semicoupled.studies.training import TRAINED
from semicoupled.studies.trials import choose
from semicoupled.tasks.outline.scores.evaluation import Judged
from semicoupled.tasks.outline.scores.metrics import Overlap, Score
from semicoupled.tasks.outline.study.answers import Answers, Objects, load_answers, objects_of
from semicoupled.tasks.outline.study.goals import goals
from semicoupled.tasks.outline.study.page import part_of
from semicoupled.tasks.outline.study.paper import PAPER_FAMILY, PAPER_TABLE_4
from semicoupled.tasks.outline.study.rows import scores_of, weights_of
from semicoupled.tasks.outline.study.running import run_study
from semicoupled.tasks.outline.study.variants import (
    FAMILY,
    INITIAL_Q,
    PAIRS,
    QUICK,
    TABLE_4,
    VARIANTS,
    initial_loss,
    settings_of,
)
from semicoupled.training.focus import focus

BY_NAME = {variant.name: variant for variant in VARIANTS}
NAMES = ("semicoupled_2", "convlstm_2", "semicoupled_5_q75")
SEEDS = (0, 1)
ONCE = ("semicoupled_5_q75",)
COUNTS = {
    "semicoupled_2": 197_712,
    "semicoupled_5": 1_127_952,
    "semicoupled_10": 2_677_264,
    "semicoupled_15": 5_846_480,
    "convlstm_2": 470_304,
    "convlstm_15": 15_712_288,
    "convgru_5": 2_204_280,
    "cbm_15": 5_846_480,
    "polyrnn_lstm": 470_304,
    "polyrnn_pp": 470_304,
}


def test_every_pair_and_every_row_of_table_4_is_there() -> None:
    assert {name for pair in PAIRS for name in pair} <= set(BY_NAME)
    assert {variant.name for variant in TABLE_4} == set(PAPER_TABLE_4)


def test_the_page_on_the_command_line_names_every_variant() -> None:
    page = (Path(__file__).parents[4] / "docs" / "cli.md").read_text(encoding="utf-8")
    assert [name for name in BY_NAME if f"`{name}`" not in page] == []


@pytest.mark.parametrize("name", COUNTS)
def test_decoders_have_the_parameters_of_table_4(name: str) -> None:
    import torch

    from semicoupled.tasks.outline.network.decoders import build_decoder

    options = ["--model.features=128", "--model.norm=none", "--model.shortcut_every=null"]
    with torch.device("meta"):
        decoder = build_decoder(settings_of(BY_NAME[name], 0, options).model)
    assert sum(parameter.numel() for parameter in decoder.parameters()) == COUNTS[name]


@pytest.mark.parametrize("name", [name for name in BY_NAME if not name.startswith("polyrnn")])
def test_variants_differ_in_the_decoder_and_in_q_alone(name: str) -> None:
    first = settings_of(BY_NAME["semicoupled_5"], 0)
    changed = {line.partition(":")[0] for line in differences(settings_of(BY_NAME[name], 0), first)}
    allowed = {"model.kind", "model.layers"}
    if "_q" in name:
        allowed |= {"goals.spatial", "goals.temporal", "switches.method", "switches.initial_main_loss"}
    assert changed <= allowed
    assert first.training.keep == "last"  # what is scored chooses nothing


def test_the_family_of_polygon_rnn_goes_one_step_at_a_time() -> None:
    assert set(PAPER_FAMILY) <= {variant.name for variant in FAMILY} <= set(BY_NAME)
    steps: list[set[str]] = []
    for one, other in itertools.pairwise([FAMILY[0], *FAMILY[2:]]):
        named = differences(settings_of(other, 0), settings_of(one, 0))
        steps.append({line.partition(":")[0] for line in named})
    rates = {"training.learning_rate", "training.schedule", "training.warm_up"}
    assert steps[0] == {"model.skips"}
    assert steps[1] == {"model.attention"}
    assert steps[2] == {"loss.points", "loss.reinforce", *rates}
    assert steps[3] >= {"model.evaluator", "model.learn", "evaluation.beam", "evaluation.firsts"}
    assert steps[4] == {"model.graph"}
    for variant in FAMILY:
        assert variant.after is None or (BY_NAME[variant.after].name, variant.name) in {
            (other, ours) for ours, other in PAIRS
        }


def test_what_begins_with_another_run_asks_for_it(tmp_path: Path, outline_root: Path) -> None:
    chosen = choose("outline", VARIANTS, ["polyrnn_reinforce"])
    with pytest.raises(SettingsError, match="begins with the weights of polyrnn_attention, seed 0, but"):
        _ = run_study(StudyRequest(chosen, (0,), tmp_path, options=options(outline_root)))


@pytest.mark.slow
def test_a_variant_begins_with_the_weights_of_the_one_before(outline_root: Path, tmp_path: Path) -> None:
    names = ["polyrnn_attention", "polyrnn_reinforce", "polyrnn_evaluator", "polyrnn_pp"]
    fast = [*options(outline_root), "--data.grid=8", "--data.size=32", "--evaluation.clicks=0"]
    rows = run_study(StudyRequest(choose("outline", VARIANTS, names), (0,), tmp_path, options=fast, device="cpu"))
    assert all(len(select(rows, "iou", variant=name, prompt="box")) == 2 for name in names)
    kept = {name: load_file(tmp_path / f"{name}-0" / "model.safetensors") for name in names}
    before, after = kept["polyrnn_reinforce"], kept["polyrnn_pp"]
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    assert any(name.startswith("evaluator.") for name in after)
    assert any(name.startswith("graph.") for name in after)
    moved = {name for name, value in kept["polyrnn_attention"].items() if not torch.equal(value, before[name])}
    assert "network.layers.0.input.weight" in moved


def test_q_begins_where_it_should() -> None:
    for name, q in INITIAL_Q.items():
        settings = settings_of(BY_NAME[f"semicoupled_5_{name}"], 0)
        start = math.log(settings.data.classes)
        initial = settings.switches.initial_main_loss
        assert initial is not None
        assert focus(start, start, initial) == pytest.approx(q, abs=1e-4)
    assert initial_loss(1.0, 257, 0.5, 0.5) == pytest.approx(math.log(257))


def options(root: Path) -> list[str]:
    return [*QUICK, "--training.precision=float32", f"--data.root={root}", "--training.log_every=1"]


def study(root: Path, out: Path) -> list[Row]:
    return run_study(
        StudyRequest(choose("outline", VARIANTS, NAMES), SEEDS, out, options=options(root), once=ONCE, device="cpu")
    )


def said(rows: list[Row]) -> list[str]:
    kept = [row for row in rows if row.metric not in ("training_seconds", "training_loss", "focus")]
    return [repr(dataclasses.replace(row, value=float(row.value))) for row in kept]


@pytest.fixture(scope="module")
def done(outline_root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Row]]:
    out = tmp_path_factory.mktemp("study")
    return out, study(outline_root, out)


def test_every_variant_and_seed_has_scores_by_prompt(done: tuple[Path, list[Row]]) -> None:
    _, rows = done
    for name in NAMES:
        for prompt in ("start_end", "start", "box"):
            found = select(rows, "iou", variant=name, prompt=prompt)
            assert [row.condition.get("seed") for row in found] == ([0, None] if name in ONCE else [0, 1, None])
            assert found[-1].value == pytest.approx(np.mean([row.value for row in found[:-1]]))
            assert {row.count for row in found} == {4}
        seeds = 1 if name in ONCE else 2
        assert len(select(rows, "clicks", variant=name, iou=0.8, most_clicks=1)) == seeds + 1
        assert [row.value for row in select(rows, "steps", variant=name)] == [2] * seeds
    for shape in ("grid ceiling", "box", "ellipse"):
        assert len(select(rows, "iou", model=shape)) == 1
    ceiling, box = (select(rows, "iou", model=shape)[0].value for shape in ("grid ceiling", "box"))
    assert 1 > ceiling > box > 0.3
    course = [row for row in rows if row.metric == "training_loss" and row.condition["variant"] == "semicoupled_2"]
    assert [row.condition["seed"] for row in course] == [0, 0, 1, 1]
    assert [row.condition["share"] for row in course if row.condition["seed"] == 0][-1] == 1
    (q, *_) = [row.value for row in rows if row.metric == "focus"]
    assert q == pytest.approx(0.75, abs=0.1)  # the losses of the first step are not quite those of no knowledge
    ours, rival = (
        [row.value for row in select(rows, "iou", variant=name, prompt="start_end") if "seed" in row.condition]
        for name in ("semicoupled_2", "convlstm_2")
    )
    (found,) = select(rows, "iou_difference", variant="semicoupled_2", against="convlstm_2", prompt="start_end")
    assert found.value == pytest.approx(np.mean(np.subtract(ours, rival)))


def test_what_is_finished_is_not_done_again(done: tuple[Path, list[Row]], outline_root: Path) -> None:
    out, rows = done
    (out / "convlstm_2-0" / "answers-validation.npz").unlink()
    (out / "convlstm_2-1" / "answers-validation.npz").write_bytes(b"broken")
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.name in (TRAINED, "model.safetensors")}
    assert said(study(outline_root, out)) == said(rows)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_what_was_drawn_otherwise_is_not_taken(done: tuple[Path, list[Row]], outline_root: Path) -> None:
    out, _ = done
    same = objects_of(settings_of(BY_NAME["convlstm_2"], 0, options(outline_root)))
    assert load_answers(out / "convlstm_2-0", same) is not None
    for change in ("--evaluation.limit=3", "--evaluation.jitter=2", "--data.crop=square"):
        other = objects_of(settings_of(BY_NAME["convlstm_2"], 0, [*options(outline_root), change]))
        assert load_answers(out / "convlstm_2-0", other) is None


def test_wrong_settings_are_found_before_anything_is_trained(
    done: tuple[Path, list[Row]], outline_root: Path, tmp_path: Path
) -> None:
    out, _ = done
    with pytest.raises(SettingsError, match="at least one variant and one seed"):
        _ = run_study(StudyRequest((), SEEDS, tmp_path))
    chosen = choose("outline", VARIANTS, ["convlstm_2"])
    with pytest.raises(RunError, match="was begun with other settings"):
        _ = run_study(
            StudyRequest(chosen, (0,), out, options=[*options(outline_root), "--training.batch=3"], device="cpu")
        )


def test_the_command_says_what_is_reached(
    done: tuple[Path, list[Row]],
    outline_root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, rows = done
    monkeypatch.setenv("SEMICOUPLED_DATA", str(outline_root.parent))
    page, scores = tmp_path / "docs" / "outline.md", tmp_path / "rows.json"
    arguments = ["study", "outline", "--quick", "--device=cpu", "--seeds", "0,1", "--variants", ",".join(NAMES)]
    where = ["--data.root", str(outline_root), "--out", str(out), "--page", str(page), "--json", str(scores)]
    rest = ["--training.log_every=1", "--once", *ONCE, "--precision", "float32"]
    assert main([*arguments, *where, *rest]) == 0
    printed = capsys.readouterr().out
    for text in ("What had to be reached", "Table 4", "Simulated annotator", "the ellipse in the box"):
        assert text in printed
    written = page.read_text(encoding="utf-8")
    command = (
        f'    semicoupled study outline --quick --data.root "$DATA/{outline_root.name}" --training.log_every=1 '
        "--once semicoupled_5_q75 --seeds 0,1 --variants semicoupled_2,convlstm_2,semicoupled_5_q75 "
        "--precision float32\n"
    )
    assert command in written
    assert str(tmp_path) not in written
    for name in ("outline", "outline-training"):
        assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert f"](study-{name}.png)" in written
    assert said(list(read_rows(scores).rows)) == said(rows)


@pytest.mark.parametrize(
    ("names", "part"),
    [
        (["semicoupled_5_q100", "semicoupled_5_q50"], "initial q"),
        (["semicoupled_10", "convlstm_15"], "deep"),
        (["semicoupled_5", "semicoupled_15"], ""),
        (["semicoupled_5", "semicoupled_5_q50"], ""),
        (["semicoupled_10", "polyrnn_pp"], ""),
    ],
)
def test_what_is_run_alone_has_a_section_of_its_own(names: list[str], part: str) -> None:
    assert part_of([Row("semicoupled", "iou", {"variant": name}, 0.5, 1) for name in names]) == part


def test_images_are_drawn_and_not_objects(outline_root: Path) -> None:
    found = objects_of(settings_of(BY_NAME["convlstm_2"], 0, options(outline_root)))
    weights = weights_of(found)
    images = found.images
    assert len(np.unique(images)) == 2
    for image in np.unique(images):
        own = weights.every[:, images == image]
        assert (own == own[:, :1]).all()


def test_scores_by_hand(outline_root: Path) -> None:
    objects: Objects = objects_of(settings_of(BY_NAME["convlstm_2"], 0, options(outline_root)))
    halves = [Judged(label, Score(Overlap(50, 100), 900, (0.5, 1.0)), 8, False, True) for label in objects.labels]
    halves[0] = halves[0]._replace(score=Score(Overlap(300, 300), 5000, (1.0, 1.0)), closed=False)
    clicks = np.array([[0, 1, np.nan]] * len(objects.annotated))
    found = scores_of(Answers({"start_end": halves}, clicks), objects, weights_of(objects))
    about = ("prompt", "start_end")
    assert found["iou", (about,)][0] == pytest.approx((1 + 3 * 0.5) / 4)
    assert found["iou_pooled", (about,)][0] == pytest.approx(450 / 600)
    assert found["iou", (about, ("size", "medium"))][0] == 1
    assert found["iou", (about, ("size", "small"))][0] == 0.5
    assert found["not_closed", (about,)][0] == 0.25
    most = ("most_clicks", 1)
    assert [found["clicks", (("iou", wanted), most)][0] for wanted in (0.8, 0.85, 0.9)] == [0, 1, 1]
    assert [found["clicks_enough", (("iou", wanted), most)][0] for wanted in (0.8, 0.85, 0.9)] == [1, 1, 0]


def test_goals_are_computed_and_not_said() -> None:
    label = {"class": "car, pedestrian, bicyclist"}

    def row(variant: str, value: float, **more: str) -> Row:
        return Row("m", "iou", {"variant": variant, "prompt": "start_end", **more}, value, 10)

    rows = [
        row("semicoupled_2", 0.66, **label),
        row("semicoupled_5", 0.64, **label),
        row("semicoupled_2", 0.6),
        row("semicoupled_5", 0.58),
        row("convlstm_2", 0.57),
        row("convlstm_5", 0.59),
        Row("box", "iou", {}, 0.5, 10),
        Row("m", "clicks", {"variant": "semicoupled_5", "iou": 0.8, "most_clicks": 20}, 3.5, 10, "clicks"),
        Row("m", "clicks_enough", {"variant": "semicoupled_5", "iou": 0.8, "most_clicks": 20}, 0.9, 10),
    ]
    found = list(goals(rows))
    assert [goal.is_met for goal in found] == [True, False, True, None, True]
    assert "semicoupled, 2 layers" in found[0].text
    assert found[4].note == "90 % get there; the others count with 20"
    assert {goal.is_met for goal in goals([])} == {None}


@pytest.mark.parametrize(
    ("most", "clicks", "share", "is_met"),
    [(1, 1.0, 0.0, None), (12, 3.5, 0.9, None), (12, 3.5, 1.0, True), (12, 5.0, 0.7, False), (20, 3.5, 0.9, True)],
)
def test_an_annotator_who_gives_up_early_proves_nothing(
    most: int, clicks: float, share: float, is_met: bool | None
) -> None:
    about = {"variant": "semicoupled_5", "iou": 0.8, "most_clicks": most}
    rows = [
        Row("m", "iou", {"variant": "semicoupled_5", "prompt": "start_end"}, 0.6, 10),
        Row("m", "clicks", about, clicks, 10, "clicks"),
        Row("m", "clicks_enough", about, share, 10),
    ]
    assert list(goals(rows))[4].is_met is is_met
