"""Resume points of an attempt, and what it keeps for the next: whole epochs for everybody, a position within one for itself.

Whichever is taken holds all that the run's next bits depend on, and is written in the transaction that writes the curves up
to it. The epochs that a position or the best epoch needs beside it are written with it.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from engine.models.run_state import State
from engine.network.learner import Learner
from store import checkpoints
from store.checkpoints import ResumePoint
from store.files import Files
from store.leases import Lease
from store.tables import Checkpoint, Position
from store.tensors import pack

MOST_SHARE = 0.02
"""Share of a run's time that its checkpoints by the clock may take: if one lasts long, they come more rarely."""
LONG_EPOCH_SECONDS = 0.02
"""An epoch that took longer is kept in memory until the next ends, since that one may be interrupted within."""


@dataclass
class Progress:
    """The memory of early stopping and the best epoch; as an array it travels in every checkpoint."""

    fallen_to: float = float("inf")
    """The value that the watched one last fell to, by enough to count."""
    best_epoch: int = 0
    waited: int = 0
    lowest: float | None = float("inf")
    """The best epoch's value; None where the run began when that was `fallen_to`, and stays so."""

    def array(self) -> np.ndarray:
        found = [self.fallen_to, self.best_epoch, self.waited]
        return np.array(found if self.lowest is None else [*found, self.lowest], np.float64)

    @classmethod
    def from_array(cls, array: np.ndarray) -> "Progress":
        return cls(float(array[0]), int(array[1]), int(array[2]), float(array[3]) if len(array) > 3 else None)

    def take(self, epoch: int, watched: float | None, min_delta: float) -> bool:
        """Remember an epoch's watched value. Returns whether it is the best so far."""
        falls = watched is not None and watched < self.fallen_to - min_delta
        self.waited = 0 if falls else self.waited + 1
        if falls and watched is not None:
            self.fallen_to = watched
        if self.lowest is None:
            improves = falls
        else:
            improves = watched is not None and watched < self.lowest
            self.lowest = watched if improves else self.lowest
        if improves:
            self.best_epoch = epoch
        return improves


@dataclass(eq=False)
class Snapshot:
    """The arrays of a run after an epoch, with that epoch's values; none where they were not needed and are gone."""

    epoch: int
    arrays: dict[str, np.ndarray]
    values: dict[str, Any]
    periodic: bool = False
    saved: bool = False
    digest: str | None = None

    @property
    def can_be_kept(self) -> bool:
        return self.saved or bool(self.arrays)


