"""Data folders of earlier code under today's: they are read and answered as then, and their jobs go on as they would have.

What is answered is held to what was answered then on SQLite, for each version. On PostgreSQL, to which the same rows are
brought, every table holds the same after the migrations, and so the same is read; the newest version's is read there, too.
"""

import json
import math
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import JSON, Engine, MetaData, create_engine, text

from store.database import Database
from store.migrate import config, migrate
from tests.conftest import TABLES, without_tables
from tests.fixtures.arithmetic import arithmetic
from tests.service.conftest import Stage, stages
from worker.training import run

FIXTURES = Path(__file__).parents[1] / "fixtures"
OTHER_BITS = {"rel_tol": 1e-3, "abs_tol": 1e-4}
"""How far some hundred steps in float32 may part on another processor, which rounds sums in another order."""


@dataclass(frozen=True)
class Earlier:
    """Code that stored data: its last migration, what its jobs left undone are called, whether they end in its bits, what it
    told, beside weights and curves, of every job that had succeeded and of some, and how many had succeeded at least.

    The first drew the order of rows for an epoch from the orders before it; now each epoch's is drawn by itself.
    """

    revision: str
    undone: tuple[str, ...]
    keeps_bits: bool = True
    told: tuple[str, ...] = ("evaluation",)
    told_of_some: tuple[str, ...] = ()
    succeeded: int = 14


EARLIER = {
    "f1865d1": Earlier("0001", ("given back", "queued"), keeps_bits=False, told=()),
    "0_1": Earlier("0004", ("paused", "queued")),
    "0_2": Earlier("0006", ("paused", "queued")),
    "0_3": Earlier("0009", ("paused", "queued")),
    "0_4": Earlier("0014", ("paused", "queued"), True, ("evaluation", "checkpoints"), ("first_weights", "histograms")),
    "0_5": Earlier(
        "0013", ("paused", "queued"), True, ("evaluation", "checkpoints", "first_weights", "warnings"),
        ("histograms", "centroids", "said_in_portuguese"), 13,
    ),
}  # fmt: skip
NEWEST = list(EARLIER)[-1]


TRAINED_ON = pytest.mark.parametrize(
    ("earlier", "empty_database"),
    [
        ("f1865d1", "postgresql"),
        ("0_1", "sqlite"),
        ("0_2", "postgresql"),
        ("0_3", "sqlite"),
        ("0_4", "postgresql"),
        (NEWEST, "sqlite"),
        (NEWEST, "postgresql"),
    ],
    indirect=True,
)
"""What trains takes its time."""
ANSWERED_ON = pytest.mark.parametrize(
    ("earlier", "before"), [*((each, "sqlite") for each in EARLIER), (NEWEST, "postgresql")], indirect=True
)


