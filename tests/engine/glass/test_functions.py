"""Every activation and loss as a curve: its slope is the slope, and wrong numbers of it are named."""

from typing import Any

import numpy as np
import pytest

from engine.errors import InvalidSpec
from engine.glass.functions import FUNCTIONS, curve, given

ALL = [(family, kind) for family, kinds in FUNCTIONS.items() for kind in kinds]


@pytest.mark.parametrize(("family", "kind"), ALL)
def test_the_slope_is_the_slope(family: str, kind: str) -> None:
    function = given(family, kind, {})
    z, step = np.linspace(-4.03, 4.07, 60), 1e-6  # not at 0 nor at ±1, where some have corners
    target, _, slope = curve(function, z)
    _, above, _ = curve(function, z + step, target if family == "loss" else None)
    _, below, _ = curve(function, z - step, target if family == "loss" else None)
    np.testing.assert_allclose(slope, (above - below) / (2 * step), rtol=1e-6, atol=1e-8)
    assert (target is None) == (family == "activation")


def test_curves_by_hand() -> None:
    z = np.array([-3.0, 0.0, 3.0])
    sigmoid = 1 / (1 + np.exp(-z))
    for family, kind, target, values, slopes in (
        ("activation", "relu", None, [0, 0, 3], [0, 0, 1]),
        ("activation", "softmax", None, sigmoid, sigmoid * (1 - sigmoid)),
        ("loss", "mse", 1.0, [16, 1, 4], [-8, -2, 4]),
        ("loss", "cross_entropy", None, -np.log(sigmoid), sigmoid - 1),
        ("loss", "binary_cross_entropy", 0.0, -np.log(1 - sigmoid), sigmoid),
        ("loss", "hinge", None, [4, 1, 0], [-1, -1, 0]),
        ("loss", "hinge", 0.0, [0, 1, 4], [0, 1, 1]),
    ):
        _, found, slope = curve(given(family, kind, {}), z, target)
        np.testing.assert_allclose(found, values, rtol=1e-12, atol=1e-15, err_msg=kind)
        np.testing.assert_allclose(slope, slopes, rtol=1e-12, atol=1e-15, err_msg=kind)


def test_own_numbers_are_read_from_text() -> None:
    assert given("loss", "huber", {"delta": "2"}) == given("loss", "huber", {"delta": "2.0"})
    assert curve(given("loss", "huber", {"delta": "2"}), np.array([5.0]))[1] == [8.0]


@pytest.mark.parametrize(
    ("family", "kind", "fields", "pointer", "said"),
    [
        ("loss", "huber", {"delta": "-1"}, "/delta", "must be greater than 0"),
        ("loss", "huber", {"delta": "many"}, "/delta", "must be a valid number"),
        ("loss", "mse", {"delta": "1"}, "/delta", "mse has no such number; it has none"),
        ("activation", "leaky_relu", {"leak": "1"}, "/leak", "leaky_relu has no such number; it has slope"),
    ],
)
def test_wrong_numbers_are_named(family: str, kind: str, fields: dict[str, str], pointer: str, said: str) -> None:
    with pytest.raises(InvalidSpec) as caught:
        given(family, kind, fields)
    ((at, detail),) = caught.value.errors
    assert at == pointer
    assert said in detail


@pytest.mark.parametrize(
    ("family", "kind", "target"), [("activation", "tanh", 1.0), ("loss", "hinge", 0.5), ("loss", "cross_entropy", 2.0)]
)
def test_a_target_that_means_nothing_is_refused(family: str, kind: str, target: Any) -> None:
    with pytest.raises(InvalidSpec) as caught:
        curve(given(family, kind, {}), np.zeros(3), target)
    assert caught.value.errors[0][0] == "/target"
