"""What an epoch costs against rows, width, depth and batch: printed with the power that it grows by, and drawn."""

import statistics
import sys
from collections.abc import Callable

import matplotlib
import numpy as np

from bench.peers import THREADS, Case, vidro
from engine.fast.threads import limit

matplotlib.use("svg")
from matplotlib import pyplot

REPEATS = 5
PICTURE = "docs/growth.svg"
ROWS, WIDTH, DEPTH, BATCH = 8_000, 256, 2, 128
SWEEPS: dict[str, tuple[list[int], Callable[[int], Case], str]] = {
    "rows": (
        [1_000, 2_000, 4_000, 8_000, 16_000, 32_000],
        lambda rows: Case("rows", rows, (64, *[WIDTH] * DEPTH, 10), BATCH, 1),
        "linear: 1",
    ),
    "width": (
        [16, 32, 64, 128, 256, 512, 1024],
        lambda width: Case("width", ROWS, (64, *[width] * DEPTH, 10), BATCH, 1),
        "towards 2: a layer's weights grow by the square",
    ),
    "depth": (
        [1, 2, 4, 8, 16],
        lambda depth: Case("depth", ROWS, (WIDTH, *[WIDTH] * depth, 10), BATCH, 1),
        "linear: 1",
    ),
    "batch": (
        [16, 32, 64, 128, 256, 512, 1024],
        lambda batch: Case("batch", ROWS, (64, *[WIDTH] * DEPTH, 10), batch, 1),
        "0 at best: the same arithmetic, in fewer updates",
    ),
}


def cost(case: Case) -> float:
    """Seconds of an epoch, the median of a few."""
    run = vidro.ready(case)
    run()
    return statistics.median(run()[0] for _ in range(REPEATS))


def main() -> None:
    limit(THREADS)
    figure, axes = pyplot.subplots(1, len(SWEEPS), figsize=(14, 3.4), sharey=True)
    for axis, (name, (sizes, case_of, expected)) in zip(axes, SWEEPS.items(), strict=True):
        seconds = [cost(case_of(size)) for size in sizes]
        power = np.polyfit(np.log(sizes[-3:]), np.log(seconds[-3:]), 1)[0]
        print(f"{name:6s} " + "  ".join(f"{size}: {each * 1e3:.1f} ms" for size, each in zip(sizes, seconds, strict=True)))
        print(f"       power over the last three {power:.2f} ({expected})")
        axis.loglog(sizes, [each * 1e3 for each in seconds], marker="o", color="#0a7d6e")
        axis.set(xlabel=name, title=f"{name}: power {power:.2f}", xticks=sizes, xticklabels=[f"{size:,}" for size in sizes])
        axis.tick_params(axis="x", rotation=60, which="major")
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("ms an epoch")
    figure.suptitle(f"{ROWS:,} × 64-{'-'.join([str(WIDTH)] * DEPTH)}-10, batch {BATCH}, Adam, float32, one size varied", y=1.02)
    figure.savefig(sys.argv[1] if len(sys.argv) > 1 else PICTURE, bbox_inches="tight", metadata={"Date": None})


if __name__ == "__main__":
    main()
