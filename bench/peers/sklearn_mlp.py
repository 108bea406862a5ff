"""scikit-learn's MLPClassifier, which draws its first weights itself (Glorot's)."""

import time
import warnings
from collections.abc import Callable

import sklearn
from sklearn.neural_network import MLPClassifier

from bench.peers import LEARNING_RATE, Case

VERSION = f"scikit-learn {sklearn.__version__}"


def ready(case: Case) -> Callable[[], tuple[float, float]]:
    X, labels, _ = case.data()
    warnings.simplefilter("ignore")  # that it has not converged is the point

    def run() -> tuple[float, float]:
        model = MLPClassifier(
            case.sizes[1:-1], batch_size=case.batch, learning_rate_init=LEARNING_RATE, alpha=0, max_iter=case.epochs,
            tol=0, n_iter_no_change=case.epochs + 1, random_state=0,
        )  # fmt: skip
        started = time.perf_counter()
        model.fit(X, labels)
        return time.perf_counter() - started, float(model.loss_)

    return run
