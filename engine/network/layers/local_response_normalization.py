"""Local response normalization: each channel is held down by its neighbors' answers at the same pixel."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from engine.backend import Array
from engine.network.layer_pass import LayerPass
from engine.network.layers.base import LayerRule, Scratch, Symbols, image
from engine.network.parameters import Shape
from engine.spec import WHOLE, PositiveFloat, spec

MOST = 9_999


def _odd(size: int) -> int:
    if size % 2 == 0:
        raise PydanticCustomError("wrong_form", "must be odd: a channel and as many neighbors on either side")
    return size


@spec
class LocalResponseNormalization(LayerRule):
    """Divides each channel of a pixel by a power of its neighbors' squares, so that channels compete.

    The paper's α multiplies the sum of squares; PyTorch's multiplies their mean, and is n times as large.
    """

    formula: ClassVar[str] = r"A_c = X_c\, S_c^{-\beta}, \quad S_c = k + \alpha \sum_{|c' - c| \le n / 2} X_{c'}^2"
    derivative: ClassVar[str] = (
        r"dX_c = dA_c\, S_c^{-\beta} - 2 \alpha \beta\, X_c \sum_{|c' - c| \le n / 2} dA_{c'}\, X_{c'}\, S_{c'}^{-\beta - 1}"
    )
    source: ClassVar[str] = "Krizhevsky, Sutskever and Hinton, ImageNet Classification with Deep CNNs, 2012, section 3.3"
    kind: Literal["local_response_normalization"] = "local_response_normalization"
    size: Annotated[int, Field(strict=True, ge=1, le=MOST), WHOLE, AfterValidator(_odd)] = Field(
        default=5, description="n, an odd number of channels: one, and as many on either side"
    )
    alpha: PositiveFloat = Field(
        default=1e-4, le=1e6, description="α, the factor of the sum of squares: PyTorch's divided by n"
    )
    beta: PositiveFloat = Field(default=0.75, le=100, description="β, the power")
    k: PositiveFloat = Field(default=2.0, le=1e6, description="k, which keeps the sum above 0")

    def output_shape(self, shape: Shape) -> Shape:
        return image(shape)

    def scratch(self, shape: Shape, rows: int) -> Mapping[str, Scratch]:
        return {name: Scratch((rows, *shape)) for name in ("sums", "power", "work")}

    def _neighbors(self, values: Array, out: Array) -> None:
        """Add up each channel's neighborhood, itself included."""
        channels, reach = values.shape[-1], self.size // 2
        out.fill(0)
        for offset in range(-min(reach, channels - 1), min(reach, channels - 1) + 1):
            into = out[..., max(0, -offset) : channels - max(0, offset)]
            into += values[..., max(0, offset) : channels - max(0, -offset)]

    def forward(self, at: LayerPass) -> None:
        xp, sums, power, work = at.xp, at["sums"], at["power"], at["work"]
        xp.square(at.X, out=work)
        self._neighbors(work, sums)
        sums *= self.alpha
        sums += self.k
        xp.power(sums, -self.beta, out=power)
        xp.multiply(at.X, power, out=at.A)

    def backward(self, at: LayerPass) -> None:
        if at.dX is None:
            return
        xp, sums, power, work, dX, dA = at.xp, at["sums"], at["power"], at["work"], at.dX, at.dA
        xp.multiply(dA, at.A, out=work)
        xp.divide(work, sums, out=work)
        self._neighbors(work, dX)
        dX *= at.X
        dX *= -2 * self.alpha * self.beta
        xp.multiply(dA, power, out=work)
        dX += work

    def shown(self, at: LayerPass, symbols: Symbols) -> Iterator[tuple[str, str, Array]]:
        yield "S", rf"{symbols('S')}_c = k + \alpha \sum_{{|c' - c| \le n / 2}} ({symbols.X}_{{c'}})^2", at["sums"]

    def output_formula(self, at: LayerPass, symbols: Symbols) -> str:
        return rf"{symbols('A')}_c = {symbols.X}_c\, ({symbols('S')}_c)^{{-\beta}}"
