"""The updates of a perceptron."""

from typing import Any

from pydantic import Field

from service.schemas.parts import Formula, Number, Resource


class PerceptronUpdate(Resource):
    """A row that was wrong, and what it did to the weights."""

    number: int = Field(description="of the run, from 1")
    epoch: int = Field(description="from 1")
    row: int = Field(description="of the dataset, as /rows counts them")
    x: list[Number] = Field(description="the row's features as they are scaled; with a bias a last 1, whose weight is the bias")
    y: int = Field(description="1 for the second class, -1 for the first")
    score: Number = Field(description="wᵀx before the update: its sign was not y's (0 counts as -1)")
    before: list[Number] = Field(description="w")
    after: list[Number] = Field(description="w + y x")
    mistakes: int = Field(description="training rows that the new w gets wrong")
    pocket_mistakes: int = Field(description="the fewest so far: those of the pocket")
    is_kept: bool = Field(description="whether the new w went into the pocket")
    coefficients: list[Number] = Field(description="the new w in the data's own units, and the bias last")
    line: list[list[float]] | None = Field(
        description="two ends [x1, x2] of the new line, in the data's own units, within the range of the training rows; null "
        "where it does not cross that, and where there are not two features of numbers"
    )


class PerceptronUpdates(Resource):
    """Updates of a perceptron, in order."""

    job_id: str
    epoch: int = Field(description="the updates are those after it")
    features: list[str] = Field(description="in the order of x")
    classes: list[Any] = Field(description="y = -1 and y = 1")
    total: int = Field(description="updates after that epoch in all, as far as the job is")
    offset: int
    items: list[PerceptronUpdate]
    formulas: dict[str, Formula]
