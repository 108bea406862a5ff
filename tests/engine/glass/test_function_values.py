"""A loss, an activation and a neuron at given numbers: the course's figures, and derivatives against finite differences."""

from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from engine.errors import InvalidSpec
from engine.glass.function_values import ActivationAt, LossAt, NeuronAt
from engine.parts.activations import Activation, ActivationFunction
from engine.parts.losses import Loss, LossFunction
from engine.spec import kind_of, members

LOSSES = [cls for cls in members(Loss) if issubclass(cls, LossFunction)]
ACTIVATIONS = [cls for cls in members(Activation) if issubclass(cls, ActivationFunction)]
PROBABILISTIC = [cls for cls in LOSSES if cls.probabilistic]


def values(cls: type, **body: Any) -> dict[str, Any]:
    """Every quantity by name."""
    found = TypeAdapter(cls).validate_python(body).quantities()
    assert all(each.formula for each in found)
    return {each.name: each.values for each in found}


def refused(cls: type, **body: Any) -> tuple[str, str]:
    with pytest.raises(InvalidSpec) as caught:
        values(cls, **body)
    return caught.value.errors[0]


def test_the_courses_hinge_table() -> None:
    """Dog, cat, horse; the third row's scores are the course's (1.03, −2.37, −2.27), truly the last."""
    Z = [[-0.39, 1.49, 4.21], [-4.61, 3.28, 1.46], [1.03, -2.37, -2.27]]
    found = values(LossAt, loss={"kind": "hinge", "margin": 1.0}, z=Z, targets=[0, 1, 2])
    np.testing.assert_allclose(found["row_losses"], [8.48, 0, 5.2], rtol=1e-12, atol=1e-12)
    assert found["J"] == pytest.approx(4.56, rel=1e-12)
    assert found["gradient"].tolist() == [[-2, 1, 1], [0, 0, 0], [1, 1, -2]]


def test_the_courses_cross_entropy() -> None:
    found = values(LossAt, loss={"kind": "cross_entropy"}, probabilities=[[0.7, 0.2, 0.1]], targets=[0])
    assert found["J"] == pytest.approx(0.3566749439, abs=1e-10)
    np.testing.assert_allclose(found["gradient"], [[-0.3, 0.2, 0.1]], rtol=1e-12)
    np.testing.assert_allclose(found["z"], np.log([[0.7, 0.2, 0.1]]))


def test_the_courses_worked_error() -> None:
    found = values(LossAt, loss={"kind": "half_mse"}, z=[[0.191]], targets=[1])
    assert found["J"] == pytest.approx(0.3272405, rel=1e-12)
    assert found["gradient"][0, 0] == pytest.approx(-0.809, rel=1e-12)


@pytest.mark.parametrize("loss", PROBABILISTIC, ids=kind_of)
def test_certainty_costs_a_finite_number(loss: type[LossFunction]) -> None:
    """At p = 0 and p = 1, and for logits of ±1000."""
    outputs = loss().outputs(2)
    P = [[1.0, 0.0], [0.0, 1.0]] if outputs == 2 else [[1.0], [0.0]]
    targets = [1, 1]
    for given in ({"probabilities": P}, {"z": (1000 * (2 * np.array(P) - 1)).tolist()}):
        found = values(LossAt, loss={"kind": kind_of(loss)}, targets=targets, **given)
        assert np.isfinite(found["row_losses"]).all()
        assert np.isfinite(found["gradient"]).all()
        np.testing.assert_allclose(found["predictions"], P, atol=1e-300)


@pytest.mark.parametrize("loss", LOSSES, ids=kind_of)
def test_the_gradient_is_the_slope_of_the_row_losses(loss: type[LossFunction]) -> None:
    rng, step = np.random.default_rng(3), 1e-6
    Z = rng.normal(size=(4, 3)) * 2
    body: dict[str, Any] = {"loss": {"kind": kind_of(loss)}, "targets": [0, 1, 2, 1]}
    if "regression" in loss.tasks:
        body["targets"] = rng.normal(size=(4, 3)).tolist()
    gradient = values(LossAt, z=Z.tolist(), **body)["gradient"]
    for output in range(3):
        above, below = (Z + sign * step * np.eye(3)[output] for sign in (1, -1))
        slope = [values(LossAt, z=each.tolist(), **body)["row_losses"] for each in (above, below)]
        np.testing.assert_allclose(gradient[:, output], (slope[0] - slope[1]) / (2 * step), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=kind_of)
