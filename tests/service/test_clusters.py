"""k-means over HTTP, from the request to predictions: numbers beside scikit-learn's, and answers where there are none."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.metrics as oracle
from safetensors.numpy import load
from sklearn.cluster import KMeans

from cli.demo import IRIS
from tests.service.conftest import Stage, stages

COLUMNS = ("sepal_length", "sepal_width", "petal_length", "petal_width")
LENGTHS = np.loadtxt(IRIS, delimiter=",", skiprows=1, usecols=range(4))
SPECIES = np.loadtxt(IRIS, str, delimiter=",", skiprows=1, usecols=4)
SCALED = (LENGTHS - LENGTHS.mean(axis=0)) / np.ptp(LENGTHS, axis=0)
MODEL = {"clusters": 3, "restarts": 4, "compare_with": "species"}


@dataclass
class Clustered:
    """A job that is done, and the cluster of each row by its centroids."""

    stage: Stage
    dataset: str
    job: dict[str, Any]

    def __post_init__(self) -> None:
        weights = self.get("weights")["centroids"]
        self.values, self.scaled = np.array(weights["values"]), np.array(weights["scaled"])
        self.distances = oracle.pairwise_distances(SCALED, self.scaled)
        self.clusters = self.distances.argmin(axis=1)

    def get(self, part: str) -> Any:
        answer = self.stage.client.get(f"/v1/jobs/{self.job['id']}/{part}")
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[dict[str, Clustered]]:
    """A job by each initialization, and one of another kind beside them."""
    with stages(tmp_path_factory.mktemp("clusters"), migrated) as make:
        stage = make()
        dataset = stage.iris()
        stage.job(dataset, "petal_width", "linear_regression")
        models = {name: {**MODEL, "initialization": name} for name in ("k_means_plus_plus", "random")}
        jobs = {name: stage.job(dataset, None, "k_means", model=model) for name, model in models.items()}
        yield {name: Clustered(stage, dataset, job) for name, job in jobs.items()}


@pytest.fixture
def done(both: dict[str, Clustered]) -> Clustered:
    return both["k_means_plus_plus"]


@pytest.mark.parametrize("initialization", ["k_means_plus_plus", "random"])
def test_it_ends_where_lloyds_algorithm_rests(both: dict[str, Clustered], initialization: str) -> None:
    done = both[initialization]
    job = done.job
    assert job["request"]["model"] == {"kind": "k_means", **MODEL, "initialization": initialization}
    assert (job["state"], job["warnings"], job["parameters"], job["request"]["target"]) == ("succeeded", [], 12, None)
    assert job["request"]["features"] == list(COLUMNS)
    theirs = KMeans(3, init=done.scaled, n_init=1).fit(SCALED)
    np.testing.assert_allclose(theirs.cluster_centers_, done.scaled, rtol=1e-12, atol=1e-15)
    assert job["latest"]["train_inertia"] == pytest.approx(theirs.inertia_, rel=1e-12)
    curves = {name: points["value"] for name, points in done.get("curves")["series"].items()}
    assert set(curves) == {"train_inertia", "train_loss", "restart", "moving_restarts", "empty_clusters", "seconds"}
    assert curves["train_inertia"] == sorted(curves["train_inertia"], reverse=True)
    np.testing.assert_allclose(np.array(curves["train_loss"]) * 150, curves["train_inertia"], rtol=1e-12)
    assert (curves["moving_restarts"][0], curves["moving_restarts"][-1]) == (4, 0)
    assert set(curves["restart"]) <= {1, 2, 3, 4} and set(curves["empty_clusters"]) == {0}


def test_centroids_are_the_means_of_their_rows_in_every_format(done: Clustered) -> None:
    weights = done.get("weights")
    assert (weights["layers"], weights["coefficients"], weights["centroids"]["features"]) == ([], None, list(COLUMNS))
    means = [LENGTHS[done.clusters == cluster].mean(axis=0) for cluster in range(3)]
    np.testing.assert_allclose(done.values, means, rtol=1e-12)
    url = f"/v1/jobs/{done.job['id']}/weights"
    packed = np.load(io.BytesIO(done.stage.client.get(url, params={"format": "npz"}).content))
    tensors = load(done.stage.client.get(url, headers={"Accept": "application/vnd.safetensors"}).content)
    for arrays in (packed, tensors):
        assert set(arrays) == {"centroids", "centroids.scaled"}
        np.testing.assert_array_equal(arrays["centroids"], done.values)
        np.testing.assert_array_equal(arrays["centroids.scaled"], done.scaled)


def test_an_evaluation_is_scikit_learns(done: Clustered) -> None:
    found, each = done.get("evaluation"), oracle.silhouette_samples(SCALED, done.clusters)
    assert (found["split"], found["rows"], found["silhouette_rows"]) == ("train", 150, 150)
    assert found["metrics"] == {
        "inertia": pytest.approx(np.square(done.distances.min(axis=1)).sum()),
        "silhouette": pytest.approx(each.mean()),
        "adjusted_rand_index": pytest.approx(oracle.adjusted_rand_score(SPECIES, done.clusters)),
    }
    for cluster, told in enumerate(found["clusters"]):
        rows = done.clusters == cluster
        names, counts = np.unique(SPECIES[rows], return_counts=True)
        assert (told["cluster"], told["rows"]) == (cluster, rows.sum())
        assert told["labels"] == dict(zip(names.tolist(), counts.tolist(), strict=True))
        assert told["silhouette"] == pytest.approx(each[rows].mean())
        assert told["mean_distance"] == pytest.approx(done.distances[rows, cluster].mean())


def test_predictions_are_the_nearest_centroid_and_the_distance_to_each(done: Clustered) -> None:
    url = f"/v1/models/{done.job['model_id']}/predict"
    answer = done.stage.client.post(url, json={"columns": list(COLUMNS), "data": LENGTHS.tolist()}).json()
    assert (answer["predictions"], answer["probabilities"], answer["warnings"]) == (done.clusters.tolist(), None, [])
    np.testing.assert_allclose(answer["distances"], done.distances, rtol=1e-12)
    record = dict(zip(COLUMNS, LENGTHS[7], strict=True)) | {"species": "setosa"}
    told = done.stage.client.post(url, json={"records": [record]}).json()
    assert (told["predictions"], told["distances"]) == (answer["predictions"][7:8], answer["distances"][7:8])
    assert [warning["code"] for warning in told["warnings"]] == ["COLUMNS_NOT_READ"]
    plane = done.get("boundary?x=petal_length&y=petal_width&resolution=4")
    fixed = [plane["fixed"][name] for name in COLUMNS[:2]]
    grid = [[[*fixed, x, y] for x in plane["x"]["values"]] for y in plane["y"]["values"]]
    scaled = (np.array(grid) - LENGTHS.mean(axis=0)) / np.ptp(LENGTHS, axis=0)
    nearest = oracle.pairwise_distances(scaled.reshape(16, 4), done.scaled).argmin(axis=1)
    assert plane["predictions"] == nearest.reshape(4, 4).tolist()


def test_lists_find_them_by_their_kind(both: dict[str, Clustered]) -> None:
    client = both["random"].stage.client
    for path, name in (("jobs", "id"), ("models", "model_id")):
        assert len(client.get(f"/v1/{path}").json()["items"]) == 3
        found = client.get(f"/v1/{path}", params={"model_kind": "k_means", "view": "brief"}).json()["items"]
        assert {item["id"] for item in found} == {done.job[name] for done in both.values()}


NO_LAYERS = "k_means has no layers to look into; see its weights and its evaluation"
NO_STEPS = "k_means was not trained by gradient descent: there is no step to look at"
ASKED: list[tuple[str, int, str | None, str]] = [
    ("weights?epoch=0", 404, None, "no weights of epoch 0 are kept; there are those of"),
    ("weights?layer=output", 404, "/query/layer", "no layer 'output'; k_means has none: leave it out"),
    ("histograms", 422, "/job_id", NO_LAYERS),
    ("filters", 422, "/job_id", NO_LAYERS),
    ("feature_maps", 422, "/job_id", NO_LAYERS),
    ("boundary?hidden=true", 422, "/query/hidden", "k_means has no hidden units; leave it out"),
    ("evaluation?split=test", 404, "/query/split", "it was not asked to set any apart (split.test)"),
    ("evaluation?top_k=2", 422, "/query/top_k", "top_k means nothing for a clustering; leave it out"),
    ("curves?series=train_accuracy", 404, "/query/series", "no series 'train_accuracy'"),
    ("/v1/traces", 422, "/job_id", NO_STEPS),
    ("/v1/gradient_checks", 422, "/job_id", NO_STEPS),
]
"""What only other models have: a part of the job, or where its id is posted, and the status, the place and the words told."""


@pytest.mark.parametrize(("part", "status", "pointer", "said"), ASKED)
def test_what_it_has_not_is_told(done: Clustered, part: str, status: int, pointer: str | None, said: str) -> None:
    client, job = done.stage.client, done.job["id"]
    is_posted = part.startswith("/")
    problem = (client.post(part, json={"job_id": job}) if is_posted else client.get(f"/v1/jobs/{job}/{part}")).json()
    assert problem["status"] == status and said in problem["detail"]
    assert [error["pointer"] for error in problem.get("errors", [])] == ([pointer] if pointer else [])


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"target": "species"}, "/target", "remove it, and to hold clusters against labels name model.compare_with"),
    ({"optimizer": "adam"}, "/optimizer", "means nothing for k_means (clustering); remove it"),
    ({"loss": "mse"}, "/loss", "means nothing for k_means"),
    ({"batch_size": 16}, "/batch_size", "means nothing for k_means"),
    ({"early_stopping": {}}, "/early_stopping", "means nothing for k_means"),
    ({"record": {"curves": "batch"}}, "/record/curves", "takes no batches, whose losses could be kept; set it to epoch"),
    ({"record": {"histograms_every": 1}}, "/record/histograms_every", "which has no layers; remove it"),
    ({"precision": "float32"}, "/precision", "is solved in float64; remove it"),
    ({"task": "classification"}, "/task", "k_means does clustering, not classification"),
    ({"model": {"clusters": 151}}, "/model/clusters", "cannot start at 150 training rows; take 150 or fewer"),
    ({"model": {"clusters": 76}, "split": {"validation": 0.5}}, "/model/clusters", "take 75 or fewer"),
    ({"model": {"restarts": 0}}, "/model/restarts", "greater than or equal to 1"),
    ({"model": {"initialization": "k-means++"}}, "/model/initialization", "'k_means_plus_plus' or 'random'"),
    ({"model": {"compare_with": "kind"}}, "/model/compare_with", "no column 'kind'; there are 'sepal_length'"),
    ({"model": {"compare_with": "petal_width"}}, "/model/compare_with", "holds fractions, which are no labels"),
    ({"model": {"compare_with": "species"}, "features": ["species"]}, "/model/compare_with", "leave one out"),
]


@pytest.mark.parametrize(("fields", "pointer", "said"), REFUSED)
def test_what_means_nothing_for_it_is_refused_before_anything_is_stored(
    done: Clustered, fields: dict[str, Any], pointer: str, said: str
) -> None:
    body = {"dataset_id": done.dataset, **fields, "model": {"kind": "k_means", "clusters": 3, **fields.get("model", {})}}
    answer = done.stage.client.post("/v1/jobs", json=body)
    assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (422, [pointer])
    assert said in answer.json()["detail"]
    assert len(done.stage.client.get("/v1/jobs").json()["items"]) == 3
