import io
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from engine.errors import Diverged
from engine.fast import large, small
from engine.models import descent, perceptron
from engine.models.kinds import AnyModel
from engine.models.network import ShortForm
from engine.models.run_state import State
from engine.parts.activations import Activation
from engine.parts.initializers import Initializer
from engine.parts.optimizers import Optimizer
from engine.parts.schedules import Schedule
from engine.randomness import Shuffles
from engine.spec import kind_of, members
from engine.tables.samples import BlobsSample
from engine.training.prepare import Prepared
from engine.training.run import train
from tests.engine import LOSSES, Run, Table, completed, finish, one_step, prepared, table, trained, way_of

BLOBS = BlobsSample(rows=45, std=5.0, seed=1).columns()
DATA = table({**BLOBS, "sum": BLOBS["x1"] + BLOBS["x2"] ** 2 / 10, "above": (BLOBS["x2"] > BLOBS["x1"]).astype(int)})
FEATURES = ["x1", "x2"]
OPTIMIZERS = [kind_of(cls) for cls in members(Optimizer)]
SCHEDULES = [kind_of(cls) for cls in members(Schedule)]
SMALL: dict[str, Any] = {"kind": "mlp", "hidden": [{"units": 5, "activation": "tanh"}]}
DROPPED = {"kind": "mlp", "hidden": [{"units": 6, "activation": "tanh", "dropout": 0.3}, {"units": 4, "dropout": 0.2}]}
LARGE = {"kind": "mlp", "hidden": [{"units": 200, "activation": "tanh"}, {"units": 128}]}
"""So large that a team takes the steps, even those of a single row."""
NO_DROPOUT = 1e-300
"""A share of dropout that silences nothing, and asks for the way that can."""
STILL = {"kind": "gradient_descent", "learning_rate": 1e-300}
"""A rate at which no weight changes."""


WAYS = {"small": SMALL, "large": LARGE, "definition": {"kind": "mlp", "hidden": [SMALL["hidden"][0] | {"dropout": NO_DROPOUT}]}}


def pose(**request: Any) -> Prepared:
    """The problem; where its model is one of `WAYS`, it is made sure that its steps are taken that way."""
    request = {"target": "blob", "features": FEATURES, "model": SMALL, "epochs": 6} | request
    posed = prepared(DATA, **request)
    for way, model in WAYS.items():
        assert request["model"] != model or way_of(posed) == way
    return posed


def run(**request: Any) -> Run:
    return finish(pose(**request))


def alike(values: dict[str, Any]) -> dict[str, Any]:
    """An epoch's values but for the time it took."""
    return {name: value for name, value in values.items() if name != "seconds"}


# --- the same again ---


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_same_seed_gives_the_same_bits(precision: str) -> None:
    runs = [run(model=DROPPED, precision=precision, seed=seed) for seed in (3, 3, 4)]
    assert runs[0].theta.dtype == precision
    assert runs[0].theta.tobytes() == runs[1].theta.tobytes() != runs[2].theta.tobytes()
    assert [alike(epoch.values) for epoch in runs[0].epochs] == [alike(epoch.values) for epoch in runs[1].epochs]


def test_the_seed_of_the_split_is_another() -> None:
    first, second = (pose(split={"seed": seed, "validation": 0.2}) for seed in (0, 1))
    assert (first.rows["train"] != second.rows["train"]).any()
    np.testing.assert_array_equal(first.problem.network.parameters.theta, second.problem.network.parameters.theta)


CENTROIDS = {"kind": "k_means", "clusters": 3, "restarts": 2}
OWN = [
    ({"batch_size": 8}, ("weights_seed", "order_seed")),
    ({"model": {"kind": "perceptron"}, "target": "above", "epochs": 3}, ("order_seed",)),
    ({"model": CENTROIDS, "target": None, "epochs": 1}, ("weights_seed",)),
]


