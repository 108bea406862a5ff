"""PyTorch, eager, with its fused Adam."""

import time
from collections.abc import Callable

import torch
from torch import nn

from bench.peers import LEARNING_RATE, THREADS, Case

VERSION = f"PyTorch {torch.__version__}"


def ready(case: Case) -> Callable[[], tuple[float, float]]:
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    data, labels, weights = case.data()
    X, y = torch.from_numpy(data), torch.from_numpy(labels)

    def build() -> nn.Sequential:
        layers: list[nn.Module] = []
        for W in weights:
            linear = nn.Linear(*W.shape)
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(W.T.copy()))
                linear.bias.zero_()
            layers += [linear, nn.ReLU()]
        return nn.Sequential(*layers[:-1])

    return lambda: timed(build(), X, y, case)


def timed(model: nn.Module, X: torch.Tensor, y: torch.Tensor, case: Case, batches: int | None = None) -> tuple[float, float]:
    """Train the model, of each epoch so many batches or all. Returns the seconds, and the mean loss of the last epoch."""
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=True)
    started = time.perf_counter()
    for _ in range(case.epochs):
        order, total = torch.randperm(case.rows), 0.0
        for start in range(0, case.rows, case.batch)[:batches]:
            rows = order[start : start + case.batch]
            optimizer.zero_grad()
            loss = criterion(model(X[rows]), y[rows])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
    return time.perf_counter() - started, total / case.rows
