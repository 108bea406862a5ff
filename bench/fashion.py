"""Fashion-MNIST (Debian's dataset-fashion-mnist) through HTTP: uploaded, trained in a job, held against its test set."""

import gzip
import sys
import tempfile
import time
from pathlib import Path

import httpx2 as httpx
import numpy as np
import polars as pl

from cli.demo import embedded

FOLDER = Path("/usr/share/datasets/fashion-mnist")
IDX_UNSIGNED_BYTE = 0x08
BATCH = 2000
TARGET_ACCURACY = 0.88
REQUEST = {
    "target": "label",
    "task": "classification",
    "model": {"kind": "mlp", "hidden": [{"units": 256}, {"units": 128}]},
    "optimizer": {"kind": "adam", "learning_rate": 0.001},
    "preprocessing": {"scaling": "min_max"},
    "split": {"validation": 0.1},
    "epochs": 12,
    "batch_size": 128,
}


def main() -> None:
    if not FOLDER.is_dir():
        sys.exit(f"{FOLDER} is not there; on Debian: apt-get install dataset-fashion-mnist")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "fashion.csv")
        write_csv(path, read_idx("train-images-idx3"), read_idx("train-labels-idx1"))
        with embedded(Path(folder)) as url, httpx.Client(base_url=url, timeout=600) as client:
            began = time.perf_counter()
            with path.open("rb") as file:
                dataset = client.post("/v1/datasets", files={"file": ("fashion.csv", file)}).raise_for_status().json()
            uploaded = time.perf_counter() - began
            print(f"upload, {path.stat().st_size / 1e6:.0f} MB of CSV to a profiled dataset: {uploaded:.1f} s")
            job = train(client, dataset["id"])
            print(
                f"training, {REQUEST['epochs']} epochs of 784-256-128-10: {job['timings']['train_seconds']:.1f} s"
                f" after {job['timings']['load_seconds']:.1f} s of loading"
            )
            accuracy = test_accuracy(client, job["model_id"])
            print(f"accuracy on the 10,000 test images: {accuracy:.4f} (target: ≥ {TARGET_ACCURACY})")


def read_idx(name: str) -> np.ndarray:
    """An IDX file of bytes: a magic number that names type and dimensions, the sizes, then the data (LeCun's format)."""
    data = gzip.decompress((FOLDER / f"{name}-ubyte.gz").read_bytes())
    assert data[2] == IDX_UNSIGNED_BYTE
    shape = np.frombuffer(data, ">u4", count=data[3], offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def names(pixels: int) -> list[str]:
    return [f"pixel_{index}" for index in range(pixels)]


def write_csv(path: Path, images: np.ndarray, labels: np.ndarray) -> None:
    flat = images.reshape(len(images), -1)
    pl.DataFrame({"label": labels, **dict(zip(names(flat.shape[1]), flat.T, strict=True))}).write_csv(path)


def train(client: httpx.Client, dataset_id: str) -> dict:
    job = client.post("/v1/jobs", json={"dataset_id": dataset_id, **REQUEST}).raise_for_status().json()
    while not (job := client.get(f"/v1/jobs/{job['id']}").json())["done"]:
        time.sleep(0.1)
    if job["state"] != "succeeded":
        raise RuntimeError(job["error"])
    return job


def test_accuracy(client: httpx.Client, model_id: str) -> float:
    images, labels = read_idx("t10k-images-idx3"), read_idx("t10k-labels-idx1")
    flat = images.reshape(len(images), -1)
    predicted: list[int] = []
    for start in range(0, len(flat), BATCH):
        body = {"columns": names(flat.shape[1]), "data": flat[start : start + BATCH].tolist()}
        predicted += client.post(f"/v1/models/{model_id}/predict", json=body).raise_for_status().json()["predictions"]
    return float(np.mean(np.array(predicted) == labels))


if __name__ == "__main__":
    main()
