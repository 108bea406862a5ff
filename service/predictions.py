"""Predictions for the rows of a split, one by one: as JSON, as a table, or as a sheet of their images. Knows no HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from engine.glass import leverage
from engine.glass.rows import CONFIDENCE, RESIDUAL, SplitRows, Wanted
from engine.tables.target import Shares
from engine.training.predict import Predictor
from service import png
from service.asked_rows import Split, columns_read, rows_of_split
from service.rows import numbers_a_row
from service.schemas.parts import Formula, Notice
from service.schemas.predictions import RowPrediction, SplitPredictions
from service.work import most, refuse_too_much
from store.database import to_json
from store.datasets import JobTable
from store.errors import NotFound
from store.images import image_named
from store.predictors import PredictorAt

MEAN_LOSS = r"\frac{1}{n} \sum_i w_i\, \ell_i"


@dataclass(frozen=True)
class Page:
    """How many of the rows, and how many come before them."""

    limit: int
    offset: int


@dataclass(frozen=True)
class Listed:
    """A page of a split's rows in their order; `split` is all of them, and `total` how many are as asked."""

    split: SplitRows
    name: Split
    page: SplitRows
    total: int

    @property
    def notices(self) -> list[dict[str, Any]]:
        """What was left out."""
        is_left_out = self.split.has_leverage and self.split.leverages is None
        return [leverage.left_out(self.split.predictor.features.width)] if is_left_out else []


@np.errstate(over="ignore", invalid="ignore")  # weights that went astray are shown as they are
def listed(limit: int, predictor: Predictor, table: JobTable, split: Split | None, wanted: Wanted, page: Page) -> Listed:
    """A page of the rows of a split that are wanted.

    Raises NotFound or TooMuchWork at `/query/split`, and InvalidSpec as `Wanted.places` does.
    """
    training, features = predictor.training, predictor.features
    name, rows = rows_of_split(table, training, split)
    count = len(rows[name])
    work = {"products": count * predictor.learner.products, "values": count * features.width}
    refuse_too_much(limit, "/split", "whoever runs the server can raise the limit", work)
    weighed = name == "train"
    found = SplitRows.of(predictor, rows[name], table.taken(columns_read(predictor), rows[name]), weighed)
    if found.has_leverage and leverage_products(found, rows) <= most(limit, "products"):
        columns = found.columns if name == "train" else table.taken((entry.name for entry in features.inputs), rows["train"])
        X = features.transform(found.columns)
        train = X if name == "train" else features.transform(columns)
        found = replace(found, leverages=leverage.leverages(train, X))
    places = wanted.places(found)
    return Listed(found, name, found.taken(places[page.offset : page.offset + page.limit]), len(places))


def leverage_products(found: SplitRows, rows: Mapping[str, np.ndarray]) -> int:
    """How many products the leverages of the rows take."""
    return leverage.products(len(rows["train"]), len(found.rows), found.predictor.features.width)


def shown(
    limit: int, job_id: str, at: PredictorAt, table: JobTable, found: Listed, page: Page, cells: bool, warnings: list[Notice]
) -> SplitPredictions:
    """The page as JSON. Raises TooMuchWork at `/limit`."""
    split = found.split
    return SplitPredictions(
        job_id=job_id,
        epoch=at.epoch,
        split=found.name,
        rows=len(split.rows),
        total=found.total,
        offset=page.offset,
        mean_loss=split.mean_loss,
        classes=split.predictor.target.labels,
        formulas=_formulas(found.page),
        items=items_of(limit, table, found.page, cells),
        warnings=warnings,
    )


