from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from pydantic import ValidationError

from engine.tables.samples import IrisSample
from engine.training.spec import Training
from tests.engine import TRAINING, completed, table

IRIS = table(IrisSample().columns())
OUT_OF_BOUNDS: list[dict[str, Any]] = [
    {"epochs": 0}, {"epochs": 1_000_001}, {"epochs": 2.5}, {"epochs": "5"}, {"batch_size": 0}, {"batch_size": "half"},
    {"seed": -1}, {"split": {"validation": 1.0}}, {"split": {"test": -0.1}}, {"max_seconds": 0}, {"max_seconds": 1e9},
    {"features": []}, {"device": "tpu"}, {"precision": "float16"}, {"shuffle": 1}, {"class_weight": {"a": -1.0}},
    {"class_weight": "fair"}, {"early_stopping": {"patience": 0}}, {"record": {"checkpoint_every": 0}}, {"nonsense": 1},
    {"record": {"curves": "second"}}, {"preprocessing": {"missing": "guess"}}, {"preprocessing": {"scaling": "big"}},
    {"regularization": {"l2": -1.0}}, {"regularization": {"clip_norm": 0.0}}, {"model": {"kind": "forest"}},
    {"model": {"kind": "mlp", "hidden": [{"units": 0}]}}, {"model": {"kind": "mlp", "hidden": [{"units": 1}] * 101}},
    {"model": {"kind": "mlp", "hidden": [{"units": 2, "dropout": 1.0}]}},
    {"target": []}, {"target": [1]}, {"target": ["a", None]}, {"target": ["y"] * 1001},
    {"split": {"stratify": "yes"}},
]  # fmt: skip


@pytest.mark.parametrize("change", OUT_OF_BOUNDS, ids=str)
def test_what_is_out_of_bounds_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TRAINING.validate_python({"target": "y", "model": {"kind": "mlp"}, **change})


def test_a_spec_does_not_change() -> None:
    spec = completed(IRIS, target="species", model={"kind": "mlp"})
    with pytest.raises(FrozenInstanceError):
        spec.epochs = 3  # type: ignore[misc]
    assert isinstance(spec, Training)


def test_targets_are_one_or_several() -> None:
    one, several = (TRAINING.validate_python({"target": target, "model": {"kind": "mlp"}}) for target in ("a", ["a", "b"]))
    assert (one.target, one.targets) == ("a", ("a",))
    assert several.target == several.targets == ("a", "b")
    assert TRAINING.dump_python(one, mode="json")["target"] == "a"
    assert TRAINING.dump_python(several, mode="json")["target"] == ["a", "b"]
