"""The engine against PyTorch, JAX and scikit-learn on a CPU, all in one run, in turns; ratios beside what is aimed at."""

import statistics
import sys
import time

from bench.peers import THREADS, Case, Peer

REPEATS = 5
CALM_SECONDS = 0.2
"""Between two turns: the threads of some libraries keep a core busy for a while after their work, waiting for more."""
CASES = (
    Case("tiny", 120, (4, 16, 3), 16, 200),
    Case("moons", 2_000, (2, 32, 32, 2), 32, 20),
    Case("digits", 60_000, (784, 256, 128, 10), 128, 1),
    Case("wide", 20_000, (784, 1024, 1024, 10), 256, 1),
)
PEERS = ("vidro", "pytorch", "jax_scan", "sklearn_mlp", "products", "bound")
TARGETS = {
    "tiny": {"pytorch": 30, "jax_scan": 5, "sklearn_mlp": 1},
    "moons": {"pytorch": 10, "jax_scan": 1.2, "sklearn_mlp": 1},
    "digits": {"pytorch": 3, "jax_scan": 1.3, "sklearn_mlp": 1},
    "wide": {"pytorch": 2.5, "jax_scan": 1.1, "sklearn_mlp": 1},
}
MOST_OF_PRODUCTS = 1.25
"""On the wide net a whole step may take so many times its products of matrices."""


def main(names: list[str]) -> None:
    peers = {name: Peer(name) for name in PEERS}
    print("  ·  ".join(peer.version for peer in peers.values()), f" ·  {THREADS} threads each, data synthetic")
    for case in CASES:
        if names and case.name not in names:
            continue
        for peer in peers.values():
            peer.ask(case)
        times: dict[str, list[float]] = {name: [] for name in peers}
        losses = {}
        for _ in range(REPEATS):
            for name, peer in peers.items():
                time.sleep(CALM_SECONDS)
                seconds, losses[name] = peer.ask(None)
                times[name].append(seconds)
        report(case, {name: statistics.median(each) for name, each in times.items()}, losses, times)


def report(case: Case, medians: dict[str, float], losses: dict[str, float], times: dict[str, list[float]]) -> None:
    net = "-".join(map(str, case.sizes))
    print(f"\n{case.name}: {case.rows:,} × {net}, batch {case.batch}, {case.epochs} epochs; median of {REPEATS} (best … worst)")
    for name, median in medians.items():
        line = f"  {name:12s} {median * 1e3:9.2f} ms  ({min(times[name]) * 1e3:.2f} … {max(times[name]) * 1e3:.2f})"
        line += f"  loss {losses[name]:.4f}" if name not in ("products", "bound") else ""
        if name in TARGETS[case.name]:
            ratio, target = median / medians["vidro"], TARGETS[case.name][name]
            line += f"  {ratio:6.2f} × as long (target ≥ {target}) {'' if ratio >= target else 'MISSED'}"
        print(line)
    if case.name == "wide":
        ratio = medians["vidro"] / medians["products"]
        verdict = "" if ratio <= MOST_OF_PRODUCTS else "MISSED"
        print(f"  a step is {ratio:.2f} × its products of matrices (target ≤ {MOST_OF_PRODUCTS}) {verdict}")


if __name__ == "__main__":
    main(sys.argv[1:])
