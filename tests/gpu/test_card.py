"""The same on a real card, deselected unless asked for. On a machine with one and the extra `gpu`: pytest -m gpu tests/gpu

In float64 whole runs agree with the CPU's to a few digits less than the type has, since a card adds up in another order.
"""

import inspect
import re
import time
from operator import attrgetter
from typing import Any

import numpy as np
import pytest

from engine.backend import namespace, to_host
from engine.glass.histograms import layer_histograms
from engine.models.descent import Definition, descend
from engine.models.run_state import State
from tests.engine import prepared, table
from tests.engine.strict_device import BINARY, FUNCTIONS, METHODS, SPECIAL, UNARY, Card, signatures
from tests.engine.test_device import DATA, EVERYTHING, every_case, request, run, values

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.timeout(600),  # a kernel is compiled at its first use
    pytest.mark.filterwarnings("default"),  # CuPy's own are no concern of ours
]
RELATIVE = {"float32": 1e-3, "float64": 1e-8}


@pytest.fixture(scope="module")
def cupy() -> Any:
    return namespace("cuda")


@every_case
def test_whatever_can_be_asked_for_ends_in_the_same_numbers(cupy: Any, case: dict[str, Any]) -> None:
    tolerance = RELATIVE[case["precision"]]
    ours, epochs = run(prepared(DATA, device="cpu", **case))
    posed = prepared(DATA, device="cuda", **case)
    assert isinstance(posed.problem.network.parameters.theta, cupy.ndarray)
    theirs, their_epochs = run(posed)
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        np.testing.assert_allclose(theirs[name], array, rtol=tolerance, atol=tolerance, err_msg=name)
    for epoch, their_epoch in zip(epochs, their_epochs, strict=True):
        for name, value in values(epoch).items():
            assert their_epoch.values[name] == pytest.approx(value, rel=tolerance, abs=tolerance), name


def test_a_run_on_the_card_resumes_in_the_same_bits(cupy: Any) -> None:
    case = request(**EVERYTHING, device="cuda")
    whole, _ = run(prepared(DATA, **case))
    posed, state = prepared(DATA, **case), State()
    for epoch in descend(posed.problem, state, Definition):
        if epoch.number == 3 and epoch.whole:
            break
    fresh = prepared(DATA, **case)
    rest, _ = run(fresh, State.from_arrays(state.arrays(posed.problem.network), fresh.problem.network))
    for name, array in whole.items():
        np.testing.assert_array_equal(rest[name], array, err_msg=name)


def test_layers_on_the_card_are_looked_into(cupy: Any) -> None:
    found = []
    for device in ("cpu", "cuda"):
        posed = prepared(DATA, device=device, **request("tanh"))
        run(posed)
        found.append(layer_histograms(posed.problem))
    for ours, theirs in zip(*found, strict=True):
        assert (theirs.layer, theirs.of, theirs.count) == (ours.layer, ours.of, ours.count)
        assert theirs.mean == pytest.approx(ours.mean, rel=1e-8, abs=1e-8)


def without_types(signature: inspect.Signature) -> list[tuple[str, Any, Any]]:
    return [(parameter.name, parameter.kind, parameter.default) for parameter in signature.parameters.values()]


def is_offered(ours: inspect.Signature, theirs: inspect.Signature) -> bool:
    """Whether every parameter of ours is theirs, in the same place; theirs may have more at the end, or by name alone."""
    wanted, offered = without_types(ours), without_types(theirs)
    by_place = [parameter for parameter in wanted if parameter[1] is not inspect.Parameter.KEYWORD_ONLY]
    takes_any = any(kind is inspect.Parameter.VAR_KEYWORD for _, kind, _ in offered)
    by_name = [parameter for parameter in wanted if parameter not in by_place and not takes_any]
    return offered[: len(by_place)] == by_place and all(parameter in offered for parameter in by_name)


@pytest.mark.parametrize(("name", "ours"), [*signatures(FUNCTIONS).items(), *signatures(SPECIAL).items()])
def test_the_stand_ins_functions_have_cupys_signatures(name: str, ours: inspect.Signature) -> None:
    import cupy  # the package is enough

    assert is_offered(ours, inspect.signature(attrgetter(name)(cupy)))


@pytest.mark.parametrize("name", [*UNARY, *BINARY])
def test_the_stand_ins_ufuncs_have_cupys_signatures(name: str) -> None:
    import cupy

    ours, theirs = (getattr(xp, name).__doc__.strip().split("\n")[0] for xp in (Card(), cupy))
    assert ours.partition("(")[2] == theirs.partition("(")[2]  # CuPy calls divide true_divide


@pytest.mark.parametrize(("name", "ours"), signatures(METHODS).items())
def test_the_stand_ins_methods_have_cupys_signatures(name: str, ours: inspect.Signature) -> None:
    import cupy

    # Cython leaves the signature in the first line, with types before some names.
    text = getattr(cupy.ndarray, name).__doc__.split("\n")[0].split("(", 1)[1].rsplit(")", 1)[0]
    text = re.sub(r"\b_ndarray_base (?=\w)", "", text).replace("u'", "'")
    assert is_offered(ours, signatures(f"{name}({text})")[name])


def test_cupy_keeps_scalars_on_the_card(cupy: Any) -> None:
    array = cupy.asarray(np.array([[1.0, 2.0], [3.0, 4.0]]))
    for scalar in (array[0, 1], array.sum(), array.argmax(), cupy.dot(array[0], array[0]), cupy.minimum(1.0, 2.0)):
        assert isinstance(scalar, cupy.ndarray)
        assert scalar.shape == ()


def test_cupy_mixes_with_no_host_array(cupy: Any) -> None:
    array, host = cupy.ones(3), np.ones(3)
    for deed in (
        lambda: np.asarray(array),
        lambda: array + host,
        lambda: host + array,
        lambda: cupy.take(array, [0], mode="clip"),
    ):
        with pytest.raises(TypeError):
            deed()


@pytest.mark.parametrize("batch_size", [64, 1024])
def test_an_epoch_of_784_256_128_10(cupy: Any, batch_size: int, capsys: pytest.CaptureFixture[str]) -> None:
    """10 000 rows of noise; the third epoch is timed, when kernels are compiled and memory is pooled."""
    rng = np.random.default_rng(0)
    cells = {f"x{column}": rng.random(10_000).astype(np.float32) for column in range(784)}
    data = table({**cells, "digit": [f"digit {label}" for label in rng.integers(0, 10, 10_000)]})
    hidden = [{"units": 256}, {"units": 128}]
    seconds = {}
    for device in ("cpu", "cuda"):
        posed = prepared(
            data, target="digit", model={"kind": "mlp", "hidden": hidden}, epochs=3, batch_size=batch_size,
            optimizer={"kind": "adam"}, split={"validation": 0.0}, device=device,
        )  # fmt: skip
        started = 0.0
        for epoch in descend(posed.problem, State(), Definition):
            if epoch.whole:
                seconds[device], started = time.perf_counter() - started, time.perf_counter()
        assert np.isfinite(to_host(posed.problem.network.parameters.theta)).all()
    with capsys.disabled():
        print(f"\n784-256-128-10, 10 000 rows, batches of {batch_size}, the definition: {seconds}")  # noqa: T201