@np.errstate(over="ignore", invalid="ignore")
def items_of(limit: int, table: JobTable, found: SplitRows, cells: bool) -> list[RowPrediction]:
    """The rows one by one. Raises TooMuchWork at `/limit`."""
    count, target, k = len(found.rows), found.predictor.target, found.outputs.shape[1]
    numbers = count * (8 + k + len(target.classes or ()) + (numbers_a_row(table.table) if cells else 0))
    refuse_too_much(limit, "/limit", "ask for fewer rows", {"numbers": numbers})
    whole = table.table[found.rows] if cells else None
    answer = found.predictor.prediction(found.outputs)
    columns: dict[str, list[Any]] = {
        "row": found.rows.tolist(),
        "target": target.answers(found.columns),
        "prediction": answer.values,
        "right": _list(found.right, count),
        "confidence": _list(found.confidence, count),
        "probabilities": [None] * count if answer.by_name is None else by_row(answer.by_name),
        "loss": found.losses.astype(np.float64).tolist(),
        "weight": _list(found.weights, count),
        "residual": _residuals(found),
        "leverage": _list(found.leverages, count),
        "distances": _list(answer.distances, count),
        "cells": [None] * count if whole is None else list(whole.iter_rows(named=True)),
    }
    return [RowPrediction(**dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)]


def by_row(shares: Mapping[str, Shares]) -> list[dict[str, Any]]:
    """Probabilities (n,) by name as an object a row."""
    columns = [by_row(share) if isinstance(share, Mapping) else share.tolist() for share in shares.values()]
    return [dict(zip(shares, row, strict=True)) for row in zip(*columns, strict=True)]


def as_table(found: list[RowPrediction]) -> pl.DataFrame:
    """The rows as a table for a spreadsheet: what lies within an object goes by the way to it, as `probabilities.setosa`."""
    flat = [dict(_flat("", each.model_dump())) for each in found]
    names = dict.fromkeys(name for row in flat for name in row) or {"row": None}
    return pl.DataFrame([pl.Series(name, [_plain(row.get(name)) for row in flat], strict=False) for name in names])


def _flat(at: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [pair for name, each in value.items() for pair in _flat(f"{at}.{name}" if at else name, each)]
    return [] if value is None else [(at, value)]


def _plain(cell: Any) -> Any:
    return to_json(cell) if isinstance(cell, list) else cell


def picture(
    table: JobTable, found: SplitRows, column: str | None, size: tuple[int, int] | None, columns: int, scale: int
) -> bytes:
    """A PNG with the image of each row in their order, `columns` side by side; a row without an image is a gap.

    Raises UnreadableFile or NotFound where there are no such images, and TooMuchWork at `/limit`.
    """
    read = [entry.name for entry in found.predictor.features.inputs]
    names = read if column is None else table.table.columns
    images = image_named(list(table.described(names).values()), lambda: table.table, column, size)
    if not len(found.rows):
        raise NotFound("no row of the split is as asked, so there is nothing to draw; ask for others", "/query/only")
    height, width = png.sheet_size(len(found.rows), columns, images.size.height, images.size.width, scale)
    png.refuse_large(height, width, "/limit", "fewer rows, or a smaller scale")
    pixels, there = images.pixels(table.table.select(images.columns)[found.rows], 0, len(found.rows))
    return png.sheet(png.bytes_of(pixels, images.low, images.high), there, columns, scale)


def _formulas(found: SplitRows) -> dict[str, Formula]:
    formulas = {
        "loss": Formula(formula=found.loss.formula, source=found.loss.source),
        "mean_loss": Formula(formula=MEAN_LOSS),
    }
    if found.confidence is not None:
        formulas["confidence"] = Formula(formula=CONFIDENCE)
    if found.residuals is not None:
        formulas["residual"] = Formula(formula=RESIDUAL)
    if found.leverages is not None:
        formulas["leverage"] = Formula(formula=leverage.FORMULA, source=leverage.SOURCE)
    return formulas


def _residuals(found: SplitRows) -> list[Any]:
    if found.residuals is None:
        return [None] * len(found.rows)
    rows, names = found.residuals.tolist(), found.predictor.target.names
    return [row[0] for row in rows] if len(names) == 1 else [dict(zip(names, row, strict=True)) for row in rows]


def _list(values: np.ndarray | None, count: int) -> list[Any]:
    return [None] * count if values is None else values.tolist()
