"""Two columns of a dataset beside each other."""

from pydantic import Field

from service.schemas.parts import Formula, Notice, Number, Resource


class RelatedColumn(Resource):
    column: str
    missing: int = Field(description="rows in which it holds no number")
    mean: Number
    variance: Number | None = Field(description="over n - 1; null of a single row")


class RegressionLine(Resource):
    """The line that gives one column by the other with the least sum of squares."""

    predicts: str = Field(description="the column whose numbers it gives")
    by: str = Field(description="the column that it gives them by")
    slope: Number
    intercept: Number
    r2: Number | None = Field(description="the share of the variance that it explains; null where that column never varies")
    residual_std: Number | None = Field(description="null of two rows, which have no degree of freedom left")
    fitted: list[Number] = Field(description="of each row of `points`, what the line says")
    residuals: list[Number] = Field(description="what was found less what the line says")
    leverages: list[Number] = Field(description="how much each row's own number decides what the line says there: 0 to 1")
    distances: list[Number | None] = Field(
        description="Cook's: how far the line moves without the row. null of a row without which there is no line, and where "
        "all rows lie on it"
    )


class RelatedPoints(Resource):
    """The rows that are shown."""

    rows: list[int] = Field(description="of the dataset, as /rows counts them")
    x: list[Number]
    y: list[Number]
    left_out: int = Field(description="rows that have both numbers and are not shown; all of them count in every other number")


class RelationResource(Resource):
    """Two columns of numbers, and how each follows the other, over the rows in which both are present."""

    dataset_id: str
    rows: int = Field(description="in which both hold a number")
    missing: int = Field(description="rows in which one of them does not, which are left out")
    x: RelatedColumn
    y: RelatedColumn
    rho: float | None = Field(description="Pearson's correlation; null where a column never varies")
    y_on_x: RegressionLine | None = Field(description="null where x never varies")
    x_on_y: RegressionLine | None = Field(description="null where y never varies; x = intercept + slope y")
    points: RelatedPoints
    formulas: dict[str, Formula] = Field(description="by the name of a number above, of y on x; for x on y they change places")
    warnings: list[Notice]
