"""/healthz beside the heaviest answers of the glass box, each at about the most that one call may take, on a real server."""

import os
import sys
import tempfile
import time
from typing import Any

import httpx2 as httpx
import numpy as np

from bench.load import EVERY, SECONDS, Call, Case, measure, processor, wait_until_up
from bench.processes import free_port, running

ROWS, COLUMNS = 100_000, 20
AT_ONCE = 4
"""Calls side by side: twice as many as have a turn at computing."""
WIDE = {"kind": "mlp", "hidden": [{"units": 512}, {"units": 256}]}
DEEP = {"kind": "mlp", "hidden": [{"units": 64}] * 10}
ONE = {"dataset_id": "{moons}", "feature": "x", "target": "moon", "resolution": 20}
CASES: dict[str, Case | None] = {
    "nothing": None,
    "diagnosis of a wide network": Call("/v1/jobs/{wide}/diagnosis"),
    "diagnosis of 100,000 rows of 20 columns": Call("/v1/jobs/{table}/diagnosis"),
    "all layers of 10 through 200 epochs, with bins": Call("/v1/jobs/{deep}/layers?bins=true"),
    "what if, of a wide network": Call("/v1/jobs/{wide}/what_if", {"row": 3, "changes": {"pixel_3_3": 9}}),
    "what if, of 100,000 rows": Call("/v1/jobs/{table}/what_if", {"row": 3, "changes": {"c3": 9}}),
    "dependence of a wide network": Call("/v1/models/{wide_model}/dependence?feature=pixel_3_3&rows=100000&points=1000"),
    "dependence, 200 points over 80,000 rows": Call(
        "/v1/models/{table_model}/dependence?feature=c3&rows=100000&points=200&split=train"
    ),
    "importance of 64 pixels, wide network": Call("/v1/models/{wide_model}/importance?repeats=20"),
    "importance of 20 columns, 20,000 rows": Call(
        "/v1/models/{table_model}/importance?repeats=20&split=validation&rows=100000"
    ),
    "predictions of 80,000 rows, the worst 1,000": Call("/v1/jobs/{table}/predictions?split=train&limit=1000&cells=true"),
    "predictions of a wide network": Call("/v1/jobs/{wide}/predictions?split=train&limit=1000"),
    "descents, 5,000 steps over 2,000 rows": Call("/v1/descents", {**ONE, "epochs": 5000}),
    "descents, 10 by mini-batches": Call("/v1/descents", {**ONE, "epochs": 10, "descents": [{"batch_size": 50}] * 10}),
    "updates 20,000 to 20,500": Call("/v1/jobs/{walk}/updates?offset=20000&limit=500"),
    "a slice of 90 × 90": Call("/v1/jobs/{table}/landscape", {"resolution": 90, "rows": 100}),
    "a slice of a wide network": Call("/v1/jobs/{wide}/landscape", {"resolution": 8, "rows": 700}),
}


def main(only: list[str]) -> None:
    print(f"/healthz every {EVERY * 1000:g} ms for {SECONDS:g} s a case, {AT_ONCE} calls at once, {os.cpu_count()} cores")
    print(processor())
    print(f"{'beside':<58} {'asked':>6} {'median':>8} {'p99':>8} {'most':>8}  memory, answers")
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        with running("up", data=folder, port=port):
            url = f"http://127.0.0.1:{port}"
            pid = wait_until_up(url, port)
            known = furnish(url)
            for name, case in CASES.items():
                if not only or any(word in name for word in only):
                    measure(name, case, url, folder, known, pid, AT_ONCE)


def furnish(url: str) -> dict[str, str]:
    """Datasets and jobs by the names that the calls have for them."""
    with httpx.Client(base_url=url, timeout=60) as client:
        rng = np.random.default_rng(0)
        X = rng.normal(size=(ROWS, COLUMNS)).round(3)
        y = (X @ rng.normal(size=COLUMNS)).round(2)
        names = ",".join([*(f"c{number}" for number in range(COLUMNS)), "y"])
        lines = "\n".join(",".join(map(str, row)) for row in np.column_stack([X, y]).tolist())
        uploaded = client.post("/v1/datasets", files={"file": ("table.csv", f"{names}\n{lines}\n".encode())})
        digits = _sample(client, kind="digits")
        known = {"moons": _sample(client, kind="double_moons", distance=-4, rows=2000)}
        made = {
            "wide": _job(client, dataset_id=digits, target="digit", model=WIDE, epochs=3),
            "deep": _job(
                client, dataset_id=digits, target="digit", model=DEEP, epochs=200, batch_size="full",
                record={"histograms_every": 1},
            ),
            "table": _job(client, dataset_id=uploaded.json()["id"], target="y", model={"kind": "mlp"}, epochs=2),
            "walk": _job(client, dataset_id=known["moons"], target="moon", model="perceptron", epochs=500),
        }  # fmt: skip
        for name, job_id in made.items():
            while not (job := client.get(f"/v1/jobs/{job_id}").json())["done"]:
                time.sleep(0.1)
            if job["state"] != "succeeded":
                raise RuntimeError(f"{name} {job['state']}: {job['error']}")
            known |= {name: job_id, f"{name}_model": job["model_id"]}
        return known


def _sample(client: httpx.Client, **sample: Any) -> str:
    return str(client.post("/v1/datasets", json={"sample": sample}).raise_for_status().json()["id"])


def _job(client: httpx.Client, **request: Any) -> str:
    return str(client.post("/v1/jobs", json=request).raise_for_status().json()["id"])


if __name__ == "__main__":
    main(sys.argv[1:])
