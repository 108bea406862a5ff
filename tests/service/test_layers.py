"""A job's layers through time: the numbers of each epoch, and histograms that can be laid one over the other."""

from typing import Any

import numpy as np
import pytest

from store.tables import Histograms, Job
from tests.service.conftest import Stage

EPOCHS = [0, 10, 20, 30]


def layers(stage: Stage, job: dict[str, Any], **query: Any) -> dict[str, Any]:
    response = stage.client.get(f"/v1/jobs/{job['id']}/layers", params=query)
    assert response.status_code == 200, response.text
    return response.json()


def test_every_number_through_the_epochs_in_common_bins(stage: Stage) -> None:
    job = stage.job(stage.iris(), "species", "mlp", epochs=30, record={"checkpoint_every": 10})
    found = layers(stage, job)
    assert found["epochs"] == EPOCHS
    assert [(each["layer"], each["of"]) for each in found["layers"]] == [
        ("hidden_1", "weights"), ("output", "weights"), ("hidden_1", "activations"), ("hidden_1", "gradients"),
        ("output", "activations"), ("output", "gradients"),
    ]  # fmt: skip
    assert all(each["counts"] is None for each in found["layers"])
    (one,) = layers(stage, job, layer="hidden_1", of="weights", bins=True)["layers"]
    assert all(0 < ratio < 1 for ratio in one["update_ratio"])
    assert one["alike"] == [0.0] * 4
    for place, epoch in enumerate(EPOCHS):
        weights = stage.client.get(f"/v1/jobs/{job['id']}/weights", params={"epoch": epoch}).json()["layers"][0]["weights"]
        assert one["counts"][place] == np.histogram(weights, one["edges"])[0].tolist()
        assert one["norm"][place] == pytest.approx(np.linalg.norm(weights))
        assert one["std"][place] == pytest.approx(np.std(weights))
    assert layers(stage, job, from_epoch=5, to_epoch=20, of="activations")["epochs"] == [10, 20]
    assert layers(stage, job, from_epoch=31) == {**found, "epochs": [], "layers": []}


def test_what_version_0_5_stored_is_read(stage: Stage) -> None:
    """It counted in 30 bins from the least to the greatest number, and knew no ratio of update to weight."""
    job = stage.job(stage.iris(), "species", "mlp", epochs=10)
    numbers = np.random.default_rng(1).normal(size=(4, 16))
    counts, edges = np.histogram(numbers, 30)
    entry = {
        "layer": "hidden_1", "of": "weights", "count": 64, "mean": numbers.mean(), "std": numbers.std(),
        "min": numbers.min(), "max": numbers.max(), "edges": edges.tolist(), "counts": counts.tolist(), "dead": None,
        "saturated": None,
    }  # fmt: skip
    with stage.place.database.transaction() as session:
        number = session.query(Job.number).filter_by(id=job["id"]).scalar()
        session.merge(Histograms(job_number=number, epoch=0, layers=[entry]))
    then = stage.client.get(f"/v1/jobs/{job['id']}/histograms", params={"epoch": 0}).json()["items"][0]["layers"]
    told = {"norm": np.linalg.norm(numbers), "update_ratio": None, "alike": None}
    lists = {name: entry.pop(name) for name in ("edges", "counts")}
    assert {name: then[0].pop(name) for name in lists} == lists
    assert then == [pytest.approx(entry | told)]
    one = layers(stage, job, layer="hidden_1", of="weights", bins=True)["layers"][0]
    assert one["norm"][0] == pytest.approx(told["norm"])
    assert (one["update_ratio"][0], one["update_ratio"][1] > 0) == (None, True)
    assert (one["counts"][0], sum(one["counts"][1])) == (None, 64)


def test_what_there_is_not_says_so(stage: Stage) -> None:
    job = stage.job(stage.iris(), "species", "mlp", epochs=2)
    answer = stage.client.get(f"/v1/jobs/{job['id']}/layers", params={"layer": "hidden_9"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (404, "/query/layer")
    assert answer.json()["detail"] == "no layer 'hidden_9'; there are hidden_1, output"
    answer = stage.client.get(f"/v1/jobs/{job['id']}/layers", params={"from_epoch": 2, "to_epoch": 1})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/query/to_epoch")
    body = {"dataset_id": stage.iris(), "features": ["petal_width"], "model": {"kind": "k_means", "clusters": 3}}
    clusters = stage.client.post("/v1/jobs", json=body).json()
    assert "k_means has no layers" in stage.client.get(f"/v1/jobs/{clusters['id']}/layers").json()["detail"]
