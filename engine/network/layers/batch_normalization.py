"""Batch normalization: each unit or channel is brought to mean 0 and deviation 1 over the rows of a batch."""

import math
from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import Field

from engine.backend import Array
from engine.network.layer_pass import LayerPass
from engine.network.layers.base import LayerRule, Scratch, Symbols, number
from engine.network.parameters import ParameterShape, Shape
from engine.spec import Decay, PositiveFloat, spec


@spec
class BatchNormalization(LayerRule):
    """Brings each unit, or each channel of an image, to mean 0 and deviation 1 over a batch, then scales and shifts it.

    Running statistics stand in for the batch's where a model is evaluated and used. The running variance is that of a sample,
    m / (m − 1) times the batch's; a batch of one number a unit has none, and moves none.
    """

    formula: ClassVar[str] = (
        r"\hat X = \frac{X - \mu}{\sqrt{\sigma^2 + \epsilon}}, \quad A = \gamma \odot \hat X + \beta, \quad"
        r" \mu = \frac{1}{m} \sum X, \quad \sigma^2 = \frac{1}{m} \sum (X - \mu)^2"
    )
    derivative: ClassVar[str] = (
        r"d\gamma = \sum dA \odot \hat X, \quad d\beta = \sum dA, \quad"
        r" dX = \frac{\gamma}{\sqrt{\sigma^2 + \epsilon}} \left(dA - \tfrac{1}{m} d\beta - \tfrac{1}{m} \hat X\, d\gamma\right)"
    )
    source: ClassVar[str] = "Ioffe and Szegedy, Batch Normalization: Accelerating Deep Network Training (2015)"
    kind: Literal["batch_normalization"] = "batch_normalization"
    momentum: Decay = Field(
        default=0.9, description="the share of a running statistic that each step keeps: 1 less PyTorch's momentum"
    )
    epsilon: PositiveFloat = Field(default=1e-5, le=1.0, description="added to the variance, so that it is never 0")

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def parameters(self, shape: Shape) -> tuple[ParameterShape, ...]:
        return (ParameterShape("gamma", shape[-1:], start=1.0), ParameterShape("beta", shape[-1:]))

    def statistics(self, shape: Shape) -> Mapping[str, tuple[Shape, float]]:
        return {"mean": (shape[-1:], 0.0), "variance": (shape[-1:], 1.0)}

    def fewest_rows(self, shape: Shape) -> int:
        return 2 if math.prod(shape[:-1]) == 1 else 1  # one number of a unit has no variance

    def scratch(self, shape: Shape, rows: int) -> Mapping[str, Scratch]:
        units = {name: Scratch(shape[-1:]) for name in ("mean", "variance", "factor", "work")}
        return {**units, "normal": Scratch((rows, *shape)), "squares": Scratch((rows, *shape))}

    def forward(self, at: LayerPass) -> None:
        xp, normal, factor = at.xp, _columns(at["normal"]), at["factor"]
        X, A = _columns(at.X), _columns(at.A)
        mean, variance = at.statistics["mean"], at.statistics["variance"]
        if at.training:
            mean, variance = at["mean"], at["variance"]
            xp.mean(X, axis=0, out=mean)
            xp.subtract(X, mean, out=normal)
            squares = _columns(at["squares"])
            xp.square(normal, out=squares)
            xp.mean(squares, axis=0, out=variance)
        else:
            xp.subtract(X, mean, out=normal)
        xp.add(variance, self.epsilon, out=factor)
        xp.sqrt(factor, out=factor)
        xp.reciprocal(factor, out=factor)
        normal *= factor
        xp.multiply(normal, at.parameters.arrays["gamma"], out=A)
        A += at.parameters.arrays["beta"]

    def backward(self, at: LayerPass) -> None:
        """Through the statistics too where the pass went by its own; a running one does not depend on the rows."""
        xp, views, dA, normal = at.xp, at.parameters, _columns(at.dA), _columns(at["normal"])
        dgamma, dbeta, squares = views.gradients["gamma"], views.gradients["beta"], _columns(at["squares"])
        xp.sum(dA, axis=0, out=dbeta)
        xp.multiply(dA, normal, out=squares)
        xp.sum(squares, axis=0, out=dgamma)
        if at.dX is None:
            return
        dX, work = _columns(at.dX), at["work"]
        xp.copyto(dX, dA)
        if at.training:
            share = 1.0 / normal.shape[0]
            dX -= xp.multiply(dbeta, share, out=work)
            xp.multiply(normal, xp.multiply(dgamma, share, out=work), out=squares)
            dX -= squares
        dX *= xp.multiply(views.arrays["gamma"], at["factor"], out=work)

    def shown(self, at: LayerPass, symbols: Symbols) -> Iterator[tuple[str, str, Array]]:
        X, mean, variance = symbols.X, symbols("mean"), symbols("variance")
        yield "mean", rf"{mean} = \frac{{1}}{{m}} \sum {X}", at["mean"]
        yield "variance", rf"{variance} = \frac{{1}}{{m}} \sum ({X} - {mean})^2", at["variance"]
        root = rf"\sqrt{{{variance} + {number(self.epsilon)}}}"
        yield "normalized", rf"{symbols('normal')} = \frac{{{X} - {mean}}}{{{root}}}", at["normal"]

    def output_formula(self, at: LayerPass, symbols: Symbols) -> str:
        normal, gamma, beta = symbols("normal"), symbols("gamma"), symbols("beta")
        return rf"{symbols('A')} = {gamma} \odot {normal} + {beta}"

    def slope_formula(self, name: str, symbols: Symbols) -> str:
        return rf"\sum d{symbols('A')}" + (rf" \odot {symbols('normal')}" if name == "gamma" else "")

    def observe(self, at: LayerPass) -> None:
        xp, work, numbers = at.xp, at["work"], _columns(at.X).shape[0]
        if numbers == 1:
            return  # one number has no variance, and is no mean of a batch
        for name, factor in (("mean", 1.0), ("variance", numbers / (numbers - 1))):
            running = at.statistics[name]
            running *= self.momentum
            running += xp.multiply(at[name], (1 - self.momentum) * factor, out=work)


def _columns(values: Array) -> Array:
    """The numbers of a unit or channel as a column."""
    return values.reshape(-1, values.shape[-1])
