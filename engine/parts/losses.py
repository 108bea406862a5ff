"""Losses on raw outputs Z. Each owns its link, the function that turns raw outputs into predictions.

Z, Y and work are (n, k), of one float type, which is kept: n rows, k outputs. Classification has Y one-hot, or 0/1
for each output. What a row costs is averaged over the rows by the caller. Regression losses take the mean over the k
outputs of a row, as PyTorch's mean reduction does; binary cross-entropy takes the sum, so that one-vs-rest is exactly
k independent models. To lengthen the list, add one class and its name.
"""

from abc import ABC, abstractmethod
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from engine.backend import Array
from engine.forms import ByKind
from engine.parts.activations import Sigmoid, Softmax
from engine.spec import Described, NonNegativeFloat, PositiveFloat, spec

REGRESSION = frozenset({"regression"})
CLASSIFICATION = frozenset({"classification"})
TAGGING = frozenset({"tagging"})
RAREST = 1e-12
"""A share of a class that is taken for none, whose logarithm is finite."""


class LossFunction(Described, ABC):
    """The cost of a row of raw outputs, its gradient, and the link from raw outputs to predictions."""

    tasks: ClassVar[frozenset[str]]
    """Tasks that it can train: a subset of {"regression", "classification", "tagging"}."""
    power: ClassVar[int] = 0
    """The power of the target's unit that the loss is in; 0 where it has none."""
    probabilistic: ClassVar[bool] = False
    """Whether the link gives the classes' probabilities."""
    joint: ClassVar[bool] = False
    """Whether the link couples a row's outputs, as softmax does."""
    unlink_formula: ClassVar[str] = ""
    """How raw outputs follow from probabilities, where the link gives some."""

    def outputs(self, classes: int) -> int:
        """How many raw outputs k a classification of so many classes needs."""
        return classes

    def wrong_with(self, Y: Array) -> str | None:
        """The requirement that targets Y (n, k) do not meet, if any."""
        return None

    def constant(self, means: np.ndarray) -> np.ndarray:
        """Raw outputs (k,) that answer the targets' means (k,) to every row; 0 where no outputs do."""
        return np.zeros_like(means)

    @abstractmethod
    def link(self, xp: Any, Z: Array, out: Array) -> None:
        """Write the predictions of raw outputs Z into `out`, both (n, k). `out` may be Z."""

    def unlink(self, xp: Any, P: Array) -> Array:
        """Raw outputs Z (n, k) whose link gives the probabilities P; finite, so that those of 0 come out as near it."""
        raise NotImplementedError(f"{self.kind} gives no probabilities")

    @abstractmethod
    def rows(self, xp: Any, Z: Array, Y: Array, out: Array, work: Array) -> None:
        """Write the loss of each row into `out` (n,). `work` (n, k) is scratch, other than Z and Y, which stay."""

    @abstractmethod
    def gradient(self, xp: Any, Z: Array, Y: Array, out: Array) -> None:
        """Write ∂(row loss)/∂Z into `out` (n, k), not averaged over rows. `out` may be Z; Y stays as it is."""


def _finite_log(xp: Any, P: Array) -> Array:
    return xp.log(xp.maximum(P, xp.finfo(P.dtype).tiny))


class RegressionLoss(LossFunction, ABC):
    """A loss of the error e = z − y, with the raw output as the prediction, averaged over the outputs of a row."""

    tasks: ClassVar[frozenset[str]] = REGRESSION
    power: ClassVar[int] = 2

    def constant(self, means: np.ndarray) -> np.ndarray:
        return means

    def link(self, xp: Any, Z: Array, out: Array) -> None:
        if out is not Z:
            xp.copyto(out, Z)


