"""Linear models in closed form and by Newton's method against scikit-learn's, in one process, in turns."""

import dataclasses
import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np
from sklearn.linear_model import LinearRegression as TheirLinear
from sklearn.linear_model import LogisticRegression as TheirLogistic

from engine.fast.threads import limit
from engine.models.base import Matrices, Problem
from engine.models.least_squares import least_squares
from engine.models.logistic import LogisticRegression, Penalty
from engine.models.run_state import State
from engine.network.network import Network
from engine.parts.losses import BinaryCrossEntropy
from engine.tables.target import Classes
from engine.training.run import train
from engine.training.spec import Training

REPEATS = 5
SOLVERS = ("lbfgs", "newton-cg", "newton-cholesky")
Run = Callable[[], tuple[float, float]]


def linear(rows: int = 1_000_000, columns: int = 20) -> dict[str, Run]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((rows, columns)) * np.geomspace(0.1, 100, columns) + np.linspace(-50, 50, columns)
    y = X @ rng.standard_normal((columns, 1)) + rng.standard_normal((rows, 1))

    def cost(W: np.ndarray, b: np.ndarray) -> float:
        return float(np.square(X @ W + b - y).mean())

    def ours() -> tuple[float, float]:
        started = time.perf_counter()
        W, b, _, _ = least_squares(X, y)
        return time.perf_counter() - started, cost(W, b)

    def theirs() -> tuple[float, float]:
        started = time.perf_counter()
        model = TheirLinear().fit(X, y)
        return time.perf_counter() - started, cost(model.coef_.T, model.intercept_)

    return {"vidro": ours, "scikit-learn": theirs}


def logistic(rows: int = 100_000, columns: int = 50) -> dict[str, Run]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((rows, columns))
    labels = (rng.random(rows) < 1 / (1 + np.exp(-(X @ rng.standard_normal(columns) / 2)))).astype(int)
    Y = labels[:, None].astype(float)

    def cost(W: np.ndarray, b: np.ndarray) -> float:
        Z = X @ W + b
        return float((np.logaddexp(0, Z) - Y * Z).sum() + 0.5 * (W**2).sum())

    def ours() -> tuple[float, float]:
        model = LogisticRegression(penalty=Penalty(l2=1.0))
        spec = Training(target="y", task="classification", model=model, precision="float64")
        spec = dataclasses.replace(spec, **model.settings("classification", 2))
        network = Network(model.bound_layers(columns, 1), np.float64, np)
        assert isinstance(spec.loss, BinaryCrossEntropy)
        started = time.perf_counter()
        for _ in train(Problem(spec, network, Classes(("y",), (0, 1)), Matrices(X, Y), None), State()):
            pass
        seconds = time.perf_counter() - started
        views = network.parameters.layers[0]
        assert views.b is not None
        return seconds, cost(views.W, views.b)

    def theirs(solver: str) -> Run:
        def run() -> tuple[float, float]:
            started = time.perf_counter()
            model = TheirLogistic(solver=solver, max_iter=1000).fit(X, labels)
            return time.perf_counter() - started, cost(model.coef_.T, model.intercept_)

        return run

    return {"vidro": ours, **{solver: theirs(solver) for solver in SOLVERS}}


def report(title: str, runs: dict[str, Run]) -> None:
    times: dict[str, list[float]] = {name: [] for name in runs}
    costs = {}
    for turn in range(REPEATS + 1):
        for name, run in runs.items():
            seconds, costs[name] = run()
            times[name] += [seconds] if turn else []
    medians = {name: statistics.median(each) for name, each in times.items()}
    fastest = min(median for name, median in medians.items() if name != "vidro")
    print(f"\n{title}; median of {REPEATS} (best … worst)")
    for name, median in medians.items():
        spread = f"({min(times[name]) * 1e3:.1f} … {max(times[name]) * 1e3:.1f})"
        print(f"  {name:16s} {median * 1e3:8.1f} ms  {spread}  cost {costs[name]:.10f}")
    print(f"  the fastest other takes {fastest / medians['vidro']:.2f} × as long (target ≥ 1, aim 3)")


def main() -> None:
    warnings.simplefilter("ignore")
    limit(2)
    report("Linear regression, 1,000,000 × 20, float64", linear())
    report("Logistic regression, 100,000 × 50, float64, C = 1", logistic())


if __name__ == "__main__":
    main()
