"""Disks that a test can fill and free again while processes run on them."""

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.faults.deployment import LONG, Deployment, tree

MEGABYTE = 2**20


class Quota:
    """No file of the deployment's processes may grow beyond a size: what the system offers to everybody, everywhere."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment

    @staticmethod
    @contextmanager
    def at(folder: Path) -> Iterator[None]:
        folder.mkdir()
        yield

    def fill(self, room: int) -> None:
        for process in self.deployment.processes:
            for pid in tree(process):
                hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (room, hard))

    def free(self) -> None:
        self.fill(resource.RLIM_INFINITY)


class SmallDisk:
    """The data folder is a file system of its own, and another file takes the room. Needs the right to mount one."""

    def __init__(self, deployment: Deployment) -> None:
        self.filler = deployment.data / "filler"

    @staticmethod
    @contextmanager
    def at(folder: Path) -> Iterator[None]:
        folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "vidro", str(folder)], check=True, capture_output=True)
        try:
            yield
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)

    def fill(self, room: int) -> None:
        with self.filler.open("wb") as file:
            while (free := self._free_bytes() - room) > 0:
                with suppress(OSError):  # somebody has written meanwhile
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), free)

    def _free_bytes(self) -> int:
        disk = os.statvfs(self.filler.parent)
        return disk.f_bavail * disk.f_bsize

    def free(self) -> None:
        self.filler.unlink()


DISKS = [Quota, SmallDisk] if LONG else [Quota]
