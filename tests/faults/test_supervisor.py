"""Fault 11: kill −9 of the supervisor at random moments, and of what it supervises, again and again."""

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.end_to_end.conftest import alive, descendants, starting, wait_for
from tests.faults.deployment import LONG, count

KILLS = count(2, 12)
LAST_SECONDS = 3.0
DEATHS = 8
"""More than once were enough to give up."""
TRAINED_FOR_LONG = {"model": {"kind": "mlp", "hidden": [{"units": 64}]}, "epochs": 1_000_000}


def test_nothing_outlives_a_killed_supervisor(tmp_path: Path, chance: random.Random, tally: Callable[..., None]) -> None:
    slowest, trained = 0.0, 0
    for turn in range(KILLS):
        folder = tmp_path / str(turn)
        folder.mkdir()
        with starting(folder) as begin:
            server = begin()
            if LONG and turn % 2:  # once it trains, too, as the short form is in tests/end_to_end/test_embedded.py
                wait_for(server.ready, "readiness", 90)
                server.post(server.iris(), **TRAINED_FOR_LONG)
                trained += 1
            time.sleep(chance.uniform(0, LAST_SECONDS))
            below = descendants(server.process.pid)
            server.process.kill()
            server.process.wait()
            began = time.monotonic()
            wait_for(lambda: not [p for p in {*below, *of_folder(server.data)} if alive(p)], "the end of all", 30)  # noqa: B023
            slowest = max(slowest, time.monotonic() - began)
    tally(supervisors_killed=KILLS, of_them_training=trained, seconds_to_the_last_end=round(slowest, 1))


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


if LONG:  # in the short form one death is one in tests/end_to_end/test_embedded.py; pauses are in tests/cli

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
