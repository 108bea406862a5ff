"""How numbers spread through a deep network before any training: what an initializer and an activation do to them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from engine.backend import Array
from engine.errors import InvalidSpec
from engine.glass.histograms import LayerHistogram, histogram
from engine.network.layers.dense import dense
from engine.network.network import Network
from engine.network.workspace import Workspace
from engine.parts.activations import Activation, Tanh
from engine.parts.initializers import Initializer, XavierNormal
from engine.randomness import generator
from engine.spec import WHOLE, Seed, spec

FORWARD = r"\operatorname{Var}(z^{(l)}) \approx n \operatorname{Var}(w)\, \operatorname{E}\left[(a^{(l-1)})^2\right]"
BACKWARD = (
    r"\operatorname{Var}(dz^{(l)}) \approx n \operatorname{Var}(w)\,"
    r" \operatorname{E}\left[(dz^{(l+1)})^2\right] \operatorname{E}\left[f'(z^{(l)})^2\right]"
)


@dataclass(frozen=True)
class LayerSpread:
    """A hidden layer: its Z, A and dZ, and the deviations that Z and dZ are expected to have by the layer beside it, if the
    weights are drawn one by one around 0. `zero`: the share of A that is exactly 0.
    """

    layer: str
    weighted_sums: LayerHistogram
    activations: LayerHistogram
    gradients: LayerHistogram
    zero: float
    expected_weighted_sum_std: float | None
    expected_gradient_std: float | None


@spec
class Propagation:
    """Hidden layers of one width and one activation, as they begin. Standard normal rows go in; standard normal gradients
    come back from an output layer as wide. Arithmetic is in float64, biases are 0.
    """

    initializer: Initializer = XavierNormal()
    activation: Activation = Tanh()
    width: Annotated[int, Field(strict=True, ge=1, le=1024, description="inputs, and units of each layer"), WHOLE] = 100
    depth: Annotated[int, Field(strict=True, ge=1, le=50, description="hidden layers"), WHOLE] = 10
    rows: Annotated[int, Field(strict=True, ge=1, le=2000), WHOLE] = 200
    seed: Seed = Field(default=0, description="draws the weights as a job of this seed does, the rows and the gradients")

    def weight_variance(self) -> float | None:
        """Variance of each weight; None if the weights are not drawn one by one around 0."""
        return self.initializer.variance(self.width, self.width)

    @np.errstate(over="ignore", invalid="ignore")  # what explodes is shown as it is
    def layers(self) -> list[LayerSpread]:
        """From the first hidden layer to the last. Raises InvalidSpec for an activation of several units at once."""
        if not self.activation.is_elementwise:
            detail = f"{self.activation.kind} is of several units at once; choose one of each unit alone"
            raise InvalidSpec([("/activation", detail)])
        network = Network(
            [*[dense(self.width, self.width, self.activation)] * self.depth, dense(self.width, self.width)], float, np
        )
        network.initialize(self.initializer, self.seed)
        X = generator(self.seed, "initialization", 1).standard_normal((self.rows, self.width))
        workspace = network.new_workspace(self.rows)
        network.forward(X, workspace)
        workspace.slopes[...] = generator(self.seed, "initialization", 2).standard_normal((self.rows, self.width))
        network.backward(workspace)
        return [*self._spreads(X, workspace, network.names)]

    def _spreads(self, X: Array, workspace: Workspace, names: list[str]) -> Iterator[LayerSpread]:
        before = X
        for level, name in enumerate(names[:-1]):
            at = workspace.passes[level]
            Z, A, dZ = at.Z, at.A, at.dZ
            slopes = np.ones_like(Z)
            self.activation.gradient(np, Z, A, slopes, slopes)
            yield LayerSpread(
                layer=name,
                weighted_sums=histogram(name, "weighted_sums", Z),
                activations=histogram(name, "activations", A, slopes),
                gradients=histogram(name, "gradients", dZ),
                zero=float((A == 0).mean()),
                expected_weighted_sum_std=self._expected(before),
                expected_gradient_std=self._expected(workspace.passes[level + 1].dZ, slopes),
            )
            before = A

    def _expected(self, beside: Array, slopes: Array | None = None) -> float | None:
        """The deviation of sums of `width` numbers of the layer beside, each times a weight; then times the slopes."""
        variance = self.weight_variance()
        if variance is None:
            return None
        through: Any = 1.0 if slopes is None else np.mean(slopes**2)
        return float(np.sqrt(self.width * variance * np.mean(beside**2) * through))
