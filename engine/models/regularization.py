"""Regularization: penalties that keep a network's weights small, and a limit that keeps its steps short."""

from typing import Annotated

from pydantic import Field

from engine.spec import NonNegativeFloat, spec


@spec
class Regularization:
    """Penalties on the weights, ‖w‖₁ and ½‖w‖², added to the mean loss (never on a bias), and a bound on the gradient."""

    l1: NonNegativeFloat = Field(default=0.0, description="the factor of ‖w‖₁, which draws weights to 0 and leaves many there")
    l2: NonNegativeFloat = Field(default=0.0, description="the factor of ½‖w‖², which keeps weights small")
    clip_norm: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)] | None = Field(
        default=None, description="scale the gradient down to this length where it is longer"
    )
