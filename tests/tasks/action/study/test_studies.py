"""The study of action: what is trained and scored, what is not done again, what the page shows."""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from semicoupled.cli.main import main
from semicoupled.errors import RunError, SettingsError
from semicoupled.rows import Row, read_rows
from semicoupled.settings_file import differences
from semicoupled.studies.request import StudyRequest
from semicoupled.studies.scores import select
from semicoupled.studies.training import TRAINED
from semicoupled.studies.trials import choose
from semicoupled.tasks.action.settings import ActionSettings
from semicoupled.tasks.action.study.answers import load_answers, parts_of
from semicoupled.tasks.action.study.running import run_study
from semicoupled.tasks.action.study.variants import ABLATION, PAIRS, QUICK, VARIANTS, settings_of

BY_NAME = {variant.name: variant for variant in VARIANTS}
NAMES = ("semicoupled", "cnn", "whole")
SEEDS = (0, 1)


@lru_cache
def plain_settings(name: str) -> ActionSettings:
    return settings_of(BY_NAME[name], 0)


def test_every_pair_is_there_and_names_are_used_once() -> None:
    assert {name for pair in PAIRS for name in pair} <= set(BY_NAME)
    assert len(BY_NAME) == len(VARIANTS)


def test_the_page_on_the_command_line_names_every_variant() -> None:
    page = (Path(__file__).parents[4] / "docs" / "cli.md").read_text(encoding="utf-8")
    assert [name for name in BY_NAME if f"`{name}`" not in page] == []


@pytest.mark.parametrize("name", BY_NAME)
def test_all_variants_learn_with_equal_care(name: str) -> None:
    ours, first = plain_settings(name), plain_settings("semicoupled")
    assert (ours.training, ours.loss) == (first.training, first.loss)
    short = {"frames": 5, "sampling": "window"} if name == "without_ltsc" else {}  # it sees less, as the paper's does
    assert ours.data == dataclasses.replace(first.data, **short)


def test_the_ablation_differs_in_what_it_leaves_out_alone() -> None:
    whole = plain_settings("whole")
    changed = {variant.name: differences(plain_settings(variant.name), whole) for variant in ABLATION}
    assert {name: [line.partition(":")[0] for line in lines] for name, lines in changed.items()} == {
        "whole": [],
        "without_sub_goals": ["switches.method", "goals.spatial", "goals.temporal"],
        "without_temporal_goal": ["goals.temporal"],
        "without_astsgd": ["switches.method"],
        "stsgd": ["switches.method"],
        "stsgd_p3": ["switches.method", "switches.start"],
        "ltsc": ["segments.length"],
        "without_ltsc": ["data.frames", "data.sampling"],
    }


