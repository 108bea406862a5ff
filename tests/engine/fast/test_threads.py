"""One number of threads for all, and a team that never waits for somebody who does not come."""

import threading

import pytest

from engine.fast import threads
from engine.fast.threads import Team


def test_what_was_given_holds_where_no_blas_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with Apple's own, whose threads nothing rules."""
    assert threads.count() >= 1
    monkeypatch.setattr(threads, "_given", [])
    monkeypatch.setattr(threads, "_limits", [])
    before = threads.count()
    monkeypatch.setattr(threads, "controller", NoBlas)
    assert threads.count() == 1
    threads.limit(before + 2)
    assert threads.count() == before + 2


class NoBlas:
    def limit(self, limits: int) -> "NoBlas":
        return self

    def info(self) -> list[dict[str, int]]:
        return []

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


@pytest.mark.parametrize("size", [1, 2, 5])
def test_every_member_works_at_once(size: int) -> None:
    team, together = Team(size), threading.Barrier(size, timeout=30)
    came: list[tuple[int, int]] = []

    def work(member: int) -> None:
        together.wait()
        came.append((member, threading.get_ident()))

    for _ in range(3):
        team(work)
        assert sorted(member for member, _ in came) == list(range(size))
        assert len({thread for _, thread in came}) == size
        assert (0, threading.get_ident()) in came
        came.clear()


def test_a_process_begins_where_the_system_grants_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_given", [])
    monkeypatch.setattr(threads, "_limits", [])

    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    before = threads.count()
    threads.limit(4)
    assert threads.count() == 4
    monkeypatch.undo()
    threads.limit(before)


@pytest.mark.parametrize("granted", [0, 2])
def test_a_team_is_as_large_as_the_system_grants(granted: int, monkeypatch: pytest.MonkeyPatch) -> None:
    start, started = threading.Thread.start, []

    def sparing(thread: threading.Thread) -> None:
        if len(started) == granted:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", sparing)
    team, came = Team(5), []
    team(came.append)
    assert team.size == granted + 1
    assert sorted(came) == list(range(granted + 1))


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_who_fails_keeps_nobody_waiting(failing: int) -> None:
    over = threading.Event()
    seen = []

    def work(member: int) -> None:
        if member == failing:
            raise MemoryError
        seen.append(over.wait(timeout=60))

    with pytest.raises(MemoryError):
        Team(3)(work, over.set)
    assert seen == [True, True]


def test_a_member_that_cannot_be_called_upon_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    team, over = Team(3), threading.Event()

    def submit(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(team.others[1], "submit", submit)
    with pytest.raises(MemoryError):
        team(lambda _: over.wait(timeout=60) and None, over.set)
    assert over.is_set()
