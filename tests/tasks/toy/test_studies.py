"""The studies' variants, their scores, and what is shown of them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from semicoupled.errors import DataError, SettingsError
from semicoupled.page import put_section
from semicoupled.rows import Row
from semicoupled.settings_file import differences
from semicoupled.tasks.toy.data import ToyBatch
from semicoupled.tasks.toy.settings import ToySettings
from semicoupled.tasks.toy.studies import QUICK, STUDIES, Variant, choose, run_study, score, settings_of
from semicoupled.tasks.toy.study_page import PAGE_TITLE, best, plot, section, table

ALL = [(study.name, variant) for study in STUDIES.values() for variant in study.variants]
NAMES = [f"{study}-{variant.name}" for study, variant in ALL]


@pytest.mark.parametrize(("study", "variant"), ALL, ids=NAMES)
def test_a_variant_differs_from_its_preset_in_what_it_names(study: str, variant: Variant) -> None:
    preset = settings_of(study, Variant("preset", "preset"), 0)
    named = sorted(option[2:].partition("=")[0] for option in variant.options)
    changed = sorted(line.partition(":")[0] for line in differences(preset, settings_of(study, variant, 0)))
    assert changed == named


def test_the_star_is_farther_away_than_a_segment_is_long() -> None:
    for study in STUDIES:
        preset = settings_of(study, Variant("preset", "preset"), 3)
        assert preset.seed == 3
        assert preset.segments.length is not None
        assert preset.segments.length < 10
        assert preset.data.length > 3 * preset.segments.length
    assert settings_of("star", Variant("preset", "preset"), 0).data.length == 60


def test_unknown_names_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"no study 'stars'.*star"):
        choose("stars")
    with pytest.raises(SettingsError, match=r"no variant 'strides'.*strided"):
        choose("star", ["strides"])
    assert [variant.name for variant in choose("star", ["strided", "truncated_bptt"])] == ["truncated_bptt", "strided"]


class Counted(NamedTuple):
    main: Tensor
    state: Tensor
    state_at: Tensor | None


class Counter(nn.Module):
    """Counts from the star that it is shown; its state is all it knows of what came before."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self.unused = nn.Parameter(torch.zeros(()))

    def forward(self, batch: ToyBatch, state: Tensor | None = None, *, state_at: int | None = None) -> Counted:
        none = self.classes - 1
        since = torch.full_like(batch.shape[:, 0], none) if state is None else state
        states = [since]
        for shape in batch.shape.unbind(1):
            since = torch.where(shape == 1, 0, torch.where(since == none, none, since + 1))
            states.append(since)
        scores = F.one_hot(torch.stack(states[1:], 1), self.classes).float()
        return Counted(scores, since, None if state_at is None else states[state_at])


def counted(*options: str) -> dict[tuple[str, str], float]:
    variant = Variant("counter", "counter", options)
    settings = settings_of("star", variant, 0, ["--data.test=64"])
    rows = score(variant, settings, Counter(settings.data.classes), 7)  # pyright: ignore[reportArgumentType]
    assert {row.condition["steps"] for row in rows} == {7}
    return {(str(row.condition["tested"]), str(row.condition["distance"])): row.value for row in rows}


def test_who_carries_the_count_is_right_at_every_distance() -> None:
    found = counted()
    assert set(found.values()) == {1.0}
    assert len(found) == 12


def test_who_forgets_it_between_segments_is_found_out_when_tested_segmented() -> None:
    found = counted("--segments.carry=none")
    assert found["streamed", "41-50"] == 1.0
    assert found["segmented", "41-50"] == 0.0
    assert 0.2 < found["segmented", "0-10"] < 0.9


def test_a_state_from_the_last_ones_end_counts_the_overlap_twice() -> None:
    found = counted("--segments.carry=end")
    assert found["streamed", "41-50"] == 1.0
    assert found["segmented", "41-50"] == 0.0