class SoftmaxLoss(LossFunction, ABC):
    """A loss of p = softmax(z) against labels whose rows add up to 1: the negative log-likelihood, unless told else."""

    tasks: ClassVar[frozenset[str]] = CLASSIFICATION
    probabilistic: ClassVar[bool] = True
    joint: ClassVar[bool] = True
    unlink_formula: ClassVar[str] = r"z = \ln p"

    def wrong_with(self, Y: Array) -> str | None:
        is_share = Y.shape[1] > 1 and (Y >= 0).all() and np.allclose(Y.sum(axis=1), 1)
        return None if is_share else "a column for each class, which add up to 1 in every row of targets"

    def constant(self, means: np.ndarray) -> np.ndarray:
        return np.log(np.maximum(means, RAREST))

    def link(self, xp: Any, Z: Array, out: Array) -> None:
        Softmax().apply(xp, Z, out)

    def unlink(self, xp: Any, P: Array) -> Array:
        return _finite_log(xp, P)

    def rows(self, xp: Any, Z: Array, Y: Array, out: Array, work: Array) -> None:
        # −Σ y log p = log Σ e^(z − max) − Σ y (z − max): no logarithm of a probability that has become 0.
        xp.subtract(Z, Z.max(axis=1, keepdims=True), out=work)
        label = xp.einsum("ij,ij->i", Y, work)
        xp.exp(work, out=work)
        xp.sum(work, axis=1, out=out)
        xp.log(out, out=out)
        xp.subtract(out, label, out=out)

    def gradient(self, xp: Any, Z: Array, Y: Array, out: Array) -> None:
        Softmax().apply(xp, Z, out)
        xp.subtract(out, Y, out=out)


def _wrong_with_labels(Y: Array) -> str | None:
    is_one_hot = Y.shape[1] > 1 and np.isin(Y, (0, 1)).all() and (Y.sum(axis=1) == 1).all()
    return None if is_one_hot else "a column for each class, 1 for a row's own and 0 for the others"


@spec
class MeanAbsoluteError(RegressionLoss):
    """The mean of the errors without their signs: an outlier pulls no harder than any other row.

    At an error of 0, where it has no derivative, 0 is taken.
    """

    formula: ClassVar[str] = r"\ell = \frac{1}{k}\sum_j |z_j - y_j|"
    derivative: ClassVar[str] = r"\frac{\partial \ell}{\partial z_j} = \frac{1}{k}\operatorname{sign}(z_j - y_j)"
    source: ClassVar[str] = "Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 2009, section 10.6"
    title: ClassVar[str] = "Mean absolute error"
    kind: Literal["mae"] = "mae"
    power: ClassVar[int] = 1

    def rows(self, xp: Any, Z: Array, Y: Array, out: Array, work: Array) -> None:
        xp.subtract(Z, Y, out=work)
        xp.absolute(work, out=work)
        xp.mean(work, axis=1, out=out)

    def gradient(self, xp: Any, Z: Array, Y: Array, out: Array) -> None:
        xp.subtract(Z, Y, out=out)
        xp.sign(out, out=out)
        xp.divide(out, Z.shape[1], out=out)


@spec
class MeanSquaredError(RegressionLoss):
    """The mean of the squared errors."""

    formula: ClassVar[str] = r"\ell = \frac{1}{k}\sum_j (z_j - y_j)^2"
    derivative: ClassVar[str] = r"\frac{\partial \ell}{\partial z_j} = \frac{2}{k}(z_j - y_j)"
    source: ClassVar[str] = "Bishop, Pattern Recognition and Machine Learning, 2006, section 1.5.5"
    title: ClassVar[str] = "Mean squared error"
    kind: Literal["mse"] = "mse"

    def rows(self, xp: Any, Z: Array, Y: Array, out: Array, work: Array) -> None:
        xp.subtract(Z, Y, out=work)
        xp.multiply(work, work, out=work)
        xp.mean(work, axis=1, out=out)

    def gradient(self, xp: Any, Z: Array, Y: Array, out: Array) -> None:
        xp.subtract(Z, Y, out=out)
        xp.multiply(out, 2 / Z.shape[1], out=out)


