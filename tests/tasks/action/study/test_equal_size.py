"""Rivals are as large as ours, and other depths keep the sizes of maps."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from semicoupled.errors import SettingsError
from semicoupled.tasks.action.settings import ActionSettings, ModelSettings
from semicoupled.tasks.action.study.equal_size import TOLERANCE, count_parameters, deepened, of_equal_size
from semicoupled.tasks.action.study.variants import LAYERS, OURS, RIVALS, VARIANTS, settings_of

BY_NAME = {variant.name: variant for variant in VARIANTS}


@pytest.mark.parametrize("name", [rival.name for rival in RIVALS])
def test_rivals_have_as_many_parameters_within_5_percent(name: str) -> None:
    ours, theirs = (settings_of(BY_NAME[one], 0) for one in (OURS, name))
    assert count_parameters(theirs) / count_parameters(ours) == pytest.approx(1, abs=TOLERANCE)
    assert np.prod(theirs.model.strides or ()) == np.prod(ours.model.strides or ())
    assert len(theirs.model.widths or ()) == LAYERS.get(name, len(ours.model.widths or ()))


def test_a_deeper_plan_keeps_its_sizes() -> None:
    widths, strides = deepened((8, 16, 32), (2, 1, 2), 7)
    assert widths == (8, 8, 8, 16, 16, 32, 32)
    assert strides == (2, 1, 1, 1, 1, 2, 1)
    assert deepened((8, 16, 32), (2, 1, 2), 3) == ((8, 16, 32), (2, 1, 2))
    assert deepened((8, 16, 32), (2, 1, 2), 2) == ((8, 32), (2, 2))


def test_a_network_with_layers_of_its_own_is_refused() -> None:
    settings = ActionSettings(
        model=ModelSettings(kind="r3d_18"), goals=dataclasses.replace(ActionSettings().goals, spatial=0, temporal=0)
    )
    with pytest.raises(SettingsError, match=r"model\.kind r3d_18 of size xs has layers of its own"):
        _ = of_equal_size(settings, 1000)


def test_what_cannot_be_so_small_is_refused() -> None:
    settings = settings_of(BY_NAME["convlstm"], 0)
    with pytest.raises(SettingsError, match="no widths give it 50 parameters within 5%"):
        _ = of_equal_size(settings, 50)
