"""The spread of a number over repeated runs: mean, deviation, and the interval that holds the mean of many runs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

LEVEL = 0.95


@dataclass(frozen=True)
class Spread:
    """Of `count` numbers: their mean, the deviation of the sample (n − 1), the least and the greatest, and the interval mean ±
    t s / √n of Student's t at `LEVEL`. Of one number there is neither deviation nor interval.
    """

    count: int
    mean: float
    deviation: float | None
    low: float
    high: float
    interval: tuple[float, float] | None


def spread(values: Sequence[float]) -> Spread:
    """The spread of these numbers, one at least. What is not finite makes everything that it enters so."""
    count = len(values)
    mean = sum(values) / count
    if count == 1:
        return Spread(1, mean, None, mean, mean, None)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (count - 1))
    reach = student_t(0.5 + LEVEL / 2, count - 1) * deviation / math.sqrt(count)
    return Spread(count, mean, deviation, min(values), max(values), (mean - reach, mean + reach))


def student_t(probability: float, freedom: int) -> float:
    """The quantile of Student's t: in closed form for one and two degrees of freedom, else by Newton's method on the
    distribution, from the normal's quantile (Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7).
    """
    if freedom == 1:
        return math.tan(math.pi * (probability - 0.5))
    if freedom == 2:
        return 2 * (probability - 0.5) * math.sqrt(2 / (4 * probability * (1 - probability)))
    t = NormalDist().inv_cdf(probability)
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)
    for _ in range(50):
        density = scale * (1 + t * t / freedom) ** (-(freedom + 1) / 2)
        step = (_distribution(t, freedom) - probability) / density
        t -= step
        if abs(step) < 1e-12 * max(1.0, abs(t)):
            break
    return t


def _distribution(t: float, freedom: int) -> float:
    """P(T ≤ t) by the finite sums of Abramowitz and Stegun, 26.7.3 and 26.7.4."""
    angle = math.atan2(t, math.sqrt(freedom))
    cosine = math.cos(angle)
    term = total = math.sin(angle) * (cosine if freedom % 2 else 1.0)
    for k in range(3 if freedom % 2 else 2, freedom - 1, 2):
        term *= cosine * cosine * (k - 1) / k
        total += term
    within = 2 / math.pi * (angle + total) if freedom % 2 else total
    return 0.5 + within / 2