@spec
class HalfMeanSquaredError(RegressionLoss):
    """Half the mean of the squared errors, so that the gradient is the error itself."""

    formula: ClassVar[str] = r"\ell = \frac{1}{2k}\sum_j (z_j - y_j)^2"
    derivative: ClassVar[str] = r"\frac{\partial \ell}{\partial z_j} = \frac{1}{k}(z_j - y_j)"
    source: ClassVar[str] = "Bishop, Pattern Recognition and Machine Learning, 2006, section 3.1.1"
    title: ClassVar[str] = "Half mean squared error"
    kind: Literal["half_mse"] = "half_mse"

    def rows(self, xp: Any, Z: Array, Y: Array, out: Array, work: Array) -> None:
        xp.subtract(Z, Y, out=work)
        xp.multiply(work, work, out=work)
        xp.mean(work, axis=1, out=out)
        xp.multiply(out, 0.5, out=out)

    def gradient(self, xp: Any, Z: Array, Y: Array, out: Array) -> None:
        xp.subtract(Z, Y, out=out)
        xp.divide(out, Z.shape[1], out=out)


@spec
class Huber(RegressionLoss):
    """Squared for errors up to δ and linear beyond: smooth at the minimum, calm about outliers."""

    formula: ClassVar[str] = (
        r"\ell = \frac{1}{k}\sum_j \begin{cases} \tfrac{1}{2} e_j^2 & |e_j| \le \delta \\"
        r" \delta\,(|e_j| - \tfrac{1}{2}\delta) & |e_j| > \delta \end{cases}, \quad e_j = z_j - y_j"
    )
    derivative: ClassVar[str] = r"\frac{\partial \ell}{\partial z_j} = \frac{1}{k}\max(-\delta, \min(\delta, e_j))"
    source: ClassVar[str] = "Huber, Robust Estimation of a Location Parameter, 1964"
    kind: Literal["huber"] = "huber"
    delta: PositiveFloat = Field(
        default=1.0,
        le=1e12,
        description="The error δ from which the loss is linear, in the unit that the target is learned in.",
    )

    def rows(self, xp: Any, Z: Array, Y: Array, out: Array, work: Array) -> None:
        # With c = min(|e|, δ) the loss is ½c² + δ(|e| − c): one scratch array is enough for a half at a time.
        xp.subtract(Z, Y, out=work)
        xp.absolute(work, out=work)
        xp.subtract(work, self.delta, out=work)
        xp.maximum(work, 0, out=work)
        xp.multiply(work, self.delta, out=work)
        xp.mean(work, axis=1, out=out)
        xp.subtract(Z, Y, out=work)
        xp.clip(work, -self.delta, self.delta, out=work)
        xp.multiply(work, work, out=work)
        xp.multiply(work, 0.5, out=work)
        xp.add(out, work.mean(axis=1), out=out)

    def gradient(self, xp: Any, Z: Array, Y: Array, out: Array) -> None:
        xp.subtract(Z, Y, out=out)
        xp.clip(out, -self.delta, self.delta, out=out)
        xp.divide(out, Z.shape[1], out=out)


