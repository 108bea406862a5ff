"""The common part of models with hidden layers: their tasks, how they are trained, and the defaults of a job."""

from collections.abc import Mapping
from typing import Any, ClassVar

from engine.models.base import NetworkModel, Solver
from engine.models.descent import GRADIENT_DESCENT, descent_settings
from engine.parts.losses import BinaryCrossEntropy, CrossEntropy, HalfMeanSquaredError
from engine.parts.scaling import Scaling, Standardization


class DeepModel(NetworkModel):
    """A network with hidden layers, for every task, trained by gradient descent."""

    tasks: ClassVar[frozenset[str]] = frozenset({"classification", "regression", "tagging"})
    usual: ClassVar[Mapping[str, Any]]
    """The defaults of optimizer, epochs and batch_size."""

    def settings(self, task: str, classes: int) -> Mapping[str, Any]:
        settings = descent_settings(loss=HalfMeanSquaredError(), **self.usual, weights_seed=None, precision="float32")
        if task == "classification":
            settings |= {"loss": BinaryCrossEntropy() if classes == 2 else CrossEntropy(), "class_weight": None}
        if task == "tagging":
            settings |= {"loss": BinaryCrossEntropy()}
        return settings

    @property
    def target_scaling(self) -> Scaling:
        return Standardization()

    @property
    def solved_by(self) -> Solver:
        return GRADIENT_DESCENT
