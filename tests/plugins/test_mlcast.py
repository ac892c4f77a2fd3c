"""The contract of MLCast 0.1's networks; where mlcast is installed, within its own Lightning module."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import semicoupled
from semicoupled.errors import ShapeError
from semicoupled.plugins.mlcast import SemiCoupledNetwork
from semicoupled.run_folder import open_run
from semicoupled.tasks.nowcasting.extrapolation.baselines import advection
from semicoupled.tasks.nowcasting.model import build_model
from semicoupled.tasks.nowcasting.settings import Form, ModelSettings, NowcastingSettings
from semicoupled.training.weights import save_weights

FORMS: tuple[Form, ...] = ("plain", "residual", "advection")


def rain(batch: int = 2, frames: int = 4, height: int = 33, width: int = 42) -> torch.Tensor:
    """Moving showers on MLCast's scale, -1 to 1."""
    y, x = np.mgrid[:height, :width]
    dbz = [
        [45 * np.exp(-((y - 12 - t - b) ** 2 + (x - 14 - 2 * t) ** 2) / 40) for t in range(frames)]
        for b in range(batch)
    ]
    return torch.from_numpy(np.array(dbz, np.float32))[:, :, None] / 30 - 1


@pytest.mark.parametrize("form", FORMS)
def test_the_signature_of_a_network(form: Form):
    network = SemiCoupledNetwork(layers=1, width=4, form=form)
    x = rain()
    made = network(x, steps=3)
    assert made.shape == (2, 3, 1, 33, 42)
    ensemble = network(x, steps=3, ensemble_size=4)
    assert ensemble.shape == (2, 3, 4, 33, 42)
    torch.testing.assert_close(ensemble[:, :, 2:3], made)


def test_a_fresh_network_moves_the_rain_as_advection_does():
    x = rain(batch=1)
    made = 30 * (SemiCoupledNetwork(layers=1, width=4)(x, steps=2)[0, :, 0].detach().numpy() + 1)
    wanted = advection(30 * (x[0, :, 0].numpy() + 1), 2, 1.0)
    assert np.corrcoef(made.ravel(), wanted.ravel())[0, 1] > 0.98


def test_the_network_of_a_run(tmp_path: Path):
    settings = ModelSettings(layers=1, width=4)
    folder = open_run(tmp_path / "run", "nowcasting", NowcastingSettings(model=settings))
    folder.write_description({"kilometers": 2.0})
    save_weights(folder.weights_file, build_model(settings, 5), {})
    network = SemiCoupledNetwork.from_run(folder.path, device="cpu")
    assert network.kilometers == 2.0
    trained: Any = semicoupled.load(folder.path, device="cpu").model
    torch.testing.assert_close(network.model.state_dict(), trained.state_dict())


def test_what_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match="input_channels: expected 1"):
        SemiCoupledNetwork(input_channels=2)
    with pytest.raises(ShapeError, match=r"at least two frames, got \(2, 1, 1, 33, 42\)"):
        SemiCoupledNetwork(layers=1, width=4)(rain(frames=1), steps=2)


@pytest.mark.parametrize(("loss", "ensemble"), [("mse", 1), ("crps", 2)])
@pytest.mark.parametrize("form", FORMS)
def test_a_training_step_in_their_lightning_module(form: Form, loss: str, ensemble: int):
    module_of = pytest.importorskip("mlcast.nowcasting_module", reason="mlcast is not installed")
    network = SemiCoupledNetwork(layers=1, width=4, form=form)
    module = module_of.NowcastLightningModule(
        network=network, ensemble_size=ensemble, loss_class=loss, masked_loss=True
    )
    x = rain(frames=6)
    faded = 0.7 * (x[:, 4:] + 1) - 1
    batch = {"input": x[:, :4], "target": faded, "target_mask": torch.ones_like(faded)}
    optimizer = module.configure_optimizers()["optimizer"]
    before = {name: tensor.clone() for name, tensor in network.named_parameters()}
    losses = []
    for _ in range(3):
        optimizer.zero_grad()
        value = module.training_step(batch, 0)
        value.backward()
        optimizer.step()
        losses.append(float(value.detach()))
    assert losses[-1] < losses[0]
    changed = {name for name, tensor in network.named_parameters() if not torch.equal(tensor, before[name])}
    assert "model.head.output.weight" in changed
    assert any(name.startswith("model.network.encoder") for name in changed)
    assert not any("spatial_head" in name or "temporal_head" in name for name in changed)
    module.eval()
    with torch.no_grad():
        assert float(module.validation_step(batch, 0)) >= 0
    past = torch.from_numpy(np.array(10 ** ((30 * (x[0, :, 0].numpy() + 1) / 10 - np.log10(200)) / 1.6)))
    assert module.predict(past, forecast_steps=2, ensemble_size=3).shape == (3, 2, 33, 42)


def test_a_fit_by_their_trainer(tmp_path: Path):
    module_of = pytest.importorskip("mlcast.nowcasting_module", reason="mlcast is not installed")
    lightning = pytest.importorskip("pytorch_lightning", reason="pytorch-lightning is not installed")
    module = module_of.NowcastLightningModule(network=SemiCoupledNetwork(layers=1, width=4))
    x = rain(frames=6)
    samples = [{"input": one[:4], "target": one[4:]} for one in x]
    loader = torch.utils.data.DataLoader(samples, batch_size=2)  # pyright: ignore[reportArgumentType]
    trainer = lightning.Trainer(
        max_steps=1, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, default_root_dir=tmp_path,
    )  # fmt: skip
    trainer.fit(module, loader)
    assert trainer.global_step == 1
