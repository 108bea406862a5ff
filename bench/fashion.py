"""Fashion-MNIST (Debian's dataset-fashion-mnist) through HTTP: uploaded, trained in a job, held against its test set."""

import gzip
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import httpx2 as httpx
import numpy as np

from cli.demo import embedded

FOLDER = Path("/usr/share/datasets/fashion-mnist")
IDX_UNSIGNED_BYTE = 0x08
BATCH = 2000
REQUEST = {
    "target": "label",
    "task": "classification",
    "optimizer": {"kind": "adam", "learning_rate": 0.001},
    "preprocessing": {"scaling": "min_max"},
    "split": {"validation": 0.1},
    "epochs": 12,
    "batch_size": 128,
}


class Case(NamedTuple):
    """What a job is asked besides REQUEST, and the accuracy that it is to reach."""

    name: str
    fields: dict[str, Any]
    target: float


CASES = (
    Case("784-256-128-10", {"model": {"kind": "mlp", "hidden": [{"units": 256}, {"units": 128}]}}, 0.88),
    Case(
        "LeNet-5, ReLU and maxima",
        {
            "model": {"kind": "lenet5", "activation": "relu", "pooling": "max", "initializer": "he_normal"},
            "optimizer": {"kind": "adam", "learning_rate": 0.002},
            "schedule": "cosine",
            "preprocessing": {"scaling": "standard"},
            "split": {"validation": 0.0},
            "epochs": 15,
        },
        0.90,
    ),
)


def main() -> None:
    if not FOLDER.is_dir():
        sys.exit(f"{FOLDER} is not there; on Debian: apt-get install dataset-fashion-mnist")
    with (
        tempfile.TemporaryDirectory() as folder,
        embedded(Path(folder)) as url,
        httpx.Client(base_url=url, timeout=600) as client,
    ):
        began = time.perf_counter()
        dataset = upload(client, "train")
        print(f"upload, images and labels as distributed, to a profiled dataset: {time.perf_counter() - began:.1f} s")
        for case in CASES:
            job = train(client, dataset["id"], case.fields)
            timings, epochs = job["timings"], job["request"]["epochs"]
            print(
                f"{case.name}: {epochs} epochs in {timings['train_seconds']:.1f} s after {timings['load_seconds']:.1f} s of "
                f"loading and {timings['compile_seconds']:.1f} s for kernels"
            )
            accuracy = test_accuracy(client, job["model_id"])
            print(f"accuracy on the 10,000 test images: {accuracy:.4f} (target: ≥ {case.target})")


def upload(client: httpx.Client, part: str) -> dict:
    paths = [FOLDER / f"{part}-images-idx3-ubyte.gz", FOLDER / f"{part}-labels-idx1-ubyte.gz"]
    files = [("file", (path.name, path.read_bytes())) for path in paths]
    return client.post("/v1/datasets", files=files).raise_for_status().json()


def read_idx(name: str) -> np.ndarray:
    """An IDX file of bytes: a magic number that names type and dimensions, the sizes, then the data (LeCun's format)."""
    data = gzip.decompress((FOLDER / f"{name}-ubyte.gz").read_bytes())
    assert data[2] == IDX_UNSIGNED_BYTE
    shape = np.frombuffer(data, ">u4", count=data[3], offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def train(client: httpx.Client, dataset_id: str, fields: dict[str, Any]) -> dict:
    job = client.post("/v1/jobs", json={"dataset_id": dataset_id, **REQUEST, **fields}).raise_for_status().json()
    while not (job := client.get(f"/v1/jobs/{job['id']}").json())["done"]:
        time.sleep(0.1)
    if job["state"] != "succeeded":
        raise RuntimeError(job["error"])
    return job


def test_accuracy(client: httpx.Client, model_id: str) -> float:
    images, labels = read_idx("t10k-images-idx3"), read_idx("t10k-labels-idx1")
    predicted: list[int] = []
    for start in range(0, len(images), BATCH):
        body = {"columns": ["image"], "data": [[image] for image in images[start : start + BATCH].tolist()]}
        predicted += client.post(f"/v1/models/{model_id}/predict", json=body).raise_for_status().json()["predictions"]
    return float(np.mean(np.array(predicted) == labels))


if __name__ == "__main__":
    main()
