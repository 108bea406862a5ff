"""Limits of a training process, so that a job that asks for too much fails alone (decision 0005)."""

import sys
from contextlib import suppress
from pathlib import Path

STATUS, BADNESS = Path("/proc/self/status"), Path("/proc/self/oom_score_adj")
FIRST_TO_GO = "500"
"""Added, out of 1000, to how badly the kernel wants to kill this process where memory runs out all the same."""


def confine(job_bytes: int) -> None:
    """Let this process take so many bytes more than it has now; what asks for more is given a MemoryError. On Linux.

    Counted is the memory that it may write and shares with nobody (RLIMIT_DATA): not a table that is mapped from its file,
    not the addresses that an allocator or a driver reserves, which a limit of address space (RLIMIT_AS) would count.
    """
    if not sys.platform.startswith("linux"):
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = data_bytes() + job_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    with suppress(OSError):  # not every container lets it be written
        BADNESS.write_text(FIRST_TO_GO)


def data_bytes() -> int:
    """The memory of this process that RLIMIT_DATA counts."""
    line = next((line for line in STATUS.read_text().splitlines() if line.startswith("VmData:")), "VmData: 0 kB")
    return int(line.split()[1]) * 1024