@pytest.mark.parametrize(("request_", "names"), OWN, ids=["network", "perceptron", "centroids"])
def test_seeds_of_their_own_stand_in_the_place_of_the_seed(request_: dict[str, Any], names: tuple[str, ...]) -> None:
    """All together they are the seed, to the bit; each alone changes something."""
    seeded, other = (run(**request_, seed=seed).theta.tobytes() for seed in (4, 5))
    assert run(**request_, seed=5, **dict.fromkeys(names, 4)).theta.tobytes() == seeded != other
    for name in names:
        assert run(**request_, seed=4, **{name: 5}).theta.tobytes() != seeded


def through_a_file(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """As a checkpoint brings them back: other arrays, which may not be written to."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    with np.load(io.BytesIO(buffer.getvalue())) as stored:
        loaded = {name: stored[name] for name in stored.files}
    for array in loaded.values():
        array.flags.writeable = False
    return loaded


def check_resuming(request: dict[str, Any]) -> None:
    """Interrupted after any epoch and taken up by fresh objects, a run ends in the same bits as the undisturbed one."""
    undisturbed = pose(**request)
    network, state = undisturbed.problem.network, State()
    stops, epochs = [], []
    for epoch in train(undisturbed.problem, state):
        if epoch.whole:
            stops.append(through_a_file(state.arrays(network)))
            epochs.append(epoch)
    assert len(stops) > 2
    for count, arrays in enumerate(stops[:-1], start=1):
        fresh = pose(**request)
        resumed = State.from_arrays(arrays, fresh.problem.network)
        assert resumed.epoch == count
        rest = finish(fresh, resumed)
        assert [alike(epoch.values) for epoch in rest.epochs] == [alike(epoch.values) for epoch in epochs[count:]]
        assert [epoch.number for epoch in rest.epochs] == list(range(count + 1, len(epochs) + 1))
        ended = resumed.arrays(fresh.problem.network)
        assert ended.keys() == stops[-1].keys()
        for name, array in ended.items():
            assert array.dtype == stops[-1][name].dtype
            assert array.tobytes() == stops[-1][name].tobytes(), f"{name}, taken up after epoch {count}"


@pytest.mark.parametrize("kind", OPTIMIZERS)
@pytest.mark.parametrize("validation", [0.0, 0.2])
@pytest.mark.parametrize("model", [DROPPED, SMALL, LARGE], ids=["dropout", "small", "large"])
def test_every_optimizer_resumes(kind: str, validation: float, model: dict[str, Any]) -> None:
    check_resuming(
        {
            "model": model,
            "optimizer": {"kind": kind, "learning_rate": 0.05},
            "schedule": {"kind": "reduce_on_plateau", "patience": 0, "factor": 0.5},
            "split": {"validation": validation},
            "batch_size": 32,
        }
    )


@pytest.mark.parametrize("kind", SCHEDULES)
def test_every_schedule_resumes(kind: str) -> None:
    check_resuming({"schedule": {"kind": kind}, "shuffle": False, "precision": "float64"})


MODELS: list[dict[str, Any]] = [
    {"model": {"kind": "perceptron"}, "target": "is", "epochs": 7},
    {"model": {"kind": "perceptron", "bias": False}, "target": "is", "epochs": 7, "shuffle": False},
    {"model": {"kind": "logistic_regression"}, "target": "blob", "epochs": 100},
    {"model": {"kind": "logistic_regression", "multi_class": "one_vs_rest"}, "target": "blob", "epochs": 100},
    {"model": {"kind": "logistic_regression", "solver": "gradient_descent"}, "target": "blob"},
    {"model": {"kind": "linear_regression", "solver": "gradient_descent"}, "target": "sum", "batch_size": 7},
    {"model": {"kind": "linear_regression", "solver": "gradient_descent"}, "target": ["sum", "gap"], "batch_size": 7},
    *({"model": model, "target": ["gap", "sum"]} for model in (SMALL, LARGE, DROPPED)),
    *({"model": model, "target": ["is", "far", "word"], "batch_size": 8} for model in (SMALL, LARGE, DROPPED)),
]


@pytest.mark.parametrize("request_", MODELS, ids=lambda request: f"{request['model']} {request['target']}"[:90])
def test_every_solver_resumes(request_: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    more = {"gap": BLOBS["x1"] - BLOBS["x2"], "far": BLOBS["x1"] > 2, "word": np.where(BLOBS["x2"] > 0, "yes", "no")}
    data = table({**BLOBS, "sum": DATA.columns["sum"].values, "is": rng.integers(0, 2, 45) == 1, **more})
    monkeypatch.setitem(globals(), "DATA", data)
    check_resuming(request_)


WITHIN: list[dict[str, Any]] = [
    *({"model": model, "batch_size": 8, "optimizer": {"kind": "adam"}} for model in WAYS.values()),
    {"model": DROPPED, "batch_size": 7, "optimizer": {"kind": "momentum"}, "split": {"validation": 0.2}},
    {"model": {"kind": "linear_regression", "solver": "gradient_descent"}, "target": "sum", "batch_size": 11, "shuffle": False},
    {"model": {"kind": "perceptron"}, "target": "is", "record": {}},
]


@pytest.mark.parametrize("request_", WITHIN, ids=[*WAYS, "dropout", "line", "perceptron"])
def test_a_run_resumes_within_an_epoch(request_: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted after any batch, a run ends in the same weights, and the epoch that was cut tells the same values."""
    monkeypatch.setattr(descent, "BREATH_SECONDS", -1.0)
    monkeypatch.setattr(perceptron, "BREATH_SECONDS", -1.0)
    monkeypatch.setattr(perceptron, "CORRECTIONS", 2)
    monkeypatch.setattr(small, "CALL_OPERATIONS", 0.0)
    monkeypatch.setattr(large, "TEAM_OPERATIONS", 0.0)
    data = table({**BLOBS, "sum": DATA.columns["sum"].values, "is": np.random.default_rng(0).integers(0, 2, 45) == 1})
    monkeypatch.setitem(globals(), "DATA", data)
    request = {"epochs": 3, "record": {"curves": "batch"}, **request_}
    undisturbed = pose(**request)
    network, state = undisturbed.problem.network, State()
    stops, epochs = [], []
    for epoch in train(undisturbed.problem, state):
        if epoch.whole:
            epochs.append(epoch)
        else:
            assert 0 < epoch.done <= 1
            stops.append((epoch.number, through_a_file(state.arrays(network))))
    assert len(stops) > 9
    for number, arrays in stops:
        fresh = pose(**request)
        resumed = State.from_arrays(arrays, fresh.problem.network)
        assert (resumed.epoch, resumed.place > 0) == (number - 1, True)
        rest = finish(fresh, resumed)
        assert [alike(epoch.values) for epoch in rest.epochs] == [alike(epoch.values) for epoch in epochs[number - 1 :]]
        for again, before in zip(rest.epochs, epochs[number - 1 :], strict=True):
            np.testing.assert_array_equal(again.batch_losses, before.batch_losses)
        assert rest.theta.tobytes() == network.parameters.theta.tobytes()


def test_what_is_finished_stays_finished() -> None:
    for request in ({"epochs": 3}, {"model": {"kind": "linear_regression"}, "target": "sum", "epochs": None}):
        posed = pose(**request)
        done = finish(posed)
        kept = done.theta.copy()
        again = finish(pose(**request), State.from_arrays(done.state.arrays(posed.problem.network), posed.problem.network))
        assert again.epochs == []
        np.testing.assert_array_equal(done.theta, kept)


def test_stored_arrays_do_not_move_with_the_run() -> None:
    posed = pose(optimizer={"kind": "momentum"})
    state, network = State(), posed.problem.network
    epochs = train(posed.problem, state)
    next(epochs)
    arrays = state.arrays(network)
    kept = {name: array.copy() for name, array in arrays.items()}
    next(epochs)
    finish(pose(optimizer={"kind": "momentum"}), State.from_arrays(arrays, network))
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, kept[name])
    assert {"theta", "counters", "velocity", "schedule"} == set(arrays)


