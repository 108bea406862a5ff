"""The supervisor: what never ran ends it, what ran is started again for ever, ever more slowly, and what it sees is written."""

import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from cli import supervision
from cli.supervision import LONGEST_PAUSE_SECONDS, MOST_FIRST_STARTS, REFUSED, STABLE_SECONDS, Child, supervise
from store import supervised
from tests.end_to_end.conftest import wait_for

UP = f"printf 1 > /proc/self/fd/${supervision.UP_PIPE}; "


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    time = staticmethod(time.time)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(supervision, "time", made)
    return made


@pytest.fixture
def children() -> Iterator[list[Child]]:
    made: list[Child] = []
    yield made
    for child in made:
        if child.process is not None:
            child.process.kill()
            child.process.wait()
        if child.process is not None and child.process.stdin is not None:
            child.process.stdin.close()


def child(children: list[Child], script: str) -> Child:
    children.append(Child("work", ["sh", "-c", script], {}))
    return children[-1]


def ended(child: Child) -> None:
    """Wait until the process has ended, and have the supervisor see it."""
    assert child.process is not None
    child.process.wait()
    assert child.look()


def test_what_is_refused_at_first_ends_all_at_once(children: list[Child], clock: Clock) -> None:
    work = child(children, f"exit {REFUSED}")
    work.start()
    with pytest.raises(typer.Exit) as found:
        ended(work)
    assert found.value.exit_code == REFUSED


def test_what_never_comes_up_is_given_up(children: list[Child], clock: Clock) -> None:
    work = child(children, "exit 1")
    work.start()
    for _ in range(MOST_FIRST_STARTS - 1):
        ended(work)
        clock.now += LONGEST_PAUSE_SECONDS
        assert work.look()
    with pytest.raises(typer.Exit) as found:
        ended(work)
    assert found.value.exit_code == 1


@pytest.mark.parametrize("code", [1, REFUSED])
def test_what_was_running_is_never_given_up(children: list[Child], clock: Clock, code: int) -> None:
    work = child(children, f"{UP} exit {code}")
    work.start()
    for pause in (0, 1, 2, 4, 8, 16, 30, 30):
        ended(work)
        assert work.seen.state == "waiting"
        assert work.seen.last_exit is not None
        assert work.seen.last_exit.code == code
        clock.now += max(0, pause - 0.01)
        assert work.look() == (pause == 0)
        if pause:
            clock.now += 0.02
            assert work.look()
        assert work.seen.state == "starting"
    assert work.seen.restarts_last_hour == 8


def test_a_stable_minute_has_it_start_at_once_again(children: list[Child], clock: Clock) -> None:
    work = child(children, f"{UP} cat > /dev/null")
    work.start()
    for lived, pause in ((1, 0.0), (1, 1.0), (1, 2.0), (STABLE_SECONDS, 0.0), (1, 1.0)):
        wait_for(work.look, "that it is up")
        assert work.seen.state == "up"
        assert work.process is not None
        clock.now += lived
        work.process.kill()
        ended(work)
        assert work.seen.last_exit is not None
        assert (work.seen.last_exit.signal, work.seen.last_exit.code) == ("SIGKILL", None)
        assert work.due - clock.now == pause
        clock.now += pause
        assert work.look()


def test_what_is_seen_is_written_for_as_long_as_it_is_seen(
    children: list[Child], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report, told = tmp_path / "supervisor.json", []
    monkeypatch.setattr(supervision, "CHECK_SECONDS", 0.01)
    work = child(children, f"{UP} cat > /dev/null")
    thread = threading.Thread(target=supervise, args=([work], told, report))
    assert supervised.read() is None
    monkeypatch.setenv(supervised.FILE, str(report))
    assert supervised.read() is None
    thread.start()
    try:
        wait_for(lambda: (found := supervised.read()) and found[0].state == "up", "a report")
        assert report.stat().st_mode & 0o077 == 0
        assert json.loads(report.read_text())[0]["name"] == "work"
    finally:
        told.append(signal.SIGTERM)
        thread.join()
    assert not report.exists()