@spec
class BinaryCrossEntropy(LossFunction):
    """The negative log-likelihood of yes and no with p = σ(z), summed over the outputs of a row.

    Two classes share one output, the probability of the second. More classes have an output each, one-vs-rest. Soft
    labels between 0 and 1 are allowed.
    """

    tasks: ClassVar[frozenset[str]] = CLASSIFICATION | TAGGING
    probabilistic: ClassVar[bool] = True
    unlink_formula: ClassVar[str] = r"z = \ln \frac{p}{1 - p}"
    formula: ClassVar[str] = r"\ell = -\sum_j \left[ y_j \ln p_j + (1 - y_j) \ln(1 - p_j) \right], \quad p_j = \sigma(z_j)"
    derivative: ClassVar[str] = r"\frac{\partial \ell}{\partial z_j} = \sigma(z_j) - y_j"
    source: ClassVar[str] = "Bishop, Pattern Recognition and Machine Learning, 2006, section 4.3.2"
    title: ClassVar[str] = "Binary cross-entropy"
    kind: Literal["binary_cross_entropy"] = "binary_cross_entropy"

    def outputs(self, classes: int) -> int:
        return {2: 1}.get(classes, classes)

    def wrong_with(self, Y: Array) -> str | None:
        return None if ((Y >= 0) & (Y <= 1)).all() else "targets between 0, for no, and 1, for yes"

    def constant(self, means: np.ndarray) -> np.ndarray:
        shares = np.clip(means, RAREST, 1 - RAREST)
        return np.log(shares / (1 - shares))

    def link(self, xp: Any, Z: Array, out: Array) -> None:
        Sigmoid().apply(xp, Z, out)

    def unlink(self, xp: Any, P: Array) -> Array:
        return _finite_log(xp, P) - _finite_log(xp, 1 - P)

    def rows(self, xp: Any, Z: Array, Y: Array, out: Array, work: Array) -> None:
        # ln(1 + e^−|z|) + z ([z > 0] − y): both parts stay at or above 0, so neither cancels the other's digits.
        xp.absolute(Z, out=work)
        xp.negative(work, out=work)
        xp.exp(work, out=work)
        xp.log1p(work, out=work)
        xp.sum(work, axis=1, out=out)
        xp.greater(Z, 0, out=work)
        xp.subtract(work, Y, out=work)
        xp.multiply(work, Z, out=work)
        xp.add(out, work.sum(axis=1), out=out)

    def gradient(self, xp: Any, Z: Array, Y: Array, out: Array) -> None:
        Sigmoid().apply(xp, Z, out)
        xp.subtract(out, Y, out=out)


@spec
class CrossEntropy(SoftmaxLoss):
    """The cross-entropy between the labels and p = softmax(z): what a row's true class costs in nats.

    Soft labels are allowed; a row of them adds up to 1.
    """

    formula: ClassVar[str] = r"\ell = -\sum_j y_j \ln p_j, \quad p = \operatorname{softmax}(z)"
    derivative: ClassVar[str] = r"\frac{\partial \ell}{\partial z_j} = p_j - y_j"
    source: ClassVar[str] = "Bishop, Pattern Recognition and Machine Learning, 2006, section 4.3.4"
    title: ClassVar[str] = "Cross-entropy"
    kind: Literal["cross_entropy"] = "cross_entropy"


@spec
class MulticlassHinge(LossFunction):
    """Asks the true class y to outscore every other by a margin Δ, and charges what is missing.

    Labels are one-hot. The predictions are the scores themselves: no probabilities. At the corner the gradient is 0.
    """

    tasks: ClassVar[frozenset[str]] = CLASSIFICATION
    formula: ClassVar[str] = r"\ell = \sum_{j \ne y} \max(0,\; z_j - z_y + \Delta)"
    derivative: ClassVar[str] = (
        r"\frac{\partial \ell}{\partial z_j} = [z_j - z_y + \Delta > 0] \;(j \ne y), \quad"
        r" \frac{\partial \ell}{\partial z_y} = -\sum_{j \ne y} [z_j - z_y + \Delta > 0]"
    )
    source: ClassVar[str] = "Weston and Watkins, Support Vector Machines for Multi-Class Pattern Recognition, 1999"
    kind: Literal["hinge"] = "hinge"
    margin: NonNegativeFloat = Field(default=1.0, le=1e6, description="The margin Δ.")

    def wrong_with(self, Y: Array) -> str | None:
        return _wrong_with_labels(Y)

    def link(self, xp: Any, Z: Array, out: Array) -> None:
        if out is not Z:
            xp.copyto(out, Z)

    def rows(self, xp: Any, Z: Array, Y: Array, out: Array, work: Array) -> None:
        true = self._shortfall(xp, Z, Y, work)
        xp.maximum(work, 0, out=work)
        work[true] -= self.margin  # to 0, which CuPy would have to send to the card if it were assigned
        xp.sum(work, axis=1, out=out)

    def gradient(self, xp: Any, Z: Array, Y: Array, out: Array) -> None:
        true = self._shortfall(xp, Z, Y, out)
        xp.greater(out, 0, out=out)
        out[true] -= out.sum(axis=1)

    def _shortfall(self, xp: Any, Z: Array, Y: Array, out: Array) -> tuple[Array, Array]:
        """Write z_j − z_y + Δ into `out` (n, k), which may be Z; return where each row's true class stands."""
        true = (xp.arange(len(Y)), Y.argmax(axis=1))
        xp.subtract(Z, Z[true][:, None], out=out)
        xp.add(out, self.margin, out=out)
        return true


