"""The built-in datasets: small tables kept in `data/`, and generators. To add one, write a class and its name.

A generator draws on the host from its seed: the same parameters give the same rows. Rows come shuffled.
"""

import csv
import gzip
from abc import ABC, abstractmethod
from importlib import resources
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from engine.forms import ByKind
from engine.spec import WHOLE, Described, FiniteFloat, NonNegativeFloat, PositiveFloat, Seed, renamed, spec

Columns = dict[str, NDArray[Any]]
Rows = Annotated[int, Field(strict=True, ge=1, le=1_000_000, description="How many rows, all classes together."), WHOLE]
MOST_CELLS = 10_000_000


class SampleSet(Described, ABC):
    """A dataset that needs no upload."""

    @abstractmethod
    def columns(self) -> Columns:
        """The columns by name, each (rows,): integers, floats or text. Made anew at each call."""


def _table(name: str) -> dict[str, list[str]]:
    """The columns of a CSV file beside this module, as text."""
    content = (resources.files("engine") / "data" / name).read_bytes()
    text = (gzip.decompress(content) if name.endswith(".gz") else content).decode()
    header, *rows = csv.reader(text.splitlines())
    return {column: list(values) for column, values in zip(header, zip(*rows, strict=True), strict=True)}


def _points(X: NDArray[np.float64], label: str, classes: NDArray[Any]) -> Columns:
    """Columns x and y of the points X (n, 2), and their classes (n,) under the name `label`."""
    return {"x": X[:, 0].copy(), "y": X[:, 1].copy(), label: classes}


def _shares(rng: np.random.Generator, rows: int, classes: int) -> NDArray[np.int64]:
    """The class (rows,) of each row, shuffled; no class has more than one row more than another."""
    return rng.permutation(np.arange(rows, dtype=np.int64) % classes)


@spec
class IrisSample(SampleSet):
    """Fisher's irises: four lengths in centimetres of 150 flowers of three species.

    The corrected table, as in R (the copy in the UCI archive differs in rows 35 and 38).
    """

    formula: ClassVar[str] = r"x \in \mathbb{R}^{150 \times 4}, \quad y \in \{setosa, versicolor, virginica\}"
    source: ClassVar[str] = "Fisher, The Use of Multiple Measurements in Taxonomic Problems, 1936"
    title: ClassVar[str] = "Irises"
    kind: Literal["iris"] = "iris"

    def columns(self) -> Columns:
        table = _table("iris.csv")
        species = table.pop("species")
        return {name: np.array(values, dtype=np.float64) for name, values in table.items()} | {"species": np.array(species)}


@spec
class InfantWeightSample(SampleSet):
    """The weight in kilograms of an infant at 13 ages in months: a line that is not quite one."""

    formula: ClassVar[str] = r"\text{weight} \approx 0.3022\,\text{months} + 4.8275"
    source: ClassVar[str] = "Introdução ao aprendizado de máquina, course notes on linear regression"
    title: ClassVar[str] = "Infant weight"
    kind: Literal["infant_weight"] = "infant_weight"

    def columns(self) -> Columns:
        table = _table("infant_weight.csv")
        return {"months": np.array(table["months"], dtype=np.int64), "weight": np.array(table["weight"], dtype=float)}


@spec
class AnscombeSample(SampleSet):
    """Anscombe's quartet: four sets that look nothing alike and share mean, variance, correlation and fitted line."""

    formula: ClassVar[str] = r"\rho \approx 0.816, \quad \hat y = 3 + 0.5\,x"
    source: ClassVar[str] = "Anscombe, Graphs in Statistical Analysis, 1973"
    title: ClassVar[str] = "Anscombe's quartet"
    kind: Literal["anscombe"] = "anscombe"
    set: Annotated[int, Field(strict=True, ge=1, le=4, description="Which of the four sets."), WHOLE] = 1

    def columns(self) -> Columns:
        table = {name: np.array(values, dtype=np.float64) for name, values in _table("anscombe.csv").items()}
        chosen = table["set"] == self.set
        return {"x": table["x"][chosen], "y": table["y"][chosen]}


