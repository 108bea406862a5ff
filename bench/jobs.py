"""Jobs through HTTP on the embedded default: from POST to succeeded, one at a time and two hundred at once."""

import statistics
import tempfile
import time
from pathlib import Path

import httpx2 as httpx

from cli.demo import IRIS, embedded

ONE_BY_ONE = 60
AT_ONCE = 200
TARGET_MILLISECONDS = 100
TARGET_JOBS_PER_SECOND = 20


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        embedded(Path(folder)) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        with IRIS.open("rb") as file:
            dataset_id = client.post("/v1/datasets", files={"file": ("iris.csv", file)}).json()["id"]
        request = {"dataset_id": dataset_id, "target": "species", "model": {"kind": "logistic_regression"}}
        for _ in range(5):  # warm up
            finish(client, [start(client, request)])
        milliseconds = []
        for _ in range(ONE_BY_ONE):
            began = time.perf_counter()
            finish(client, [start(client, request)])
            milliseconds.append((time.perf_counter() - began) * 1000)
        milliseconds.sort()
        median, p95 = statistics.median(milliseconds), milliseconds[int(len(milliseconds) * 0.95)]
        print(
            f"POST → succeeded, Iris logistic regression: median {median:.1f} ms, p95 {p95:.1f} ms "
            f"over {ONE_BY_ONE} (target: median ≤ {TARGET_MILLISECONDS} ms)"
        )
        began = time.perf_counter()
        finish(client, [start(client, request) for _ in range(AT_ONCE)])
        seconds = time.perf_counter() - began
        print(
            f"{AT_ONCE} such jobs at once: {seconds:.2f} s, {AT_ONCE / seconds:.0f} jobs/s "
            f"(target: ≥ {TARGET_JOBS_PER_SECOND} jobs/s)"
        )


def start(client: httpx.Client, request: dict[str, object]) -> str:
    return str(client.post("/v1/jobs", json=request).raise_for_status().json()["id"])


def finish(client: httpx.Client, job_ids: list[str]) -> None:
    """Ask after each job until it is done, every two milliseconds. Raises where one did not succeed."""
    for job_id in job_ids:
        while not (job := client.get(f"/v1/jobs/{job_id}").json())["done"]:
            time.sleep(0.002)
        if job["state"] != "succeeded":
            raise RuntimeError(f"{job_id} {job['state']}: {job['error']}")


if __name__ == "__main__":
    main()