# --- batches ---


@pytest.mark.parametrize("batch_size", [1, 7, 16, 44, 45, 1000, "full"])
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("way", ["small", "large", "definition"])
def test_every_row_is_in_one_batch_an_epoch(batch_size: Any, shuffle: bool, way: str) -> None:
    """At weights that stand still a batch's loss is the mean of its rows' losses, which a batch size of 1 shows."""
    request: dict[str, Any] = {
        "optimizer": STILL, "record": {"curves": "batch"}, "epochs": 3, "precision": "float64", "split": {"validation": 0.0},
        "shuffle": shuffle, "seed": 5, "model": WAYS[way],
    }  # fmt: skip
    single = run(**request | {"batch_size": 1, "shuffle": False})
    losses = single.epochs[0].batch_losses
    assert losses is not None
    assert len(np.unique(losses)) == 45
    size = 45 if batch_size == "full" else min(batch_size, 45)
    for number, epoch in enumerate(run(**request, batch_size=batch_size).epochs):
        order = Shuffles(5, 45).order(number) if shuffle else np.arange(45)
        expected = [losses[order[start : start + size]].mean() for start in range(0, 45, size)]
        assert epoch.batch_losses is not None
        np.testing.assert_allclose(epoch.batch_losses, expected, rtol=1e-12)
        assert epoch.values["train_loss"] == pytest.approx(losses.mean(), rel=1e-12)


