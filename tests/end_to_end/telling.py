"""`python -m tests.end_to_end.telling worker`: `vidro worker`, whose training processes tell how many threads they may take."""

import json
import os
from pathlib import Path

from threadpoolctl import threadpool_info

from cli.main import app
from engine.fast import threads
from worker import tasks

begin = tasks._forget_parent


def tell(**given: object) -> None:
    """After what a training process does first, write its threads to a file of its own in the folder TOLD."""
    begin(**given)
    pools = {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}
    place = Path(os.environ["TOLD"]) / str(os.getpid())
    place.write_text(json.dumps({"count": threads.count(), "pools": sorted(pools)}))
    place.rename(place.with_suffix(".json"))


if __name__ == "__main__":
    tasks._forget_parent = tell
    app()
