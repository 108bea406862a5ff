"""Subjects that can be watched (a job, or all jobs of an owner): where their events end, and the streams that tell them."""

import asyncio
from typing import Any, Protocol

from service.events import Block
from store.cursors import Head
from store.feed import FeedPlace


class Watcher(Protocol):
    """A stream, as those see it who wake it."""

    place: Any

    @property
    def is_waiting(self) -> bool:
        """Whether it has told everything that it knows of."""

    def place_in(self, channel: "Channel") -> Any:
        """How far it has told the channel's events; None where nothing can be given to it."""

    def wake(self) -> None:
        """Have it look for what is new, if it waits."""

    def give(self, place: Any, block: Block, chunk: bytes) -> None:
        """Tell it what follows the place, where it waits there."""

    def say(self, data: bytes, chunk: bytes) -> None:
        """Have it send something that has no place among its events."""


class Channel:
    """The streams that tell the same events."""

    def __init__(self, key: Any, now: float) -> None:
        self.key = key
        self.streams: set[Watcher] = set()
        self.wave: asyncio.Task[None] | None = None
        self.has_changed = self.is_gone = False
        self.idle_since = now

    def is_after(self, place: Any) -> bool:
        """Whether there are events after the place."""
        raise NotImplementedError

    @property
    def has_ended(self) -> bool:
        """Whether no event will follow those that there are."""
        return False

    def join(self, stream: Watcher) -> None:
        """Have the stream woken when there is something new."""
        self.streams.add(stream)

    def leave(self, stream: Watcher, now: float) -> None:
        """Wake the stream no more."""
        self.streams.discard(stream)
        self.idle_since = now


class JobChannel(Channel):
    """A job that is watched, by its number; its places are cursors."""

    def __init__(self, number: int, head: Head, now: float) -> None:
        super().__init__(head.job_id, now)
        self.number, self.head = number, head

    def take(self, head: Head | None) -> None:
        """Note where the job's events end by now; None where it was deleted."""
        if head is None or head.job_id != self.head.job_id:  # SQLite gives a deleted job's number out again
            self.is_gone = True
        else:
            self.head = head

    def is_after(self, place: Any) -> bool:
        return self.head.is_after(place)

    @property
    def has_ended(self) -> bool:
        return self.head.ended


class OwnerChannel(Channel):
    """All jobs that a caller sees: those of an owner, or of everybody for None. Its places are those of the feed."""

    def __init__(self, owner: str | None, now: float) -> None:
        super().__init__(("owner", owner), now)
        self.owner, self.end = owner, FeedPlace()

    def take(self, end: FeedPlace) -> None:
        """Note where the feed has come to."""
        self.end = max(self.end, end)

    def is_after(self, place: Any) -> bool:
        return bool(place < self.end)
