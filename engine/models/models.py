"""What can be trained: each model's fields, the settings that mean something for it, its layers and its solver."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from engine.forms import ByKind, ByNumber
from engine.models.descent import descend
from engine.models.linear import analytic, is_tall
from engine.models.newton import is_compiled, newton
from engine.models.perceptron import perceptron
from engine.models.run_state import Epoch, Problem, State
from engine.network.layers.base import BoundLayer
from engine.network.layers.dense import MAX_UNITS, dense
from engine.parts.activations import Activation, Relu
from engine.parts.initializers import HeNormal, Initializer, Zeros
from engine.parts.losses import BinaryCrossEntropy, CrossEntropy, HalfMeanSquaredError
from engine.parts.optimizers import Adam, GradientDescent
from engine.parts.scaling import NoScaling, Scaling, Standardization
from engine.parts.schedules import ConstantRate
from engine.spec import WHOLE, Described, Flag, NonNegativeFloat, Share, spec

if TYPE_CHECKING:
    from engine.training.spec import Training

Solver = Callable[[Problem, State], Iterator[Epoch]]


@spec
class Regularization:
    """Penalties on the weights, ‖w‖₁ and ½‖w‖², added to the mean loss (never on a bias), and a bound on the gradient."""

    l1: NonNegativeFloat = Field(default=0.0, description="the factor of ‖w‖₁, which draws weights to 0 and leaves many there")
    l2: NonNegativeFloat = Field(default=0.0, description="the factor of ½‖w‖², which keeps weights small")
    clip_norm: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)] | None = Field(
        default=None, description="scale the gradient down to this length where it is longer"
    )


class Model(Described):
    """What every model answers. `settings` is the heart: a field of the job that it leaves out means nothing here."""

    tasks: ClassVar[frozenset[str]]
    needs_penalty: ClassVar[bool] = False
    """Whether classes that a line parts leave it without an optimum, unless its weights are penalised."""

    def settings(self, task: str, classes: int) -> Mapping[str, Any]:
        """The job's fields that apply to this model, each with its default."""
        raise NotImplementedError

    def losses(self, task: str, classes: int) -> tuple[type, ...] | None:
        """The losses to choose from; None for every loss of the task."""
        return None

    def has_driver(self, problem: Problem) -> bool:
        """Whether a solver of its own runs compiled on that problem (see steps.py)."""
        return False

    def solves_unscaled(self, rows: int, inputs: int) -> bool:
        """Whether its solver also wants a table of that shape in the data's own units."""
        return False

    def layers(self, inputs: int, outputs: int) -> Sequence[BoundLayer]:
        """The network's layers; without hidden ones unless the model says otherwise."""
        return [dense(inputs, outputs)]

    @property
    def start(self) -> Initializer:
        """What the weights start from."""
        return Zeros()

    @property
    def target_scaling(self) -> Scaling:
        """How a regression's target is scaled unless the job says otherwise."""
        return NoScaling()

    def penalties(self, training: "Training", rows: int) -> tuple[float, float]:
        """(l1, l2) as they stand in the mean loss of `rows` rows."""
        regularization = training.regularization or Regularization()
        return regularization.l1, regularization.l2

    def judged_by(self, has_validation: bool) -> str:
        """The series whose lowest value makes an epoch the best, unless early stopping watches one."""
        return "validation_loss" if has_validation else "train_loss"

    @property
    def beside(self) -> tuple[str, ...]:
        """Vectors of the state that are weights, too, beside those that the model takes."""
        return ()

    def epochs(self, problem: Problem, state: State) -> Iterator[Epoch]:
        """Train: see engine.models.run_state.train."""
        raise NotImplementedError


def descent_settings(**settings: Any) -> dict[str, Any]:
    """The fields that gradient descent reads, with the defaults that differ from model to model."""
    return {
        "schedule": ConstantRate(),
        "regularization": Regularization(),
        "shuffle": True,
        "early_stopping": None,
        "seed": 0,
        **settings,
    }


@spec
class LinearRegression(Model):
    """A weighted sum of the features, fitted to numbers by least squares."""

    formula: ClassVar[str] = r"\hat{y} = w^\top x + b, \quad L = \frac{1}{n}\sum_i \tfrac{1}{2}(\hat{y}_i - y_i)^2"
    derivative: ClassVar[str] = r"\nabla_w L = \frac{1}{n} X^\top (\hat{y} - y)"
    source: ClassVar[str] = "Hastie, Tibshirani and Friedman, The Elements of Statistical Learning (2009), 3.2"
    tasks: ClassVar[frozenset[str]] = frozenset({"regression"})
    solvers: ClassVar[Mapping[str, Solver]] = {"analytic": analytic, "gradient_descent": descend}

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

    def epochs(self, problem: Problem, state: State) -> Iterator[Epoch]:
        return self.solvers[self.solver](problem, state)


@spec
class Penalty:
    """½ l2 ‖w‖², added to the sum of the rows' losses: 1 is scikit-learn's C = 1. The intercept is not penalised."""

    l2: NonNegativeFloat = Field(default=1.0, description="the factor of ½‖w‖²; 0 leaves the weights free")


