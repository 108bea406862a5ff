"""The embedded default as a user has it: one command, real processes, real kills."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from cli.supervision import REFUSED
from engine.tables.samples import BlobsSample
from tests.end_to_end.conftest import Server, alive, command, descendants, wait_for
from tests.engine import prepared, table, way_of

LONG = {"model": {"kind": "mlp", "hidden": [{"units": 64}, {"units": 64}]}, "epochs": 1_000_000}
MEDIUM = {"model": {"kind": "mlp", "hidden": [{"units": 64}, {"units": 64}]}, "epochs": 3000}


def test_the_demo_ends_by_itself_and_leaves_nothing_behind(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("demo"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=os.environ | {"TMPDIR": str(tmp_path)}
    )
    seen: set[int] = set()
    while process.poll() is None:
        seen |= set(descendants(process.pid))
        try:
            process.wait(0.2)
        except subprocess.TimeoutExpired:
            continue
    assert process.stdout is not None
    text = process.stdout.read().decode()
    process.stdout.close()
    assert process.returncode == 0, text
    assert len(seen) >= 4  # the supervisor, the API, the worker and its pool
    assert [pid for pid in seen if alive(pid)] == []
    assert list(tmp_path.iterdir()) == []
    assert "→ virginica" in text
    accuracies = [
        float(line.split("validation accuracy ")[1][:5]) for line in text.splitlines() if "validation accuracy" in line
    ]
    assert len(accuracies) == 2
    assert min(accuracies) >= 0.95


def test_a_file_goes_in_and_a_model_comes_out(server: Server) -> None:
    job = server.done(server.post(server.iris()))
    assert job["state"] == "succeeded"
    assert job["timings"]["train_seconds"] > 0
    row = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
    answer = server.client.post(f"/v1/models/{job['model_id']}/predict", json={"records": [row]}).json()
    assert answer["predictions"] == ["setosa"]


def test_the_stream_tells_epochs_while_they_happen(server: Server) -> None:
    job_id = server.post(server.iris(), **LONG)
    with server.client.stream("GET", f"/v1/jobs/{job_id}/events") as response:
        lines = response.iter_lines()
        metrics = 0
        while metrics < 50:
            metrics += next(lines) == "event: metric"
        assert not server.job(job_id)["done"]
        assert server.client.post(f"/v1/jobs/{job_id}/cancel").status_code == 202
        rest = list(lines)
    assert '"state":"cancelled"' in rest[-3] + rest[-2] + rest[-1]
    assert server.job(job_id)["state"] == "cancelled"


def test_a_bad_job_does_not_hurt_the_next(server: Server) -> None:
    iris = server.iris()
    bad = server.post(iris, optimizer={"kind": "gradient_descent", "learning_rate": 1e20})
    good = server.post(iris)
    assert server.done(bad)["error"]["code"] == "DIVERGED"
    assert server.done(good)["state"] == "succeeded"


def test_a_killed_worker_is_started_again_and_the_job_goes_on(server: Server) -> None:
    iris = server.iris()
    undisturbed = server.done(server.post(iris, **MEDIUM))
    job_id = server.post(iris, **MEDIUM)
    wait_for(lambda: server.job(job_id)["progress"]["epoch"] > 100, "progress")
    worker = server.part("worker")
    for pid in [*descendants(worker), worker]:
        os.kill(pid, signal.SIGKILL)
    job = server.done(job_id)
    assert job["state"] == "succeeded"
    assert job["attempt"] == 2
    weights = [server.client.get(f"/v1/jobs/{each}/weights").json()["layers"] for each in (undisturbed["id"], job_id)]
    assert weights[0] == weights[1]
    curves = [
        server.client.get(f"/v1/jobs/{each}/curves", params={"series": "train_loss", "max_points": 5000}).json()["series"]
        for each in (undisturbed["id"], job_id)
    ]
    assert curves[0] == curves[1]


def test_a_killed_api_is_started_again(server: Server) -> None:
    iris = server.iris()
    os.kill(server.part("serve"), signal.SIGKILL)
    wait_for(server.ready, "readiness after the kill")
    seen = wait_for(lambda: _seen(server, "serve", "up"), "what the supervisor sees")
    assert (seen["restarts_last_hour"], seen["last_exit"]["signal"]) == (1, "SIGKILL")
    assert server.done(server.post(iris))["state"] == "succeeded"


def _seen(server: Server, name: str, state: str) -> dict[str, Any] | None:
    """What the supervisor sees of that process, once it is in that state."""
    processes = server.client.get("/readyz").json()["supervisor"]["processes"]
    return next((seen for seen in processes if (seen["name"], seen["state"]) == (name, state)), None)


def test_an_api_whose_port_is_taken_says_so_by_its_exit_code(server: Server) -> None:
    """By which a supervisor knows that another start would not mend it."""
    setting = {"VIDRO_DATA": str(server.data), "VIDRO_PORT": str(server.client.base_url.port)}
    ended = subprocess.run(command("serve"), env=os.environ | setting, capture_output=True, text=True, check=False)
    assert (ended.returncode, "address already in use" in ended.stderr) == (REFUSED, True)


def test_a_lost_message_is_sent_again(start: Callable[..., Server]) -> None:
    """The API alone takes the job, its message is thrown away, and a worker that comes later finds it all the same."""
    api = start("serve")
    subprocess.run(command("migrate"), env=os.environ | {"VIDRO_DATA": str(api.data)}, check=True, capture_output=True)
    wait_for(lambda: _answers(api), "the API")
    job_id = api.post(api.iris())
    messages = list((api.data / "messages" / "queue").iterdir())
    assert len(messages) == 1
    messages[0].unlink()
    start("worker")
    assert api.done(job_id)["state"] == "succeeded"


def _answers(server: Server) -> bool:
    try:
        return server.client.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False


def test_ctrl_c_drains_and_a_later_start_goes_on(start: Callable[..., Server]) -> None:
    first = start()
    wait_for(first.ready, "readiness")
    job_id = first.post(first.iris(), **MEDIUM)
    wait_for(lambda: first.job(job_id)["progress"]["epoch"] > 100, "progress")
    below = descendants(first.process.pid)
    first.stop(signal.SIGINT)
    assert first.process.returncode == 0
    assert [pid for pid in below if alive(pid)] == []
    second = start()
    wait_for(second.ready, "readiness")
    job = second.done(job_id)
    assert job["state"] == "succeeded"
    assert [entry["state"] for entry in job["transitions"]] == ["queued", "running", "queued", "running", "succeeded"]
    assert job["transitions"][2]["reason"] == "its worker was stopped"


def test_a_killed_supervisor_leaves_nothing_running(start: Callable[..., Server]) -> None:
    server = start()
    wait_for(server.ready, "readiness")
    job_id = server.post(server.iris(), **LONG)
    wait_for(lambda: server.job(job_id)["progress"]["epoch"] > 0, "progress")
    below = descendants(server.process.pid)
    assert len(below) >= 4  # the API, its reader, the worker, its pool process
    server.process.kill()
    server.process.wait()
    wait_for(lambda: not any(alive(pid) for pid in below), "end of what the supervisor had started", 30)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_without_a_key_only_loopback_is_listened_on(start: Callable[..., Server], host: str) -> None:
    refused = start(host=host)
    assert refused.process.wait(30) == 2
    assert "vidro keys create" in refused.log.read_text()


def test_a_key_from_the_command_line_opens_the_api(start: Callable[..., Server]) -> None:
    server = start()
    wait_for(server.ready, "readiness")
    environment = os.environ | {"VIDRO_DATA": str(server.data)}
    made = subprocess.run(
        command("keys", "create", "--owner", "ana"), env=environment, capture_output=True, text=True, check=True
    )
    key = made.stdout.strip()
    assert server.client.get("/v1/jobs").status_code == 401
    assert server.client.get("/v1/jobs", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    assert key not in made.stderr
    listed = subprocess.run(command("keys", "list"), env=environment, capture_output=True, text=True, check=True).stdout
    assert "ana" in listed
    assert key not in listed
    key_id = listed.splitlines()[1].split()[0]
    subprocess.run(command("keys", "revoke", key_id), env=environment, capture_output=True, check=True)
    assert server.client.get("/v1/jobs", headers={"Authorization": f"Bearer {key}"}).status_code == 401


SMALL = {"batch_size": 2, "epochs": 10, "model": {"kind": "mlp", "hidden": [{"units": 48}, {"units": 48}]}}
LARGE = {"batch_size": 32, "epochs": 4, "model": {"kind": "mlp", "hidden": [{"units": 400}, {"units": 256}]}}


@pytest.mark.parametrize(("way", "network", "ending"), [("small", SMALL, signal.SIGINT), ("large", LARGE, signal.SIGTERM)])
def test_paused_killed_and_stopped_within_an_epoch_a_run_ends_in_the_same_bits(
    start: Callable[..., Server], way: str, network: dict[str, Any], ending: int
) -> None:
    """Epochs of more than a thousand batches each: whatever is lost of one would be seen."""
    long = {"target": "blob", **network}
    assert way_of(prepared(table(BlobsSample().columns()), **long)) == way
    setting = {"checkpoint_seconds": 0.15, "threads": 1}  # beside other tests a team of more would wait for its cores
    server = start(**setting)
    wait_for(server.ready, "readiness")
    sample = {"kind": "blobs", "rows": 60_000, "deviation": 5.0}
    dataset_id = server.client.post("/v1/datasets", json={"sample": sample}).json()["id"]
    undisturbed = server.post(dataset_id, **long)
    assert server.done(undisturbed)["state"] == "succeeded"
    disturbed = server.post(dataset_id, **long)

    def further(attempt: int, than: float) -> float:
        """How far that attempt has come, once it is further."""
        job = server.job(disturbed)
        fraction = float(job["progress"]["fraction"])
        return fraction if job["attempt"] == attempt and fraction > than else 0.0

    reached = wait_for(lambda: further(1, 0.0), "a beginning")
    asked = server.client.post(f"/v1/jobs/{disturbed}/pause").json()
    assert asked["state"] in ("pausing", "paused")
    paused = wait_for(lambda: (job := server.job(disturbed))["state"] == "paused" and job, "the pause")["progress"]["fraction"]
    assert reached <= paused < 1
    assert server.client.post(f"/v1/jobs/{disturbed}/resume").status_code == 202
    reached = wait_for(lambda: further(2, paused), "an attempt that goes on")
    worker = server.part("worker")
    for pid in [*descendants(worker), worker]:
        os.kill(pid, signal.SIGKILL)
    reached = wait_for(lambda: further(3, reached), "another attempt that gets further")
    server.stop(ending)
    server = start(data=server.data, **setting)
    wait_for(server.ready, "readiness again")
    job = server.done(disturbed)
    assert (job["state"], job["attempt"]) == ("succeeded", 4)
    assert reached < 1
    for path in ("weights", "weights?epoch=best", "curves"):
        answers = [server.client.get(f"/v1/jobs/{each}/{path}").raise_for_status().json() for each in (undisturbed, disturbed)]
        for answer in answers:
            answer.pop("job_id", None)
            answer.pop("event_id", None)  # the one that was disturbed has more to tell
            answer.get("series", {}).pop("seconds", None)
        assert answers[0] == answers[1], path
