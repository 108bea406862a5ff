"""Targets: numbers, one of several classes, or tags that each hold or not; one class in this file for each.

Labels are given back as the table gave them: words as they are written, true and false, whole numbers without a point.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from engine.errors import UnusableData
from engine.parts.scaling import NoScaling, ScalingRule
from engine.tables.features import ClassLabel, Column, recode, word

Shares = np.ndarray | Mapping[str, np.ndarray]
"""Probabilities (n,), or those of a tag by its words."""

FAR = 300
"""A power of two beyond whose inverse squares may leave float64's range."""


@dataclass(frozen=True)
class Numbers:
    """One column of numbers, or several at once: an output each.

    The network learns (y − center) / scale, of each column by itself; `center` and `scale` are empty where it learns y.
    """

    names: tuple[str, ...]
    kind: Literal["numbers"] = "numbers"
    center: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()
    task: ClassVar[str] = "regression"
    metric: ClassVar[str] = "r2"
    classes: ClassVar[None] = None

    @classmethod
    def fit(cls, columns: Sequence[Column]) -> Self:
        return cls(tuple(column.name for column in columns))

    def scaled(self, rule: ScalingRule | None, columns: Mapping[str, Column]) -> Self:
        """The same target, scaled by what the rule finds in the training rows' columns."""
        if rule is None or isinstance(rule, NoScaling):
            return self
        Y = self.actual(columns)
        varies = Y.max(axis=0) > Y.min(axis=0)
        powers = np.frexp(np.abs(Y).max(axis=0))[1]
        powers = np.where(np.abs(powers) > FAR, powers, 0)
        center, scale = rule.fit(np.ldexp(Y, -powers))
        center, scale = np.ldexp(center, powers), np.where(varies, np.ldexp(scale, powers), 1.0)
        return replace(self, center=tuple(center.tolist()), scale=tuple(scale.tolist()))

    def outputs(self, loss: Any) -> int:
        """How many raw outputs the network needs."""
        return len(self.names)

    def strata(self, columns: Mapping[str, Column]) -> np.ndarray | None:
        """Class numbers (n,) to be kept in proportion by a split."""
        return None

    def actual(self, columns: Mapping[str, Column]) -> np.ndarray:
        """The columns (n, k) in float64, as they stand in the table."""
        return np.stack([columns[name].values for name in self.names], axis=1).astype(np.float64)

    def matrix(self, columns: Mapping[str, Column], outputs: int, dtype: Any) -> np.ndarray:
        """Y (n, outputs) as the network learns it."""
        if self.scale:
            return ((self.actual(columns) - np.array(self.center)) / np.array(self.scale)).astype(dtype)
        return np.stack([columns[name].values for name in self.names], axis=1).astype(dtype)

    @property
    def scaling(self) -> tuple[np.ndarray, np.ndarray] | None:
        """`center` and `scale` (k,) where the target is scaled."""
        return (np.array(self.center), np.array(self.scale)) if self.scale else None

    def restored(self, outputs: np.ndarray) -> np.ndarray:
        """Raw outputs (n, k) in the table's units: in float64 where the target was scaled."""
        if not self.scale:
            return outputs
        return outputs.astype(np.float64) * np.array(self.scale) + np.array(self.center)

    def unscaled(self, W: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients W (d, k) and b (k,) that give the raw outputs, as ones that give the numbers in the table's units."""
        return (W * np.array(self.scale), self.restored(b)) if self.scale else (W, b)

    def predictions(self, outputs: np.ndarray) -> list[Any]:
        """Predictions from raw outputs (n, k), a row each: a number, or one by name if there are several."""
        outputs = self.restored(outputs)
        if len(self.names) == 1:
            return [float(value) for value in outputs[:, 0]]
        return [dict(zip(self.names, row, strict=True)) for row in outputs.astype(np.float64).tolist()]

    def answers(self, columns: Mapping[str, Column]) -> list[Any]:
        """What the table says of each row, in the form of a prediction."""
        rows = self.actual(columns).tolist()
        return [row[0] for row in rows] if len(self.names) == 1 else [dict(zip(self.names, row, strict=True)) for row in rows]

    def shares(self, linked: np.ndarray) -> dict[ClassLabel, np.ndarray] | None:
        """Probabilities (n,) by class or tag from the loss's link (n, k); None where there are none."""
        return None

    def by_name(self, shares: Mapping[ClassLabel, np.ndarray]) -> Mapping[str, Shares]:
        """The same by the names that they have in JSON."""
        return {}

    def output_names(self, outputs: int) -> list[str]:
        """The name of each of so many raw outputs."""
        return list(self.names)

    @property
    def labels(self) -> list[Any] | dict[str, list[Any]] | None:
        """The classes in their order, or the two words of each tag, false first; None where there are none."""
        return None


class Unscaled:
    """A target whose raw outputs have no unit to be scaled from."""

    def scaled(self, rule: ScalingRule | None, columns: Mapping[str, Column]) -> Self:
        return self

    @property
    def scaling(self) -> None:
        return None

    def restored(self, outputs: np.ndarray) -> np.ndarray:
        return outputs

    def unscaled(self, W: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return W, b


@dataclass(frozen=True)
class Classes(Unscaled):
    """One column that holds one of several classes, in their order."""

    names: tuple[str, ...]
    classes: tuple[ClassLabel, ...]
    codes: tuple[float, ...] | None = None
    """The column's value for each class, if that is not the class itself: 0 and 1 for words of booleans."""
    kind: Literal["classes"] = "classes"
    task: ClassVar[str] = "classification"
    metric: ClassVar[str] = "accuracy"

    @classmethod
    def fit(cls, columns: Sequence[Column]) -> Self:
        (column,) = columns
        present = np.unique(column.values[~column.missing])
        if column.categories:
            return cls((column.name,), tuple(column.categories[code] for code in present))
        if column.words:
            codes = present.astype(np.int64)
            return cls((column.name,), tuple(column.words[code] for code in codes), tuple(codes.astype(np.float64).tolist()))
        whole = column.kind == "integer" or bool((present == np.round(present)).all())
        convert = bool if column.kind == "boolean" else int if whole else float
        return cls((column.name,), tuple(convert(value) for value in present))

    def outputs(self, loss: Any) -> int:
        return len(self.classes) - 1 if loss is None else int(loss.outputs(len(self.classes)))

    def strata(self, columns: Mapping[str, Column]) -> np.ndarray | None:
        column = columns[self.names[0]]
        if column.categories:
            return recode(column.values, column.categories, [str(label) for label in self.classes])
        return np.searchsorted(np.array(self.codes or self.classes), column.values)

    def matrix(self, columns: Mapping[str, Column], outputs: int, dtype: Any) -> np.ndarray:
        """Y (n, outputs): one column of 0/1 for two classes, or one column a class."""
        labels = self.strata(columns)
        assert labels is not None
        if outputs == 1:
            return labels[:, None].astype(dtype)
        return (labels[:, None] == np.arange(outputs)).astype(dtype)

    def chosen(self, outputs: np.ndarray) -> np.ndarray:
        """The number of the class (n,) that raw outputs (n, k) give each row."""
        return outputs.argmax(axis=1) if outputs.shape[1] > 1 else (outputs[:, 0] > 0).astype(np.intp)

    def predictions(self, outputs: np.ndarray) -> list[Any]:
        return [self.classes[label] for label in self.chosen(outputs).tolist()]

    def answers(self, columns: Mapping[str, Column]) -> list[Any]:
        labels = self.strata(columns)
        assert labels is not None
        return [self.classes[label] for label in labels.tolist()]

    def shares(self, linked: np.ndarray) -> dict[ClassLabel, np.ndarray] | None:
        if linked.shape[1] == 1:
            linked = np.hstack([1 - linked, linked])
        total = linked.sum(axis=1)  # softmax sums to 1 already; one-vs-rest models need not
        return {label: linked[:, index] / total for index, label in enumerate(self.classes)}

    def by_name(self, shares: Mapping[ClassLabel, np.ndarray]) -> Mapping[str, Shares]:
        return {word(label): share for label, share in shares.items()}

    def output_names(self, outputs: int) -> list[str]:
        return [word(label) for label in self.classes[-outputs:]]

    @property
    def labels(self) -> list[Any]:
        return list(self.classes)


@dataclass(frozen=True)
class Tags(Unscaled):
    """Several columns of yes or no: an output each, every one for itself ("tagging"). `words` are those that a column
    writes for no and for yes, or None where it writes false and true, or 0 and 1.
    """

    names: tuple[str, ...]
    words: tuple[tuple[str, str] | None, ...] | None = None
    kind: Literal["tags"] = "tags"
    task: ClassVar[str] = "tagging"
    metric: ClassVar[str] = "tag_accuracy"
    classes: ClassVar[None] = None

    @classmethod
    def fit(cls, columns: Sequence[Column]) -> Self:
        for column in columns:
            if not column.categories and not np.isin(column.values[~column.missing], (0, 1)).all():
                detail = f"column '{column.name}' holds numbers other than 0 and 1; recode it, or set task to regression"
                raise UnusableData([("/target", detail)])
        words = tuple(_words(column) for column in columns)
        return cls(tuple(column.name for column in columns), words if any(words) else None)

    def outputs(self, loss: Any) -> int:
        return len(self.names)

    def strata(self, columns: Mapping[str, Column]) -> np.ndarray | None:
        return None

    def matrix(self, columns: Mapping[str, Column], outputs: int, dtype: Any) -> np.ndarray:
        """Y (n, outputs) of 0 and 1; of two words the later in the alphabet is 1, as in no and yes, false and true."""
        return np.stack([columns[name].values for name in self.names], axis=1).astype(dtype)

    def predictions(self, outputs: np.ndarray) -> list[Any]:
        pairs = [words or (False, True) for words in self.words or [None] * len(self.names)]
        names = list(zip(self.names, pairs, strict=True))
        return [{name: pair[held] for (name, pair), held in zip(names, row, strict=True)} for row in (outputs > 0).tolist()]

    def answers(self, columns: Mapping[str, Column]) -> list[Any]:
        return self.predictions(self.matrix(columns, len(self.names), np.float64) - 0.5)

    def shares(self, linked: np.ndarray) -> dict[ClassLabel, np.ndarray] | None:
        return {name: linked[:, index] for index, name in enumerate(self.names)}

    def by_name(self, shares: Mapping[ClassLabel, np.ndarray]) -> Mapping[str, Shares]:
        """Probabilities of a tag: each word's, or, for a tag that is no words, that it holds."""
        found: dict[str, Shares] = {}
        for name, words in zip(self.names, self.words or [None] * len(self.names), strict=True):
            share = shares[name]
            found[name] = share if words is None else {words[0]: 1 - share, words[1]: share}
        return found

    def output_names(self, outputs: int) -> list[str]:
        words = self.words or [None] * len(self.names)
        return [name if pair is None else f"{name}={pair[1]}" for name, pair in zip(self.names, words, strict=True)]

    @property
    def labels(self) -> dict[str, list[Any]] | None:
        if self.words is None:
            return None
        return {name: list(words or (False, True)) for name, words in zip(self.names, self.words, strict=True)}


@dataclass(frozen=True)
class NoTarget(Unscaled):
    """No column: rows are put in clusters, of which a model's raw outputs (n, k) are the distances to their centroids."""

    names: tuple[str, ...] = ()
    kind: Literal["none"] = "none"
    task: ClassVar[str] = "clustering"
    metric: ClassVar[str] = "inertia"
    classes: ClassVar[None] = None

    @classmethod
    def fit(cls, columns: Sequence[Column]) -> Self:
        return cls()

    def outputs(self, loss: Any) -> int:
        """0: the model alone says how many clusters there are."""
        return 0

    def strata(self, columns: Mapping[str, Column]) -> np.ndarray | None:
        return None

    def matrix(self, columns: Mapping[str, Column], outputs: int, dtype: Any) -> np.ndarray:
        """(0, 0): there is nothing to learn to answer."""
        return np.empty((0, 0), dtype)

    def predictions(self, outputs: np.ndarray) -> list[Any]:
        """The nearest cluster of each row."""
        found: list[Any] = self.chosen(outputs).tolist()
        return found

    def chosen(self, outputs: np.ndarray) -> np.ndarray:
        """The number of the cluster (n,) that each row is in."""
        return outputs.argmin(axis=1)

    def answers(self, columns: Mapping[str, Column]) -> list[Any]:
        """Nothing of any row."""
        return [None] * len(next(iter(columns.values())).values)

    def shares(self, linked: np.ndarray) -> dict[ClassLabel, np.ndarray] | None:
        return None

    def by_name(self, shares: Mapping[ClassLabel, np.ndarray]) -> Mapping[str, Shares]:
        return {}

    def output_names(self, outputs: int) -> list[str]:
        return [str(cluster) for cluster in range(outputs)]

    @property
    def labels(self) -> None:
        return None


def _words(column: Column) -> tuple[str, str] | None:
    """The two words of a column of words, in their order."""
    if len(column.categories) == 2:
        return column.categories[0], column.categories[1]
    return column.words


Target = Annotated[Numbers | Classes | Tags | NoTarget, Field(discriminator="kind")]
TARGETS: dict[str, type[Numbers] | type[Classes] | type[Tags] | type[NoTarget]] = {
    kind.task: kind for kind in (Numbers, Classes, Tags, NoTarget)
}
