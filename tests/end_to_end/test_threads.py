"""The setting for every thread, as training processes have it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from store.database import Database
from tests.end_to_end.conftest import LIMIT_SECONDS, wait_for

CORES = os.cpu_count() or 1


@pytest.mark.parametrize(
    ("workers", "setting", "expected"),
    [(1, None, CORES), (2, None, max(1, CORES // 2)), (2, "3", 3)],
    ids=["alone", "two share the cores", "as set"],
)
def test_training_processes_take_as_many_threads_as_are_theirs(
    workers: int, setting: str | None, expected: int, sqlite_database: Database, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    told.mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "VIDRO_THREADS"}
    environment |= {"TOLD": str(told), "VIDRO_DATA": str(tmp_path / "data"), "VIDRO_WORKERS": str(workers)}
    environment |= {"VIDRO_DATABASE_URL": sqlite_database.url.render_as_string()}
    environment |= {"VIDRO_THREADS": setting} if setting is not None else {}
    with (tmp_path / "log").open("wb") as log:
        worker = [sys.executable, "-m", "tests.end_to_end.telling", "worker"]
        process = subprocess.Popen(worker, stdout=log, stderr=log, env=environment)
    try:
        wait_for(lambda: process.poll() is not None or len(list(told.glob("*.json"))) == workers, "the training processes")
        found = [json.loads(file.read_text()) for file in told.glob("*.json")]
        assert found == [{"count": expected, "pools": [expected]}] * workers, (tmp_path / "log").read_text()
    finally:
        process.terminate()
        process.wait(LIMIT_SECONDS)
