"""Watch the process that started this one: what it started must not outlive it, even where it was killed by −9."""

import os
import threading
import time
from collections.abc import Callable

LOOK_SECONDS = 0.5


def watch(parent: int, end: Callable[[], object]) -> None:
    """Call `end`, in a thread, once the process `parent` is not above this one any more, as it may be already."""
    threading.Thread(target=_watch, args=(parent, end), name="parent", daemon=True).start()


def _watch(parent: int, end: Callable[[], object]) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    end()
