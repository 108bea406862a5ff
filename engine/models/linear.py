"""Linear regression."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from engine.models.base import NetworkModel, Solver
from engine.models.descent import GRADIENT_DESCENT, descent_settings
from engine.models.least_squares import LEAST_SQUARES, is_tall
from engine.parts.losses import HalfMeanSquaredError
from engine.parts.optimizers import GradientDescent
from engine.spec import spec


@spec
class LinearRegression(NetworkModel):
    """A weighted sum of the features, fitted to numbers by least squares."""

    formula: ClassVar[str] = r"\hat{y} = w^\top x + b, \quad L = \frac{1}{n}\sum_i \tfrac{1}{2}(\hat{y}_i - y_i)^2"
    derivative: ClassVar[str] = r"\nabla_w L = \frac{1}{n} X^\top (\hat{y} - y)"
    source: ClassVar[str] = "Hastie, Tibshirani and Friedman, The Elements of Statistical Learning (2009), 3.2"
    tasks: ClassVar[frozenset[str]] = frozenset({"regression"})
    solvers: ClassVar[Mapping[str, Solver]] = {"analytic": LEAST_SQUARES, "gradient_descent": GRADIENT_DESCENT}

    kind: Literal["linear_regression"] = "linear_regression"
    solver: Literal["analytic", "gradient_descent"] = Field(
        default="analytic", description="analytic solves for the optimum at once; gradient_descent walks to it, epoch by epoch"
    )

    def settings(self, task: str, classes: int) -> Mapping[str, Any]:
        if self.solver == "analytic":
            return {"loss": HalfMeanSquaredError(), "precision": "float64"}
        return descent_settings(
            loss=HalfMeanSquaredError(),
            optimizer=GradientDescent(learning_rate=0.1),
            epochs=100,
            batch_size="full",
            precision="float64",
        )

    def losses(self, task: str, classes: int) -> tuple[type, ...] | None:
        return (HalfMeanSquaredError,) if self.solver == "analytic" else None

    def solves_unscaled(self, rows: int, inputs: int) -> bool:
        return self.solver == "analytic" and not is_tall(rows, inputs)

    @property
    def solved_by(self) -> Solver:
        return self.solvers[self.solver]
