"""Permissions: stored data belongs to the user whom Vidro runs as, and nobody else may read it: folders 0700, files 0600."""

import os
import stat
from pathlib import Path

import structlog

OTHERS = 0o077
"""Permission bits of the group and everybody else."""
OURS = ("vidro.db", "vidro.db-wal", "vidro.db-shm", "files", "messages", "kernels")
"""Files and folders in a data folder."""
log = structlog.get_logger()


def keep_private(folder: Path) -> None:
    """Have this process write files that only its user can read, and take from others what they may do with a data folder
    that is there. One that is another user's, as a mount in a container may be, or that everybody shares, as /tmp, stays as
    it is and is told of.
    """
    os.umask(OTHERS)
    try:
        found = folder.stat()
        if not stat.S_IMODE(found.st_mode) & OTHERS:
            return
        for path in [path for name in OURS for path in (folder / name, *(folder / name).rglob("*"))]:
            _close(path)
        if found.st_mode & stat.S_ISVTX:
            log.warning("the data folder is one that everybody shares; give Vidro a folder of its own", folder=str(folder))
        else:
            folder.chmod(stat.S_IMODE(found.st_mode) & ~OTHERS)
    except FileNotFoundError:
        return  # it is made with the mask above
    except PermissionError:
        log.warning("others may read the data folder, and it is not ours to close", folder=str(folder))


def _close(path: Path) -> None:
    """Take from others what they may do with a file or folder, where it is there."""
    try:
        if not path.is_symlink():
            path.chmod(stat.S_IMODE(path.stat().st_mode) & ~OTHERS)
    except FileNotFoundError:
        pass