@spec
class DoubleMoonsSample(SampleSet):
    """Two half rings that face each other: a line separates them as long as their distance is positive.

    The upper moon is centered on (0, 0), the lower on (radius, −distance). The radius is that of the ring's middle.
    """

    formula: ClassVar[str] = (
        r"\text{upper: } (\rho\cos\varphi,\; \rho\sin\varphi), \quad"
        r" \text{lower: } (r + \rho\cos\varphi,\; -d - \rho\sin\varphi), \quad"
        r" \rho \sim U\left[r - \tfrac{w}{2}, r + \tfrac{w}{2}\right],\; \varphi \sim U[0, \pi]"
    )
    source: ClassVar[str] = "Haykin, Neural Networks and Learning Machines, 2009, section 1.5"
    kind: Literal["double_moons"] = "double_moons"
    distance: FiniteFloat = Field(
        default=1.0,
        ge=-1e6,
        le=1e6,
        description="The gap d between the moons; negative where they reach into each other.",
    )
    radius: PositiveFloat = Field(default=10.0, le=1e6, description="The radius r of the middle of each ring.")
    width: PositiveFloat = Field(default=6.0, le=1e6, description="The width w of each ring, at most twice the radius.")
    rows: Rows = 1000
    seed: Seed = 0

    @model_validator(mode="after")
    def _ring_has_a_middle(self) -> Self:
        if self.width > 2 * self.radius:
            raise ValueError("width must be at most twice the radius, or the ring would reach past its own center")
        return self

    def columns(self) -> Columns:
        rng = np.random.default_rng(self.seed)
        lower = _shares(rng, self.rows, 2)
        ring = self.radius + self.width * (rng.random(self.rows) - 0.5)
        angle = np.pi * rng.random(self.rows)
        X = np.stack([ring * np.cos(angle), ring * np.sin(angle) * (1 - 2 * lower)], axis=1)
        X += lower[:, None] * np.array([self.radius, -self.distance])
        return _points(X, "moon", np.array(["upper", "lower"])[lower])


class TruthTable(SampleSet, ABC):
    """A function of two bits: columns x1, x2 and y, four rows of 0 and 1."""

    outputs: ClassVar[tuple[int, int, int, int]]
    """y for (0, 0), (0, 1), (1, 0) and (1, 1)."""

    def columns(self) -> Columns:
        return {"x1": np.array([0, 0, 1, 1]), "x2": np.array([0, 1, 0, 1]), "y": np.array(self.outputs)}


@spec
class XorSample(TruthTable):
    """Exclusive or: the smallest set that no line can separate."""

    formula: ClassVar[str] = r"y = x_1 \oplus x_2"
    source: ClassVar[str] = "Minsky and Papert, Perceptrons, 1969"
    title: ClassVar[str] = "XOR"
    kind: Literal["xor"] = "xor"
    outputs: ClassVar[tuple[int, int, int, int]] = (0, 1, 1, 0)


@spec
class AndSample(TruthTable):
    """Logical and: separable by a line that does not pass through the origin."""

    formula: ClassVar[str] = r"y = x_1 \wedge x_2"
    source: ClassVar[str] = "McCulloch and Pitts, A Logical Calculus of the Ideas Immanent in Nervous Activity, 1943"
    title: ClassVar[str] = "AND"
    kind: Literal["and"] = "and"
    outputs: ClassVar[tuple[int, int, int, int]] = (0, 0, 0, 1)


@spec
class OrSample(TruthTable):
    """Logical or: separable by a line that does not pass through the origin."""

    formula: ClassVar[str] = r"y = x_1 \vee x_2"
    source: ClassVar[str] = "McCulloch and Pitts, A Logical Calculus of the Ideas Immanent in Nervous Activity, 1943"
    title: ClassVar[str] = "OR"
    kind: Literal["or"] = "or"
    outputs: ClassVar[tuple[int, int, int, int]] = (0, 1, 1, 1)


