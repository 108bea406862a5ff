"""Fault 11: kill −9 of the supervisor at random moments, and of what it supervises, again and again."""

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.conftest import alive, descendants, starting, wait_for
from tests.faults.deployment import LONG, count

KILLS = count(2, 20)
LAST_SECONDS = 8.0
"""By then everything runs, and trains."""
DEATHS = 8
"""More than once were enough to give up."""
TRAINED_FOR_LONG = {"model": {"kind": "mlp", "hidden": [{"units": 64}]}, "epochs": 1_000_000}


def test_nothing_outlives_a_killed_supervisor(tmp_path: Path, chance: random.Random, tally: Callable[..., None]) -> None:
    slowest = 0.0
    for turn in range(KILLS):
        folder = tmp_path / str(turn)
        folder.mkdir()
        with starting(folder) as begin:
            server = begin()
            until = time.monotonic() + chance.uniform(0, LAST_SECONDS if LONG else 2.0)
            posted = False
            while time.monotonic() < until:
                if not posted and server.ready():
                    server.post(server.iris(), **TRAINED_FOR_LONG)
                    posted = True
                time.sleep(0.02)
            below = descendants(server.process.pid)
            server.process.kill()
            server.process.wait()
            began = time.monotonic()
            wait_for(lambda: not [p for p in {*below, *of_folder(server.data)} if alive(p)], "the end of all", 30)  # noqa: B023
            slowest = max(slowest, time.monotonic() - began)
    tally(supervisors_killed=KILLS, seconds_to_the_last_end=round(slowest, 1))


def of_folder(data: Path) -> list[int]:
    """The processes that were told to work in that folder, whoever is above them by now."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            told = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"VIDRO_DATA={data}".encode() in told:
            found.append(int(entry.name))
    return found


@pytest.mark.skipif(not LONG, reason="one death is one in tests/end_to_end/test_embedded.py; pauses are in tests/cli")
def test_what_dies_again_and_again_is_started_again(tmp_path: Path, tally: Callable[..., None]) -> None:
    """The API; at the end it still is there, and says what happened to it."""
    with starting(tmp_path) as begin:
        server = begin()
        for _ in range(DEATHS):
            wait_for(server.ready, "readiness", 90)
            os.kill(server.part("serve"), signal.SIGKILL)
            wait_for(lambda: not server.ready(), "its death")
        wait_for(server.ready, "readiness", 90)
        seen = server.client.get("/readyz").json()["supervisor"]["processes"][0]
        assert (seen["name"], seen["restarts_last_hour"], seen["last_exit"]["signal"]) == ("serve", DEATHS, "SIGKILL")
    tally(deaths_of_the_api=DEATHS)
