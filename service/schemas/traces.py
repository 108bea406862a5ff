"""Bodies that ask for traces and gradient checks."""

from typing import Annotated, Literal

from pydantic import Field

from engine.glass.trace import BiasForm
from engine.glass.trace_input import Given, GivenDescent
from engine.spec import WHOLE, NonNegativeInt, spec

MOST_SLOPES = 10_000
Steps = Annotated[int, Field(strict=True, ge=1, le=1000, description="on the same rows, one after the other"), WHOLE]
Form = Annotated[BiasForm, Field(description="a bias beside its weights, or as the weight of an extra input that is 1")]
Checked = Annotated[int, Field(strict=True, ge=1, le=MOST_SLOPES, description="how many to check, evenly over all"), WHOLE]


@spec
class JobMoment:
    """A job after an epoch, and rows of its dataset."""

    job_id: Annotated[str, Field(examples=["job_01937b2e"])]
    epoch: Annotated[
        NonNegativeInt | Literal["model", "last", "best"],
        Field(
            description="0: before the first step, or where a fork began; model: the one that the job's model has, else last"
        ),
    ] = "model"
    rows: Annotated[tuple[NonNegativeInt, ...], Field(min_length=1, max_length=10_000)] | None = Field(
        default=None, description="training rows, as /rows counts them; by default the batch that the run takes next"
    )


@spec
class JobTrace(JobMoment):
    """The step that a job takes after an epoch. Further ones are taken on the same rows, which the run itself does not do."""

    steps: Steps = 1
    bias_form: Form = "separate"


@spec
class GivenTrace(GivenDescent):
    """Steps of a network that is given number by number."""

    steps: Steps = 1
    bias_form: Form = "separate"


@spec
class JobCheck(JobMoment):
    """The gradient of a job's network after an epoch."""

    parameters: Checked = 1000


@spec
class GivenCheck(Given):
    """The gradient of a network that is given number by number."""

    parameters: Checked = 1000