@spec
class LogisticRegression(Model):
    """Class probabilities from a weighted sum of the features, fitted by maximum likelihood."""

    formula: ClassVar[str] = (
        r"h(x) = \frac{1}{1 + e^{-\theta^\top x}}, \quad \max_\theta \prod_i h(x_i)^{y_i} (1 - h(x_i))^{1 - y_i}"
    )
    derivative: ClassVar[str] = r"\nabla_\theta \ell = \sum_i (y_i - h(x_i))\, x_i"
    source: ClassVar[str] = "Bishop, Pattern Recognition and Machine Learning (2006), 4.3"
    tasks: ClassVar[frozenset[str]] = frozenset({"classification"})
    needs_penalty: ClassVar[bool] = True
    solvers: ClassVar[Mapping[str, Solver]] = {"newton": newton, "gradient_descent": descend}

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

    def penalties(self, training: "Training", rows: int) -> tuple[float, float]:
        return 0.0, self.penalty.l2 / rows

    def has_driver(self, problem: Problem) -> bool:
        return self.solver == "newton" and is_compiled(problem)

    def epochs(self, problem: Problem, state: State) -> Iterator[Epoch]:
        return self.solvers[self.solver](problem, state)


@spec
class Perceptron(Model):
    """A line between two classes, moved by one misclassified row at a time, with the best line seen kept in a pocket."""

    formula: ClassVar[str] = r"h(x) = \operatorname{sign}(w^\top x + b), \quad w \leftarrow w + y_n x_n"
    derivative: ClassVar[str] = r"-y_n x_n \text{ where } h(x_n) \ne y_n, \text{ else } 0"
    source: ClassVar[str] = "Rosenblatt (1958); the pocket: Gallant, Perceptron-based learning algorithms (1990)"
    tasks: ClassVar[frozenset[str]] = frozenset({"classification"})

    kind: Literal["perceptron"] = "perceptron"
    bias: Flag = Field(default=True, description="false: the boundary passes through the origin")

    def settings(self, task: str, classes: int) -> Mapping[str, Any]:
        return {"epochs": 100, "shuffle": True, "seed": 0, "precision": "float64"}

    def layers(self, inputs: int, outputs: int) -> Sequence[BoundLayer]:
        return [dense(inputs, outputs, bias=self.bias)]

    @property
    def beside(self) -> tuple[str, ...]:
        return ("last",)

    def judged_by(self, has_validation: bool) -> str:
        return "pocket_mistakes"  # its loss is 0 at weights of 0, which separate nothing

    def has_driver(self, problem: Problem) -> bool:
        return True

    def epochs(self, problem: Problem, state: State) -> Iterator[Epoch]:
        return perceptron(problem, state)


@spec
class HiddenLayer:
    """A hidden layer: how many units, their activation, and the share of them that is silenced while training."""

    units: Annotated[int, Field(strict=True, ge=1, le=MAX_UNITS), WHOLE] = Field(description="neurons of this layer")
    activation: Activation = Field(default=Relu(), description="the function that bends each unit's weighted sum")
    dropout: Share = Field(default=0.0, description="the share of the units that each step silences by chance; none in use")


@spec
class MultilayerPerceptron(Model):
    """Layers of units between the features and the output, trained by backpropagation."""

    formula: ClassVar[str] = r"A^{(l)} = f\left(A^{(l-1)} W^{(l)} + b^{(l)}\right), \quad A^{(0)} = X"
    derivative: ClassVar[str] = (
        r"\delta^{(l)} = \left(\delta^{(l+1)} W^{(l+1)\top}\right) \odot f'\left(Z^{(l)}\right), \quad "
        r"\nabla_{W^{(l)}} = A^{(l-1)\top} \delta^{(l)}"
    )
    source: ClassVar[str] = "Rumelhart, Hinton and Williams, Learning representations by back-propagating errors (1986)"
    tasks: ClassVar[frozenset[str]] = frozenset({"classification", "regression", "tagging"})

    title: ClassVar[str] = "Multilayer perceptron"
    kind: Literal["mlp"] = "mlp"
    hidden: Annotated[tuple[Annotated[HiddenLayer, ByNumber("units")], ...], Field(max_length=100)] = Field(
        default=(HiddenLayer(units=16),), description="the hidden layers, each an object or its number of units, as in [16, 8]"
    )
    initializer: Initializer = Field(default=HeNormal(), description="how the first weights are drawn")
    bias: Flag = Field(default=True, description="false: a unit's weighted sum has no constant")

    def settings(self, task: str, classes: int) -> Mapping[str, Any]:
        settings = descent_settings(
            loss=HalfMeanSquaredError(),
            optimizer=Adam(learning_rate=0.01),
            epochs=100,
            batch_size=16,
            precision="float32",
        )
        if task == "classification":
            settings |= {"loss": BinaryCrossEntropy() if classes == 2 else CrossEntropy(), "class_weight": None}
        if task == "tagging":
            settings |= {"loss": BinaryCrossEntropy()}
        return settings

    def layers(self, inputs: int, outputs: int) -> Sequence[BoundLayer]:
        layers = []
        for hidden in self.hidden:
            layers.append(dense(inputs, hidden.units, hidden.activation, hidden.dropout, self.bias))
            inputs = hidden.units
        return [*layers, dense(inputs, outputs, bias=self.bias)]

    @property
    def start(self) -> Initializer:
        return self.initializer

    @property
    def target_scaling(self) -> Scaling:
        return Standardization()

    def epochs(self, problem: Problem, state: State) -> Iterator[Epoch]:
        return descend(problem, state)


AnyModel = Annotated[LinearRegression | LogisticRegression | Perceptron | MultilayerPerceptron, ByKind()]
