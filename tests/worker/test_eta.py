import pytest

from worker.eta import MOST_MARKS, Eta


def test_nothing_is_foretold_of_a_run_that_has_not_moved() -> None:
    eta = Eta()
    assert eta.remaining(1.0, 0.1) is None
    eta.mark(1.0, 0.1)
    assert eta.remaining(1.0, 0.1) is None
    assert eta.remaining(5.0, 0.1) is None


@pytest.mark.parametrize("begun", [0.0, 0.4])
def test_a_steady_run_is_told_exactly_wherever_it_was_taken_up(begun: float) -> None:
    eta = Eta()
    for second in range(1001):
        eta.mark(second, begun + second * (1 - begun) / 1000)
        left = eta.remaining(second, begun + second * (1 - begun) / 1000)
        assert second == 0 or left == pytest.approx(1000 - second, abs=1e-6)
        assert len(eta.marks) <= MOST_MARKS


def test_a_run_that_slows_down_is_told_by_its_pace_of_late() -> None:
    eta, seconds = Eta(), 0.0
    for step in range(1, 101):
        seconds += 1.0 if step <= 20 else 5.0
        eta.mark(seconds, step / 100)
        left = eta.remaining(seconds, step / 100)
        if step > 28:
            assert left == pytest.approx((100 - step) * 5.0, rel=0.5)