def test_steps_are_counted() -> None:
    for batch_size, count in ((16, 3), (45, 1), (1, 45), ("full", 1)):
        assert run(batch_size=batch_size, epochs=2, split={"validation": 0.0}).state.step == 2 * count


def test_batch_losses_are_kept_only_where_asked() -> None:
    assert all(epoch.batch_losses is None for epoch in run().epochs)


def test_full_batches_do_not_mind_the_order() -> None:
    runs = [run(batch_size="full", shuffle=shuffle, precision="float64", epochs=20) for shuffle in (True, False)]
    np.testing.assert_allclose(runs[0].theta, runs[1].theta, rtol=1e-9)


@pytest.mark.parametrize("way", ["small", "large", "definition"])
def test_class_weights_are_repeated_rows(way: str) -> None:
    """With full batches; the mean is over more rows then, so the rate makes up for it."""
    member = BLOBS["blob"] == "blob_2"
    twice = table({name: np.concatenate([column, column[member]]) for name, column in BLOBS.items()})
    request: dict[str, Any] = {
        "target": "blob", "model": WAYS[way], "batch_size": "full", "shuffle": False, "precision": "float64", "epochs": 30,
        "preprocessing": {"scaling": "none"}, "split": {"validation": 0.0},
    }  # fmt: skip
    rate, rows = 0.02, len(member)
    weighted = trained(
        table(BLOBS), **request, class_weight={"blob_2": 2.0}, optimizer={"kind": "gradient_descent", "learning_rate": rate}
    )
    more = rate * (rows + member.sum()) / rows
    repeated = trained(twice, **request, optimizer={"kind": "gradient_descent", "learning_rate": more})
    np.testing.assert_allclose(weighted.theta, repeated.theta, rtol=0, atol=1e-12)
    assert weighted.last["train_loss"] == pytest.approx((repeated.last["train_loss"] or 0) * more / rate)


def test_balanced_classes_count_the_same() -> None:
    uneven = table({name: column[:40][np.r_[0:40, 0:9]] for name, column in BLOBS.items()})
    labels = uneven.columns["blob"].values
    counts = np.bincount(labels)
    by_hand = {f"blob_{c}": float(len(labels) / (3 * counts[c])) for c in range(3)}
    request: dict[str, Any] = {"target": "blob", "model": SMALL, "split": {"validation": 0.0}, "precision": "float64"}
    balanced = trained(uneven, **request, epochs=5, class_weight="balanced")
    np.testing.assert_array_equal(balanced.theta, trained(uneven, **request, epochs=5, class_weight=by_hand).theta)
    assert (balanced.theta != trained(uneven, **request, epochs=5).theta).any()


# --- the gradient's length and its penalties ---


def single_step(**request: Any) -> Prepared:
    return pose(
        optimizer={"kind": "gradient_descent", "learning_rate": 1.0}, epochs=1, batch_size="full", precision="float64",
        split={"validation": 0.0}, **request,
    )  # fmt: skip


