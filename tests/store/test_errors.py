"""Which HTTP status suits an error of the engine."""

import pytest

from engine.errors import DeviceUnavailable, Diverged, EngineError, InvalidSpec, UnusableData
from store.errors import status_of

EXAMPLES = [
    (InvalidSpec([("/epochs", "Ask for fewer.")]), 422),
    (UnusableData([("/target", "There is no column y.")]), 422),
    (DeviceUnavailable("No card."), 422),
    (Diverged(epoch=3, learning_rate=0.5), 422),
    (EngineError("The engine is broken."), 500),
]


@pytest.mark.parametrize(("error", "status"), EXAMPLES)
def test_what_a_caller_can_mend_is_422(error: EngineError, status: int) -> None:
    assert status_of(error) == status
