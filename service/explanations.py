"""What a model's predictions rest on, over rows of its dataset: dependence, importance, contributions. Knows no HTTP."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from engine.errors import UnusableData
from engine.glass import contributions, dependence, importance
from engine.parts.metrics import METRICS
from engine.randomness import generator
from engine.tables.features import Column
from engine.training.predict import Predictor
from service.asked_rows import Split, columns_read, row_of, rows_of_split, split_of, target_of, with_gap
from service.predictions import by_row
from service.schemas.explanations import (
    ColumnImportanceResource,
    ContributionsResource,
    DependenceResource,
    FeatureContribution,
    ImportanceResource,
    OutputSum,
)
from service.schemas.parts import Formula
from service.work import refuse_too_much
from store import datasets, jobs, predictors
from store.connections import Store
from store.datasets import JobTable
from store.errors import NotFound
from store.tables import Model


@dataclass(frozen=True)
class ModelOnTable:
    """A model, ready to predict, and the table that it was trained on."""

    id: str
    predictor: Predictor
    table: JobTable

    @classmethod
    def of(cls, session: Session, store: Store, model: Model) -> "ModelOnTable":
        """Raises NotFound where the job, which knows the table, or the dataset has been deleted since."""
        try:
            job = jobs.get(session, model.job_id, None)
        except NotFound:
            detail = (
                f"job '{model.job_id}', which made model '{model.id}', has been deleted, and with it which rows it was trained "
                "on; the model still predicts. Train it again to ask about rows"
            )
            raise NotFound(detail) from None
        table = datasets.table_of(session, store.files, job, datasets.of_job(session, job))
        return cls(model.id, predictors.of_model(session, store.files, model), table)


@dataclass(frozen=True)
class Rows:
    """Which rows an answer is about: those of a split, or as many of them as `most`, drawn by the seed."""

    split: Split | None
    most: int
    seed: int


@dataclass(frozen=True)
class Drawn:
    """The rows that were drawn of a split, with the cells of their columns."""

    split: Split
    of_rows: int
    rows: np.ndarray

    @classmethod
    def of(cls, on: ModelOnTable, wanted: Rows) -> "Drawn":
        split, rows = rows_of_split(on.table, on.predictor.training, wanted.split)
        found = rows[split]
        if len(found) > wanted.most:
            drawn = generator(wanted.seed, "rows").choice(len(found), wanted.most, replace=False)
            return cls(split, len(found), found[np.sort(drawn)])
        return cls(split, len(found), found)

    def columns(self, on: ModelOnTable) -> dict[str, Column]:
        """The columns that the model reads, and its targets."""
        return on.table.taken(columns_read(on.predictor), self.rows)

    def told(self, on: ModelOnTable, wanted: Rows) -> dict[str, Any]:
        """What an answer says of them."""
        return {
            "model_id": on.id,
            "split": self.split,
            "rows": len(self.rows),
            "of_rows": self.of_rows,
            "seed": wanted.seed,
        }


def dependence_of(limit: int, on: ModelOnTable, feature: str, points: int, wanted: Rows) -> DependenceResource:
    """The average prediction along a feature. Raises InvalidSpec at `/feature`, and TooMuchWork at `/points`."""
    predictor = on.predictor
    entry = dependence.input_named(predictor, feature)
    drawn = Drawn.of(on, wanted)
    (column,) = on.table.each_column([feature])
    cells = dependence.values_of(entry, column, points)
    count, outputs = len(drawn.rows), len(predictor.target.classes or ()) or predictor.learner.outputs
    work = {
        "products": count * len(cells) * predictor.learner.products,
        "values": count * (predictor.features.width + len(cells) * (entry.width + outputs)),
        "numbers": len(cells) * (1 + outputs),
    }
    refuse_too_much(limit, "/points", "ask for fewer points or rows", work)
    found = dependence.dependence(predictor, entry, cells, drawn.columns(on))
    return DependenceResource(
        **drawn.told(on, wanted),
        feature=feature,
        kind=entry.kind,
        values=found.cells,
        of=found.of,
        averages=found.averages,
        formula=dependence.FORMULA,
        source=dependence.SOURCE,
    )


def importance_of(limit: int, on: ModelOnTable, metric: str | None, repeats: int, wanted: Rows) -> ImportanceResource:
    """The importance of every column. Raises InvalidSpec at `/metric` or `/model_id`, and TooMuchWork at `/repeats`."""
    predictor = on.predictor
    name = importance.metric_named(predictor, metric)
    drawn = Drawn.of(on, wanted)
    passes, outputs = 1 + len(predictor.features.inputs) * repeats, predictor.learner.outputs
    work = {
        "products": len(drawn.rows) * passes * predictor.learner.products,
        "values": len(drawn.rows) * (passes * outputs + (1 + repeats) * predictor.features.width),
        "numbers": passes + 2 * len(predictor.features.inputs),
    }
    refuse_too_much(limit, "/repeats", "ask for fewer repeats or rows", work)
    orders = importance.permutations(len(drawn.rows), repeats, wanted.seed)
    value, found = importance.importances(predictor, name, drawn.columns(on), orders)
    columns = [
        ColumnImportanceResource(
            column=each.column,
            importance=float(each.losses.mean()),
            std=float(each.losses.std()),
            losses=each.losses.tolist(),
        )
        for each in sorted(found, key=lambda each: -each.losses.mean())
    ]
    return ImportanceResource(
        **drawn.told(on, wanted),
        metric=name,
        better=METRICS[name].better,
        value=value,
        repeats=repeats,
        columns=columns,
        formula=importance.FORMULA,
        source=importance.SOURCE,
    )


def contributions_of(limit: int, on: ModelOnTable, row: int) -> ContributionsResource:
    """What each feature adds to the prediction of a row. Raises InvalidSpec at `/model_id` or `/row`, and TooMuchWork."""
    predictor, features = on.predictor, on.predictor.features
    contributions.refuse_not_linear(predictor)
    columns = row_of(on.table, predictor, row)
    rows = on.table.split_rows(predictor.training)
    width, count = features.width, len(rows["train"])
    work = {"values": count * width, "numbers": width * (2 + 3 * predictor.learner.outputs)}
    refuse_too_much(limit, "/row", "whoever runs the server can raise the limit", work)
    means = contributions.mean_features(features, on.table.taken((each.name for each in features.inputs), rows["train"]), count)
    try:
        found = contributions.contributions(predictor, columns, means)
    except UnusableData as error:
        raise with_gap(row, error) from None
    split, answer = split_of(rows, row), predictor.predict(columns)
    names = predictor.target.output_names(len(found.b))

    def by_output(numbers: np.ndarray) -> dict[str, float]:
        return dict(zip(names, numbers.tolist(), strict=True))

    sums = zip(found.b.tolist(), found.mean_outputs.tolist(), found.outputs.tolist(), strict=True)
    owners = [entry.name for entry in features.inputs for _ in range(entry.width)]
    return ContributionsResource(
        model_id=on.id,
        row=row,
        split=split,
        target=target_of(on.table, predictor, columns, row, split),
        prediction=answer.values[0],
        probabilities=None if answer.by_name is None else by_row(answer.by_name)[0],
        outputs={
            name: OutputSum(bias=bias, mean_output=mean, output=output)
            for name, (bias, mean, output) in zip(names, sums, strict=True)
        },
        features=[
            FeatureContribution(
                feature=feature,
                column=owners[place],
                value=float(found.x[place]),
                mean=float(means[place]),
                weights=by_output(found.W[place]),
                contributions=by_output(found.from_zero[place]),
                from_mean=by_output(found.from_mean[place]),
            )
            for place, feature in enumerate(features.names)
        ],
        formulas={
            "contributions": Formula(formula=contributions.FORMULA),
            "from_mean": Formula(formula=contributions.FROM_MEAN, source=contributions.SOURCE),
        },
    )
