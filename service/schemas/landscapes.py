"""Bodies that ask for descents of landscapes."""

from typing import Annotated

from pydantic import Field

from engine.parts.optimizers import Optimizer
from engine.parts.schedules import ConstantRate, Schedule
from engine.spec import WHOLE, FiniteFloat, spec


@spec
class DescendRequest:
    """Where to start, and which optimizers to let go from there."""

    start: Annotated[list[FiniteFloat], Field(min_length=2, max_length=2)] | None = Field(default=None, examples=[[-1.2, 1.0]])
    optimizers: list[Optimizer] = Field(
        min_length=1, max_length=20, examples=[[{"kind": "gradient_descent", "learning_rate": 0.001}, {"kind": "adam"}]]
    )
    schedule: Schedule = Field(
        default=ConstantRate(), description="of every optimizer's learning rate, as in a job; a step here is an epoch there"
    )
    steps: Annotated[int, Field(strict=True, ge=1, le=10_000), WHOLE] = 100
