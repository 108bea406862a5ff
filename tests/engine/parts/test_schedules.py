import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.parts.schedules import (
    ConstantRate,
    CosineDecay,
    ExponentialDecay,
    InverseTimeDecay,
    LearningRateSchedule,
    ReduceOnPlateau,
    Schedule,
    StepDecay,
    WarmUp,
)
from engine.spec import members

SCHEDULES: list[LearningRateSchedule] = [cls() for cls in members(Schedule)]
every_schedule = pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: schedule.kind)


def rates(schedule: LearningRateSchedule, losses: list[float], base: float = 0.1) -> list[float]:
    """The rate of each epoch, where epoch t ends with losses[t]."""
    state, course = schedule.start(), []
    for epoch, loss in enumerate(losses):
        course.append(schedule.rate(base, epoch, len(losses), state))
        state = schedule.observe(state, loss)
    return course


BY_HAND: list[tuple[LearningRateSchedule, list[float]]] = [
    (ConstantRate(), [0.1, 0.1, 0.1, 0.1]),
    (StepDecay(every=2, factor=0.5), [0.1, 0.1, 0.05, 0.05]),
    (ExponentialDecay(factor=0.9), [0.1, 0.09, 0.081, 0.0729]),
    (InverseTimeDecay(decay_rate=0.5), [0.1, 0.1 / 1.5, 0.05, 0.04]),
    (CosineDecay(), [0.1, 0.05 * (1 + math.sqrt(0.5)), 0.05, 0.05 * (1 - math.sqrt(0.5))]),
    (CosineDecay(minimum=0.02), [0.1, 0.02 + 0.04 * (1 + math.sqrt(0.5)), 0.06, 0.02 + 0.04 * (1 - math.sqrt(0.5))]),
    (WarmUp(epochs=3), [0.1 / 3, 0.2 / 3, 0.1, 0.1]),
    (ReduceOnPlateau(patience=1, factor=0.1), [0.1, 0.1, 0.1, 0.01]),
]


@pytest.mark.parametrize(("schedule", "expected"), BY_HAND, ids=lambda value: getattr(value, "kind", None))
def test_by_hand(schedule: LearningRateSchedule, expected: list[float]) -> None:
    assert rates(schedule, [1.0] * 4) == pytest.approx(expected, rel=1e-14)


@every_schedule
@given(losses=st.lists(st.floats(allow_nan=True), min_size=1, max_size=60))
def test_never_above_the_base_never_below_zero(schedule: LearningRateSchedule, losses: list[float]) -> None:
    assert all(0 <= rate <= 0.1 * (1 + 1e-12) for rate in rates(schedule, losses))


@every_schedule
def test_long_runs_neither_overflow_nor_divide_by_zero(schedule: LearningRateSchedule) -> None:
    assert 0 <= schedule.rate(0.1, 999_999, 1_000_000, schedule.start()) <= 0.1


@every_schedule
def test_state_is_numbers_that_can_be_stored(schedule: LearningRateSchedule) -> None:
    state = schedule.observe(schedule.start(), 0.5)
    assert tuple(json.loads(json.dumps(state))) == state


@every_schedule
def test_only_a_schedule_with_a_state_minds_the_loss(schedule: LearningRateSchedule) -> None:
    still = rates(schedule, [1.0] * 50) == rates(schedule, [float(-t) for t in range(50)])
    assert still == (schedule.start() == ())


def reference_plateau(losses: list[float], factor: float, patience: int, min_delta: float) -> list[float]:
    """The algorithm of torch.optim.lr_scheduler.ReduceLROnPlateau, mode min, threshold_mode abs."""
    rate, best, bad, course = 0.1, math.inf, 0, []
    for loss in losses:
        course.append(rate)
        if loss < best - min_delta:
            best, bad = loss, 0
        else:
            bad += 1
        if bad > patience:
            rate, bad = rate * factor, 0
    return course


@given(
    losses=st.lists(st.integers(0, 6).map(float), min_size=1, max_size=40),
    patience=st.integers(0, 4),
    min_delta=st.sampled_from([0.0, 1.0]),
)
def test_plateau_is_pytorchs(losses: list[float], patience: int, min_delta: float) -> None:
    schedule = ReduceOnPlateau(factor=0.5, patience=patience, min_delta=min_delta)
    assert rates(schedule, losses) == pytest.approx(reference_plateau(losses, 0.5, patience, min_delta))


def test_an_improvement_below_min_delta_is_none() -> None:
    schedule = ReduceOnPlateau(factor=0.5, patience=0, min_delta=0.5)
    assert rates(schedule, [3, 2.6, 2.4, 1.9, 1.8]) == [0.1, 0.1, 0.05, 0.05, 0.025]


def test_defaults() -> None:
    """What a body that leaves them out gets: changing one changes the runs of others."""
    assert (StepDecay().every, StepDecay().factor, ExponentialDecay().factor) == (10, 0.5, 0.95)
    assert (InverseTimeDecay().decay_rate, CosineDecay().minimum, WarmUp().epochs) == (0.01, 0.0, 5)
    plateau = ReduceOnPlateau()
    assert (plateau.factor, plateau.patience, plateau.min_delta) == (0.1, 10, 0.0)
