"""What the tests of faults share: two deployments to harm, servers that can die, and a tally."""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from store.database import Database
from tests.faults.deployment import LONG, Deployment
from tests.faults.forks import Forks
from tests.faults.servers import ValkeyServer

TALLY: list[str] = []


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    """A Valkey of the test's own, which it may empty, kill and start again."""
    with ValkeyServer(tmp_path / "valkey").running() as server:
        yield server


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    with closing(Forks()) as found:
        yield found


@pytest.fixture
def embedded(forks: Forks, sqlite_database: Database, tmp_path: Path) -> Iterator[Deployment]:
    """SQLite, and messages as files. In the end everything stored is held to the invariants."""
    with Deployment(tmp_path, forks, sqlite_database).harmed() as found:
        yield found


@pytest.fixture
def machines(forks: Forks, postgresql_database: Database, valkey: ValkeyServer, tmp_path: Path) -> Iterator[Deployment]:
    """PostgreSQL and Valkey. In the end everything stored is held to the invariants."""
    with Deployment(tmp_path, forks, postgresql_database, valkey.url).harmed() as found:
        yield found


@pytest.fixture(params=["embedded", "machines"])
def deployment(request: pytest.FixtureRequest) -> Deployment:
    """Either of the two."""
    found: Deployment = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """What decides the moments of a test; VIDRO_SEED has those of an earlier run come again, as far as clocks allow."""
    seed = int(os.environ.get("VIDRO_SEED", random.SystemRandom().randrange(10**6)))
    request.node.add_report_section("setup", "seed", f"VIDRO_SEED={seed}")
    TALLY.append(f"{request.node.name}: VIDRO_SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Say what was survived, for the summary at the end."""

    def add(**counts: Any) -> None:
        told = [f"{value} {name.replace('_', ' ')}" for name, value in counts.items()]
        TALLY.append(f"{request.node.name}: {', '.join(told)}")

    return add


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Processes that start, die and start again take longer than a test elsewhere may."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(1800 if LONG else 300))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if TALLY:
        terminalreporter.section("faults survived")
        for line in TALLY:
            terminalreporter.line(line)