def test_the_derivative_is_the_slope_of_the_activation(activation: type[ActivationFunction]) -> None:
    rng, step = np.random.default_rng(4), 1e-6
    Z = rng.normal(size=(3, 4))
    body = {"activation": {"kind": kind_of(activation)}}
    found = values(ActivationAt, z=Z.tolist(), **body)
    for unit in range(4):
        above, below = (values(ActivationAt, z=(Z + sign * step * np.eye(4)[unit]).tolist(), **body)["a"] for sign in (1, -1))
        slope = (above - below) / (2 * step)
        if "jacobian" in found:
            np.testing.assert_allclose(found["jacobian"][:, :, unit], slope, rtol=1e-6, atol=1e-9)
        else:
            np.testing.assert_allclose(found["slope"][:, unit], slope[:, unit], rtol=1e-6, atol=1e-9)
    assert ("jacobian" in found) == (not activation().is_elementwise)


def test_softmax_by_hand() -> None:
    """Of ln 1, ln 2 and ln 5: shares of 8."""
    found = values(ActivationAt, activation="softmax", z=[np.log([1.0, 2.0, 5.0]).tolist()])
    p = np.array([1, 2, 5]) / 8
    np.testing.assert_allclose(found["a"], [p], rtol=1e-14)
    np.testing.assert_allclose(found["jacobian"][0], np.diag(p) - np.outer(p, p), rtol=1e-13)


def test_a_neuron_number_by_number() -> None:
    """w = (2, −3), x = (−1, −2), b = −3: z = 1, σ = 0.73, the worked circuit of Stanford's CS231n."""
    found = values(NeuronAt, weights=[2.0, -3.0], inputs=[-1.0, -2.0], bias=-3.0)
    assert (found["products"].tolist(), found["weighted_sum"], found["z"]) == ([-2, 6], 4, 1)
    a = 1 / (1 + np.exp(-1))
    assert found["a"] == pytest.approx(a, rel=1e-15)
    assert found["slope"] == pytest.approx(a * (1 - a), rel=1e-14)
    np.testing.assert_allclose(found["da_dw"], a * (1 - a) * np.array([-1, -2]), rtol=1e-14)
    np.testing.assert_allclose(found["da_dx"], a * (1 - a) * np.array([2, -3]), rtol=1e-14)
    assert found["da_db"] == found["slope"]


MSE, HINGE, SOFT = {"kind": "mse"}, {"kind": "hinge"}, {"kind": "cross_entropy"}


@pytest.mark.parametrize(
    ("body", "at", "text"),
    [
        ({"loss": MSE, "targets": [1]}, "/z", "either z"),
        ({"loss": SOFT, "z": [[1, 2]], "probabilities": [[0.5, 0.5]], "targets": [1]}, "/z", "either z"),
        ({"loss": HINGE, "probabilities": [[0.5, 0.5]], "targets": [1]}, "/probabilities", "raw outputs"),
        ({"loss": SOFT, "probabilities": [[0.7, 0.7]], "targets": [1]}, "/probabilities", "add up to 1"),
        ({"loss": SOFT, "probabilities": [[1.5, -0.5]], "targets": [1]}, "/probabilities", "between 0 and 1"),
        ({"loss": {"kind": "binary_cross_entropy"}, "probabilities": [[2]], "targets": [1]}, "/probabilities", "0 and 1"),
        ({"loss": SOFT, "z": [[1, 2], [1]], "targets": [1, 0]}, "/z", "differ in length"),
        ({"loss": SOFT, "z": [[1, 2]], "targets": [2]}, "/targets/0", "2 is no class"),
        ({"loss": SOFT, "z": [[1, 2]], "targets": [0.5]}, "/targets/0", "0.5 is no class"),
        ({"loss": SOFT, "z": [[1, 2]], "targets": [1, 0]}, "/targets", "there are 2 for 1 rows"),
        ({"loss": SOFT, "z": [[1, 2]], "targets": [[1, 0, 0]]}, "/targets/0", "holds 3 for 2 outputs"),
        ({"loss": HINGE, "z": [[1, 2]], "targets": [[0.5, 0.5]]}, "/targets", "hinge needs a column for each class"),
        ({"loss": MSE, "z": [[1, 2]], "targets": [1]}, "/targets/0", "a list of 2 numbers"),
    ],
)  # fmt: skip
def test_what_is_no_loss_of_anything_says_why(body: dict[str, Any], at: str, text: str) -> None:
    place, detail = refused(LossAt, **body)
    assert place == at
    assert text in detail


def test_what_is_no_neuron_says_why() -> None:
    assert refused(NeuronAt, weights=[1.0], inputs=[1.0, 2.0])[0] == "/inputs"
    assert refused(NeuronAt, weights=[1.0], inputs=[1.0], activation="softmax")[0] == "/activation"
    assert refused(ActivationAt, activation="softmax", z=[[0.0] * 2000])[0] == "/z"
