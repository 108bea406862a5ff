"""Which epoch is the best, which one answers come from, and what there is of the first: epoch 0, before training."""

import io
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load as load_safetensors

from engine.parts.initializers import HeNormal
from engine.randomness import generator
from tests.service.conftest import Stage
from worker.training import run

NOISY = "x,z,y\n" + "".join(
    f"{x:.4f},{z:.4f},{'ab'[int(x + z + noise > 0)]}\n" for x, z, noise in np.random.default_rng(3).normal(size=(120, 3))
)
SPLIT = {"validation": 0.2, "test": 0.2}
WIDE = {"hidden": [{"units": 64}]}


def got(stage: Stage, job: Any, part: str = "", **query: Any) -> Any:
    response = stage.client.get(f"/v1/jobs/{job['id']}{part and '/' + part}", params=query)
    assert response.status_code == 200, response.text
    return response.json()


# --- the best ---


@pytest.mark.parametrize("sample", ["and", "xor"])
def test_a_perceptrons_best_is_its_pockets(stage: Stage, sample: str) -> None:
    job = stage.job(stage.sample(sample), "y", "perceptron", epochs=8)
    mistakes = got(stage, job, "curves")["series"]["pocket_mistakes"]["value"]
    assert job["best"]["epoch"] == mistakes.index(min(mistakes)) + 1
    assert job["best"]["pocket_mistakes"] == min(mistakes) == {"and": 0, "xor": 1}[sample]
    best = got(stage, job, "weights", epoch="best")
    assert any(weight for row in best["layers"][0]["weights"] for weight in row)
    last = got(stage, job, "weights", epoch="last")
    assert last["layers"] == best["layers"]  # the pocket stays as it is until a better line is seen
    rows = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    for weights, counted in ((last, "pocket_mistakes"), (last["last"], "mistakes")):
        W, b = (np.array(weights["coefficients"][name]) for name in ("weights", "bias"))
        truth = {"and": [0, 0, 0, 1], "xor": [0, 1, 1, 0]}[sample]
        assert np.sum((rows @ W + b > 0)[:, 0] != np.array(truth)) == job["latest"][counted]
    tensors = np.load(io.BytesIO(stage.client.get(f"/v1/jobs/{job['id']}/weights?format=npz").content))
    np.testing.assert_array_equal(tensors["last.output.weights"], last["last"]["layers"][0]["weights"])


def test_the_best_is_the_lowest_however_little_lower(stage: Stage) -> None:
    dataset_id = stage.csv(NOISY).json()["id"]
    stopping = {"patience": 5, "min_delta": 10}
    job = stage.job(dataset_id, "y", "mlp", epochs=100, split=SPLIT, early_stopping=stopping)
    losses = got(stage, job, "curves")["series"]["validation_loss"]["value"]
    assert len(losses) == 6  # nothing fell by 10
    assert job["best"]["epoch"] == losses.index(min(losses)) + 1 > 1
    assert stage.client.get(f"/v1/models/{job['model_id']}").json()["epoch"] == job["best"]["epoch"]


def test_answers_come_from_the_models_epoch(stage: Stage) -> None:
    dataset_id = stage.csv(NOISY).json()["id"]
    fields: Any = {"epochs": 300, "split": SPLIT, "model": WIDE, "optimizer": {"kind": "adam", "learning_rate": 0.05}}
    stopped = stage.job(dataset_id, "y", "mlp", **fields, early_stopping={"patience": 10})
    plain = stage.job(dataset_id, "y", "mlp", **fields | {"epochs": 30})
    for job, epoch in ((stopped, stopped["best"]["epoch"]), (plain, 30)):
        assert epoch < job["latest"]["epoch"] or job is plain
        for part, query in (("evaluation", {}), ("weights", {}), ("boundary", {"resolution": 3})):
            assert got(stage, job, part, **query)["epoch"] == epoch
            assert got(stage, job, part, **query, epoch="last")["epoch"] == job["latest"]["epoch"]
            assert got(stage, job, part, **query, epoch="model") == got(stage, job, part, **query)
        assert stage.client.post("/v1/traces", json={"job_id": job["id"]}).json()["epoch"] == epoch
        model = stage.client.get(f"/v1/models/{job['model_id']}").json()
        assert model["epoch"] == epoch
        found = got(stage, job, "evaluation", split="validation")
        assert found["metrics"]["accuracy"] == pytest.approx(model["metrics"]["validation_accuracy"])


# --- the first ---


def test_the_first_weights_are_drawn_by_the_seed(stage: Stage) -> None:
    job = stage.job(stage.iris(), "species", "mlp", epochs=2, seed=5)
    (first, *others) = reversed(got(stage, job, "checkpoints")["items"])
    assert (first["epoch"], first["sha256"], first["bytes"], first["values"]) == (0, None, None, {})
    assert [entry["epoch"] for entry in others] == [2] or [entry["epoch"] for entry in others] == [1, 2]
    found = got(stage, job, "weights", epoch=0)
    assert found["epoch"] == 0
    rng = generator(5, "initialization")
    for layer, shape in zip(found["layers"], [(4, 16), (16, 3)], strict=True):
        np.testing.assert_array_equal(np.float32(layer["weights"]), np.float32(HeNormal().draw(rng, *shape)))
        assert not any(layer["bias"])
    evaluation = got(stage, job, "evaluation", epoch=0, split="validation")
    assert evaluation["epoch"] == 0
    assert evaluation["metrics"]["log_loss"] > got(stage, job, "evaluation", split="validation")["metrics"]["log_loss"]
    assert got(stage, job, "boundary", epoch=0, resolution=3)["epoch"] == 0
    content = stage.client.get(f"/v1/jobs/{job['id']}/weights", params={"epoch": 0, "format": "safetensors"}).content
    np.testing.assert_array_equal(load_safetensors(content)["output.weights"], np.float32(found["layers"][1]["weights"]))
    traced = stage.client.post("/v1/traces", json={"job_id": job["id"], "epoch": 0}).json()
    W = next(each for each in traced["steps"][0]["quantities"] if each["name"] == "W")
    np.testing.assert_array_equal(np.float32(W["values"]), np.float32(found["layers"][0]["weights"]))


