"""Slices of a loss as jobs: a worker that is killed, and a cancel while one is worked out."""

import signal
import time
from collections.abc import Callable
from typing import Any

from tests.end_to_end.conftest import Server, wait_for
from tests.faults.deployment import HASTY, Deployment, signal_to

MLP: dict[str, Any] = {"target": "digit", "model": {"kind": "mlp", "hidden": [{"units": 32}]}, "epochs": 2}


def sliced(api: Server, parent: str, **body: Any) -> str:
    answer = api.client.post(f"/v1/jobs/{parent}/landscape", json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def result(api: Server, job_id: str) -> Any:
    return api.client.get(f"/v1/jobs/{job_id}/result").json()


def begun(embedded: Deployment, job_id: str) -> None:
    wait_for(lambda: 0 < embedded.row(job_id).fraction < 1, "its first costs")


def test_a_slice_outlives_its_worker_and_ends_when_it_is_cancelled(embedded: Deployment, tally: Callable[..., None]) -> None:
    embedded.setting |= HASTY
    api, thrifty = embedded.api(), embedded.api(max_work=10**6)
    embedded.worker()
    parent = api.post(embedded.digits(api), **MLP)
    assert api.done(parent)["state"] == "succeeded"
    small = {"resolution": 4, "rows": 700}
    at_once = api.client.post(f"/v1/jobs/{parent}/landscape", json=small)
    assert at_once.status_code == 200
    undisturbed, killed = (sliced(thrifty, parent, resolution=50, rows=1400) for _ in range(2))
    alike = sliced(thrifty, parent, **small)
    assert api.done(undisturbed)["state"] == "succeeded"
    begun(embedded, killed)
    signal_to(int((embedded.row(killed).worker or "").rpartition(":")[2]), signal.SIGKILL)
    done = api.done(killed)
    assert done["state"] == "succeeded" and done["attempt"] > 1, done["error"]
    assert result(api, killed) == result(api, undisturbed)
    assert api.done(alike)["state"] == "succeeded"
    assert result(api, alike) == at_once.json()  # the same bits, in another process

    endless = sliced(api, parent, resolution=200, rows=1400)
    begun(embedded, endless)
    asked = time.monotonic()
    assert api.client.post(f"/v1/jobs/{endless}/cancel").status_code == 202
    wait_for(lambda: embedded.row(endless).state == "cancelled", "the end of a cancelled slice")
    seconds = time.monotonic() - asked
    tally(kills_survived=1, tenths_of_a_second_until_cancelled=round(10 * seconds))
    assert seconds < 5  # of a busy machine; a breath, and two questions of the lease