@pytest.mark.parametrize(("l1", "l2"), [(0.3, 0.0), (0.0, 0.7), (0.2, 0.5)])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("way", ["small", "definition"])
def test_penalties_are_of_the_weights_alone(l1: float, l2: float, bias: bool, way: str) -> None:
    """Against the slopes of the objective, which is train_loss + l1 ‖W‖₁ + ½ l2 ‖W‖²."""
    posed = single_step(model={**WAYS[way], "bias": bias}, regularization={"l1": l1, "l2": l2})
    network = posed.problem.network
    theta = np.random.default_rng(0).normal(0, 1, network.parameters.size)

    def objective(at: np.ndarray) -> float:
        loss = one_step(posed, at)[1]
        network.parameters.theta[...] = at
        return loss + sum(
            l1 * float(np.abs(layer.W).sum()) + l2 / 2 * float((layer.W**2).sum()) for layer in network.parameters.layers
        )

    gradient, _ = one_step(posed, theta)
    slopes = [(objective(theta + h) - objective(theta - h)) / 2e-6 for h in 1e-6 * np.eye(len(theta))]
    np.testing.assert_allclose(gradient, slopes, rtol=1e-6, atol=1e-8)
    if bias:
        plain, _ = one_step(single_step(model=WAYS[way]), theta)
        network.parameters.theta[...] = theta != 0
        for layer in network.parameters.layers:
            layer.W[...] = 0
        biases = network.parameters.theta > 0
        np.testing.assert_allclose(gradient[biases], plain[biases], rtol=1e-12)
        assert biases.sum() == 8
        assert (gradient[~biases] != plain[~biases]).all()


def test_the_penalty_of_logistic_regression_is_for_the_sum_of_the_rows() -> None:
    """½λ‖w‖² beside the sum of the losses, as scikit-learn has it: λ/n in the gradient of the mean."""
    gradients = []
    theta = np.random.default_rng(0).normal(0, 1, 9)
    for l2 in (0.0, 9.0):
        model = {"kind": "logistic_regression", "solver": "gradient_descent", "penalty": {"l2": l2}}
        posed = single_step(model=model)
        gradients.append(one_step(posed, theta)[0])
    np.testing.assert_allclose((gradients[1] - gradients[0])[:6], 9.0 / 45 * theta[:6], rtol=1e-12)
    np.testing.assert_allclose(gradients[1][6:], gradients[0][6:], rtol=1e-12)