class Checkpoints:
    """Those of one attempt: `state` and `progress` as they are, the last and the best epoch, and what is to be written."""

    def __init__(self, files: Files, lease: Lease, network: Learner, every_seconds: float) -> None:
        self.files, self.lease, self.network = files, lease, network
        self.every_seconds = every_seconds
        self.state, self.progress = State(), Progress()
        self.last: Snapshot | None = None
        self.best: Snapshot | None = None
        self.pending: list[Snapshot] = []
        self.position: tuple[int, dict[str, np.ndarray]] | None = None
        self.stored: dict[int, bool] = {}  # epochs whose checkpoints are in the database, and whether they were asked for
        self.superseded: list[int] = []
        self.has_stored_position = False
        self.taken_at = time.monotonic()
        self.cost_seconds = 0.0

    def resume(self, session: Session) -> Sequence[ResumePoint]:
        """Take up the latest point whose content is whole. Returns those that are damaged. Raises ContentMissing."""
        found = checkpoints.latest(session, self.files, self.lease)
        if found.point is not None:
            self._take_up(session, found.point, found.arrays)
        self.stored = {point.epoch: point.periodic for point in found.points if isinstance(point, Checkpoint)}
        self.has_stored_position = len(self.stored) < len(found.points)
        return found.damaged

    def _take_up(self, session: Session, point: ResumePoint, arrays: dict[str, np.ndarray]) -> None:
        if "progress" in arrays:
            self.progress = Progress.from_array(arrays.pop("progress"))
        self.state = State.from_arrays(arrays, self.network)
        if point.epoch:
            whole = checkpoints.get(session, self.lease.job_number, point.epoch)
            self.last = _stored(whole) if whole else Snapshot(point.epoch, {}, point.values)
        best = checkpoints.get(session, self.lease.job_number, self.progress.best_epoch)
        self.best = _stored(best) if best else None

    def arrays(self) -> dict[str, np.ndarray]:
        """Copies of all that the run's next bits depend on."""
        return {**self.state.arrays(self.network), "progress": self.progress.array()}

    @property
    def is_due(self) -> bool:
        """Whether so much time has passed since the last one that it is time for another."""
        pause = max(self.every_seconds, self.cost_seconds / MOST_SHARE)
        return time.monotonic() - self.taken_at >= pause

    def take_epoch(self, epoch: int, values: dict[str, Any], improved: bool, periodic: bool, seconds: float) -> None:
        """Remember a whole epoch, with its arrays where it is to be written, the best yet, or may be all there is."""
        needed = improved or periodic or seconds > LONG_EPOCH_SECONDS
        self.last, self.position = Snapshot(epoch, self.arrays() if needed else {}, values, periodic), None
        if improved:
            self.best = self.last
        if periodic:
            self._add(self.last)

    def take_position(self) -> None:
        """Remember where the run stands, within an epoch or at its end, for the next write."""
        self.taken_at = time.monotonic()
        if self.state.place:
            self.position = (self.state.place, self.arrays())
        self.keep_last()

    def keep_last(self) -> None:
        """Have the best and the last whole epoch written, too, where they can be."""
        for snapshot in (self.best, self.last):
            if snapshot is None:
                continue
            if not snapshot.can_be_kept and (self.state.epoch, self.state.place) == (snapshot.epoch, 0):
                snapshot.arrays = self.arrays()
            if snapshot.can_be_kept:
                self._add(snapshot)

    def _add(self, snapshot: Snapshot) -> None:
        if not snapshot.saved and snapshot not in self.pending:
            self.pending.append(snapshot)

    @property
    def has_some(self) -> bool:
        return bool(self.pending) or self.position is not None

    def write(self, session: Session, again: bool = False) -> None:
        """Write what is pending; `again` where it may have been written before and nobody said so. Raises LeaseLost; where
        the transaction is rolled back, all of it is pending still.
        """
        if not self.has_some:
            return
        began = time.monotonic()
        if self.best is not None and self.best.arrays:
            self._add(self.best)  # a checkpoint to resume from is of no use without the best epoch before it
        for snapshot in sorted(self.pending, key=lambda each: each.epoch):
            content = pack(snapshot.arrays)
            given = {"periodic": snapshot.periodic, "values": snapshot.values}
            replaces = again or snapshot.epoch in self.stored
            saved = checkpoints.save(session, self.files, self.lease, snapshot.epoch, content, replaces, **given)
            snapshot.digest = saved.digest
        if self.position is not None:
            place, arrays = self.position
            values = self.last.values if self.last else {}
            position = Position(epoch=int(arrays["counters"][0]), place=place, values=values)
            checkpoints.save_position(session, self.files, self.lease, position, pack(arrays))
        elif again or self.has_stored_position:
            checkpoints.forget_position(session, self.files, self.lease.job_number)
        self._forget_superseded(session)
        self.cost_seconds = time.monotonic() - began

    def written(self) -> None:
        """Say that the transaction of the last `write` was committed."""
        if self.has_some:
            self.taken_at = time.monotonic()
            self.has_stored_position = self.position is not None
        for snapshot in self.pending:
            snapshot.saved, snapshot.arrays = True, {}
            self.stored[snapshot.epoch] = snapshot.periodic
        for epoch in self.superseded:
            self.stored.pop(epoch, None)
        self.pending, self.superseded, self.position = [], [], None

    def _forget_superseded(self, session: Session) -> None:
        """Remove checkpoints that were not asked for, but the best and the last."""
        kept = {snapshot.epoch for snapshot in (self.best, self.last) if snapshot is not None}
        found = self.stored | {snapshot.epoch: snapshot.periodic for snapshot in self.pending}
        if self.last is not None and not self.last.saved and self.last not in self.pending:
            kept.add(max(found, default=0))
        self.superseded = [epoch for epoch, periodic in found.items() if not periodic and epoch not in kept]
        if self.superseded:
            checkpoints.forget(session, self.files, self.lease, self.superseded)


def _stored(checkpoint: Checkpoint) -> Snapshot:
    values, periodic = checkpoint.values, checkpoint.periodic
    return Snapshot(checkpoint.epoch, {}, values, periodic, saved=True, digest=checkpoint.digest)
