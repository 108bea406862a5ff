"""The definition on a device: whatever can be asked for runs on the strict stand-in for CuPy, and ends in the CPU's bits."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine import backend
from engine.errors import Diverged, InvalidSpec
from engine.glass.histograms import layer_histograms
from engine.models.descent import Definition, descend
from engine.models.run_state import Epoch, State
from engine.parts.activations import Activation
from engine.parts.losses import Loss
from engine.parts.optimizers import Optimizer
from engine.spec import kind_of, members
from engine.tables.samples import BlobsSample
from engine.training.predict import Predictor
from engine.training.prepare import Prepared
from tests.engine import completed, prepared, table
from tests.engine.strict_device import Card, DeviceArray

DATA = table(BlobsSample(rows=60, centers=4, features=3, std=4.0, seed=2).columns())
TRAINED, HELD, FEATURES, CLASSES, UNITS = 48, 12, 3, 4, (7, 5)

EVERYTHING: dict[str, Any] = {
    "activation": "relu", "dropout": 0.3, "batch_size": 13, "regularization": {"l1": 0.01, "l2": 0.02, "clip_norm": 0.5},
    "class_weight": "balanced", "schedule": {"kind": "reduce_on_plateau", "patience": 0, "factor": 0.5},
    "record": {"curves": "batch"}, "epochs": 6,
}  # fmt: skip


def request(activation: str = "tanh", dropout: float = 0.0, **changes: Any) -> dict[str, Any]:
    """A job on four blobs of points: 48 rows in batches of 16 and 12 rows held out, unless told otherwise."""
    hidden = [{"units": units, "activation": activation, "dropout": dropout} for units in UNITS]
    usual: dict[str, Any] = {
        "target": "blob", "model": {"kind": "mlp", "hidden": hidden}, "optimizer": {"kind": "adam", "learning_rate": 0.02},
        "epochs": 4, "batch_size": 16, "seed": 7, "precision": "float64", "split": {"validation": 0.2, "stratify": False},
    }  # fmt: skip
    return usual | changes


def regression(**changes: Any) -> dict[str, Any]:
    return request(target="x1", task="regression", split={"validation": 0.2}, **changes)


IMAGES: dict[str, Any] = {
    "kind": "network",
    "input_shape": [3, 1, 1],
    "layers": [
        {"kind": "conv2d", "filters": 4, "kernel": 3, "padding": 1},
        {"kind": "batch_normalization"},
        {"kind": "conv2d", "filters": 4, "kernel": [2, 1], "groups": 2, "activation": "tanh"},
        {"kind": "local_response_normalization"},
        {"kind": "conv2d", "filters": 3, "kernel": 1, "padding": 1, "connections": [[0, 1], [2], [1, 3]]},
        {"kind": "max_pool2d", "kernel": 2, "padding": 1},
        {"kind": "average_pool2d", "kernel": 2, "padding": "same"},
        {"kind": "dropout", "rate": 0.2},
    ],
}
"""Layers of every kind that images pass through."""


def of_loss(loss: Any) -> dict[str, Any]:
    chosen = {"kind": kind_of(loss)}
    usual: dict[str, Any] = {"loss": chosen, "dropout": 0.3, "regularization": EVERYTHING["regularization"]}
    return request(class_weight="balanced", **usual) if "classification" in loss.tasks else regression(**usual)


CASES: dict[str, dict[str, Any]] = {
    **{f"activation {kind_of(cls)}": request(**EVERYTHING | {"activation": kind_of(cls)}) for cls in members(Activation)},
    **{f"loss {kind_of(cls)}": of_loss(cls) for cls in members(Loss)},
    **{f"optimizer {kind_of(cls)}": request(**EVERYTHING, optimizer={"kind": kind_of(cls)}) for cls in members(Optimizer)},
    "everything": request(**EVERYTHING),
    "everything in float32": request(**EVERYTHING, precision="float32"),
    "weights by name": request(class_weight={"blob_0": 2.0, "blob_1": 0.5}),
    "in the table's order": request(shuffle=False),
    "full batch": request(batch_size="full"),
    "one row a step": request(batch_size=1, epochs=2),
    "no validation": request(split={"validation": 0.0}),
    "no bias": request(model={"kind": "mlp", "hidden": [{"units": 4}], "bias": False}),
    "logistic regression": request(model={"kind": "logistic_regression", "solver": "gradient_descent"}, optimizer=None),
    "images": request(model=IMAGES),
    "linear regression": regression(model={"kind": "linear_regression", "solver": "gradient_descent"}, optimizer=None),
}
"""Requests by name, for the stand-in here and for a card in tests/gpu."""
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def run(posed: Prepared, state: State | None = None, steps: Any = Definition) -> tuple[dict[str, np.ndarray], list[Epoch]]:
    """Train by the definition; what a checkpoint would hold in the end, and the epochs."""
    state = state or State()
    epochs = [epoch for epoch in descend(posed.problem, state, steps) if epoch.whole]
    return state.arrays(posed.problem.network), epochs


def values(epoch: Epoch) -> dict[str, float | None]:
    return {name: value for name, value in epoch.values.items() if name != "seconds"}


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Card:
    card = Card()
    monkeypatch.setitem(backend.NAMESPACES, "cuda", lambda: card)
    return card


@every_case
def test_whatever_can_be_asked_for_ends_in_the_same_bits(card: Card, case: dict[str, Any]) -> None:
    ours, epochs = run(prepared(DATA, device="cpu", **case))
    posed = prepared(DATA, device="cuda", **case)
    assert isinstance(posed.problem.network.parameters.theta, DeviceArray)
    theirs, their_epochs = run(posed)
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        assert array.tobytes() == theirs[name].tobytes(), name
    for epoch, their_epoch in zip(epochs, their_epochs, strict=True):
        assert values(epoch) == values(their_epoch)
        np.testing.assert_array_equal(epoch.batch_losses, their_epoch.batch_losses)
    assert len(epochs) == posed.problem.spec.epochs
    assert (ours["theta"] != prepared(DATA, **case).problem.network.parameters.theta).any(), "nothing was trained"


def traffic(card: Card, posed: Prepared) -> tuple[list[list[int]], list[list[int]]]:
    """Bytes of every transfer to the card and from it, an epoch each. Nothing may come back inside a step."""

    class Watched(Definition):
        def __call__(self, *args: Any) -> None:
            before = len(card.fetched)
            super().__call__(*args)
            assert len(card.fetched) == before, "a step waited for the card"

    sent, fetched = [], []
    for epoch in descend(posed.problem, State(), lambda *args: (Watched(*args), card.fetched.clear(), card.sent.clear())[0]):
        if epoch.whole:
            sent.append(card.sent.copy())
            fetched.append(card.fetched.copy())
            card.sent.clear()
            card.fetched.clear()
    return sent, fetched


@pytest.mark.parametrize("batch_size", [1, 5, 16, "full"])
@pytest.mark.parametrize("curves", ["epoch", "batch"])
def test_an_epoch_is_one_transfer_each_way(card: Card, batch_size: int | str, curves: str) -> None:
    posed = prepared(DATA, device="cuda", **request(batch_size=batch_size, record={"curves": curves}))
    sent, fetched = traffic(card, posed)
    batches = 1 if batch_size == "full" else -(-TRAINED // int(batch_size))
    assert sent == [[TRAINED * 8]] * 4  # the order of the rows
    # a row's loss and outputs, of both splits, and a batch's norm
    assert fetched == [[8 * (batches + (TRAINED + HELD) * (1 + CLASSES))]] * 4


def test_dropout_sends_its_masks_besides(card: Card) -> None:
    sent, fetched = traffic(card, prepared(DATA, device="cuda", **request(dropout=0.5, precision="float32")))
    masks = [4 * 16 * units for units in UNITS]
    assert sent == [[TRAINED * 8, *masks * 3]] * 4
    assert [len(transfers) for transfers in fetched] == [1] * 4


def test_without_shuffling_the_order_is_sent_once(card: Card) -> None:
    sent, _ = traffic(card, prepared(DATA, device="cuda", **request(shuffle=False)))
    assert sent == [[TRAINED * 8], [], [], []]


@every_case
def test_every_epoch_is_one_transfer_back(card: Card, case: dict[str, Any]) -> None:
    posed = prepared(DATA, device="cuda", **case)
    _, fetched = traffic(card, posed)
    assert [len(transfers) for transfers in fetched] == [1] * (posed.problem.spec.epochs or 0)


def test_what_is_prepared_is_sent_once(card: Card) -> None:
    prepared(DATA, device="cuda", **request(class_weight="balanced"))
    shapes = [(FEATURES, 7), (7, 5), (5, CLASSES)]
    weights = [8 * inputs * outputs for inputs, outputs in shapes]
    train = [8 * TRAINED * columns for columns in (FEATURES, CLASSES, 1)]
    assert card.sent == [*weights, *train, 8 * HELD * FEATURES, 8 * HELD * CLASSES]
    assert card.fetched == []


@pytest.mark.parametrize("optimizer", [kind_of(cls) for cls in members(Optimizer)])
def test_a_run_on_the_card_resumes(card: Card, optimizer: str) -> None:
    case = request(**EVERYTHING, optimizer={"kind": optimizer}, device="cuda")
    whole, epochs = run(prepared(DATA, **case))
    posed, state = prepared(DATA, **case), State()
    for epoch in descend(posed.problem, state, Definition):
        if epoch.number == 3 and epoch.whole:
            break
    checkpoint = state.arrays(posed.problem.network)
    assert all(isinstance(array, np.ndarray) for array in checkpoint.values())
    fresh = prepared(DATA, **case)
    rest, rest_epochs = run(fresh, State.from_arrays(checkpoint, fresh.problem.network))
    assert [values(epoch) for epoch in rest_epochs] == [values(epoch) for epoch in epochs[3:]]
    assert {name: array.tobytes() for name, array in rest.items()} == {name: array.tobytes() for name, array in whole.items()}


def test_a_checkpoint_goes_from_the_card_to_the_cpu_and_on(card: Card) -> None:
    case = request(**EVERYTHING)
    whole, _ = run(prepared(DATA, **case))
    short, _ = run(prepared(DATA, device="cuda", **case | {"epochs": 3, "schedule": case["schedule"]}))
    posed = prepared(DATA, **case)
    rest, _ = run(posed, State.from_arrays(short, posed.problem.network))
    assert {name: array.tobytes() for name, array in rest.items()} == {name: array.tobytes() for name, array in whole.items()}


def test_what_was_trained_on_the_card_predicts_on_the_cpu(card: Card) -> None:
    predictions = []
    for device in ("cpu", "cuda"):
        posed = prepared(DATA, device=device, **request())
        arrays, _ = run(posed)
        predictor = Predictor(posed.problem.spec, posed.features, posed.target, arrays["theta"])
        predictions.append(predictor.outputs(DATA.columns))
    np.testing.assert_array_equal(*predictions)


def test_layers_on_the_card_are_looked_into(card: Card) -> None:
    found = []
    for device in ("cpu", "cuda"):
        posed = prepared(DATA, device=device, **request("relu"))
        run(posed)
        found.append(layer_histograms(posed.problem))
    assert found[0] == found[1]


def test_a_run_on_the_card_diverges_as_on_the_cpu(card: Card) -> None:
    case = regression(
        model={"kind": "linear_regression", "solver": "gradient_descent"}, epochs=400,
        optimizer={"kind": "gradient_descent", "learning_rate": 1e6},
    )  # fmt: skip
    epochs = []
    for device in ("cpu", "cuda"):
        with pytest.raises(Diverged) as raised:
            run(prepared(DATA, device=device, **case))
        epochs.append(raised.value.epoch)
    assert epochs[0] == epochs[1] > 1


def test_auto_is_the_cpu_without_cupy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "find_spec", lambda name: None)
    assert prepared(DATA, device="auto", **request()).problem.network.xp is np


def test_cuda_without_cupy_is_an_invalid_spec(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "find_spec", lambda name: None)
    with pytest.raises(InvalidSpec, match="no CUDA device with CuPy is at hand") as raised:
        completed(DATA, device="cuda", **request())
    assert [pointer for pointer, _ in raised.value.errors] == ["/device"]


def test_both_gather_into_out(card: Card) -> None:
    rows, order = np.arange(12.0).reshape(4, 3), np.array([2, 0])
    for xp in (np, card):
        out = xp.empty((2, 3))
        backend.gather(xp)(xp.asarray(rows), xp.asarray(order), axis=0, out=out)
        np.testing.assert_array_equal(backend.to_host(out), rows[order])


# The stand-in itself: a proof is worth what its refusals are.

REFUSED: dict[str, Callable[[Any, Any, np.ndarray], Any]] = {
    "asarray": lambda xp, a, host: np.asarray(a),
    "array": lambda xp, a, host: np.array([a, a]),
    "float": lambda xp, a, host: float(a.sum()),
    "int": lambda xp, a, host: int(a.sum()),
    "bool": lambda xp, a, host: bool(a.sum() > 0),
    "if": lambda xp, a, host: 1 if a.max() > 0 else 0,
    "index": lambda xp, a, host: [1, 2, 3][a.argmax()],
    "for": lambda xp, a, host: list(a),
    "in": lambda xp, a, host: 1.0 in a,
    "NumPy's ufunc": lambda xp, a, host: np.exp(a),
    "NumPy's ufunc on both": lambda xp, a, host: np.add(host, a),
    "NumPy's function": lambda xp, a, host: np.mean(a),
    "NumPy's out": lambda xp, a, host: np.exp(host, out=a),
    "a + host": lambda xp, a, host: a + host,
    "host + a": lambda xp, a, host: host + a,
    "a += host": lambda xp, a, host: a.__iadd__(host),
    "host += a": lambda xp, a, host: host.__iadd__(a),
    "a > host": lambda xp, a, host: a > host,
    "a @ host": lambda xp, a, host: a @ host,
    "host argument": lambda xp, a, host: xp.multiply(a, host),
    "host out": lambda xp, a, host: xp.exp(a, out=host),
    "host order": lambda xp, a, host: xp.take(a, np.array([0])),
    "host index": lambda xp, a, host: a[np.array([0])],
    "mask": lambda xp, a, host: a[a > 0],
    "a scalar to chosen elements": lambda xp, a, host: a.__setitem__(xp.arange(2), 0.0),
    "from the host": lambda xp, a, host: a.__setitem__(slice(None), host),
    "to the host": lambda xp, a, host: host.__setitem__(slice(None), a),
    "list": lambda xp, a, host: xp.asarray([1.0]),
    "another scalar's type": lambda xp, a, host: xp.multiply(a, np.float32(2)),
    "take's mode": lambda xp, a, host: xp.take(a, xp.arange(2), mode="clip"),
    "einsum's out": lambda xp, a, host: xp.einsum("i,i->i", a, a, out=a),
    "where's out": lambda xp, a, host: xp.where(a > 0, a, a, out=a),
    "a ufunc's where": lambda xp, a, host: xp.exp(a, where=a > 0),
    "sum's where": lambda xp, a, host: a.sum(where=a > 0),
    "max's initial": lambda xp, a, host: xp.max(a, initial=0),
    "another type's out": lambda xp, a, host: xp.sum(a, out=xp.empty((), "float32")),
    "casting down": lambda xp, a, host: xp.exp(a, out=xp.empty(3, "int64")),
}


@pytest.mark.parametrize("deed", REFUSED.values(), ids=REFUSED)
def test_the_stand_in_refuses(deed: Callable[[Any, Any, np.ndarray], Any]) -> None:
    card = Card()
    array = card.asarray(np.array([1.0, 2.0, 3.0]))
    with pytest.raises(TypeError):
        deed(card, array, np.ones(3))
    assert card.fetched == []


def test_the_stand_in_offers_no_more_than_it_lists() -> None:
    for name in ("random", "linalg", "logaddexp", "add.at", "ndarray", "errstate", "vectorize"):
        assert not hasattr(Card(), name)
    for name in ("flat", "tobytes", "std", "put", "__array_interface__"):
        assert not hasattr(DeviceArray, name)


def test_the_stand_in_keeps_scalars_on_the_card() -> None:
    card = Card()
    array = card.asarray(np.array([[1.0, 2.0], [3.0, 4.0]]))
    scalars = (
        array[0, 1], array.sum(), array.mean(), array.max(), array.argmax(), card.sqrt(array[1, 1]),
        card.count_nonzero(array), card.dot(array[0], array[0]), card.einsum("ij,ij->", array, array),
        card.minimum(1.0, 2.0), array.sum() * 2.0,
    )  # fmt: skip
    assert all(type(scalar) is DeviceArray and scalar.shape == () for scalar in scalars)
    array[0, 1] = array.sum()  # no way round by the host
    array[0, 0][...] = 7.0  # one element is a view
    assert card.fetched == []
    np.testing.assert_array_equal(array.get(), [[7.0, 10.0], [3.0, 4.0]])


def test_the_stand_in_counts_transfers() -> None:
    card = Card()
    array = card.asarray(np.zeros((2, 3), np.float32))
    assert card.asarray(array) is array
    assert card.array(array) is not array
    assert (card.sent, card.fetched) == ([24], [])
    assert (array.tolist(), array[0, 0].item()) == ([[0.0] * 3] * 2, 0.0)
    assert array.get().dtype == np.float32
    assert card.fetched == [24, 4, 24]


def test_the_stand_ins_arrays_are_apart_from_the_hosts() -> None:
    host, card = np.zeros(2), Card()
    array = card.asarray(host)
    host[0] = 1.0
    array.get()[1] = 1.0
    np.testing.assert_array_equal(array.get(), [0.0, 0.0])
    assert np.isnan(card.empty(3).get()).all()
