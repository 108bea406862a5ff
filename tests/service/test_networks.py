"""Networks of layers through jobs: their shapes before, and weights, predictions and evaluations after training."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load

from tests.service.conftest import Stage
from tests.store.formats.files import archive

CONV: dict[str, Any] = {"kind": "conv2d", "filters": 3, "kernel": 3}
MODEL: dict[str, Any] = {"layers": [CONV, "batch_normalization", "max_pool2d", {"kind": "dense", "units": 5}]}
RNG = np.random.default_rng(3)


def pictures(rows: int = 60, classes: int = 7) -> tuple[bytes, np.ndarray]:
    """An archive of colour pictures of 9 × 8 pixels in folders for their classes, each with a stripe of its class's."""
    images = RNG.integers(0, 90, (rows, 9, 8, 3)).astype(np.uint8)
    images[np.arange(rows), np.arange(rows) % classes] = 250
    members = {}
    for row, image in enumerate(images):
        content = io.BytesIO()
        Image.fromarray(image).save(content, "PNG")
        members[f"class_{row % classes}/{row:03}.png"] = content.getvalue()
    return archive(members), images


def test_colour_pictures_from_their_archive_to_predictions(stage: Stage) -> None:
    packed, images = pictures()
    dataset = stage.csv(packed, "pictures.zip").json()
    assert (dataset["columns"][0]["kind"], dataset["columns"][0]["shape"]) == ("image", [9, 8, 3])
    fields: dict[str, Any] = {"epochs": 3, "record": {"histograms_every": 1, "checkpoint_every": 1}}
    fields["preprocessing"] = {"augmentation": {"horizontal_flip": True}}
    body = {"dataset_id": dataset["id"], "target": "label", "model": {"kind": "network", **MODEL}, **fields}
    looked_at = stage.client.post("/v1/jobs", params={"validate_only": True}, json=body).json()
    assert looked_at["request"]["model"]["input_shape"] == [9, 8, 3]
    shapes = [(each["kind"], each["input_shape"], each["output_shape"], each["parameters"]) for each in looked_at["layers"]]
    assert shapes == [
        ("conv2d", [9, 8, 3], [7, 6, 3], 84),
        ("batch_normalization", [7, 6, 3], [7, 6, 3], 6),
        ("max_pool2d", [7, 6, 3], [3, 3, 3], 0),
        ("flatten", [3, 3, 3], [27], 0),
        ("dense", [27], [5], 140),
        ("dense", [5], [7], 42),
    ]
    assert (looked_at["parameters"], [each["activation"] for each in looked_at["layers"]][:2]) == (272, ["relu", None])
    assert looked_at["memory_bytes"] > 0 and looked_at["seconds"] > 0
    (slow,) = [warning for warning in looked_at["warnings"] if warning["code"] == "NO_KERNEL"]
    assert (slow["field"], "layer 1, batch_normalization, has" in slow["detail"]) == ("model.layers.1", True)

    job = stage.job(dataset["id"], "label", "network", model=MODEL, **fields)
    assert slow in job["warnings"]
    assert (job["state"], job["parameters"]) == ("succeeded", 272), job["error"]
    url = f"/v1/jobs/{job['id']}"
    shown = stage.client.get(f"{url}/weights").json()["layers"]
    assert np.shape(shown[0]["arrays"]["weights"]) == (3, 3, 3, 3)
    assert {len(numbers) for numbers in shown[1]["arrays"].values()} == {3}
    assert [layer["name"] for layer in shown] == ["conv2d_1", "batch_normalization_1", "dense_1", "output"]
    tensors = load(stage.client.get(f"{url}/weights?format=safetensors").content)
    np.testing.assert_allclose(tensors["conv2d_1.weights"], shown[0]["arrays"]["weights"], rtol=1e-6)
    assert {name for name in tensors if name.startswith("output")} == {"output.weights", "output.bias"}

    evaluation = stage.client.get(f"{url}/evaluation?split=train").json()
    model = stage.client.get(f"/v1/models/{job['model_id']}").json()
    assert model["inputs"][0]["shape"] == [9, 8, 3]
    predict = f"/v1/models/{job['model_id']}/predict"
    answer = stage.client.post(predict, json={"records": [{"image": image.tolist()} for image in images]}).json()
    best = [sorted(shares, key=lambda name: -shares[name]) for shares in answer["probabilities"]]
    assert answer["predictions"] == [names[0] for names in best]
    labels = [f"class_{row % 7}" for row in range(len(images))]
    assert evaluation["top_k"] == 5
    whole = [label in names[:5] for label, names in zip(labels, best, strict=True)]
    found = [stage.client.get(f"{url}/evaluation?split={split}").json() for split in ("train", "validation")]
    assert sum(each["metrics"]["top_k_accuracy"] * each["rows"] for each in found) == pytest.approx(sum(whole))
    assert stage.client.get(f"{url}/evaluation?top_k=1&split=train").json()["metrics"]["top_k_accuracy"] == pytest.approx(
        evaluation["metrics"]["accuracy"]
    )
    refused = stage.client.get(f"{url}/evaluation?top_k=7").json()
    assert (refused["status"], refused["errors"][0]["pointer"]) == (422, "/query/top_k")

    trace = stage.client.post("/v1/traces", json={"job_id": job["id"], "epoch": 1})
    assert trace.status_code == 200, trace.text
    fork = stage.client.post(f"{url}/fork", json={"epoch": 2, "overrides": {}}).json()
    ended = stage.run(fork["id"])
    assert ended["latest"]["train_loss"] == job["latest"]["train_loss"]  # it saw the same views