def test_a_study_is_run_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    variants = choose("ablation", ["whole", "without_ltsc"])
    rows = run_study("ablation", variants, [0, 1], tmp_path, options=QUICK, device="cpu")
    assert {(row.condition["variant"], row.condition["seed"]) for row in rows} == {
        (variant.name, seed) for variant in variants for seed in (0, 1)
    }
    assert {row.metric for row in rows} == {"accuracy_within_one"}
    assert {row.condition["steps"] for row in rows} == {4}
    assert (tmp_path / "whole-1" / "model.safetensors").is_file()

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr("semicoupled.training.loop.fit", refuse)
    assert run_study("ablation", variants, [0, 1], tmp_path, options=QUICK, device="cpu") == rows
    with pytest.raises(AssertionError, match="trained again"):
        run_study("ablation", variants, [2], tmp_path, options=QUICK, device="cpu")


def row(variant: str, way: str, distance: str, seed: int, value: float) -> Row:
    condition = {"question": "star", "variant": variant, "tested": way, "distance": distance, "steps": 9, "seed": seed}
    return Row("semicoupled", "accuracy_within_one", condition, value, 10)


ROWS = [
    row(variant, way, distance, seed, value + 0.1 * seed)
    for variant, value in (("strided", 0.2), ("truncated_bptt", 0.5))
    for way in ("streamed", "segmented")
    for distance in ("0-10", "all", "41-50")
    for seed in (0, 1)
]


def test_the_table_has_mean_and_spread_of_the_seeds() -> None:
    shown = table("star", ROWS)
    assert list(shown.columns) == ["variant", "steps", "tested", "0-10", "41-50", "all"]
    assert list(shown.rows[0]) == ["truncated BPTT", "9", "streamed", *["0.550 ± 0.071"] * 3]
    assert [line[0] for line in shown.rows] == ["truncated BPTT"] * 2 + ["strided sampling"] * 2
    assert "Seeds 0, 1: mean" in shown.caption
    one = table("star", [one for one in ROWS if one.condition["seed"] == 0])
    assert one.rows[0][3] == "0.500"


def test_the_best_is_the_best_at_the_farthest_distances() -> None:
    near = [row("strided", "streamed", "0-10", seed, 0.99) for seed in (0, 1)]
    others = [one for one in ROWS if (one.condition["variant"], one.condition["distance"]) != ("strided", "0-10")]
    assert best("star", [*others, *near]) == "At 41-50 frames, streamed, the best reaches 0.550: truncated BPTT."


def test_the_plot_has_a_line_for_each_variant_and_a_panel_for_each_way() -> None:
    figure = plot("star", ROWS)
    assert [panel.get_title() for panel in figure.axes] == ["tested streamed", "tested segmented"]
    for panel in figure.axes:
        heights = [list(line.lines[0].get_ydata()) for line in panel.containers]
        assert heights == [pytest.approx([0.55, 0.55]), pytest.approx([0.25, 0.25])]


def test_a_section_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    page = tmp_path / "toys.md"
    put_section(page, "study star", section("star", ROWS, "semicoupled study star", "star.png"), PAGE_TITLE)
    put_section(page, "study ablation", "the ablation\n", PAGE_TITLE)
    first = page.read_text()
    assert first.startswith(PAGE_TITLE)
    assert "    semicoupled study star\n" in first
    assert "* strided sampling: `--segments.method=strided`\n" in first
    assert "| truncated BPTT | 9 | streamed | 0.550 ± 0.071 |" in first
    put_section(page, "study star", "new\n", PAGE_TITLE)
    second = page.read_text()
    assert "truncated" not in second
    assert second.index("new") < second.index("the ablation")
    put_section(page, "study star", section("star", ROWS, "semicoupled study star", "star.png"), PAGE_TITLE)
    assert page.read_text() == first


def test_a_page_with_half_a_section_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "toys.md"
    page.write_text("<!-- study star: begin -->\nfigures\n")
    with pytest.raises(DataError, match="only one of"):
        put_section(page, "study star", "new\n", PAGE_TITLE)
    assert "figures" in page.read_text()


def test_no_preset_trains_what_the_other_measures() -> None:
    star, ablation = (settings_of(study, Variant("preset", "preset"), 0) for study in ("star", "ablation"))
    assert isinstance(star, ToySettings)
    assert (star.goals.spatial, star.goals.temporal, star.switches.method) == (0, 0, "none")
    assert ablation.goals.spatial > 0
    assert ablation.goals.temporal > 0
    assert ablation.switches.method == "astsgd"
