"""ASTSGD: STSGD whose share of space, q, follows the losses (Sec. 5.2, Eq. 19, 20)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from torch import Tensor

from semicoupled.errors import RunError, SettingsError
from semicoupled.training.focus import focus, has_value
from semicoupled.training.focus_controller import FocusController, Proposal
from semicoupled.training.settings import Controller, Scope, SwitchSettings
from semicoupled.training.switches import Counters, Draw, Drawing, HasDepth, StopRates, Votes, depth_of

__all__ = ["ASTSGD", "FocusRecord", "focus"]


class FocusRecord(NamedTuple):
    """One step of q's way, for a plot like Fig. 4b.

    Attributes:
        spatial_focus: q after the losses were heard.
        formula_focus: what Eq. 20 gives; the same unless the controller is learned; None where Eq. 20 has no value.
        main_loss: L_g, running mean.
        spatial_loss: L_s, running mean.
        temporal_loss: L_t, running mean, or None.
    """

    spatial_focus: float
    formula_focus: float | None
    main_loss: float
    spatial_loss: float
    temporal_loss: float | None


class _Trial(NamedTuple):
    """A step whose effect on the main loss is not known yet."""

    proposal: Proposal
    votes: Votes
    main_loss: float


class ASTSGD:
    """Advanced STSGD: temporal is stopped with probability q, spatial with 1 - q (Eq. 19)."""

    def __init__(
        self,
        network: int | HasDepth,
        *,
        seed: int = 0,
        classes: int | None = None,
        initial_main_loss: float | None = None,
        focus_floor: float = 0.5,
        spatial_loss_floor: float = 0.5,
        balance: float = 0.5,
        momentum: float = 0.9,
        scope: Scope = "batch",
        unbiased: bool = False,
        restore_one: bool = False,
        controller: Controller = "formula",
        controller_learning_rate: float = 0.01,
        share_votes: Callable[[Votes], Votes] | None = None,
    ) -> None:
        """Make the switches of a network.

        Args:
            network: the network, for its `depth`, or the number of its layers.
            seed: all draws follow from it.
            classes: n classes; the initial main loss is then ln(n).
            initial_main_loss: InitL_g where it is known; without it and `classes`, the first loss that is observed.
            focus_floor: q_0, the least q, in [0, 1).
            spatial_loss_floor: thresh of Eq. 20.
            balance: alpha of Eq. 20, in [0, 1].
            momentum: of the running means of the losses, in [0, 1).
            scope: one draw a frame for the whole `batch`, or one for every `sample`.
            unbiased: divide what passes by the probability of passing; q must then stay below 1.
            restore_one: never stop both branches of a frame, as the released code does.
            controller: q by Eq. 20 (`formula`) or `learned`.
            controller_learning_rate: Adam's, for the learned controller.
            share_votes: makes the votes of one process those of all that train together, so that their learned
                controllers stay one; None where it trains alone. Every process calls it once a step.

        Raises:
            SettingsError: a value is out of its range, or contradicts another.
        """
        self._settings = SwitchSettings(
            method="astsgd",
            classes=classes,
            initial_main_loss=initial_main_loss,
            focus_floor=focus_floor,
            spatial_loss_floor=spatial_loss_floor,
            balance=balance,
            momentum=momentum,
            scope=scope,
            unbiased=unbiased,
            restore_one=restore_one,
            controller=controller,
            controller_learning_rate=controller_learning_rate,
        )
        self._share_votes = share_votes
        self._drawing = Drawing(seed, depth_of(network), scope, unbiased, restore_one)
        self._initial = math.log(classes) if classes is not None else initial_main_loss
        self._means: dict[str, float] = {}
        self._first: dict[str, float] = {}
        self._controller: FocusController | None = None
        self._proposal: Proposal | None = None
        self._trial: _Trial | None = None
        self._draws: list[Draw] = []
        self._formula: float | None = 1.0
        self._focus = 1.0  # Eq. 20 at the initial losses
        if controller == "learned":
            self._controller = FocusController(
                seed=seed, focus_floor=focus_floor, learning_rate=controller_learning_rate
            )
            self._proposal = self._controller.propose(1.0, 1.0, 1.0)
            self._focus = self._proposal.spatial_focus
        self.history: list[FocusRecord] = []
        """q's way since this object was made; a run's whole way is in its ``log.jsonl``."""

    @property
    def spatial_focus(self) -> float:
        """q, in [`focus_floor`, 1]."""
        return self._focus

    @property
    def stop_spatial(self) -> float:
        """p_s = 1 - q: probability that a spatial switch is stopped (before `restore_one`)."""
        return 1.0 - self._focus

    @property
    def stop_temporal(self) -> float:
        """p_t = q: probability that a temporal switch is stopped (before `restore_one`)."""
        return self._focus

    def set_progress(self, share: float) -> None:
        """Hear how far the training is and do nothing: q follows the losses. Here so that STSGD can take its place."""

    def draw(
        self, step: int, micro_step: int = 0, segment: int = 0, first_frame: int = 0, first_sample: int = 0
    ) -> Draw:
        """Draw the switches of one forward pass; the arguments are explained at `Counters`.

        Raises:
            SettingsError: `unbiased` and q = 1.
        """
        rates = StopRates(self.stop_spatial, self.stop_temporal)
        draw = self._drawing.draw(rates, Counters(step, micro_step, segment, first_frame, first_sample))
        if self._controller is not None:
            self._draws.append(draw)
        return draw

    def observe(
        self, main: Tensor | float, spatial: Tensor | float | None = None, temporal: Tensor | float | None = None
    ) -> None:
        """Hear the losses of one optimizer step, once a step; q moves.

        Args:
            main: L_g, one number: the mean over the step.
            spatial: L_s.
            temporal: L_t; only the learned controller looks at it.

        Raises:
            SettingsError: no spatial loss; or Eq. 20 has no value, where q follows it.
            RunError: a loss is infinite or no number.
        """
        if spatial is None:
            raise SettingsError(
                "ASTSGD: expected the spatial loss (Eq. 20 follows it), got None. Ask the network for its spatial "
                "stream and give its loss, or use STSGD."
            )
        main = _number(main)
        main_loss = self._hear("main", main)
        spatial_loss = self._hear("spatial", _number(spatial))
        temporal_loss = None if temporal is None else self._hear("temporal", _number(temporal))
        if self._initial is None:
            self._initial = main
        if self._controller is None or self._proposal is None:
            self._formula = self._focus = self._equation_20(spatial_loss, main_loss, self._initial)
        else:
            # beside a learned q the formula's is only told, so that its being without a value stops nothing
            valued = has_value(spatial_loss, self._initial, self._settings.spatial_loss_floor)
            self._formula = self._equation_20(spatial_loss, main_loss, self._initial) if valued else None
            self._learn(self._controller, self._proposal, main)
        self.history.append(FocusRecord(self._focus, self._formula, main_loss, spatial_loss, temporal_loss))

    def numbers(self) -> dict[str, float]:
        """Give q, the rates that follow from it, and Eq. 20's q beside a learned one, for a log."""
        numbers = {
            "spatial_focus": self._focus,
            "stop_spatial": self.stop_spatial,
            "stop_temporal": self.stop_temporal,
        }
        if self._controller is not None and self._formula is not None:
            numbers["formula_focus"] = self._formula
        return numbers

    def state_dict(self) -> dict[str, Any]:
        """Give what an exact resume needs."""
        state: dict[str, Any] = {
            "focus": self._focus,
            "formula": self._formula,
            "initial": self._initial,
            "means": dict(self._means),
            "first": dict(self._first),
            "controller": None if self._controller is None else self._controller.state_dict(),
            "proposal": None if self._proposal is None else tuple(self._proposal),
            "trial": None,
        }
        if self._trial is not None:
            trial = self._trial
            state["trial"] = (tuple(trial.proposal), tuple(trial.votes), trial.main_loss)
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` gave.

        Raises:
            RunError: it was made with the other kind of controller.
        """
        if (state["controller"] is None) != (self._controller is None):
            made = "formula" if state["controller"] is None else "learned"
            raise RunError(
                f"ASTSGD: the state was made with controller {made}, this one has {self._settings.controller}. "
                "Set switches.controller as it was."
            )
        self._focus = float(state["focus"])
        self._formula = None if state["formula"] is None else float(state["formula"])
        self._initial = None if state["initial"] is None else float(state["initial"])
        self._means = {name: float(value) for name, value in state["means"].items()}
        self._first = {name: float(value) for name, value in state["first"].items()}
        self._draws = []
        if self._controller is not None:
            self._controller.load_state_dict(state["controller"])
            self._proposal = Proposal(*state["proposal"])
            self._trial = None
            if state["trial"] is not None:
                proposal, votes, main_loss = state["trial"]
                self._trial = _Trial(Proposal(*proposal), Votes(*votes), main_loss)

    def _equation_20(self, spatial_loss: float, main_loss: float, initial: float) -> float:
        settings = self._settings
        return focus(
            spatial_loss,
            main_loss,
            initial,
            focus_floor=settings.focus_floor,
            spatial_loss_floor=settings.spatial_loss_floor,
            balance=settings.balance,
        )

    def _hear(self, name: str, loss: float) -> float:
        if not math.isfinite(loss):
            raise RunError(f"ASTSGD: the {name} loss is {loss}; the training went astray. Lower the learning rate.")
        self._first.setdefault(name, loss)
        momentum = self._settings.momentum
        before = self._means.get(name)
        self._means[name] = loss if before is None else momentum * before + (1.0 - momentum) * loss
        return self._means[name]

    def _learn(self, controller: FocusController, proposal: Proposal, main: float) -> None:
        """Learn from the step before last's draws, whose effect shows in this step's loss, and propose the next q."""
        drawn = [draw.votes() for draw in self._draws]
        self._draws = []
        if self._trial is not None:
            trial = self._trial
            controller.learn(trial.proposal, trial.votes, trial.main_loss - main)
        votes = Votes(sum(vote.asked for vote in drawn), sum(vote.spatial_ways for vote in drawn))
        if self._share_votes is not None:
            votes = self._share_votes(votes)
        self._trial = _Trial(proposal, votes, main)
        relative = {name: self._means[name] / self._first[name] if self._first[name] else 1.0 for name in self._means}
        self._proposal = controller.propose(relative["spatial"], relative.get("temporal", 1.0), relative["main"])
        self._focus = self._proposal.spatial_focus


def _number(loss: Tensor | float) -> float:
    return float(loss.detach()) if isinstance(loss, Tensor) else float(loss)