@spec
class BlobsSample(SampleSet):
    """Round clouds of points about centers drawn from [−10, 10] in every feature."""

    formula: ClassVar[str] = r"x \mid c \sim \mathcal{N}(\mu_c, \sigma^2 I), \quad \mu_c \sim U[-10, 10]^d"
    source: ClassVar[str] = "Bishop, Pattern Recognition and Machine Learning, 2006, section 9.2"
    kind: Literal["blobs"] = "blobs"
    centers: Annotated[int, Field(strict=True, ge=1, le=100, description="How many clouds, each a class."), WHOLE] = 3
    rows: Rows = 300
    features: Annotated[
        int, Field(strict=True, ge=1, le=1000, description="How many features d; rows × features is bounded."), WHOLE
    ] = 2
    std: NonNegativeFloat = renamed("std", "deviation", default=1.0, le=1e6, description="The standard deviation σ of a cloud.")
    seed: Seed = 0

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.rows * self.features > MOST_CELLS:
            raise ValueError(f"rows × features must be at most {MOST_CELLS}: ask for fewer of one of them")
        return self

    def columns(self) -> Columns:
        rng = np.random.default_rng(self.seed)
        centers = rng.uniform(-10, 10, (self.features, self.centers))
        blob = _shares(rng, self.rows, self.centers)
        X = rng.standard_normal((self.features, self.rows)) * self.std + centers[:, blob]
        names = np.array([f"blob_{c}" for c in range(self.centers)])
        return {f"x{j + 1}": column for j, column in enumerate(X)} | {"blob": names[blob]}


@spec
class CirclesSample(SampleSet):
    """A circle within a circle of radius 1: separable by a curve and by no line."""

    formula: ClassVar[str] = (
        r"x = \rho_c(\cos\varphi, \sin\varphi) + \epsilon, \quad \rho_{outer} = 1,\; \rho_{inner} = f,\;"
        r" \epsilon \sim \mathcal{N}(0, \sigma^2 I)"
    )
    source: ClassVar[str] = "Ng, Jordan and Weiss, On Spectral Clustering: Analysis and an Algorithm, 2002"
    kind: Literal["circles"] = "circles"
    rows: Rows = 300
    factor: Annotated[PositiveFloat, Field(lt=1, description="The radius f of the inner circle.")] = 0.5
    noise: NonNegativeFloat = Field(default=0.05, le=1e6, description="The standard deviation σ about the circles.")
    seed: Seed = 0

    def columns(self) -> Columns:
        rng = np.random.default_rng(self.seed)
        inner = _shares(rng, self.rows, 2)
        angle = 2 * np.pi * rng.random(self.rows)
        radius = np.array([1.0, self.factor])[inner]
        X = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
        X += self.noise * rng.standard_normal((self.rows, 2))
        return _points(X, "circle", np.array(["outer", "inner"])[inner])


@spec
class SpiralSample(SampleSet):
    """Arms that wind about one another out to radius 1: hard for a small network, easy for the eye."""

    formula: ClassVar[str] = (
        r"x = t\,(\cos\varphi, \sin\varphi) + \epsilon, \quad"
        r" \varphi = 2\pi\left(\tau\,t + \tfrac{c}{K}\right),\; t \sim U[0, 1],\;"
        r" \epsilon \sim \mathcal{N}(0, \sigma^2 I)"
    )
    source: ClassVar[str] = "Lang and Witbrock, Learning to Tell Two Spirals Apart, 1988"
    kind: Literal["spiral"] = "spiral"
    classes: Annotated[int, Field(strict=True, ge=2, le=20, description="How many arms K, each a class."), WHOLE] = 3
    rows: Rows = 300
    turns: Annotated[PositiveFloat, Field(le=100, description="How many times τ an arm winds about the origin.")] = 1.0
    noise: NonNegativeFloat = Field(default=0.03, le=1e6, description="The standard deviation σ about the arms.")
    seed: Seed = 0

    def columns(self) -> Columns:
        rng = np.random.default_rng(self.seed)
        arm = _shares(rng, self.rows, self.classes)
        t = rng.random(self.rows)
        angle = 2 * np.pi * (self.turns * t + arm / self.classes)
        X = np.stack([t * np.cos(angle), t * np.sin(angle)], axis=1)
        X += self.noise * rng.standard_normal((self.rows, 2))
        return _points(X, "arm", np.array([f"arm_{c}" for c in range(self.classes)])[arm])


HOUSE_PRICE_COEFFICIENTS: dict[str, float] = {
    "intercept": 650_000.0,
    "area": 250.0,
    "bedrooms": 120_000.0,
    "bathrooms": 900_000.0,
    "stories": 400_000.0,
    "mainroad": 500_000.0,
    "parking": 250_000.0,
    "furnished": 200_000.0,
    "semi-furnished": 50_000.0,
    "unfurnished": -250_000.0,
    "noise": 300_000.0,
}
"""True coefficients of the prices, and the standard deviation of the noise. `mainroad` counts for yes; the three kinds of
furnishing add up to 0, which is how the shortest of all coefficients that fit tells them.
"""


