"""What a container's limits leave of the host."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from store import host
from store.settings import Settings


@pytest.fixture
def cgroup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine of 12 cores, and the folder of its container's limits."""
    monkeypatch.setattr(host, "CGROUP", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(12)), raising=False)
    _forget()
    yield tmp_path
    _forget()


def _forget() -> None:
    host.cores.cache_clear()
    host.memory_bytes.cache_clear()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 12),
        ({"cpu.max": "max 100000\n"}, 12),
        ({"cpu.max": "400000 100000\n"}, 4),
        ({"cpu.max": "350000 100000\n"}, 3),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "9900000 100000\n"}, 12),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 12),
        ({"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 2),
        ({"cpu/cpu.cfs_quota_us": "200000\n"}, 12),
    ],
)
def test_cores_are_the_fewest_of_affinity_and_quota(cgroup: Path, files: dict[str, str], expected: int) -> None:
    (cgroup / "cpu").mkdir()
    for name, text in files.items():
        (cgroup / name).write_text(text)
    assert host.cores() == expected


@pytest.mark.parametrize(("workers", "threads", "each"), [(1, 0, 12), (5, 0, 2), (13, 0, 1), (5, 3, 3)])
def test_training_processes_share_the_cores(cgroup: Path, workers: int, threads: int, each: int) -> None:
    assert Settings(workers=workers, threads=threads).threads_each == each


@pytest.mark.parametrize(("name", "text"), [("memory.max", "1048576\n"), ("memory/memory.limit_in_bytes", "1048576\n")])
def test_memory_is_what_the_container_may_have(cgroup: Path, name: str, text: str) -> None:
    assert host.memory_bytes() > 2**26
    _forget()
    (cgroup / "memory").mkdir()
    (cgroup / name).write_text("max\n")
    assert host.memory_bytes() > 2**26
    _forget()
    (cgroup / name).write_text(text)
    assert host.memory_bytes() == 2**20
    assert Settings(workers=2).job_bytes == 2**20 * 4 // 5 // 2