@spec
class KullbackLeibler(SoftmaxLoss):
    """How far p = softmax(z) is from the labels as a distribution: the cross-entropy less the labels' own entropy.

    Soft labels are allowed; a row of them adds up to 1, and 0 ln 0 counts as 0.
    """

    formula: ClassVar[str] = r"\ell = \sum_j y_j (\ln y_j - \ln p_j), \quad p = \operatorname{softmax}(z)"
    derivative: ClassVar[str] = r"\frac{\partial \ell}{\partial z_j} = p_j - y_j"
    source: ClassVar[str] = "Kullback and Leibler, On Information and Sufficiency, 1951"
    title: ClassVar[str] = "Kullback–Leibler divergence"
    kind: Literal["kullback_leibler"] = "kullback_leibler"

    def rows(self, xp: Any, Z: Array, Y: Array, out: Array, work: Array) -> None:
        super().rows(xp, Z, Y, out, work)
        xp.maximum(Y, xp.finfo(Y.dtype).tiny, out=work)  # a finite logarithm, which y = 0 then wipes out
        xp.log(work, out=work)
        xp.multiply(work, Y, out=work)
        xp.add(out, work.sum(axis=1), out=out)


@spec
class Likelihood(SoftmaxLoss):
    """Minus the probability that p = softmax(z) gives the true class, so that minimizing it maximizes the likelihood.

    Labels are one-hot. Its gradient fades where the true class is thought unlikely: hence the logarithm elsewhere.
    """

    formula: ClassVar[str] = r"\ell = -\prod_j p_j^{\,y_j} = -p_y, \quad p = \operatorname{softmax}(z)"
    derivative: ClassVar[str] = r"\frac{\partial \ell}{\partial z_j} = p_y\,(p_j - y_j)"
    source: ClassVar[str] = "Fisher, On the Mathematical Foundations of Theoretical Statistics, 1922"
    kind: Literal["likelihood"] = "likelihood"

    def wrong_with(self, Y: Array) -> str | None:
        return _wrong_with_labels(Y)

    def rows(self, xp: Any, Z: Array, Y: Array, out: Array, work: Array) -> None:
        Softmax().apply(xp, Z, work)
        xp.multiply(work, Y, out=work)
        xp.sum(work, axis=1, out=out)
        xp.negative(out, out=out)

    def gradient(self, xp: Any, Z: Array, Y: Array, out: Array) -> None:
        Softmax().apply(xp, Z, out)
        true = xp.einsum("ij,ij->i", Y, out)[:, None]
        xp.subtract(out, Y, out=out)
        xp.multiply(out, true, out=out)


@spec
class LogLikelihood(SoftmaxLoss):
    """Minus the logarithm of the likelihood, so that minimizing it maximizes Σ ln p of the true classes.

    The same numbers as cross-entropy, reached from the likelihood of the rows rather than from coding.
    """

    formula: ClassVar[str] = r"\ell = -\ln \prod_j p_j^{\,y_j} = -\ln p_y, \quad \max_\theta \sum_i \ln p_{y_i}"
    derivative: ClassVar[str] = r"\frac{\partial \ell}{\partial z_j} = p_j - y_j"
    source: ClassVar[str] = "Fisher, On the Mathematical Foundations of Theoretical Statistics, 1922"
    title: ClassVar[str] = "Log-likelihood"
    kind: Literal["log_likelihood"] = "log_likelihood"

    def wrong_with(self, Y: Array) -> str | None:
        return _wrong_with_labels(Y)


Loss = Annotated[
    MeanAbsoluteError
    | MeanSquaredError
    | HalfMeanSquaredError
    | Huber
    | BinaryCrossEntropy
    | CrossEntropy
    | MulticlassHinge
    | KullbackLeibler
    | Likelihood
    | LogLikelihood,
    ByKind(),
]