@pytest.mark.parametrize("way", ["small", "large", "definition"])
def test_clipping_keeps_the_direction(way: str) -> None:
    theta = np.random.default_rng(0).normal(0, 1, single_step(model=WAYS[way]).problem.network.parameters.size)

    def step(clip: float | None) -> np.ndarray:
        return one_step(single_step(model=WAYS[way], regularization={"clip_norm": clip}), theta)[0]

    plain = step(None)
    length = float(np.linalg.norm(plain))
    np.testing.assert_allclose(step(length / 10), plain / 10, rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(step(length * 1.01), plain, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("way", ["small", "large", "definition"])
def test_gradient_norm_is_the_length_before_clipping(way: str) -> None:
    for clip in (None, 1e-3):
        posed = single_step(model=WAYS[way], regularization={"clip_norm": clip})
        theta = posed.problem.network.parameters.theta.copy()
        gradient, _ = one_step(single_step(model=WAYS[way]), theta)
        reported = finish(posed).last["gradient_norm"]
        assert reported == pytest.approx(float(np.linalg.norm(gradient)), rel=1e-9)


def test_clipping_a_gradient_of_zero() -> None:
    data = table({"x": [0.0, 1.0, 2.0], "y": [0.0, 0.0, 0.0]})
    model = {"kind": "linear_regression", "solver": "gradient_descent"}
    done = trained(data, target="y", model=model, epochs=2, regularization={"clip_norm": 1.0})
    assert (done.theta == 0).all()


# --- the rate ---


@pytest.mark.parametrize("kind", SCHEDULES)
def test_the_schedule_gives_every_epoch_its_rate(kind: str) -> None:
    """Where the gradient is 1, as that of the mean absolute error far away, a bias moves by the rate."""
    rule: Any = TypeAdapter(Schedule).validate_python({"kind": kind})
    posed = prepared(
        table({"x": [0.0, 0.0], "y": [-1000.0, -1000.0]}), target="y", loss={"kind": "mae"}, schedule={"kind": kind},
        model={"kind": "linear_regression", "solver": "gradient_descent"}, epochs=24,
        optimizer={"kind": "gradient_descent", "learning_rate": 0.5},
    )  # fmt: skip
    state, biases, losses = State(), [0.0], []
    memory = rule.start()
    for epoch in (epoch for epoch in train(posed.problem, state) if epoch.whole):
        layer = posed.problem.network.parameters.layers[0]
        assert layer.b is not None
        biases.append(float(layer.b[0]))
        losses.append(epoch.values["train_loss"])
        expected = rule.rate(0.5, epoch.number - 1, 24, memory)
        memory = rule.observe(memory, epoch.values["train_loss"])
        assert epoch.values["learning_rate"] == expected
        assert biases[-2] - biases[-1] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("validation", [0.0, 0.2])
def test_a_plateau_is_of_the_validation_loss_where_there_is_one(validation: float) -> None:
    schedule = {"kind": "reduce_on_plateau", "patience": 1, "factor": 0.5}
    done = run(schedule=schedule, split={"validation": validation}, epochs=40, optimizer={"kind": "adam", "learning_rate": 0.1})
    rule: Any = TypeAdapter(Schedule).validate_python(schedule)
    memory, expected = rule.start(), []
    for loss in done.course("validation_loss" if validation else "train_loss"):
        expected.append(rule.rate(0.1, 0, 40, memory))
        memory = rule.observe(memory, loss)
    assert done.course("learning_rate") == expected
    assert len(set(expected)) > 1


# --- what an epoch says ---


def test_an_epoch_tells_the_loss_before_its_steps_and_the_validation_after() -> None:
    posed = pose(split={"validation": 0.4}, batch_size="full", precision="float64", epochs=4)
    validation = posed.problem.validation
    assert validation is not None
    before: dict[str, float] = {}
    for epoch in (epoch for epoch in train(posed.problem, State()) if epoch.whole):
        outputs = posed.problem.network.evaluate(posed.problem.train.X)
        losses = np.log(np.exp(outputs).sum(axis=1)) - (outputs * posed.problem.train.Y).sum(axis=1)
        if before:
            assert epoch.values["train_loss"] == pytest.approx(before["loss"])
            assert epoch.values["train_accuracy"] == pytest.approx(before["accuracy"])
        right = outputs.argmax(axis=1) == posed.problem.train.Y.argmax(axis=1)
        before = {"loss": float(losses.mean()), "accuracy": float(right.mean())}
        outputs = posed.problem.network.evaluate(validation.X)
        losses = np.log(np.exp(outputs).sum(axis=1)) - (outputs * validation.Y).sum(axis=1)
        assert epoch.values["validation_loss"] == pytest.approx(losses.mean())
        right = outputs.argmax(axis=1) == validation.Y.argmax(axis=1)
        assert epoch.values["validation_accuracy"] == pytest.approx(right.mean())


SERIES = {"train_loss", "validation_loss", "learning_rate", "gradient_norm", "seconds"}


@pytest.mark.parametrize(("target", "metric"), [("blob", "accuracy"), ("sum", "r2")])
def test_the_contracts_series(target: str, metric: str) -> None:
    done = run(target=target, split={"validation": 0.2})
    assert set(done.last) == SERIES | {f"train_{metric}", f"validation_{metric}"}
    assert [epoch.number for epoch in done.epochs] == [1, 2, 3, 4, 5, 6]
    assert all(value is None or isinstance(value, float) for value in done.last.values())
    without = run(target=target, split={"validation": 0.0})
    assert set(without.last) == SERIES - {"validation_loss"} | {f"train_{metric}"}


@pytest.mark.parametrize(("rate", "schedule"), [(1e3, {"kind": "constant"}), (2e3, {"kind": "warm_up", "epochs": 2})])
def test_diverging_is_said(rate: float, schedule: dict[str, Any]) -> None:
    posed = pose(
        target="sum", model={"kind": "linear_regression", "solver": "gradient_descent"}, schedule=schedule, epochs=500,
        optimizer={"kind": "gradient_descent", "learning_rate": rate}, split={"validation": 0.2}, precision="float32",
    )  # fmt: skip
    with pytest.raises(Diverged) as raised:
        finish(posed)
    assert raised.value.epoch > 1
    assert raised.value.learning_rate == rate
    assert f"epoch {raised.value.epoch}" in str(raised.value)
    assert "learning rate" in str(raised.value)


def test_no_number_before_divergence_is_lost() -> None:
    posed = pose(
        target="sum", model={"kind": "linear_regression", "solver": "gradient_descent"}, epochs=500,
        optimizer={"kind": "gradient_descent", "learning_rate": 1e3}, split={"validation": 0.0}, precision="float32",
    )  # fmt: skip
    seen = []

    def to_the_end() -> None:
        for epoch in train(posed.problem, State()):
            seen.append(epoch)

    with pytest.raises(Diverged) as raised:
        to_the_end()
    assert [epoch.number for epoch in seen if epoch.whole] == list(range(1, raised.value.epoch))
    assert all(np.isfinite(epoch.values["train_loss"]) for epoch in seen if epoch.whole)


# --- every sibling trains ---


def falls(done: Run) -> None:
    losses = done.course("train_loss")
    assert np.isfinite(done.theta).all()
    assert min(losses) < losses[0]


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_every_optimizer_trains(kind: str) -> None:
    falls(run(optimizer={"kind": kind}))


@pytest.mark.parametrize("kind", [kind_of(cls) for cls in members(Activation)])
@pytest.mark.parametrize("target", ["blob", "sum"])
def test_every_activation_trains(kind: str, target: str) -> None:
    falls(run(target=target, model={"kind": "mlp", "hidden": [{"units": 6, "activation": kind}] * 2}))


@pytest.mark.parametrize("kind", [kind_of(cls) for cls in members(Initializer)])
def test_every_initializer_trains(kind: str) -> None:
    falls(run(model={**SMALL, "initializer": {"kind": kind}}))


@pytest.mark.parametrize("kind", SCHEDULES)
def test_every_schedule_trains(kind: str) -> None:
    falls(run(schedule={"kind": kind}))


@pytest.mark.parametrize(("kind", "task"), LOSSES)
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_every_loss_trains(kind: str, task: str, precision: str) -> None:
    two = table({**BLOBS, "is": BLOBS["blob"] == "blob_1", "far": BLOBS["x1"] > 2})
    if task == "tagging":
        request: dict[str, Any] = {"target": ["is", "far"], "features": FEATURES, "model": SMALL, "epochs": 6}
        done = trained(two, **request, loss={"kind": kind}, precision=precision)
        assert done.prepared.problem.spec.task == "tagging"
        falls(done)
        return
    target = "blob" if task == "classification" else "sum"
    falls(run(target=target, loss={"kind": kind}, precision=precision))
    if task == "classification":
        falls(trained(two, target="is", features=FEATURES, model=SMALL, loss={"kind": kind}, epochs=6, precision=precision))


SOLVERS = [
    {"kind": kind_of(cls), **({"solver": solver} if solver else {})}
    for cls in members(AnyModel)
    if cls.has_target and not issubclass(cls, ShortForm)  # no clusters, and no networks of images
    for solver in getattr(cls, "solvers", {"": None})
]


def two_moons() -> Table:
    return table({"x": [0.0, 1, 2, 0, 1, 2], "y": [0.0, 0, 0.1, 3, 3, 3.2], "m": [0, 0, 0, 1, 1, 1]})


@pytest.mark.parametrize("model", SOLVERS, ids=str)
def test_every_model_and_solver_trains(model: dict[str, Any]) -> None:
    data = two_moons()
    faster = {"epochs": 40, "optimizer": {"kind": "adam", "learning_rate": 0.05}} if model["kind"] == "network" else {}
    assert completed(data, target="m", model=model)
    done = trained(data, target="m", model=model, **faster)
    assert np.isfinite(done.theta).all()
    predicted = done.predictor().predict(data.columns).values
    np.testing.assert_allclose(np.array(predicted, float), data.columns["m"].values, atol=0.45)
