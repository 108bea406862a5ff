"""Logistic regression."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from engine.models.base import NetworkModel, Solver
from engine.models.descent import GRADIENT_DESCENT, descent_settings
from engine.models.newton import NEWTON
from engine.models.regularization import Regularization
from engine.parts.losses import BinaryCrossEntropy, CrossEntropy
from engine.parts.optimizers import GradientDescent
from engine.spec import NonNegativeFloat, spec


@spec
class Penalty:
    """½ l2 ‖w‖², added to the sum of the rows' losses: 1 is scikit-learn's C = 1. The intercept is not penalized."""

    l2: NonNegativeFloat = Field(default=1.0, description="the factor of ½‖w‖²; 0 leaves the weights free")


@spec
class LogisticRegression(NetworkModel):
    """Class probabilities from a weighted sum of the features, fitted by maximum likelihood."""

    formula: ClassVar[str] = (
        r"h(x) = \frac{1}{1 + e^{-\theta^\top x}}, \quad \max_\theta \prod_i h(x_i)^{y_i} (1 - h(x_i))^{1 - y_i}"
    )
    derivative: ClassVar[str] = r"\nabla_\theta \ell = \sum_i (y_i - h(x_i))\, x_i"
    source: ClassVar[str] = "Bishop, Pattern Recognition and Machine Learning (2006), 4.3"
    tasks: ClassVar[frozenset[str]] = frozenset({"classification"})
    needs_penalty: ClassVar[bool] = True
    solvers: ClassVar[Mapping[str, Solver]] = {"newton": NEWTON, "gradient_descent": GRADIENT_DESCENT}

    kind: Literal["logistic_regression"] = "logistic_regression"
    solver: Literal["newton", "gradient_descent"] = Field(
        default="newton", description="newton takes a few steps by the curvature; gradient_descent takes many by the slope"
    )
    multi_class: Literal["multinomial", "one_vs_rest"] = Field(
        default="multinomial", description="for three classes or more: one softmax, or a model for each class"
    )
    penalty: Penalty = Penalty()

    def settings(self, task: str, classes: int) -> Mapping[str, Any]:
        loss = BinaryCrossEntropy() if classes == 2 or self.multi_class == "one_vs_rest" else CrossEntropy()
        if self.solver == "newton":
            return {"loss": loss, "epochs": 100, "class_weight": None, "precision": "float64"}
        settings = descent_settings(
            loss=loss,
            optimizer=GradientDescent(learning_rate=0.1),
            epochs=100,
            batch_size="full",
            class_weight=None,
            precision="float64",
        )
        del settings["regularization"]  # the penalty is the model's own here
        return settings

    def losses(self, task: str, classes: int) -> tuple[type, ...] | None:
        return (type(self.settings(task, classes)["loss"]),)

    def penalties(self, regularization: Regularization | None, rows: int) -> tuple[float, float]:
        return 0.0, self.penalty.l2 / rows

    @property
    def solved_by(self) -> Solver:
        return self.solvers[self.solver]