def test_batches_that_are_too_small_to_be_normalized(stage: Stage) -> None:
    dense = {"kind": "network", "layers": [{"kind": "dense", "units": 4}, "batch_normalization"]}
    conv = {"kind": "network", "layers": [CONV | {"kernel": 1}, "batch_normalization"], "input_shape": [2, 2, 1]}
    iris, two = stage.iris(), stage.csv("a,b\n1,2.5\n3,4.5\n").json()["id"]

    def refused(dataset: str, target: str, model: dict[str, Any], **fields: Any) -> tuple[str, str] | None:
        body = {"dataset_id": dataset, "target": target, "model": model, **fields}
        answer = stage.client.post("/v1/jobs", params={"validate_only": True}, json=body)
        return (answer.json()["errors"][0]["pointer"], answer.json()["detail"]) if answer.status_code == 422 else None

    said = "batch_normalization_1 learns from batches of 2 rows or more, not of 1"
    assert refused(iris, "species", dense, batch_size=1) == (
        "/batch_size",
        f"{said}; set batch_size to 2 or more, or leave batch_normalization out",
    )
    left = {"split": {"validation": 0.5}}
    assert refused(two, "b", dense, **left) == (
        "/batch_size",
        f"{said}; upload more rows, or leave batch_normalization out",
    )
    assert refused(two, "b", dense) is refused(iris, "species", dense, batch_size=2) is None
    assert refused(iris, "species", conv, batch_size=1) is None  # four pixels vary

    job = stage.job(iris, "species", "network", model=dense, batch_size=7, epochs=1)  # a last batch of one of 120 rows
    assert job["state"] == "succeeded", job["error"]
    body = {"overrides": {"epochs": 2, "batch_size": 1}}
    problem = stage.client.post(f"/v1/jobs/{job['id']}/fork", json=body).json()
    assert (problem["status"], problem["errors"][0]["pointer"]) == (422, "/overrides/batch_size")


def test_lenet5_and_what_does_not_fit(stage: Stage) -> None:
    packed, _ = pictures(rows=14)
    dataset = stage.csv(packed, "pictures.zip").json()
    body = {"dataset_id": dataset["id"], "target": "label"}

    def asked(**model: Any) -> Any:
        return stage.client.post("/v1/jobs", params={"validate_only": True}, json=body | {"model": model}).json()

    problem = asked(kind="lenet5")
    assert (problem["status"], problem["errors"][0]["pointer"]) == (422, "/model")
    problem = asked(kind="network", layers=[CONV, {"kind": "max_pool2d", "kernel": 4}, CONV])
    assert problem["errors"][0]["pointer"] == "/model/layers/2"
    assert "images of 1 × 1 × 3" in problem["errors"][0]["detail"]
    digits = stage.sample("digits")
    body["dataset_id"], body["target"] = digits, "digit"
    found = asked(kind="network", layers=[CONV])
    assert found["request"]["model"]["layers"][1] == {"kind": "flatten"}
    assert found["request"]["model"]["input_shape"] == [8, 8, 1]
    assert "NO_KERNEL" not in str(found["warnings"])