@pytest.fixture(scope="module")
def videos(samples: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of four groups."""
    return samples.make_tree(tmp_path_factory.mktemp("action") / "root", groups=4)


def options(videos: Path) -> list[str]:
    return [
        *QUICK,
        f"--data.root={videos}",
        "--data.validation=p1",
        "--data.test=p2,p3",
        "--training.precision=float32",
    ]


def study(videos: Path, out: Path) -> list[Row]:
    return run_study(StudyRequest(choose("action", VARIANTS, NAMES), SEEDS, out, options=options(videos), device="cpu"))


def said(rows: list[Row]) -> list[str]:
    kept = [row for row in rows if row.metric != "training_seconds"]
    return [repr(dataclasses.replace(row, value=float(row.value))) for row in kept]


@pytest.fixture(scope="module")
def done(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Row]]:
    out = tmp_path_factory.mktemp("study")
    return out, study(videos, out)


def test_every_variant_and_seed_has_scores_on_both_splits(done: tuple[Path, list[Row]]) -> None:
    _, rows = done
    for data, count in (("validation", 2), ("test", 4)):
        for name in NAMES:
            found = select(rows, "top1", data=data, variant=name)
            assert [row.condition.get("seed") for row in found] == [0, 1, None]
            assert {row.count for row in found} == {count}
            assert found[2].value == pytest.approx((found[0].value + found[1].value) / 2)
        assert select(rows, "top1", data=data, model="commonest class")[0].value == 0.5
        assert len(select(rows, "top1", data=data, model="linear, 8 frames")) == 1
    assert [row.value for row in select(rows, "steps", variant="cnn")] == [2, 2]
    about = {"data": "test", "variant": "whole"}
    spatial, temporal = (select(rows, "probability", stream=s, **about) for s in ("spatial", "temporal"))
    found = select(rows, "importance", **about)
    assert [row.value for row in found] == pytest.approx(
        [t.value - s.value for s, t in zip(spatial, temporal, strict=True)]
    )
    assert not select(rows, "importance", data="test", variant="cnn")
    assert {row.condition["class"] for row in rows if row.metric == "importance" and "class" in row.condition} == {
        "left",
        "right",
    }


def test_differences_are_of_the_same_videos(done: tuple[Path, list[Row]]) -> None:
    _, rows = done
    ours, rival = (
        [row.value for row in select(rows, "top1", variant=name, data="test") if "seed" in row.condition]
        for name in ("semicoupled", "cnn")
    )
    (found,) = select(rows, "top1_difference", variant="semicoupled", against="cnn", data="test")
    assert found.value == pytest.approx(np.mean(np.subtract(ours, rival)))


def test_answers_say_which_video_who_and_what(done: tuple[Path, list[Row]]) -> None:
    out, _ = done
    with np.load(out / "whole-0" / "answers-test.npz") as held:
        assert set(held) >= {"main", "spatial", "temporal", "truth", "group", "video", "classes"}
        assert held["group"].tolist() == ["p2", "p2", "p3", "p3"]
        assert held["main"].shape == (4, 2)


def test_what_is_finished_is_not_done_again(done: tuple[Path, list[Row]], videos: Path) -> None:
    out, rows = done
    (out / "cnn-0" / "answers-test.npz").unlink()
    (out / "cnn-1" / "answers-validation.npz").write_bytes(b"broken")
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.name in (TRAINED, "model.safetensors")}
    assert said(study(videos, out)) == said(rows)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_answers_for_other_videos_are_not_taken(done: tuple[Path, list[Row]], videos: Path) -> None:
    out, _ = done
    parts = parts_of(settings_of(BY_NAME["cnn"], 0, options(videos)))
    assert all(load_answers(out / "cnn-0", part) for part in parts)
    other = parts_of(settings_of(BY_NAME["cnn"], 0, [*options(videos), "--data.test=p3"]))
    assert [load_answers(out / "cnn-0", part) is None for part in other] == [False, True]


def test_wrong_settings_are_found_before_anything_is_trained(
    done: tuple[Path, list[Row]], videos: Path, tmp_path: Path
) -> None:
    out, _ = done
    with pytest.raises(SettingsError, match="at least one variant and one seed"):
        _ = run_study(StudyRequest((), SEEDS, tmp_path))
    chosen = choose("action", VARIANTS, ["cnn"])
    with pytest.raises(RunError, match="was begun with other settings"):
        _ = run_study(StudyRequest(chosen, (0,), out, options=[*options(videos), "--training.batch=3"], device="cpu"))


def test_the_command_says_what_is_reached(
    done: tuple[Path, list[Row]],
    videos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, rows = done
    monkeypatch.setenv("SEMICOUPLED_DATA", str(videos.parent))
    page, scores = tmp_path / "docs" / "action.md", tmp_path / "rows.json"
    arguments = ["study", "action", "--quick", "--device=cpu", "--seeds", "0,1", "--variants", ",".join(NAMES)]
    rest = ["--data.validation", "p1", "--data.test=p2,p3", "--precision", "float32"]
    where = ["--data.root", str(videos), "--out", str(out), "--page", str(page), "--json", str(scores)]
    assert main([*arguments, *where, *rest]) == 0
    printed = capsys.readouterr().out
    for text in ("What had to be reached", "Which classes need time", "whole: two sub-goals, ASTSGD"):
        assert text in printed
    written = page.read_text(encoding="utf-8")
    command = (
        '    semicoupled study action --quick --data.root "$DATA/root" --data.validation p1 --data.test=p2,p3 '
        "--seeds 0,1 --variants semicoupled,cnn,whole --precision float32\n"
    )
    assert command in written
    assert "<!-- study action 2 classes: begin -->" in written
    assert str(tmp_path) not in written
    for name in ("action", "action-time", "action-confusion"):
        assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert f"](study-{name}-2-classes.png)" in written
    assert said(list(read_rows(scores).rows)) == said(rows)


def test_an_unknown_preset_or_setting_is_refused(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["study", "action", "--quick", "--data.root", str(videos), "--out", str(tmp_path)]
    assert main([*asked, "--preset", "lip"]) == 2
    assert "task action has no preset 'lip'. Did you mean 'lips'?" in capsys.readouterr().err
    assert main([*asked, "--data.rot", "x"]) == 2
    assert "unknown option '--data.rot'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
