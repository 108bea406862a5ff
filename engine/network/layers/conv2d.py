"""A convolution of images: filters that slide over them, each reading one small patch at a time."""

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from engine.backend import Array, gather
from engine.network.layer_pass import LayerPass
from engine.network.layers.base import DoesNotFit, LayerRule, Scratch, Symbols, image
from engine.network.layers.window import Extent, Margin, Padding, Pair, Window, pair
from engine.network.parameters import LayerParameters, ParameterShape, Shape
from engine.parts.activations import Activation, Identity, Relu
from engine.parts.initializers import InitializerRule
from engine.spec import Flag, spec

MOST_FILTERS = 100_000
PATCH_NUMBERS = 1 << 20
"""Numbers of the patches that are laid out at once, unless one row has more."""

Connections = Annotated[
    tuple[Annotated[tuple[Margin, ...], Field(min_length=1, max_length=MOST_FILTERS)], ...],
    Field(min_length=1, max_length=MOST_FILTERS),
]


@spec
class Conv2d(LayerRule):
    """Filters slide over the image; each answers with the weighted sum of the patch below it, bent by an activation.

    Weights are (height, width, channels in, channels out), those in a group's. With `connections` there are only the weights
    of connected channels, (height, width, connections), filter by filter.
    """

    formula: ClassVar[str] = r"Z_{y x f} = b_f + \sum_{i, j, c} X_{s y + i,\, s x + j,\, c}\, W_{i j c f}, \quad A = f(Z)"
    derivative: ClassVar[str] = (
        r"dZ = dA \odot f'(Z), \quad dW_{i j c f} = \sum_{n, y, x} X_{s y + i,\, s x + j,\, c}\, dZ_{y x f}, \quad"
        r" dX_{s y + i,\, s x + j,\, c} \mathrel{+}= \sum_f dZ_{y x f}\, W_{i j c f}"
    )
    source: ClassVar[str] = "LeCun, Bottou, Bengio and Haffner, Gradient-Based Learning Applied to Document Recognition (1998)"
    title: ClassVar[str] = "Convolution"
    kind: Literal["conv2d"] = "conv2d"
    filters: Extent = Field(default=16, description="filters, each of which gives the output a channel")
    kernel: Pair = Field(default=3, description="height and width of a filter, one number for both or two")
    stride: Pair = Field(default=1, description="how far a filter moves from place to place")
    padding: Padding = Field(
        default="valid",
        description="valid: filters stay within the image; same: zeros around it let a stride of 1 keep its size; or how many "
        "zeros on each side",
    )
    dilation: Pair = Field(default=1, description="how far apart the numbers are that a filter reads; 1: side by side")
    groups: Extent = Field(default=1, description="channels are cut into so many groups, and each filter reads those of one")
    connections: Connections | None = Field(
        default=None, description="for each filter, the channels that it reads, counted from 0; by default it reads all"
    )
    activation: Activation = Field(default=Relu(), description="the function that bends each weighted sum")
    bias: Flag = Field(default=True, description="false: a weighted sum has no constant")

    def window(self, shape: Shape) -> Window:
        """The window of the filters on images of that shape. Raises DoesNotFit."""
        return Window.over(shape, self.kernel, self.stride, self.padding, self.dilation)

    def output_shape(self, shape: Shape) -> Shape:
        *_, channels = image(shape)
        if channels % self.groups or self.filters % self.groups:
            raise DoesNotFit(
                f"cuts {channels} channels and {self.filters} filters into {self.groups} groups, which are not equal; take a "
                "number of groups that divides both"
            )
        if self.connections is not None:
            self._check(self.connections, channels)
        return (*self.window(shape).out, self.filters)

    def _check(self, connections: tuple[tuple[int, ...], ...], channels: int) -> None:
        if self.groups > 1:
            raise DoesNotFit("has both groups and connections, which say the same; leave one of them out")
        if len(connections) != self.filters:
            raise DoesNotFit(f"has connections of {len(connections)} filters and {self.filters} filters; give each its own")
        for index, read in enumerate(connections):
            if list(read) != sorted(set(read)) or read[-1] >= channels:
                raise DoesNotFit(
                    f"has filter {index} read the channels {', '.join(map(str, read))}; name each once, in order, of the "
                    f"{channels} channels from 0 to {channels - 1} that reach it"
                )

    def parameters(self, shape: Shape) -> tuple[ParameterShape, ...]:
        kernel, (*_, channels) = pair(self.kernel), image(shape)
        reads, area = channels // self.groups, kernel[0] * kernel[1]
        if self.connections is None:
            W = ParameterShape(
                "W", (*kernel, reads, self.filters), area * reads, area * self.filters // self.groups, is_weight=True
            )
        else:
            count = sum(map(len, self.connections))
            W = ParameterShape("W", (*kernel, count), area * count // self.filters, area * count // channels, is_weight=True)
        return (W, ParameterShape("b", (self.filters,))) if self.bias else (W,)

    def initialize(
        self, rng: np.random.Generator, initializer: InitializerRule, views: LayerParameters
    ) -> dict[str, np.ndarray]:
        """As any layer's; where filters are connected to some channels, each by the number that it reads."""
        if self.connections is None:
            return super().initialize(rng, initializer, views)
        kernel, (W, *_) = pair(self.kernel), views.shapes
        area = kernel[0] * kernel[1]
        drawn = [initializer.draw(rng, area * len(read), W.outputs, (*kernel, len(read))) for read in self.connections]
        return {"W": np.concatenate(drawn, axis=2)}

    def _connected(self) -> np.ndarray:
        """Where the connections' weights stand among those of all channels and filters, row by row."""
        pairs = [channel * self.filters + index for index, read in enumerate(self.connections or ()) for channel in read]
        return np.array(pairs, np.int64)

    def full(self, W: Array, channels: int) -> Array:
        """Weights as (height, width, channels in a group, filters), 0 where a filter does not read; W itself if all read."""
        if self.connections is None:
            return W
        out = np.zeros((*W.shape[:2], channels, self.filters), W.dtype)
        out.reshape(*W.shape[:2], -1)[:, :, self._connected()] = W
        return out

    def exported(self, at: LayerParameters, statistics: Mapping[str, Array], shape: Shape) -> dict[str, Array]:
        """Weights of filters that read some channels alone come with 0 for the others."""
        return {**super().exported(at, statistics, shape), "weights": self.full(at.W, shape[-1])}

    def scratch(self, shape: Shape, rows: int) -> Mapping[str, Scratch]:
        window, (*_, channels) = self.window(shape), image(shape)
        places, area = window.out[0] * window.out[1], window.kernel[0] * window.kernel[1]
        together = max(1, min(rows, PATCH_NUMBERS // (places * area * channels)))
        full = (*window.kernel, channels // self.groups, self.filters)
        needed = {
            "patches": Scratch((self.groups, together, *window.out, *window.kernel, channels // self.groups)),
            "dW": Scratch(full),
        }
        if window.is_padded:
            needed["padded"] = Scratch((together, *window.padded, channels), zeros=True)
        if self.connections is not None:
            connected = self._connected()
            needed["connected"] = Scratch(connected.shape, connected.dtype, values=connected)
            needed |= {"full_W": Scratch(full, zeros=True), "full_dW": Scratch(full)}
        if not isinstance(self.activation, Identity):
            needed["Z"] = Scratch((rows, *window.out, self.filters))
        return needed

    def _blocks(self, at: LayerPass) -> Iterator[tuple[slice, Array]]:
        """The rows that are worked on at once, and room for their patches."""
        together = at["patches"].shape[1]
        for start in range(0, at.rows, together):
            rows = slice(start, min(start + together, at.rows))
            yield rows, at["patches"][:, : rows.stop - rows.start]

    def _spread(self, window: Window, at: LayerPass, rows: slice, patches: Array) -> None:
        """Lay out the patches (groups, n, *out, *kernel, channels) of those rows."""
        X = at.X[rows]
        if window.is_padded:
            padded = at["padded"][: X.shape[0]]
            window.inside(padded)[...] = X
            X = padded
        seen, width = window.patches(X, at.xp), patches.shape[-1]
        for group in range(self.groups):
            patches[group] = seen[..., group * width : (group + 1) * width]

    def patches(self, X: Array) -> Array:
        """The patches that filters see: (n, *out, *kernel, channels), of images X (n, height, width, channels)."""
        window = self.window(X.shape[1:])
        padded = np.zeros((len(X), *window.padded, X.shape[-1]), X.dtype)
        window.inside(padded)[...] = X
        return window.patches(padded, np).copy()

    def forward(self, at: LayerPass) -> None:
        xp, window, Z, b = at.xp, self.window(at.input_shape), at.Z, at.parameters.b
        W = at.scratch.get("full_W", at.parameters.W)
        if self.connections is not None:
            _by_pair(W)[:, at["connected"]] = _by_pair(at.parameters.W)
        columns = self.filters // self.groups
        for rows, patches in self._blocks(at):
            self._spread(window, at, rows, patches)
            sums = Z[rows].reshape(-1, self.filters)
            for group in range(self.groups):
                chosen = slice(group * columns, (group + 1) * columns)
                xp.matmul(_rows(patches[group]), _matrix(W)[:, chosen], out=sums[:, chosen])
        if b is not None:
            Z += b
        self.activation.apply(xp, Z, at.A)

    def backward(self, at: LayerPass) -> None:
        xp, window, views, dZ = at.xp, self.window(at.input_shape), at.parameters, at.dZ
        self.activation.gradient(xp, at.Z, at.A, at.dA, dZ)
        if views.db is not None:
            xp.sum(dZ.reshape(-1, self.filters), axis=0, out=views.db)
        W, dW = at.scratch.get("full_W", views.W), _matrix(at.scratch.get("full_dW", views.dW))
        columns, more = self.filters // self.groups, _matrix(at["dW"])
        for rows, patches in self._blocks(at):
            if patches.shape[1] < at.rows:  # else they lie there since the way forward
                self._spread(window, at, rows, patches)
            slopes = dZ[rows].reshape(-1, self.filters)
            for group in range(self.groups):
                chosen = slice(group * columns, (group + 1) * columns)
                into = dW if rows.start == 0 else more
                xp.matmul(_rows(patches[group]).T, slopes[:, chosen], out=into[:, chosen])
                if at.dX is not None:
                    xp.matmul(slopes[:, chosen], _matrix(W)[:, chosen].T, out=_rows(patches[group]))
            if rows.start:
                dW += more
            if at.dX is not None:
                self._gather_slopes(window, at, rows, patches)
        if self.connections is not None:
            gather(xp)(_by_pair(at["full_dW"]), at["connected"], axis=1, out=_by_pair(views.dW))

    def bent(self, at: LayerPass) -> Array:
        return at.Z

    def shown(self, at: LayerPass, symbols: Symbols) -> Iterator[tuple[str, str, Array]]:
        P, patches = symbols("P"), self.patches(at.X)
        yield "patches", rf"{P}_{{y x i j c}} = {symbols.X}_{{s y + d i - p,\, s x + d j - p,\, c}}", patches
        plus = f" + {symbols('b')}_f" if self.bias else ""
        yield "Z", rf"{symbols('Z')}_{{y x f}} = \sum_{{i, j, c}} {P}_{{y x i j c}}\, {symbols('W')}_{{i j c f}}{plus}", at.Z

    def count_shown(self, shape: Shape, rows: int) -> int:
        window = self.window(shape)
        return rows * math.prod((*window.out, *window.kernel, shape[-1]))

    def output_formula(self, at: LayerPass, symbols: Symbols) -> str:
        return rf"{symbols('A')} = f({symbols('Z')}), \quad {self.activation.formula}"

    def slope_formula(self, name: str, symbols: Symbols) -> str:
        dZ = f"d{symbols('Z')}_{{y x f}}"
        return rf"\sum_{{n, y, x}} {dZ}" if name == "b" else rf"\sum_{{n, y, x}} {symbols('P')}_{{y x i j c}}\, {dZ}"

    def input_slope_formula(self, symbols: Symbols) -> str:
        return (
            rf"d{symbols.X}_{{s y + d i - p,\, s x + d j - p,\, c}} \mathrel{{+}}="
            rf" \sum_f d{symbols('Z')}_{{y x f}}\, {symbols('W')}_{{i j c f}}"
        )

    def _gather_slopes(self, window: Window, at: LayerPass, rows: slice, patches: Array) -> None:
        """Add the patches' slopes up where they overlap: ∂J/∂X of those rows. On a card fewer, larger shares are faster."""
        assert at.dX is not None
        dX = at.dX[rows]
        padded = at["padded"][: dX.shape[0]] if window.is_padded else dX
        padded.fill(0)
        width = patches.shape[-1]
        for group in range(self.groups):
            dense = padded[..., group * width : (group + 1) * width]
            for place, pixels in window.shares(by_column=at.xp is np and width > 1):
                into = dense[pixels]
                into += patches[group][place]
        if window.is_padded:
            dX[...] = window.inside(padded)
            padded.fill(0)


def _rows(patches: Array) -> Array:
    """The patches of a group, a row each."""
    return patches.reshape(-1, patches.shape[-1] * patches.shape[-2] * patches.shape[-3])


def _by_pair(W: Array) -> Array:
    """Weights (height, width, …) with a row for each place in the kernel: a column a pair of a channel and a filter."""
    return W.reshape(W.shape[0] * W.shape[1], -1)


def _matrix(W: Array) -> Array:
    """Weights (height, width, channels, filters) with a column a filter."""
    return W.reshape(-1, W.shape[-1])
