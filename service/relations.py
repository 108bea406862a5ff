"""Two columns of a dataset beside each other. Knows no HTTP."""

import numpy as np

from engine.backend import Array
from engine.errors import InvalidSpec, UnusableData
from engine.glass.relation import FORMULAS, Line, Relation, Spread, relate, shown
from service.language import spoken
from service.rows import numeric_columns
from service.schemas.parts import formulas_of
from service.schemas.relations import RegressionLine, RelatedColumn, RelatedPoints, RelationResource
from service.work import refuse_too_much
from store import datasets
from store.connections import Store
from store.keys import Caller
from store.tables import Dataset

NUMBERS_A_ROW = 11
"""A row's number, x, y, and what each line says of it."""


def relation_of(store: Store, caller: Caller, dataset_id: str, x: str, y: str, points: int = 1000) -> RelationResource:
    """The correlation and both regression lines of two columns, with about so many of the rows.

    Raises NotFound, UnreadableFile or InputError, which names the argument: `/x`, `/y`, `/points`.
    """
    with store.database.reading() as session:
        dataset = datasets.get(session, dataset_id, caller.sees)
        for name, pointer in ((x, "/query/x"), (y, "/query/y")):
            numeric_columns(dataset, [name], pointer)
        if x == y:
            raise InvalidSpec([("/y", f"x and y are both '{x}'; choose two columns")])
        table = datasets.load(session, store.files, dataset)
    refuse_too_much(
        store.settings.max_work, "/y", "whoever runs the server can raise the limit", {"related rows": table.height}
    )
    numbers = {"numbers": NUMBERS_A_ROW * min(points, table.height)}
    refuse_too_much(store.settings.max_work, "/points", "ask for fewer points", numbers)
    columns = datasets.columns(table, dataset, (x, y))
    first, second = columns[x].values, columns[y].values
    if not (np.isfinite(first) & np.isfinite(second)).any():
        raise UnusableData([("/y", f"no row holds a number of '{x}' and one of '{y}'; choose columns that go together")])
    return _resource(dataset, relate(first, second, (x, y)), (x, y), points)


def _resource(dataset: Dataset, found: Relation, names: tuple[str, str], points: int) -> RelationResource:
    x, y = names
    places = shown(found, points)
    return RelationResource(
        dataset_id=dataset.id,
        rows=len(found.rows),
        missing=dataset.rows - len(found.rows),
        x=_column(x, found.missing[0], found.spreads[0]),
        y=_column(y, found.missing[1], found.spreads[1]),
        rho=found.rho,
        y_on_x=_line(y, x, found.y_on_x, places),
        x_on_y=_line(x, y, found.x_on_y, places),
        points=RelatedPoints(
            rows=found.rows[places].tolist(),
            x=found.x[places].tolist(),
            y=found.y[places].tolist(),
            left_out=len(found.rows) - len(places),
        ),
        formulas=formulas_of(FORMULAS),
        warnings=spoken(found.warnings),
    )


def _column(name: str, missing: int, spread: Spread) -> RelatedColumn:
    return RelatedColumn(column=name, missing=missing, mean=spread.mean, variance=spread.variance)


def _line(predicts: str, by: str, line: Line | None, places: Array) -> RegressionLine | None:
    if line is None:
        return None
    return RegressionLine(
        predicts=predicts,
        by=by,
        slope=line.slope,
        intercept=line.intercept,
        r2=line.r2,
        residual_std=line.residual_std,
        fitted=line.fitted[places].tolist(),
        residuals=line.residuals[places].tolist(),
        leverages=line.leverages[places].tolist(),
        distances=[None if np.isnan(each) else each for each in line.distances[places].tolist()],
    )
