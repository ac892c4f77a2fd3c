"""The study of rain: what its variants are, what is trained and scored, and what is not done again."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from semicoupled.errors import RunError, SettingsError
from semicoupled.rows import Row
from semicoupled.settings_file import differences
from semicoupled.studies.request import StudyRequest
from semicoupled.studies.scores import select
from semicoupled.studies.training import TRAINED
from semicoupled.studies.trials import Variant, choose
from semicoupled.tasks.nowcasting.model import build_model
from semicoupled.tasks.nowcasting.settings import NowcastingSettings
from semicoupled.tasks.nowcasting.study.counts import Fields, fields_of, load_counts
from semicoupled.tasks.nowcasting.study.rows import events_of
from semicoupled.tasks.nowcasting.study.running import run_study
from semicoupled.tasks.nowcasting.study.variants import PAIRS, QUICK, RATES, VARIANTS, settings_of

BY_NAME = {variant.name: variant for variant in VARIANTS}
FORMS = {
    "best": ("semicoupled", "convlstm", "convgru", "predrnn", "semicoupled_goals"),
    "plain": ("semicoupled_plain", "semicoupled_plain_p3", "semicoupled_plain_p0", "convlstm_plain"),
}
NAMES = ("semicoupled", "convlstm")
SEEDS = (0, 1)


def parameters(variant: Variant) -> int:
    settings = settings_of(variant, 0)
    return sum(parameter.numel() for parameter in build_model(settings.model, 5).parameters())


@pytest.mark.parametrize("form", FORMS)
def test_variants_of_a_form_have_as_many_parameters_within_5_percent(form: str) -> None:
    first, *others = (parameters(BY_NAME[name]) for name in FORMS[form])
    assert [other / first for other in others] == pytest.approx([1.0] * len(others), abs=0.05)


def test_every_variant_has_a_form_and_every_pair_is_there() -> None:
    assert {name for names in FORMS.values() for name in names} == set(BY_NAME)
    assert {name for pair in PAIRS for name in pair} <= set(BY_NAME)


def test_the_page_on_the_command_line_names_every_variant() -> None:
    page = (Path(__file__).parents[4] / "docs" / "cli.md").read_text(encoding="utf-8")
    assert [name for name in BY_NAME if f"`{name}`" not in page] == []


def test_the_best_form_is_the_default_and_trusted() -> None:
    different = differences(NowcastingSettings(), settings_of(BY_NAME["semicoupled"], 0))
    names = {line.partition(":")[0] for line in different}
    assert names - {"training.learning_rate"} == {
        "evaluation.leads",
        "predict.trust",
        "predict.match",
        "training.checkpoint_every",
    }


@pytest.mark.parametrize("name", BY_NAME)
def test_each_kind_has_its_own_learning_rate_in_each_form(name: str) -> None:
    form = "_plain" if "plain" in name else ""
    assert (
        settings_of(BY_NAME[name], 0).training.learning_rate == RATES[settings_of(BY_NAME[name], 0).model.kind + form]
    )


@pytest.mark.parametrize("name", BY_NAME)
def test_all_variants_learn_from_and_are_scored_on_the_same_files(name: str) -> None:
    ours, first = (settings_of(BY_NAME[one], 0) for one in (name, "semicoupled"))
    assert ours.evaluation == first.evaluation
    assert ours.predict == first.predict
    sampling = {"dim", "least_wet", "crop", "candidates", "teaching", "teaching_samples"}
    assert {line.partition(":")[0].removeprefix("data.") for line in differences(first.data, ours.data)} <= sampling
    assert ours.training.batch == first.training.batch


def test_table_7_has_its_three_p_and_a_rival_without_branches() -> None:
    plain, p3, p0, rival = (settings_of(BY_NAME[name], 0) for name in FORMS["plain"])
    assert [(one.switches.method, one.switches.start) for one in (plain, p3)] == [("stsgd", 0.5), ("stsgd", 0.3)]
    assert p0.switches.method == "none"
    for one in (plain, p3, p0):
        assert (one.model.form, one.goals.spatial, one.goals.temporal) == ("plain", 1, 1)
    assert (rival.model.kind, rival.model.form, rival.model.norm) == ("convlstm", "plain", plain.model.norm)
    assert (rival.model.layers, rival.model.patch, rival.loss) == (plain.model.layers, plain.model.patch, plain.loss)


@pytest.fixture(scope="module")
def radar(tmp_path_factory: pytest.TempPathFactory, make_event: Callable[[Path, int, int], Path]) -> Path:
    """An event to learn from, two to hold back, and another place."""
    folder = tmp_path_factory.mktemp("radar")
    for seed, name in enumerate(("root/one", "root/two", "root/three", "elsewhere")):
        make_event(folder / name, 8, seed)
    return folder


def options(radar: Path) -> list[str]:
    return [*QUICK, f"--data.root={radar / 'root'}", "--data.validation=two,three", "--evaluation.sprog=off"]


def study(radar: Path, out: Path, names: Sequence[str] = NAMES, seeds: Sequence[int] = SEEDS) -> list[Row]:
    chosen = choose("rain", VARIANTS, names)
    return run_study(
        StudyRequest(chosen, seeds, out, options=options(radar), device="cpu"), others=[radar / "elsewhere"]
    )


def said(rows: Sequence[Row]) -> list[str]:
    """Rows that can be compared, NaN with NaN; without the time that trainings took."""
    return [repr(row) for row in rows if row.metric != "training_seconds"]


@pytest.fixture(scope="module")
def done(radar: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Row]]:
    """A study of two variants and two seeds: its folder and its rows."""
    out = tmp_path_factory.mktemp("study")
    return out, study(radar, out)


def test_every_run_has_rows_and_the_baselines_have_theirs_once(done: tuple[Path, list[Row]]) -> None:
    _, rows = done
    assert events_of(rows) == ["three", "two"]
    assert events_of(rows, "elsewhere") == []
    for data, event in (("validation", "two"), ("validation", "three"), ("validation", None), ("elsewhere", None)):
        for name in NAMES:
            found = select(rows, "mse", variant=name, data=data, event=event)
            assert [row.condition["seed"] for row in found] == list(SEEDS)
            assert {row.model for row in found} == {name}
            assert all(row.value > 0 and row.interval is not None for row in found)
        for name in ("persistence", "advection", "advection_blur"):
            (row,) = select(rows, "mse", model=name, data=data, event=event)
            assert row.value > 0
    assert [row.value for row in select(rows, "steps", variant="convlstm")] == [2, 2]
    assert len({row.value for row in select(rows, "parameters", variant="convlstm")}) == 1


def test_differences_are_those_of_the_means_over_seeds(done: tuple[Path, list[Row]]) -> None:
    _, rows = done
    where = {"data": "validation", "event": "two"}
    for metric, more in (("mse", {}), ("csi", {"threshold_dbz": 15})):
        ours, theirs = (
            np.array([row.value for row in select(rows, metric, variant=name, **where, **more)]) for name in NAMES
        )
        about = {"variant": "semicoupled", "against": "convlstm", **where, **more}
        (row,) = select(rows, f"{metric}_difference", **about)
        assert row.value == pytest.approx(ours.mean() - theirs.mean(), abs=1e-12)
        assert row.interval is not None
        ends = [select(rows, f"{metric}_difference_{end}", **about)[0].value for end in ("lowest", "highest")]
        assert ends == pytest.approx(sorted(ours - theirs), abs=1e-12)
        (advection,) = select(rows, metric, model="advection", **where, **more)
        (row,) = select(rows, f"{metric}_difference", **{**about, "against": "advection"})
        assert row.value == pytest.approx(ours.mean() - advection.value, abs=1e-12)


def test_what_is_finished_is_neither_trained_nor_scored_again(
    radar: Path, done: tuple[Path, list[Row]], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, rows = done

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("again")

    monkeypatch.setattr("semicoupled.training.loop.fit", refuse)
    monkeypatch.setattr("semicoupled.tasks.nowcasting.study.counts.count_fields", refuse)
    assert said(study(radar, out)) == said(rows)
    fewer = study(radar, out, names=["convlstm"], seeds=[1])
    assert {row.condition["variant"] for row in fewer if "variant" in row.condition} == {"convlstm"}
    with pytest.raises(AssertionError, match="again"):
        study(radar, out, seeds=[2])


def test_a_run_that_was_killed_before_it_was_scored_is_scored_and_not_trained(
    radar: Path, done: tuple[Path, list[Row]], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, rows = done
    broken, gone = (out / name / "counts-elsewhere.npz" for name in ("semicoupled-0", "convlstm-1"))
    broken.write_bytes(broken.read_bytes()[:100])
    gone.unlink()

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr("semicoupled.training.loop.fit", refuse)
    assert said(study(radar, out)) == said(rows)
    assert gone.exists()


def test_a_training_that_was_killed_is_taken_up(radar: Path, done: tuple[Path, list[Row]]) -> None:
    out, rows = done
    run = out / "convlstm-0"
    weights = (run / "model.safetensors").read_bytes()
    (run / TRAINED).unlink()  # as if it had been killed between the last step and the end
    assert said(study(radar, out)) == said(rows)
    assert (run / "model.safetensors").read_bytes() == weights
    assert json.loads((run / TRAINED).read_text())["steps"] == 2


def test_other_settings_in_the_same_folder_are_refused(radar: Path, done: tuple[Path, list[Row]]) -> None:
    out, _ = done
    chosen = choose("rain", VARIANTS, NAMES)
    with pytest.raises(RunError, match=r"semicoupled-0: was begun with other settings:\n.*training.batch: 2 there, 3"):
        _ = run_study(StudyRequest(chosen, SEEDS, out, options=[*options(radar), "--training.batch=3"], device="cpu"))


def test_counts_of_other_files_or_settings_do_not_count(
    radar: Path, done: tuple[Path, list[Row]], tmp_path: Path
) -> None:
    out, _ = done
    settings = settings_of(BY_NAME["semicoupled"], 0, options(radar))
    assert load_counts(out / "baselines", Fields("validation", None, settings)) is not None
    fewer = dataclasses.replace(settings, evaluation=dataclasses.replace(settings.evaluation, leads=1))
    assert load_counts(out / "baselines", Fields("validation", None, fewer)) is None
    held = dataclasses.replace(settings, data=dataclasses.replace(settings.data, validation="two"))
    assert load_counts(out / "baselines", Fields("validation", None, held)) is None
    assert load_counts(tmp_path, Fields("validation", None, settings)) is None


def test_what_cannot_be_compared_is_refused(radar: Path, tmp_path: Path) -> None:
    settings = settings_of(BY_NAME["semicoupled"], 0, options(radar))
    with pytest.raises(SettingsError, match=r"a folder called 'one' is there already"):
        _ = fields_of(settings, [radar / "root" / "one", radar / "elsewhere" / ".." / "root" / "one"])
    with pytest.raises(SettingsError, match="at least one variant and one seed"):
        _ = run_study(StudyRequest((), SEEDS, tmp_path))
    with pytest.raises(SettingsError, match=r"no variant 'convlsmt'.*convlstm"):
        _ = choose("rain", VARIANTS, ["convlsmt"])
