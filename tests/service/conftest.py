"""The API on a fresh SQLite, with a worker's hands beside it: jobs run when the test says so."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from cli.demo import IRIS
from service.app import create_app
from store import queue
from store.database import Database
from store.files import Files
from store.migrate import migrate
from store.settings import Settings
from worker.context import WorkerContext
from worker.training import run


@dataclass
class Stage:
    """A client, the settings behind it, and a worker's context on the same data."""

    client: TestClient
    place: WorkerContext
    sent: list[tuple[str, str]]

    def iris(self) -> str:
        with IRIS.open("rb") as file:
            return self.client.post("/v1/datasets", files={"file": ("iris.csv", file)}).json()["id"]

    def sample(self, kind: str, **parameters: Any) -> str:
        return self.client.post("/v1/datasets", json={"sample": {"kind": kind, **parameters}}).json()["id"]

    def csv(self, text: str | bytes, name: str = "table.csv") -> Any:
        content = text.encode() if isinstance(text, str) else text
        return self.client.post("/v1/datasets", files={"file": (name, content)})

    def job(self, dataset_id: str, target: str | list[str] | None, kind: str, **fields: Any) -> dict[str, Any]:
        """Post a job and run it; the job as it ended."""
        model = {"kind": kind, **fields.pop("model", {})}
        body = {"dataset_id": dataset_id, "target": target, "model": model, **fields}
        response = self.client.post("/v1/jobs", json=body)
        assert response.status_code == 202, response.text
        return self.run(response.json()["id"])

    def run(self, job_id: str) -> dict[str, Any]:
        """Run jobs, in their turn, until that one has had its; the job as it ended."""
        while (job := self.client.get(f"/v1/jobs/{job_id}").json())["state"] == "queued":
            assert run(self.place, job_id)
        return job


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database with the present tables, to copy: a tenth of the cost of making them."""
    setting = Settings(data=tmp_path_factory.mktemp("migrated"))
    database = Database(setting.database)
    migrate(database)
    database.close()
    return setting.data / "vidro.db"


@pytest.fixture
def make_stage(tmp_path: Path, migrated: Path) -> Iterator[Callable[..., Stage]]:
    """Make a stage with settings of its own."""
    with stages(tmp_path, migrated) as make:
        yield make


@contextmanager
def stages(folder: Path, migrated: Path) -> Iterator[Callable[..., Stage]]:
    """Make stages on data in the folder, whose database begins as a copy of `migrated`."""
    monkeypatch = pytest.MonkeyPatch()
    clients: list[TestClient] = []
    databases: list[Database] = []

    def make(**given: Any) -> Stage:
        setting = Settings(data=folder / "data", **given)
        file = setting.data / migrated.name
        database = Database(setting.database)
        if database.is_sqlite and not file.exists():
            file.parent.mkdir(exist_ok=True)
            shutil.copy(migrated, file)
        else:
            migrate(database)
        sent: list[tuple[str, str]] = []
        monkeypatch.setattr(queue, "send", lambda job_id, name: sent.append((job_id, name)) or True)
        client = TestClient(create_app(setting), base_url="http://127.0.0.1")
        client.__enter__()
        clients.append(client)
        databases.append(database)
        place = WorkerContext(setting, database, Files(setting.files, setting.inline_bytes), "test worker")
        return Stage(client, place, sent)

    yield make
    for client in clients:
        client.__exit__(None, None, None)
    for database in databases:
        database.close()
    monkeypatch.undo()


@pytest.fixture
def stage(make_stage: Callable[..., Stage]) -> Stage:
    return make_stage()
