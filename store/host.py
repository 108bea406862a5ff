"""The resources that this process may use of its machine, or of the container that it is in."""

import os
import resource
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
"""Files in which Linux tells a container's limits: version 2, and version 1 in folders of its own."""


@lru_cache
def memory_bytes() -> int:
    """The memory of this machine, or what its cgroup leaves of it."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        found += [int(word) for word in _words(name) if word.isdecimal()]  # "max" where there is none
    return min(found)


@lru_cache
def cores() -> int:
    """The processor's cores, those that this process is bound to, or what its cgroup's quota comes to in whole ones."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    found = [bound]
    for words in (_words("cpu.max"), _words("cpu/cpu.cfs_quota_us") + _words("cpu/cpu.cfs_period_us")):
        if len(words) == 2 and words[0].isdecimal():  # "max" or −1 where there is none
            found.append(max(1, int(words[0]) // int(words[1])))
    return min(found)


def open_files() -> int:
    """The files and connections that this process may hold open at once."""
    found = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 2**20 if found == resource.RLIM_INFINITY else found


def raise_open_files() -> None:
    """Let this process hold open as many files and connections as the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):  # macOS refuses what its kernel cannot do
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _words(name: str) -> list[str]:
    try:
        return (CGROUP / name).read_text().split()
    except OSError:
        return []
