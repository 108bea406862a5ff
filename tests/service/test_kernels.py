"""What serves leaves the compiling to another process, once for each cache."""

import os
import subprocess
from pathlib import Path

import pytest

from engine.fast import kernel_cache
from service import kernels
from tests.service.conftest import Stage


def test_descents_and_updates_have_their_kernels_made_by_another_process(stage: Stage) -> None:
    moons = stage.sample("double_moons", rows=50)
    job = stage.job(moons, "moon", "perceptron", epochs=1)
    body = {"dataset_id": moons, "feature": "x", "target": "moon", "epochs": 1, "resolution": 2}
    assert stage.client.post("/v1/descents", json=body).status_code == 200
    assert stage.client.get(f"/v1/jobs/{job['id']}/updates").status_code == 200
    kernel_cache.prepare()
    assert (Path(os.environ["NUMBA_CACHE_DIR"]) / kernels.MADE).exists()


def test_they_are_made_once_and_a_process_that_fails_is_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        calls.append(command)
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    kernels.make_kernels()
    kernels.make_kernels()
    assert [command[1:] for command in calls] == [["-m", "service.kernels"]]
    other = tmp_path / "other"
    other.mkdir()
    (other / kernels.MADE).touch()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(other))
    kernels.make_kernels()
    assert len(calls) == 1
