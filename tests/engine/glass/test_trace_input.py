"""What was given number by number is held against itself, with a pointer at what does not fit."""

from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from engine.errors import InvalidSpec
from engine.glass.trace_input import Given, Moment
from engine.parts.losses import Loss
from engine.spec import kind_of, members
from engine.tables.features import Features
from tests.engine import prepared, table

GIVEN = TypeAdapter(Given)
RIGHT: dict[str, Any] = {
    "layers": [{"weights": [[1, 2, 3], [4, 5, 6]], "bias": [0, 0, 0], "activation": "tanh"}, {"weights": [[1], [2], [3]]}],
    "loss": {"kind": "mse"},
    "inputs": [[1, 2], [3, 4]],
    "targets": [[0], [1]],
}


def test_numbers_become_the_network_that_they_say() -> None:
    descent = GIVEN.validate_python(RIGHT).descent()
    first, second = descent.network.parameters.layers
    assert first.b is not None and second.b is None
    A = np.tanh(np.array([[1, 2], [3, 4]]) @ np.array([[1, 2, 3], [4, 5, 6]]))
    assert descent.forward() == pytest.approx(np.mean((A @ [1, 2, 3] - [0, 1]) ** 2))


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"inputs": [[1, 2], [3]]}, "/inputs/1", "row 1 of the inputs has 1 numbers where row 0 has 2"),
    ({"inputs": [[1, 2, 3], [3, 4, 5]]}, "/layers/0/weights", "the weights of layer 0 have 2 rows for 3 values"),
    ({"targets": [[0, 1], [1, 0]]}, "/targets", "the targets have 2 columns for 1 outputs"),
    ({"targets": [[0]]}, "/targets", "the targets have 1 rows for 2 of inputs"),
    ({"layers": [{"weights": [[1], [2]], "bias": [1, 2]}]}, "/layers/0/bias", "the bias of layer 0 has 2 numbers for 1 units"),
    ({"layers": [{"weights": [[1, 2], [2]]}]}, "/layers/0/weights/1", "row 1 of the weights has 1 numbers"),
    ({"loss": {"kind": "cross_entropy"}}, "/targets", "cross_entropy needs a column for each class, which add up"),
    ({"loss": {"kind": "hinge"}}, "/targets", "hinge needs a column for each class, 1 for"),
    ({"loss": {"kind": "binary_cross_entropy"}, "targets": [[2], [0]]}, "/targets", "between 0, for no, and 1, for yes"),
    (
        {"loss": {"kind": "binary_cross_entropy"}, "layers": [{"weights": [[1], [2]], "activation": "sigmoid"}]},
        "/layers/0/activation",
        "turns raw outputs into probabilities itself",
    ),
]


@pytest.mark.parametrize(("changes", "pointer", "said"), WRONG)
def test_what_does_not_fit_is_pointed_at(changes: dict[str, Any], pointer: str, said: str) -> None:
    with pytest.raises(InvalidSpec) as caught:
        GIVEN.validate_python(RIGHT | changes).descent()
    found = dict(caught.value.errors)
    assert said in found[pointer]


@pytest.mark.parametrize(
    "changes", [{"inputs": []}, {"layers": []}, {"inputs": [[]]}, {"inputs": [["1", 2]]}, {"inputs": [[float("nan"), 2]]}]
)
def test_what_is_no_matrix_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GIVEN.validate_python(RIGHT | changes)


@pytest.mark.parametrize("loss", [kind_of(cls) for cls in members(Loss)])
def test_what_every_loss_is_fed_in_training_is_right_for_it(loss: str) -> None:
    """No loss calls a job's own targets wrong."""
    regression = loss in ("mae", "mse", "half_mse", "huber")
    data = table({"x": [float(i) for i in range(12)], "y": [float(i) if regression else i % 3 for i in range(12)]})
    posed = prepared(data, target="y", model={"kind": "mlp"}, loss={"kind": loss})
    assert posed.problem.spec.loss is not None
    assert posed.problem.spec.loss.wrong_with(posed.problem.train.Y) is None


@pytest.mark.parametrize("model", [{"kind": "perceptron"}, {"kind": "logistic_regression"}])
def test_what_takes_no_steps_down_a_gradient_has_no_moment(model: dict[str, Any]) -> None:
    data = table({"x": [float(i) for i in range(12)], "y": [i % 2 for i in range(12)]})
    with pytest.raises(InvalidSpec, match=f"{model['kind']} was not trained by gradient descent"):
        Moment.of(prepared(data, target="y", model=model).problem.spec, data.columns, None)


def test_only_the_rows_that_are_looked_at_become_a_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    data = table({"x": [0.1 * i for i in range(300)], "y": [i % 3 for i in range(300)]})
    posed = prepared(data, target="y", model={"kind": "mlp"}, split={"validation": 0.2}, class_weight="balanced")
    transform, encoded = Features.transform, []

    def counting(self: Features, columns: Any, dtype: Any, rows: np.ndarray) -> np.ndarray:
        encoded.append(len(rows))
        return transform(self, columns, dtype, rows)

    monkeypatch.setattr(Features, "transform", counting)
    moment = Moment.of(posed.problem.spec, data.columns, None)
    descent = moment.descent(posed.rows["train"][[7, 2, 2]].tolist())
    assert encoded == [3]
    train = posed.problem.train
    assert train.weights is not None and descent.row_weights is not None
    for found, of_all in ((descent.X, train.X), (descent.Y, train.Y), (descent.row_weights, train.weights)):
        assert found.tobytes() == of_all[[7, 2, 2]].tobytes()
