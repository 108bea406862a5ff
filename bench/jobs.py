"""Jobs through HTTP: from POST to succeeded on the embedded default, and many at once there and on PostgreSQL with Valkey."""

import statistics
import tempfile
import time
from datetime import datetime
from pathlib import Path

import httpx2 as httpx

from bench.processes import finish, iris, machines, start
from cli.demo import embedded

ONE_BY_ONE = 60
AT_ONCE = 200
WORKERS = 2
TARGET_MILLISECONDS = 50
TARGET_JOBS_PER_SECOND = 50


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        embedded(Path(folder)) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        request = warmed_up(client)
        one_by_one(client, request)
        print(f"embedded, one worker, {AT_ONCE} such jobs at once: {at_once(client, request):.0f} jobs/s")
    with machines(WORKERS) as (client, _):
        request = warmed_up(client)
        rate = at_once(client, request)
        print(
            f"PostgreSQL and Valkey, {WORKERS} workers, {AT_ONCE} at once: {rate:.0f} jobs/s"
            f" (target: ≥ {TARGET_JOBS_PER_SECOND})"
        )


def warmed_up(client: httpx.Client) -> dict[str, object]:
    request = {"dataset_id": iris(client), "target": "species", "model": {"kind": "logistic_regression"}}
    finish(client, [start(client, request) for _ in range(20)])
    return request


def one_by_one(client: httpx.Client, request: dict[str, object]) -> None:
    milliseconds = []
    for _ in range(ONE_BY_ONE):
        began = time.perf_counter()
        finish(client, [start(client, request)])
        milliseconds.append((time.perf_counter() - began) * 1000)
    milliseconds.sort()
    median, p95 = statistics.median(milliseconds), milliseconds[int(len(milliseconds) * 0.95)]
    print(
        f"embedded, POST → succeeded, Iris logistic regression: median {median:.1f} ms, p95 {p95:.1f} ms"
        f" over {ONE_BY_ONE} (target: median ≤ {TARGET_MILLISECONDS} ms)"
    )


def at_once(client: httpx.Client, request: dict[str, object]) -> float:
    """Jobs a second, from the first POST to the last one's end as the database dates it; whoever waits asks rarely."""
    began = time.time()
    posted = [start(client, request) for _ in range(AT_ONCE)]
    finish(client, posted, every=0.5)
    ended = max(client.get(f"/v1/jobs/{job_id}").json()["finished_at"] for job_id in posted)
    return AT_ONCE / (datetime.fromisoformat(ended).timestamp() - began)


if __name__ == "__main__":
    main()