@spec
class HousePricesSample(SampleSet):
    """Made-up houses, generated and not sold anywhere: the price is a stated sum of seven features, two in words, and noise.

    price = 650,000 + 250 area (square feet) + 120,000 bedrooms + 900,000 bathrooms + 400,000 stories + 500,000 if on a
    main road + 250,000 parking places + 200,000 if furnished, + 50,000 if semi-furnished or - 250,000 if unfurnished, +
    normal noise of standard deviation 300,000, never below 1. A linear regression finds these coefficients again
    (`HOUSE_PRICE_COEFFICIENTS`) within a few standard errors: those of furnishing as they stand, for they add up to 0.
    """

    formula: ClassVar[str] = (
        r"\text{price} = 650000 + 250\,\text{area} + 120000\,\text{bedrooms} + 900000\,\text{bathrooms}"
        r" + 400000\,\text{stories} + 500000\,[\text{mainroad}] + 250000\,\text{parking}"
        r" + 200000\,[\text{furnished}] + 50000\,[\text{semi}] - 250000\,[\text{unfurnished}] + \epsilon,"
        r" \quad \epsilon \sim \mathcal{N}(0, 300000^2)"
    )
    source: ClassVar[str] = "Introdução ao aprendizado de máquina, course notes on several features; generated here"
    title: ClassVar[str] = "House prices"
    kind: Literal["house_prices"] = "house_prices"
    rows: Rows = 500
    seed: Seed = 0

    def columns(self) -> Columns:
        rng = np.random.default_rng(self.seed)
        features: Columns = {
            "area": np.round(rng.lognormal(8.5, 0.4, self.rows)).astype(np.int64),
            "bedrooms": rng.choice([1, 2, 3, 4, 5, 6], self.rows, p=[0.02, 0.25, 0.53, 0.17, 0.02, 0.01]),
            "bathrooms": rng.choice([1, 2, 3, 4], self.rows, p=[0.72, 0.24, 0.03, 0.01]),
            "stories": rng.choice([1, 2, 3, 4], self.rows, p=[0.42, 0.43, 0.08, 0.07]),
            "mainroad": rng.choice(["yes", "no"], self.rows, p=[0.86, 0.14]),
            "parking": rng.choice([0, 1, 2, 3], self.rows, p=[0.55, 0.23, 0.2, 0.02]),
            "furnishing": rng.choice(["furnished", "semi-furnished", "unfurnished"], self.rows, p=[0.26, 0.42, 0.32]),
        }
        return {"price": self._price(rng, features)} | features

    def _price(self, rng: np.random.Generator, features: Columns) -> NDArray[np.int64]:
        worth = HOUSE_PRICE_COEFFICIENTS
        price = worth["intercept"] + worth["noise"] * rng.standard_normal(self.rows)
        for name in ("area", "bedrooms", "bathrooms", "stories", "parking"):
            price += worth[name] * features[name]
        price += worth["mainroad"] * (features["mainroad"] == "yes")
        for name in ("furnished", "semi-furnished", "unfurnished"):
            price += worth[name] * (features["furnishing"] == name)
        return np.maximum(1, np.round(price)).astype(np.int64)


@spec
class DigitsSample(SampleSet):
    """Handwritten digits: 1,797 images of 8 × 8 pixels from 0 to 16 (`pixel_row_column`), and the digit."""

    formula: ClassVar[str] = r"x \in \{0, \dots, 16\}^{1797 \times 64}, \quad y \in \{0, \dots, 9\}"
    source: ClassVar[str] = "Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI archive, 1998"
    kind: Literal["digits"] = "digits"

    def columns(self) -> Columns:
        return {name: np.array(values, dtype=np.int64) for name, values in _table("digits.csv.gz").items()}


Sample = Annotated[
    IrisSample
    | InfantWeightSample
    | AnscombeSample
    | DoubleMoonsSample
    | XorSample
    | AndSample
    | OrSample
    | BlobsSample
    | CirclesSample
    | SpiralSample
    | HousePricesSample
    | DigitsSample,
    ByKind(),
]
