"""Two training workers side by side, each with its share of the cores, against one with all of them, job after job."""

import statistics
import time

from bench.peers import THREADS, Case, Peer

REPEATS = 5
CASES = (
    Case("moons", 2_000, (2, 32, 32, 2), 32, 60),
    Case("digits", 60_000, (784, 256, 128, 10), 128, 1),
    Case("wide", 20_000, (784, 1024, 1024, 10), 256, 1),
)


def one_after_the_other(worker: Peer) -> float:
    started = time.perf_counter()
    for _ in range(2):
        worker.ask(None)
    return time.perf_counter() - started


def together(workers: list[Peer]) -> float:
    started = time.perf_counter()
    for worker in workers:
        worker.line.send(None)
    for worker in workers:
        worker.line.recv()
    return time.perf_counter() - started


def main() -> None:
    alone, pair = Peer("vidro"), [Peer("vidro", max(1, THREADS // 2)) for _ in range(2)]
    print(f"two jobs on {THREADS} cores; median of {REPEATS} in turns (best … worst)")
    for case in CASES:
        for worker in (alone, *pair):
            worker.ask(case)
        times: dict[str, list[float]] = {"one after the other": [], "together": []}
        for _ in range(REPEATS):
            times["one after the other"].append(one_after_the_other(alone))
            times["together"].append(together(pair))
        medians = {name: statistics.median(each) for name, each in times.items()}
        print(f"\n{case.name}")
        for name, median in medians.items():
            print(f"  {name:20s} {median * 1e3:8.0f} ms  ({min(times[name]) * 1e3:.0f} … {max(times[name]) * 1e3:.0f})")
        ratio = medians["together"] / medians["one after the other"]
        print(f"  together takes {ratio:.2f} × as long (target ≤ 1) {'' if ratio <= 1 else 'MISSED'}")


if __name__ == "__main__":
    main()