@pytest.mark.parametrize("kind", ["linear_regression", "logistic_regression", "perceptron"])
def test_linear_models_begin_at_nought(stage: Stage, kind: str) -> None:
    job = stage.job(stage.sample("and"), "y", kind)
    found = got(stage, job, "weights", epoch=0)
    assert not np.any(found["layers"][0]["weights"])
    assert [entry["epoch"] for entry in got(stage, job, "histograms")["items"]] == [0, job["progress"]["epoch"]]


def test_pages_of_checkpoints_end_with_the_first(stage: Stage) -> None:
    job = stage.job(stage.iris(), "species", "mlp", epochs=4, record={"checkpoint_every": 1})
    epochs, token = [], None
    while True:
        page = got(stage, job, "checkpoints", page_size=2, **({"page_token": token} if token else {}))
        epochs += [entry["epoch"] for entry in page["items"]]
        token = page["next_page_token"]
        if token is None:
            break
    assert epochs == [4, 3, 2, 1, 0]


def test_short_runs_have_histograms(stage: Stage) -> None:
    job = stage.job(stage.iris(), "species", "mlp", epochs=2)
    items = got(stage, job, "histograms")["items"]
    assert [entry["epoch"] for entry in items] == [0, 2]
    first = np.array(got(stage, job, "weights", epoch=0)["layers"][0]["weights"]).ravel()
    layer = got(stage, job, "histograms", epoch=0, layer="hidden_1", of="weights")["items"][0]["layers"][0]
    assert layer["counts"] == np.histogram(first, layer["edges"])[0].tolist()


def test_a_fork_begins_where_it_was_forked(stage: Stage) -> None:
    parent = stage.job(stage.iris(), "species", "mlp", epochs=6, record={"checkpoint_every": 3})
    fork = stage.client.post(f"/v1/jobs/{parent['id']}/fork", json={"epoch": 3, "overrides": {"epochs": 8}}).json()
    run(stage.place, fork["id"])
    first = got(stage, fork, "weights", epoch=0)
    assert (first["epoch"], first["layers"]) == (3, got(stage, parent, "weights", epoch=3)["layers"])
    assert [entry["epoch"] for entry in got(stage, fork, "checkpoints")["items"]][-1] == 3
    assert [entry["epoch"] for entry in got(stage, fork, "histograms")["items"]] == [3, 8]


def test_before_anything_is_fitted_there_are_no_first_weights(stage: Stage) -> None:
    body = {"dataset_id": stage.iris(), "target": "species", "model": {"kind": "mlp"}}
    job = stage.client.post("/v1/jobs", json=body).json()
    assert stage.client.get(f"/v1/jobs/{job['id']}/weights?epoch=0").status_code == 404
    assert got(stage, job, "checkpoints")["items"] == []
    assert job["scaling"] is None


# --- names and scales ---


def test_the_first_layers_weights_name_their_features(stage: Stage) -> None:
    text = "sex,sex=male,sort,x,y\n" + "".join(
        f"{'male' if n % 2 else 'female'},{n % 5},{'abc'[n % 3]},{n * n % 7},{n}.5\n" for n in range(30)
    )
    job = stage.job(stage.csv(text).json()["id"], "y", "mlp", epochs=2, model={"hidden": [{"units": 3}]})
    layers = got(stage, job, "weights")["layers"]
    assert layers[0]["inputs"] == ['sex="male"', "sex=male", "sort=a", "sort=b", "sort=c", "x"]
    assert len(layers[0]["weights"]) == 6
    assert (layers[0]["outputs"], layers[1]["inputs"], layers[1]["outputs"]) == (None, None, ["y"])
    linear = stage.job(stage.csv(text).json()["id"], "y", "linear_regression")
    assert got(stage, linear, "weights")["coefficients"]["features"] == layers[0]["inputs"]


@pytest.mark.parametrize(("scaling", "of"), [
    ("mean_normalization", lambda x: (x.mean(), x.max() - x.min())),
    ("standard", lambda x: (x.mean(), x.std())),
    ("min_max", lambda x: (x.min(), x.max() - x.min())),
    ("none", lambda x: (0, 1)),
])  # fmt: skip
def test_the_fitted_scaling_is_told(stage: Stage, scaling: str, of: Any) -> None:
    text = "a,sort,y\n" + "".join(f"{n * n}.5,{'uv'[n % 2]},{n}.5\n" for n in range(20))
    job = stage.job(stage.csv(text).json()["id"], "y", "linear_regression", preprocessing={"scaling": scaling})
    model = stage.client.get(f"/v1/models/{job['model_id']}").json()
    assert job["scaling"] == model["scaling"]
    assert job["scaling"]["kind"] == scaling
    assert job["scaling"]["formula"].startswith("x'")
    (column,) = job["scaling"]["columns"]
    center, scale = of(np.arange(20.0) ** 2 + 0.5)
    assert column == {"column": "a", "center": pytest.approx(center), "scale": pytest.approx(scale)}
