"""A table's profile and warnings beside one pass of the same statistics in Polars; the same rows, in turn, in one process."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from store.findings import warnings_of
from store.profile import QUANTILES, TOP, profile

ROUNDS = 3
RNG = np.random.default_rng(0)
TABLES: dict[str, Callable[[], pl.DataFrame]] = {
    "60,000 × 785 whole numbers to 255": lambda: pl.DataFrame(RNG.integers(0, 256, (60_000, 785))),
    "60,000 × 785, as bytes": lambda: pl.DataFrame(RNG.integers(0, 256, (60_000, 785)).astype(np.uint8)),
    "60,000 × 100 fractions": lambda: pl.DataFrame(RNG.normal(0, 1, (60_000, 100))),
    "60,000 × 100 whole numbers to 10⁹": lambda: pl.DataFrame(RNG.integers(0, 10**9, (60_000, 100))),
    "1,000 × 10,000 fractions": lambda: pl.DataFrame(RNG.normal(0, 1, (1000, 10_000))),
    "1,000 × 10,000 whole numbers": lambda: pl.DataFrame(RNG.integers(0, 100, (1000, 10_000))),
}


def main() -> None:
    print(f"{'table':36} {'Polars':>8} {'profile':>8} {'warnings':>8}  profile / Polars")
    for name, make in TABLES.items():
        table = make()
        theirs, ours, warned = [], [], []
        for _ in range(ROUNDS):
            theirs.append(timed(one_pass, table)[0])
            seconds, columns = timed(profile, table)
            ours.append(seconds)
            warned.append(timed(warnings_of, columns, table)[0])
        print(f"{name:36} {min(theirs):7.2f}s {min(ours):7.2f}s {min(warned):7.2f}s  {min(ours) / min(theirs):.2f}")


def one_pass(table: pl.DataFrame) -> pl.DataFrame:
    """What the profile holds of numbers, in one select; without the first gap."""
    wanted = []
    for name, dtype in table.schema.items():
        column = pl.col(name)
        statistics = [column.null_count(), column.n_unique(), column.min(), column.max(), column.mean(), column.std()]
        statistics += [column.quantile(q, "linear") for q in QUANTILES]
        if dtype.is_integer():
            statistics.append(column.value_counts(sort=True).head(TOP).implode())
        wanted += [statistic.alias(f"{name}/{place}") for place, statistic in enumerate(statistics)]
    return table.select(wanted)


def timed(work: Callable[..., Any], *given: Any) -> tuple[float, Any]:
    started = time.perf_counter()
    found = work(*given)
    return time.perf_counter() - started, found


if __name__ == "__main__":
    main()
