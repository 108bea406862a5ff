"""What the bits of a run may depend on besides its job: the versions of libraries, and the processor."""

import platform
from contextlib import suppress
from functools import cache
from importlib.metadata import version

LIBRARIES = ("vidro", "numpy", "numba", "polars")


@cache
def versions() -> dict[str, str]:
    """The versions of Python and of the libraries that compute, and the processor's name, found once."""
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}, "processor": processor()}


def processor() -> str:
    """The processor's name as the system tells it."""
    with suppress(OSError), open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
