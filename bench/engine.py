"""The engine against PyTorch, JAX and scikit-learn on a CPU, all in one run, in turns; ratios beside what is aimed at."""

import statistics
import sys
import time

from bench.peers import THREADS, Case, LeNet5, Peer

REPEATS = 5
CALM_SECONDS = 0.2
"""Between two turns: the threads of some libraries keep a core busy for a while after their work, waiting for more."""
CASES = (
    Case("tiny", 120, (4, 16, 3), 16, 200),
    Case("moons", 2_000, (2, 32, 32, 2), 32, 20),
    Case("digits", 60_000, (784, 256, 128, 10), 128, 1),
    Case("wide", 20_000, (784, 1024, 1024, 10), 256, 1),
    LeNet5("lenet5", 60_000, (784, 120, 84, 10), 128, 1),
)
PEERS = ("vidro", "pytorch", "jax_scan", "sklearn_mlp", "products", "bound")
OF_IMAGES = ("vidro", "pytorch_images", "jax_images", "bound")
TARGETS = {
    "tiny": {"pytorch": 30, "jax_scan": 5, "sklearn_mlp": 1},
    "moons": {"pytorch": 10, "jax_scan": 1.2, "sklearn_mlp": 1},
    "digits": {"pytorch": 3, "jax_scan": 1.3, "sklearn_mlp": 1},
    "wide": {"pytorch": 1.25, "jax_scan": 1.15, "sklearn_mlp": 1},
    "lenet5": {"pytorch_images": 2.5, "jax_images": 8},
}
MOST_OF_PRODUCTS = 1.25
"""On the wide net a whole step may take so many times its products of matrices."""


def main(names: list[str]) -> None:
    cases = [case for case in CASES if not names or case.name in names]
    started: dict[str, Peer] = {}
    for case in cases:
        for name in peers_of(case):
            started[name] = started.get(name) or Peer(name)
    print("  ·  ".join(peer.version for peer in started.values()), f" ·  {THREADS} threads each, data synthetic")
    for case in cases:
        peers = {name: started[name] for name in peers_of(case)}
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


def peers_of(case: Case) -> tuple[str, ...]:
    return OF_IMAGES if isinstance(case, LeNet5) else PEERS


def report(case: Case, medians: dict[str, float], losses: dict[str, float], times: dict[str, list[float]]) -> None:
    net = "LeNet-5 of 28 × 28" if isinstance(case, LeNet5) else "-".join(map(str, case.sizes))
    print(f"\n{case.name}: {case.rows:,} × {net}, batch {case.batch}, {case.epochs} epochs; median of {REPEATS} (best … worst)")
    for name, median in medians.items():
        line = f"  {name:12s} {median * 1e3:9.2f} ms  ({min(times[name]) * 1e3:.2f} … {max(times[name]) * 1e3:.2f})"
        line += f"  loss {losses[name]:.4f}" if name not in ("products", "bound") else ""
        if name in TARGETS[case.name]:
            ratio, target = median / medians["vidro"], TARGETS[case.name][name]
            line += f"  {ratio:6.2f} × as long (target ≥ {target}) {'' if ratio >= target else 'MISSED'}"
        print(line)
    share = medians["bound"] / medians["vidro"]
    print(f"  vidro works at {share:.0%} of the rate of one large product ({share_rate(case, medians):.0f} GFLOP/s)")
    if case.name == "wide":
        ratio = medians["vidro"] / medians["products"]
        verdict = "" if ratio <= MOST_OF_PRODUCTS else "MISSED"
        print(f"  a step is {ratio:.2f} × its products of matrices (target ≤ {MOST_OF_PRODUCTS}) {verdict}")


def share_rate(case: Case, medians: dict[str, float]) -> float:
    """GFLOP/s of one large product of NumPy's."""
    return 2e-9 * case.multiplications * case.rows * case.epochs / medians["bound"]


if __name__ == "__main__":
    main(sys.argv[1:])
