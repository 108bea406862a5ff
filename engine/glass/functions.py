"""Activations and losses as curves of one number z, with their derivatives: to be drawn."""

import json
from collections.abc import Mapping

import numpy as np
from pydantic import TypeAdapter, ValidationError

from engine.backend import Array
from engine.errors import InvalidSpec
from engine.parts.activations import Activation, ActivationFunction
from engine.parts.losses import Loss, LossFunction
from engine.spec import kind_of, members
from engine.tables.features import pointer

Function = ActivationFunction | LossFunction
FUNCTIONS: dict[str, dict[str, type[Function]]] = {
    family: {kind_of(cls): cls for cls in members(union)} for family, union in (("activation", Activation), ("loss", Loss))
}
"""By family, each by its kind."""


def given(family: str, kind: str, fields: Mapping[str, str]) -> Function:
    """That function with those of its own numbers, as text. Raises InvalidSpec naming each that is wrong."""
    try:
        function: Function = TypeAdapter(FUNCTIONS[family][kind]).validate_python(
            {"kind": kind, **{name: _number(text) for name, text in fields.items()}}
        )
    except ValidationError as error:
        known = ", ".join(name for name in TypeAdapter(FUNCTIONS[family][kind]).json_schema()["properties"] if name != "kind")
        details = {
            str(each["loc"][-1]): f"{kind} has no such number; it has {known or 'none'}"
            if each["type"] == "unexpected_keyword_argument"
            else each["msg"].replace("Input should", "must")
            for each in error.errors()
        }
        raise InvalidSpec([(pointer(name), f"{name}: {detail}") for name, detail in details.items()]) from None
    return function


def _number(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # brackets within brackets
        return text


def curve(function: Function, z: Array, target: float | None = None) -> tuple[float | None, Array, Array]:
    """The target that a loss is held against, its values at z (m,) and its derivatives there.

    A function of several outputs is looked at along the first of two, the other being 0.
    """
    if isinstance(function, LossFunction):
        return _of_loss(function, z, target)
    if target is not None:
        raise InvalidSpec([("/target", "an activation has no target; leave it out")])
    Z = z[:, None] if function.is_elementwise else np.stack([z, np.zeros_like(z)], axis=1)
    A, dA = np.empty_like(Z), np.zeros_like(Z)
    dA[:, 0] = 1
    function.apply(np, Z, A)
    function.gradient(np, Z, A, dA, dA)
    return None, A[:, 0], dA[:, 0]


def _of_loss(loss: LossFunction, z: Array, target: float | None) -> tuple[float, Array, Array]:
    is_regression = "regression" in loss.tasks
    target = float(not is_regression) if target is None else target
    alone = is_regression or loss.outputs(2) == 1
    Z = z[:, None] if alone else np.stack([z, np.zeros_like(z)], axis=1)
    Y = np.full_like(Z, target)
    if not alone:
        Y[:, 1] = 1 - target
    wrong = loss.wrong_with(Y)
    if wrong:
        raise InvalidSpec([("/target", f"{loss.kind} needs {wrong}; {target:g} is no such target")])
    rows, slopes = np.empty(len(Z)), np.empty_like(Z)
    loss.rows(np, Z, Y, rows, np.empty_like(Z))
    loss.gradient(np, Z, Y, slopes)
    return target, rows, slopes[:, 0]
