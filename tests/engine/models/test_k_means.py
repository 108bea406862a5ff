"""k-means as a model: from a request to clusters, held against scikit-learn, and taken up again wherever it was left."""

from typing import Any

import numpy as np
import pytest
import sklearn.metrics as oracle
from sklearn.cluster import KMeans as Oracle

from engine.errors import InvalidSpec, UnusableData
from engine.models import k_means, lloyd
from engine.models.base import by_definition
from engine.models.run_state import State
from engine.tables.samples import IrisSample
from engine.training.estimate import estimate
from engine.training.evaluation import evaluate
from engine.training.prepare import Prepared
from engine.training.run import train
from engine.training.spec import Training
from tests.engine import Table, completed, finish, prepared, refusals, table, trained

IRIS = table(IrisSample().columns())
LENGTHS = np.stack([IRIS.columns[name].values for name in list(IRIS.columns)[:4]], axis=1)
THREE = {"kind": "k_means", "clusters": 3, "compare_with": "species"}
UNSCALED = {"scaling": "none"}


def many(rows: int) -> Table:
    rng = np.random.default_rng(0)
    return table({name: rng.normal(size=rows) for name in "xyz"})


@pytest.mark.parametrize("initialization", ["k_means_plus_plus", "random"])
def test_the_irises_fall_into_the_clusters_of_least_inertia(initialization: str) -> None:
    run = trained(IRIS, model={**THREE, "initialization": initialization}, preprocessing=UNSCALED)
    theirs = Oracle(3, n_init=10, random_state=0).fit(LENGTHS)
    assert run.last["train_inertia"] == pytest.approx(theirs.inertia_, rel=1e-12)
    assert run.last["train_loss"] == pytest.approx(theirs.inertia_ / 150, rel=1e-12)
    found = run.predictor().centroids()
    assert found is not None
    np.testing.assert_allclose(sorted(found[1].tolist()), sorted(theirs.cluster_centers_.tolist()), rtol=1e-12)
    assert run.epochs[-1].converged and not run.codes


def test_inertia_never_rises_and_is_that_of_the_centroids_after_the_epoch() -> None:
    posed = prepared(IRIS, model={**THREE, "restarts": 4}, preprocessing=UNSCALED)
    state, before = State(), np.inf
    for epoch in train(posed.problem, state):
        if epoch.whole:
            inertia = epoch.values["train_inertia"]
            distances = posed.problem.learner.evaluate(LENGTHS)
            assert inertia == pytest.approx(float(np.square(distances.min(axis=1)).sum()), rel=1e-12)
            assert inertia <= before * (1 + 1e-12)
            before = inertia


def test_more_restarts_are_never_worse_and_begin_alike() -> None:
    one, ten = (trained(many(200), model={"kind": "k_means", "clusters": 9, "restarts": n}) for n in (1, 10))
    assert ten.last["train_inertia"] < one.last["train_inertia"]
    assert one.last["restart"] == 1
    assert len(ten.epochs) >= len(one.epochs)