@pytest.fixture(scope="session")
def earlier(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def folder(earlier: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    scratch = tmp_path_factory.mktemp("earlier")
    with tarfile.open(FIXTURES / f"data_{earlier}" / "data.tar.xz") as archive:
        archive.extractall(scratch, filter="data")
    return scratch


@pytest.fixture(scope="session")
def told(folder: Path) -> dict[str, Any]:
    """What that code answered."""
    found: dict[str, Any] = json.loads((folder / "answers.json").read_text())
    return found


@pytest.fixture(scope="module")
def before(
    request: pytest.FixtureRequest, folder: Path, earlier: str, tmp_path_factory: pytest.TempPathFactory, migrated: Path
) -> Iterator[Stage]:
    """Today's service on that data, for all tests that only read it; each version's in a database of its own."""
    scratch = tmp_path_factory.mktemp("before")
    with (
        without_tables(request, tmp_path_factory.mktemp("empty")) as empty,
        started(folder, earlier, scratch, migrated, empty) as stage,
    ):
        yield stage


@pytest.fixture
def going_on(folder: Path, earlier: str, tmp_path: Path, migrated: Path, empty_database: Database) -> Iterator[Stage]:
    """Today's service on a copy of that data of its own."""
    with started(folder, earlier, tmp_path, migrated, empty_database) as stage:
        yield stage


@contextmanager
def started(folder: Path, earlier: str, scratch: Path, migrated: Path, empty: Database) -> Iterator[Stage]:
    """Today's service on a copy of the folder; or on its files, and a copy of its rows in PostgreSQL."""
    shutil.copytree(folder / "data", scratch / "data")
    given = {}
    if not empty.is_sqlite:
        bring(scratch / "data", earlier, empty)
        given["database_url"] = empty.url.render_as_string(hide_password=False)
    with stages(scratch, migrated) as make:
        yield make(**given)


def bring(data: Path, earlier: str, empty: Database) -> None:
    """Give a database in PostgreSQL the tables and the rows of that version's in SQLite."""
    with empty.engine.execution_options(writes=True).begin() as connection:
        command.upgrade(config(connection), EARLIER[earlier].revision)
    source = create_engine(f"sqlite:///{data / 'vidro.db'}")
    copy_rows(source, empty.engine)
    source.dispose()


def copy_rows(source: Engine, target: Engine) -> None:
    """Every row of one database of that version into another, which has the tables; no trigger adds to them."""
    there, here = MetaData(), MetaData()
    there.reflect(source)
    here.reflect(target)
    with source.connect() as reading, target.execution_options(writes=True).begin() as writing:
        writing.execute(text("SET LOCAL session_replication_role = replica"))
        for table in here.sorted_tables:
            for each in (table, there.tables[table.name]):
                for column in each.columns:
                    column.type = JSON(none_as_null=True) if isinstance(column.type, JSON) else column.type
            rows = [dict(row) for row in reading.execute(there.tables[table.name].select()).mappings()]
            if rows and table.name != "alembic_version":
                writing.execute(table.insert(), rows)
            if "number" in table.columns and table.columns["number"].autoincrement is True:
                last = f"SELECT setval(pg_get_serial_sequence('{table.name}', 'number'), max(number)) FROM {table.name}"
                writing.execute(text(last))


@pytest.fixture(autouse=True)
def _same_bits(earlier: str, told: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.SAME_BITS", EARLIER[earlier].keeps_bits and told["arithmetic"] == arithmetic())


OTHER_ORDER: dict[str, float] = {"rel_tol": 1e-6}
"""Up to version 0.4 a large network's |∇|² was summed in pieces that depended on the tile; since then in fixed blocks. A sum of
float32 squares by blocks is right to a few units of 6e-8.
"""

SAME_BITS = False
"""Whether this code and machine compute as those did that the folder was made by."""


def holds(found: Any, told: Any, place: str = "") -> None:
    """Assert that what was told then is in what is found now, to the bit where it can be. An object may have more fields."""
    if isinstance(told, dict):
        assert isinstance(found, dict), place
        for spelt, value in told.items():
            name = {"False": "false", "True": "true"}.get(spelt, spelt)  # a label's key is spelt as JSON spells the label
            assert name in found, f"{place}/{name}"
            holds(found[name], value, f"{place}/{name}")
    elif isinstance(told, list):
        assert isinstance(found, list), place
        assert len(found) == len(told), place
        for index, (one, other) in enumerate(zip(found, told, strict=True)):
            holds(one, other, f"{place}/{index}")
    elif isinstance(told, float) and SAME_BITS and place.startswith("large") and "/gradient_norm" in place:
        assert math.isclose(found, told, **OTHER_ORDER), (place, found, told)
    elif isinstance(told, float) and not SAME_BITS:
        assert math.isclose(found, told, **OTHER_BITS), (place, found, told)
    else:
        assert found == told, (place, found, told)


def get(stage: Stage, path: str) -> Any:
    response = stage.client.get(path)
    assert response.status_code == 200, (path, response.text)
    return response.json()


def learned(stage: Stage, job_id: str) -> dict[str, Any]:
    """What a job that is done has learned, in the form that it was told in then."""
    job = get(stage, f"/v1/jobs/{job_id}")
    assert job["state"] == "succeeded", job["error"]
    curves = get(stage, f"/v1/jobs/{job_id}/curves")["series"]
    weights = get(stage, f"/v1/jobs/{job_id}/weights?epoch=last")
    return {
        "epoch": job["progress"]["epoch"],
        "weights": weights["layers"],
        "centroids": weights.get("centroids"),
        "evaluation": get(stage, f"/v1/jobs/{job_id}/evaluation?epoch=last"),
        "curves": {series: points["value"] for series, points in curves.items() if series != "seconds"},
    }


def of_a_run(told: dict[str, Any]) -> dict[str, Any]:
    """What does not depend on which job it is; the first code told no evaluation, and networks have no centroids."""
    found = {name: told[name] for name in ("epoch", "weights", "centroids", "curves") if name in told}
    if "evaluation" in told:
        found["evaluation"] = {name: value for name, value in told["evaluation"].items() if name != "job_id"}
    return found


@pytest.mark.parametrize("earlier", EARLIER, indirect=True)
@pytest.mark.parametrize("empty_database", ["postgresql"], indirect=True)
def test_both_databases_hold_the_same_after_the_migrations(
    folder: Path, earlier: str, tmp_path: Path, empty_database: Database
) -> None:
    shutil.copytree(folder / "data", tmp_path / "data")
    bring(tmp_path / "data", earlier, empty_database)
    sqlite = Database(f"sqlite:///{tmp_path / 'data' / 'vidro.db'}")
    for database in (sqlite, empty_database):
        migrate(database)
    for table in TABLES:
        with sqlite.engine.connect() as one, empty_database.engine.connect() as other:
            query = table.select().order_by(*table.primary_key)
            rows, others = ([tuple(row) for row in connection.execute(query)] for connection in (one, other))
        assert rows == others, table.name
        assert rows or table.name not in ("datasets", "jobs", "models", "blobs", "checkpoints", "curve_points"), table.name
    sqlite.close()


@ANSWERED_ON
def test_what_was_stored_is_read(before: Stage, told: dict[str, Any]) -> None:
    assert len(get(before, "/v1/datasets")["items"]) == len(told["datasets"])
    assert {job["id"] for job in get(before, "/v1/jobs?page_size=1000")["items"]} == {
        job["id"] for job in told["jobs"].values()
    }
    for name, dataset in told["datasets"].items():
        path = f"/v1/datasets/{dataset['id']}"
        found = get(before, path)
        assert found["rows"] == dataset["rows"]
        for column, then in zip(found["columns"], dataset["columns"], strict=True):
            holds(column, then, f"{name}/{then['name']}")
        assert get(before, f"{path}/rows?limit=5")["rows"] == told["rows"][name]
        column = next(column["name"] for column in dataset["columns"] if column["kind"] not in ("image", "text"))
        numbers = [column["name"] for column in dataset["columns"] if column["kind"] in ("numeric", "integer", "boolean")]
        shown = [f"histogram?column={numbers[0]}", "correlations"] if numbers else []
        for part in ("warnings", f"warnings?target={column}", *shown):
            get(before, f"{path}/{part}")
        assert before.client.get(f"{path}/content").status_code == 200


@ANSWERED_ON
def test_what_was_learned_is_answered_as_then(before: Stage, earlier: str, told: dict[str, Any]) -> None:
    done = {name: job for name, job in told["jobs"].items() if job["state"] == "succeeded"}
    assert len(done) >= EARLIER[earlier].succeeded
    assert {part for job in done.values() for part in job} >= set(EARLIER[earlier].told_of_some)
    for name, job in done.items():
        assert set(job) >= set(EARLIER[earlier].told), name
        path = f"/v1/jobs/{job['id']}"
        holds(learned(before, job["id"]), {"epoch": job["epoch"], **of_a_run(job)}, name)
        assert get(before, f"/v1/models/{job['model_id']}")["job_id"] == job["id"]
        predicted = before.client.post(f"/v1/models/{job['model_id']}/predict", json={"records": job["records"]})
        assert predicted.status_code == 200, predicted.text
        holds(predicted.json(), job["predicted"], name)
        for part in ("checkpoints",) if "centroids" in job else ("checkpoints", "histograms"):
            found = get(before, f"{path}/{part}")
            if part in job:
                holds(found, job[part], f"{name}/{part}")
        if "first_weights" in job:
            first = job["first_weights"]
            holds(get(before, f"{path}/weights?epoch={first['epoch']}"), first, f"{name}/first_weights")
        for part in ("events", "weights?epoch=best", "evaluation?split=train"):
            assert before.client.get(f"{path}/{part}").status_code == 200, (name, part)
        if len(job["records"][0]) > 1:
            assert before.client.get(f"{path}/boundary?resolution=5").status_code == 200, name
        if get(before, path)["request"]["optimizer"] is not None:
            moment = {"job_id": job["id"], "rows": [0, 1]}
            for part in ("traces", "gradient_checks"):
                assert before.client.post(f"/v1/{part}", json=moment).status_code == 200, (name, part)


@ANSWERED_ON
def test_jobs_are_ordered_by_the_best_values_of_their_curves(before: Stage, told: dict[str, Any]) -> None:
    """They were worked out when the tables were brought up to date: the earlier code stored none."""
    jobs = get(before, "/v1/jobs?page_size=1000&view=brief&order_by=-validation_accuracy")["items"]
    best = {job["id"]: job["best_values"].get("validation_accuracy") for job in jobs}
    ranked = [value for value in best.values() if value is not None]
    assert ranked == sorted(ranked, reverse=True)
    assert list(best.values()) == ranked + [None] * (len(best) - len(ranked))
    classified = [job for job in told["jobs"].values() if "validation_accuracy" in job.get("curves", {})]
    assert len(classified) > 3
    for job in classified:
        holds(best[job["id"]], max(job["curves"]["validation_accuracy"]), job["id"])


@ANSWERED_ON
def test_what_had_diverged_says_so(before: Stage, told: dict[str, Any]) -> None:
    job = get(before, f"/v1/jobs/{told['jobs']['diverged']['id']}")
    assert (job["state"], job["error"]["code"]) == ("failed", "DIVERGED")
    assert get(before, f"/v1/jobs/{job['id']}/curves")["series"]["train_loss"]["value"]


@pytest.mark.parametrize(("earlier", "before"), [(NEWEST, "sqlite")], indirect=True)
def test_warnings_are_told_as_then_in_both_languages(before: Stage, told: dict[str, Any]) -> None:
    codes = set()
    for name, job in told["jobs"].items():
        path = f"/v1/jobs/{job['id']}"
        found = get(before, path)
        holds([found["warnings"], found["error"]], [job["warnings"], job["error"]], name)
        answer = before.client.get(path, headers={"Accept-Language": "pt-BR"}).json()["warnings"]
        holds(answer, job["said_in_portuguese"], name)
        codes |= {warning["code"] for warning in job["warnings"]}
    assert codes >= {"TARGET_LEAK", "WORSE_THAN_COMMONEST", "LOSS_ROSE", "CONSTANT_TARGET", "WEIGHTS_ZERO", "EARLY_STOPPED"}


@TRAINED_ON
def test_jobs_go_on_to_the_same_bits(going_on: Stage, earlier: str, told: dict[str, Any]) -> None:
    """What was queued runs; what was paused, or given back by its worker, goes on from where it stood. So does a fork, and
    new jobs run beside them.
    """
    the_undone_go_on(going_on, earlier, told)
    a_fork_goes_on(going_on, told)
    for name, target, kind in (("visits", "likes", "linear_regression"), ("flowers", "sort", "mlp")):
        assert going_on.job(told["datasets"][name]["id"], target, kind)["state"] == "succeeded"


def the_undone_go_on(stage: Stage, earlier: str, told: dict[str, Any]) -> None:
    """Run every job that was left undone: it ends as the one did that nothing had interrupted."""
    undone = [name for name in told["jobs"] if name.endswith(EARLIER[earlier].undone)]
    assert len(undone) >= 8
    for name in undone:
        job_id, way = told["jobs"][name]["id"], name.split(", ")[0]
        job = get(stage, f"/v1/jobs/{job_id}")
        assert (job["progress"]["fraction"] > 0) == (not name.endswith("queued")), name
        if job["state"] == "paused":
            assert stage.client.post(f"/v1/jobs/{job_id}/resume").status_code == 202
        run(stage.place, job_id)
        ended, alone = learned(stage, job_id), of_a_run(told["jobs"][f"{way}, alone"])
        if EARLIER[earlier].keeps_bits:
            holds(ended, alone, name)
            continue
        kept = max(1, job["progress"]["epoch"])
        assert ended["epoch"] == alone["epoch"]
        holds({n: v[:kept] for n, v in ended["curves"].items()}, {n: v[:kept] for n, v in alone["curves"].items()}, name)
        assert ended["curves"]["train_loss"][-1] == pytest.approx(alone["curves"]["train_loss"][-1], abs=0.05)


def a_fork_goes_on(stage: Stage, told: dict[str, Any]) -> None:
    """Fork a job as it was forked then: the fork ends as that one did, where that code knew forks."""
    parent = told["jobs"]["small, alone"]["id"]
    fork = stage.client.post(f"/v1/jobs/{parent}/fork", json=told["fork"])
    assert fork.status_code == 202, fork.text
    stage.run(fork.json()["id"])
    ended = learned(stage, fork.json()["id"])
    if "forked, alone" in told["jobs"]:
        holds(ended, of_a_run(told["jobs"]["forked, alone"]))
