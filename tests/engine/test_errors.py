import pickle

import pytest

from engine.errors import DeviceUnavailable, Diverged, EngineError, InputError, InvalidSpec, UnusableData

EXAMPLES = [
    (InvalidSpec([("/epochs", "Ask for fewer."), ("/loss", "Choose another.")]), "INVALID_SPEC"),
    (UnusableData([("/target", "There is no column y.")]), "UNUSABLE_DATA"),
    (DeviceUnavailable("No card."), "DEVICE_UNAVAILABLE"),
    (Diverged(epoch=3, learning_rate=0.5), "DIVERGED"),
]


@pytest.mark.parametrize(("error", "code"), EXAMPLES)
def test_each_names_its_code(error: EngineError, code: str) -> None:
    assert error.code == code


@pytest.mark.parametrize(("error", "code"), EXAMPLES)
def test_survives_pickling(error: EngineError, code: str) -> None:
    """A worker's pool hands errors from process to process."""
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


def test_input_errors_point_at_what_is_wrong() -> None:
    error = InvalidSpec(iter([("/epochs", "Ask for fewer."), ("/loss", "Choose another.")]))
    assert isinstance(error, InputError)
    assert error.errors == [("/epochs", "Ask for fewer."), ("/loss", "Choose another.")]
    assert str(error) == "; ".join(detail for _, detail in error.errors)
    assert DeviceUnavailable("No card.").errors == [("/device", "No card.")]


def test_divergence_suggests_a_remedy() -> None:
    error = Diverged(epoch=3, learning_rate=0.5)
    assert (error.epoch, error.learning_rate) == (3, 0.5)
    assert "epoch 3" in str(error)
    assert "learning rate of 0.05" in error.detail
    assert Diverged(3, 0.5, "The Hessian is singular.").detail == "The Hessian is singular."


def test_each_class_has_its_own_code() -> None:
    codes = [type(error).code for error, _ in EXAMPLES]
    assert len(set(codes)) == len(codes)
