"""Activation functions f of a layer A = f(Z), each with its derivative, in place on given buffers.

Z, A, dA and dZ are (n, units), of one float type, which is kept. To lengthen the list, add one class and its name.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from engine.backend import Array
from engine.forms import ByKind
from engine.spec import Described, PositiveFloat, Share, spec

BLOCK = 1 << 17
"""Values worked on at once where a temporary is needed: small enough for the cache, large enough for a card."""


class ActivationFunction(Described, ABC):
    """An elementwise function (or, for softmax, one of whole rows) with its derivative."""

    is_elementwise: ClassVar[bool] = True

    @abstractmethod
    def apply(self, xp: Any, Z: Array, out: Array) -> None:
        """Write f(Z) into `out`, both (n, units). `out` may be Z itself."""

    @abstractmethod
    def gradient(self, xp: Any, Z: Array, A: Array, dA: Array, out: Array) -> None:
        """Write dZ = dA ⊙ f'(Z) into `out`, given A = f(Z); all (n, units). `out` may be dA; Z and A stay."""


def blocks(*arrays: Array) -> Iterator[tuple[Array, ...]]:
    """Views of the same rows of each array, a block at a time: no temporary is ever as large as the whole."""
    rows = max(1, BLOCK * len(arrays[0]) // max(1, arrays[0].size))
    for start in range(0, len(arrays[0]), rows):
        yield tuple(array[start : start + rows] for array in arrays)


@spec
class Identity(ActivationFunction):
    """Passes its input on unchanged: a linear layer."""

    formula: ClassVar[str] = r"f(z) = z"
    derivative: ClassVar[str] = r"f'(z) = 1"
    source: ClassVar[str] = "Goodfellow, Bengio and Courville, Deep Learning, 2016, section 6.2.2.1"
    kind: Literal["identity"] = "identity"

    def apply(self, xp: Any, Z: Array, out: Array) -> None:
        if out is not Z:
            xp.copyto(out, Z)

    def gradient(self, xp: Any, Z: Array, A: Array, dA: Array, out: Array) -> None:
        if out is not dA:
            xp.copyto(out, dA)


@spec
class Sigmoid(ActivationFunction):
    """The logistic function: squashes any number into a probability between 0 and 1."""

    formula: ClassVar[str] = r"\sigma(z) = \frac{1}{1 + e^{-z}}"
    derivative: ClassVar[str] = r"\sigma'(z) = \sigma(z)\,(1 - \sigma(z))"
    source: ClassVar[str] = "Cox, The Regression Analysis of Binary Sequences, 1958"
    kind: Literal["sigmoid"] = "sigmoid"

    def apply(self, xp: Any, Z: Array, out: Array) -> None:
        # Far enough to the left e^−z would overflow; held at the last exponent that does not, the answer is all but 0.
        limit = math.floor(math.log(xp.finfo(Z.dtype).max))
        xp.maximum(Z, -limit, out=out)
        xp.negative(out, out=out)
        xp.exp(out, out=out)
        xp.add(out, 1, out=out)
        xp.reciprocal(out, out=out)

    def gradient(self, xp: Any, Z: Array, A: Array, dA: Array, out: Array) -> None:
        for a, da, dz in blocks(A, dA, out):
            slope = 1 - a
            slope *= a
            xp.multiply(da, slope, out=dz)


@spec
class Tanh(ActivationFunction):
    """The hyperbolic tangent: squashes any number into (−1, 1), centered on 0."""

    formula: ClassVar[str] = r"\tanh(z) = \frac{e^{z} - e^{-z}}{e^{z} + e^{-z}}"
    derivative: ClassVar[str] = r"\tanh'(z) = 1 - \tanh^2(z)"
    source: ClassVar[str] = "LeCun, Bottou, Orr and Müller, Efficient BackProp, 1998"
    title: ClassVar[str] = "Hyperbolic tangent"
    kind: Literal["tanh"] = "tanh"

    def apply(self, xp: Any, Z: Array, out: Array) -> None:
        xp.tanh(Z, out=out)

    def gradient(self, xp: Any, Z: Array, A: Array, dA: Array, out: Array) -> None:
        for a, da, dz in blocks(A, dA, out):
            slope = a * a
            xp.subtract(1, slope, out=slope)
            xp.multiply(da, slope, out=dz)


@spec
class Relu(ActivationFunction):
    """The rectified linear unit: passes what is positive and stops the rest.

    At 0, where it has no derivative, 0 is taken.
    """

    formula: ClassVar[str] = r"f(z) = \max(0, z)"
    derivative: ClassVar[str] = r"f'(z) = \begin{cases} 1 & z > 0 \\ 0 & z \le 0 \end{cases}"
    source: ClassVar[str] = "Nair and Hinton, Rectified Linear Units Improve Restricted Boltzmann Machines, 2010"
    title: ClassVar[str] = "ReLU"
    kind: Literal["relu"] = "relu"

    def apply(self, xp: Any, Z: Array, out: Array) -> None:
        xp.maximum(Z, 0, out=out)

    def gradient(self, xp: Any, Z: Array, A: Array, dA: Array, out: Array) -> None:
        for a, da, dz in blocks(A, dA, out):
            xp.multiply(da, a > 0, out=dz)


@spec
class LeakyRelu(ActivationFunction):
    """A rectified linear unit that lets a small share of the negative side through, so that no unit dies.

    At 0, where it has no derivative, the slope of the negative side is taken.
    """

    formula: ClassVar[str] = r"f(z) = \begin{cases} z & z > 0 \\ \alpha z & z \le 0 \end{cases}"
    derivative: ClassVar[str] = r"f'(z) = \begin{cases} 1 & z > 0 \\ \alpha & z \le 0 \end{cases}"
    source: ClassVar[str] = "Maas, Hannun and Ng, Rectifier Nonlinearities Improve Neural Network Acoustic Models, 2013"
    title: ClassVar[str] = "Leaky ReLU"
    kind: Literal["leaky_relu"] = "leaky_relu"
    slope: Share = Field(default=0.01, description="The slope α of the negative side.")

    def apply(self, xp: Any, Z: Array, out: Array) -> None:
        for z, a in blocks(Z, out):
            xp.maximum(z, self.slope * z, out=a)

    def gradient(self, xp: Any, Z: Array, A: Array, dA: Array, out: Array) -> None:
        for z, da, dz in blocks(Z, dA, out):
            slope = (z > 0).astype(z.dtype)  # several times faster than `where`
            xp.maximum(slope, self.slope, out=slope)
            xp.multiply(da, slope, out=dz)


@spec
class Elu(ActivationFunction):
    """The exponential linear unit: linear when positive, bending smoothly towards −α when negative."""

    formula: ClassVar[str] = r"f(z) = \begin{cases} z & z > 0 \\ \alpha\,(e^{z} - 1) & z \le 0 \end{cases}"
    derivative: ClassVar[str] = r"f'(z) = \begin{cases} 1 & z > 0 \\ \alpha\,e^{z} = f(z) + \alpha & z \le 0 \end{cases}"
    source: ClassVar[str] = "Clevert, Unterthiner and Hochreiter, Exponential Linear Units, 2016"
    title: ClassVar[str] = "ELU"
    kind: Literal["elu"] = "elu"
    alpha: PositiveFloat = Field(default=1.0, le=1e6, description="What the negative side saturates at, without sign.")

    def apply(self, xp: Any, Z: Array, out: Array) -> None:
        for z, a in blocks(Z, out):
            negative = xp.minimum(z, 0)
            xp.expm1(negative, out=negative)
            negative *= self.alpha
            xp.maximum(z, 0, out=a)
            xp.add(a, negative, out=a)

    def gradient(self, xp: Any, Z: Array, A: Array, dA: Array, out: Array) -> None:
        for z, a, da, dz in blocks(Z, A, dA, out):
            slope = xp.minimum(a, 0)
            slope += self.alpha
            slope *= z <= 0
            slope += z > 0
            xp.multiply(da, slope, out=dz)


@spec
class Gelu(ActivationFunction):
    """The Gaussian error linear unit: weighs its input by how likely a normal variable is to lie below it.

    In its tanh form, which stays within 5e−4 of z·Φ(z) with the exact normal distribution function Φ: neither NumPy
    nor CuPy has the error function in its core.
    """

    formula: ClassVar[str] = r"f(z) = \tfrac{1}{2} z \left(1 + \tanh u\right), \quad u = \sqrt{2/\pi}\,(z + 0.044715\,z^3)"
    derivative: ClassVar[str] = (
        r"f'(z) = \tfrac{1}{2}(1 + \tanh u) + \tfrac{1}{2} z\,(1 - \tanh^2 u)\sqrt{2/\pi}\,(1 + 0.134145\,z^2)"
    )
    source: ClassVar[str] = "Hendrycks and Gimpel, Gaussian Error Linear Units, 2016"
    title: ClassVar[str] = "GELU"
    kind: Literal["gelu"] = "gelu"

    def apply(self, xp: Any, Z: Array, out: Array) -> None:
        for z, a in blocks(Z, out):
            weight = self._tanh(xp, z)
            weight += 1
            weight *= 0.5
            xp.multiply(z, weight, out=a)

    def gradient(self, xp: Any, Z: Array, A: Array, dA: Array, out: Array) -> None:
        for z, da, dz in blocks(Z, dA, out):
            # ½(1 + tanh u) (1 + z (1 − tanh u) u'): the derivative with its common factor taken out.
            tanh = self._tanh(xp, z)
            slope = z * z
            slope *= 3 * 0.044715 * math.sqrt(2 / math.pi)
            slope += math.sqrt(2 / math.pi)
            slope *= z
            xp.multiply(slope, 1 - tanh, out=slope)
            slope += 1
            tanh += 1
            tanh *= 0.5
            slope *= tanh
            xp.multiply(da, slope, out=dz)

    def _tanh(self, xp: Any, z: Array) -> Array:
        u = z * z
        u *= 0.044715
        u += 1
        u *= z
        u *= math.sqrt(2 / math.pi)
        xp.tanh(u, out=u)
        return u


@spec
class Silu(ActivationFunction):
    """The sigmoid linear unit, also called swish: its input weighed by its own sigmoid."""

    formula: ClassVar[str] = r"f(z) = z\,\sigma(z)"
    derivative: ClassVar[str] = r"f'(z) = \sigma(z)\,(1 + z - f(z))"
    source: ClassVar[str] = (
        "Elfwing, Uchibe and Doya, Sigmoid-Weighted Linear Units for Neural Network Function Approximation, 2018"
    )
    title: ClassVar[str] = "SiLU"
    kind: Literal["silu"] = "silu"

    def apply(self, xp: Any, Z: Array, out: Array) -> None:
        for z, a in blocks(Z, out):
            weight = xp.empty_like(z)
            Sigmoid().apply(xp, z, weight)
            xp.multiply(z, weight, out=a)

    def gradient(self, xp: Any, Z: Array, A: Array, dA: Array, out: Array) -> None:
        for z, a, da, dz in blocks(Z, A, dA, out):
            slope = xp.empty_like(z)
            Sigmoid().apply(xp, z, slope)
            slope *= 1 + z - a
            xp.multiply(da, slope, out=dz)


@spec
class Softplus(ActivationFunction):
    """A smooth rectified linear unit, whose derivative is the sigmoid."""

    formula: ClassVar[str] = r"f(z) = \ln(1 + e^{z})"
    derivative: ClassVar[str] = r"f'(z) = \sigma(z) = 1 - e^{-f(z)}"
    source: ClassVar[str] = "Dugas, Bengio, Bélisle, Nadeau and Garcia, Incorporating Second-Order Functional Knowledge, 2000"
    kind: Literal["softplus"] = "softplus"

    def apply(self, xp: Any, Z: Array, out: Array) -> None:
        # max(z, 0) + ln(1 + e^−|z|): e^z cannot overflow. NumPy's logaddexp says the same ten times slower.
        for z, a in blocks(Z, out):
            rest = xp.absolute(z)
            xp.negative(rest, out=rest)
            xp.exp(rest, out=rest)
            xp.log1p(rest, out=rest)
            xp.maximum(z, 0, out=a)
            xp.add(a, rest, out=a)

    def gradient(self, xp: Any, Z: Array, A: Array, dA: Array, out: Array) -> None:
        for a, da, dz in blocks(A, dA, out):
            slope = xp.negative(a)
            xp.expm1(slope, out=slope)
            xp.negative(slope, out=slope)
            xp.multiply(da, slope, out=dz)


@spec
class Sign(ActivationFunction):
    """The perceptron's threshold: −1, 0 or 1 by the sign of its input.

    Its derivative is 0 wherever there is one, so a layer before it learns nothing by gradient descent.
    """

    formula: ClassVar[str] = r"f(z) = \operatorname{sign}(z)"
    derivative: ClassVar[str] = r"f'(z) = 0 \quad (z \ne 0)"
    source: ClassVar[str] = "Rosenblatt, The Perceptron: A Probabilistic Model for Information Storage, 1958"
    kind: Literal["sign"] = "sign"

    def apply(self, xp: Any, Z: Array, out: Array) -> None:
        xp.sign(Z, out=out)

    def gradient(self, xp: Any, Z: Array, A: Array, dA: Array, out: Array) -> None:
        out.fill(0)


@spec
class Softmax(ActivationFunction):
    """Turns each row of scores into probabilities that add up to 1."""

    formula: ClassVar[str] = r"p_j = \frac{e^{z_j}}{\sum_k e^{z_k}}"
    derivative: ClassVar[str] = (
        r"\frac{\partial p_j}{\partial z_k} = p_j(\delta_{jk} - p_k), \quad"
        r" dz_j = p_j\left(da_j - \sum_k da_k\,p_k\right)"
    )
    source: ClassVar[str] = "Bridle, Probabilistic Interpretation of Feedforward Classification Network Outputs, 1990"
    is_elementwise: ClassVar[bool] = False
    kind: Literal["softmax"] = "softmax"

    def apply(self, xp: Any, Z: Array, out: Array) -> None:
        # The largest score of a row becomes 0: the same probabilities, and e^z cannot overflow.
        xp.subtract(Z, Z.max(axis=-1, keepdims=True), out=out)
        xp.exp(out, out=out)
        xp.divide(out, out.sum(axis=-1, keepdims=True), out=out)

    def gradient(self, xp: Any, Z: Array, A: Array, dA: Array, out: Array) -> None:
        mean = xp.einsum("...j,...j->...", dA, A)[..., None]
        xp.subtract(dA, mean, out=out)
        xp.multiply(out, A, out=out)


Activation = Annotated[
    Identity | Sigmoid | Tanh | Relu | LeakyRelu | Elu | Gelu | Silu | Softplus | Sign | Softmax, ByKind(is_brief=True)
]
