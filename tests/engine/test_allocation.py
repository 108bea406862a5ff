"""A step allocates nothing: every array is there before the first one."""

import tracemalloc
from collections.abc import Iterator
from typing import Any

import numba
import numpy as np
import pytest
from numba.core.runtime import _nrt_python, rtsys

from engine.fast.large import Large
from engine.fast.small import Small
from engine.models.descent import Definition, start_vectors
from engine.models.regularization import Regularization
from tests.engine.fast.test_kernels import ACTIVATIONS, LOSSES, OPTIMIZERS, posed

OBJECTS = 8_000
"""Bytes of Python objects, views and scalars, that come and go within a step."""
BUFFERS = 2 * 8192 * 8
WIDTH, BATCH = 96, 256
ARRAY = BATCH * WIDTH * 8


def most_in_a_step(path: Any, **wishes: Any) -> int:
    """The most bytes that stood at once beyond those before, in a step after the first."""
    problem = posed((8, WIDTH, WIDTH, 4), rows=3 * BATCH, batch=BATCH, **wishes)
    steps = path(problem, start_vectors(problem.spec, problem.network), BATCH)
    order = np.arange(3 * BATCH)
    steps(order, 0, 2, 0, 0.01)
    tracemalloc.start()
    try:
        steps(order, 2, 1, 2, 0.01)
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        steps(order, 2, 1, 3, 0.01)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


CHOICES = [
    *({"activation": cls()} for cls in ACTIVATIONS),
    *({"loss": cls()} for cls in LOSSES),
    *({"optimizer": cls()} for cls in OPTIMIZERS),
    {"weighted": True},
    {"regularization": Regularization(l1=0.01, l2=0.1, clip_norm=0.05)},
]


def name(choice: dict[str, Any]) -> str:
    return "-".join(getattr(value, "kind", key) for key, value in choice.items())


@pytest.mark.parametrize("path", [Small, Large])
@pytest.mark.parametrize("choice", CHOICES, ids=name)
def test_a_fast_step_allocates_nothing(path: Any, choice: dict[str, Any]) -> None:
    assert most_in_a_step(path, **choice) < OBJECTS


@pytest.fixture
def counting() -> Iterator[None]:
    """Have Numba count what compiled code allocates, however little it is."""
    _nrt_python.memsys_enable_stats()
    yield
    _nrt_python.memsys_disable_stats()


def allocations(steps: Any, batches: int) -> int:
    """How often compiled code allocates in one call of so many steps."""
    before = rtsys.get_allocation_stats().alloc
    steps(np.arange(3 * BATCH), 0, batches, 2, 0.01)
    return int(rtsys.get_allocation_stats().alloc - before)


@pytest.mark.usefixtures("counting")
@pytest.mark.parametrize("path", [Small, Large])
@pytest.mark.parametrize("choice", CHOICES, ids=name)
def test_more_compiled_steps_allocate_no_more(path: Any, choice: dict[str, Any]) -> None:
    """Nor does a call: what is counted is there before it."""
    problem = posed((8, WIDTH, WIDTH, 4), rows=3 * BATCH, batch=BATCH, **choice)
    steps = path(problem, start_vectors(problem.spec, problem.network), BATCH)
    allocations(steps, 1)  # compiled by now
    assert allocations(steps, 1) == allocations(steps, 3) == 0


@pytest.mark.usefixtures("counting")
def test_what_compiled_code_allocates_is_counted() -> None:
    @numba.njit
    def doubled(values: np.ndarray) -> np.ndarray:
        return values + values

    assert allocations(lambda order, *_: doubled(order), 1) > 0


@pytest.mark.parametrize("choice", CHOICES, ids=name)
def test_a_step_of_the_definition_allocates_no_whole_array(choice: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Activations work through blocks of their own, here made small; NumPy buffers 8192 values where it converts."""
    monkeypatch.setattr("engine.parts.activations.BLOCK", 1024)
    assert most_in_a_step(Definition, **choice) < BUFFERS < ARRAY