def split_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have long runs stop as often as they can."""
    monkeypatch.setattr(k_means, "BREATH_SECONDS", -1.0)
    monkeypatch.setattr(lloyd, "PIECE_ROWS", 256)


def arrays(posed: Prepared, state: State) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in state.arrays(posed.problem.learner).items()}


@pytest.mark.parametrize("every", [1, 7])
def test_a_run_left_anywhere_and_taken_up_again_ends_in_the_same_bits(monkeypatch: pytest.MonkeyPatch, every: int) -> None:
    split_up(monkeypatch)
    data, request = many(700), {"model": {"kind": "k_means", "clusters": 4, "restarts": 3}, "split": {"validation": 0.2}}
    whole, state = prepared(data, **request), State()
    values = [epoch.values for epoch in train(whole.problem, state, by_definition) if epoch.whole]
    found, stretches, kept = [], 0, None
    while not found or found[-1]["moving_restarts"]:
        taken, stretches = prepared(data, **request), stretches + 1
        resumed = State() if kept is None else State.from_arrays(kept, taken.problem.learner)
        for steps, epoch in enumerate(train(taken.problem, resumed, by_definition), 1):
            found += [epoch.values] if epoch.whole else []
            if steps >= every and resumed.vectors:  # before its starts are drawn a run has nothing to be taken up from
                break
        kept = resumed.arrays(taken.problem.learner)
    assert stretches > 3
    timeless = [[{**each, "seconds": 0} for each in several] for several in (values, found)]
    assert timeless[0] == timeless[1]
    assert {name: array.tobytes() for name, array in kept.items()} == arrays(whole, state)


def test_the_compiled_path_takes_the_definitions_way() -> None:
    data, request = many(300), {"model": {"kind": "k_means", "clusters": 5}}
    fast, slow = prepared(data, **request), prepared(data, **request)
    quick = finish(fast)
    for _ in train(slow.problem, State(), by_definition):
        pass
    np.testing.assert_allclose(quick.theta, slow.problem.learner.parameters.theta, atol=1e-12)


def test_a_run_at_rest_has_nothing_left_to_do() -> None:
    run = trained(IRIS, model=THREE)
    assert list(train(run.prepared.problem, run.state)) == []


def test_epochs_that_run_out_are_told() -> None:
    run = trained(many(200), model={"kind": "k_means", "clusters": 9}, epochs=2)
    assert run.codes == ["NOT_CONVERGED"]
    assert len(run.epochs) == 2


def test_fewer_different_rows_than_clusters_are_told() -> None:
    run = trained(table({"x": [1.0, 1.0, 4.0, 4.0, 9.0] * 4}), model={"kind": "k_means", "clusters": 5})
    assert run.codes == ["EMPTY_CLUSTERS"]
    assert (run.last["empty_clusters"], run.last["train_inertia"]) == (2, pytest.approx(0, abs=1e-25))


def test_predictions_are_the_nearest_cluster_and_the_distances_to_all() -> None:
    run = trained(IRIS, model=THREE, preprocessing=UNSCALED)
    found, centroids = run.predictor().predict(IRIS.columns), run.predictor().centroids()
    assert centroids is not None and found.distances is not None
    expected = np.sqrt(np.square(LENGTHS[:, None] - centroids[0]).sum(axis=2))
    np.testing.assert_allclose(found.distances, expected, rtol=1e-12)
    assert found.values == expected.argmin(axis=1).tolist()
    assert found.probabilities is None and run.predictor().coefficients() is None


def test_centroids_are_the_means_of_their_rows_in_the_datas_own_units() -> None:
    cells = {"x": [1.0, 2, 3, 101, 102, 103], "kind": ["a", "b", "a", "b", "c", "b"]}
    run = trained(table(cells), model={"kind": "k_means", "clusters": 2}, preprocessing=UNSCALED)
    found = run.predictor().centroids()
    assert found is not None
    np.testing.assert_allclose(sorted(found[1].tolist()), [[2, 2 / 3, 1 / 3, 0], [102, 0, 2 / 3, 1 / 3]], atol=1e-12)


def test_an_evaluation_is_scikit_learns() -> None:
    run = trained(IRIS, model=THREE, preprocessing=UNSCALED)
    found = evaluate(run.predictor(), IRIS.columns, None)
    assert found is not None and found.clusters is not None
    clusters, species = np.array(run.predictor().predict(IRIS.columns).values), IRIS.columns["species"].values
    assert found.metrics == {
        "inertia": pytest.approx(run.last["train_inertia"]),
        "silhouette": pytest.approx(oracle.silhouette_score(LENGTHS, clusters)),
        "adjusted_rand_index": pytest.approx(oracle.adjusted_rand_score(species, clusters)),
    }
    assert [each["rows"] for each in found.clusters] == np.bincount(clusters).tolist()
    assert sum(each["inertia"] for each in found.clusters) == pytest.approx(found.metrics["inertia"])
    assert {"setosa": 50} in [each["labels"] for each in found.clusters]
    assert (found.split, found.rows, found.silhouette_rows) == ("train", 150, 150)


def test_the_silhouette_of_many_rows_is_that_of_a_sample_drawn_by_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.training.evaluation.SILHOUETTE_ROWS", 100)
    data = many(400)
    run = trained(data, model={"kind": "k_means", "clusters": 3})
    found = [evaluate(run.predictor(), data.columns, None) for _ in range(2)]
    assert found[0] == found[1] and found[0] is not None
    assert found[0].silhouette_rows == 100 and found[0].rows == 400
    assert found[0].metrics["adjusted_rand_index"] is None


def test_rows_without_a_label_train_and_are_left_out_of_the_comparison() -> None:
    data = table({"x": [0.0, 1, 10, 11, 12], "label": ["a", "a", "b", None, "b"]})
    run = trained(data, model={"kind": "k_means", "clusters": 2, "compare_with": "label"}, preprocessing={"missing": "drop"})
    found = evaluate(run.predictor(), data.columns, None)
    assert found is not None
    assert (found.rows, found.metrics["adjusted_rand_index"]) == (5, 1.0)


def test_the_completed_request_leaves_the_label_out_of_the_features_and_no_rows_aside() -> None:
    spec: Training = completed(IRIS, model=THREE)
    assert spec.features == tuple(IRIS.columns)[:4]
    assert (spec.target, spec.task, spec.epochs, spec.seed, spec.precision) == (None, "clustering", 300, 0, "float64")
    assert (spec.split.validation, spec.record.histograms_every) == (0.0, None)
    assert completed(IRIS, model=THREE, split={"validation": 0.1}).split.validation == 0.1
    found = estimate(spec, IRIS.columns)
    assert (found.parameters, found.seconds, list(found.layers)) == (12, None, [])


@pytest.mark.parametrize(
    ("request_", "pointer"),
    [
        ({"target": "species"}, "/target"),
        ({"task": "regression"}, "/task"),
        ({"loss": "mse"}, "/loss"),
        ({"optimizer": "adam"}, "/optimizer"),
        ({"early_stopping": {}}, "/early_stopping"),
        ({"precision": "float32"}, "/precision"),
        ({"record": {"histograms_every": 5}}, "/record/histograms_every"),
        ({"record": {"curves": "batch"}}, "/record/curves"),
        ({"features": ["species"]}, "/model/compare_with"),
        ({"model": {**THREE, "compare_with": "genus"}}, "/model/compare_with"),
        ({"model": {**THREE, "compare_with": "petal_width"}}, "/model/compare_with"),
    ],
)
def test_what_means_nothing_for_it_is_refused(request_: dict[str, Any], pointer: str) -> None:
    assert [at for at, _ in refusals(IRIS, **{"model": THREE, **request_})] == [pointer]


def test_other_models_still_need_a_target() -> None:
    assert [at for at, _ in refusals(IRIS, model="mlp")] == ["/target"]


def test_more_clusters_than_training_rows_are_refused() -> None:
    with pytest.raises(UnusableData) as raised:
        prepared(IRIS, model={**THREE, "clusters": 121}, split={"validation": 0.2})
    assert raised.value.errors == [("/model/clusters", "121 clusters cannot start at 120 training rows; take 120 or fewer")]


def test_layers_are_not_looked_for() -> None:
    predictor = trained(IRIS, model=THREE).predictor()
    with pytest.raises(InvalidSpec, match="has no layers"):
        _ = predictor.network
