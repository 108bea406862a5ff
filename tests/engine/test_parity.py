"""PyTorch on the CPU, started from the same weights and fed the same batches, in float64, over at least 50 steps.

Where the course's definitions and PyTorch's differ, the hyperparameters are chosen so that both say the same:
- momentum and Nesterov have the rate inside the velocity here, PyTorch multiplies the velocity by it: alike while the rate
  is constant, as it is in these runs;
- Adagrad has ε inside the root here, √(s + ε), PyTorch adds it to the root, √s + ε: with PyTorch's at 0 and the sum of
  squares started at ε (`initial_accumulator_value`) both divide by √(ε + Σ g²);
- RMSProp's share is `rho` here and `alpha` there.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
import torch  # not in the lock: scripts/test installs it, and without it these tests must fail, not be skipped
from torch import nn

from engine.randomness import Shuffles
from engine.tables.samples import BlobsSample
from tests.engine import Run, finish, prepared, table, way_of

torch.set_num_threads(1)  # these matrices are too small to be worth a second one
ROWS, SEED = 60, 7
DATA = table(BlobsSample(rows=ROWS, centers=4, features=3, std=4.0, seed=2).columns())
WAYS: dict[str, dict[str, Any]] = {
    "small": {"units": (7, 5), "batch": 16, "epochs": 15},
    "large": {"units": (160, 150), "batch": 40, "epochs": 26},
    "definition": {"units": (7, 5), "batch": 16, "epochs": 15, "dropout": 1e-300},  # which silences nothing
}
"""Steps may be taken in different ways, by the size of the network and by what it is made of. The last batch is shorter."""
every_way = pytest.mark.parametrize("way", WAYS)
Weights = Iterable[nn.Parameter]

OPTIMIZERS: list[tuple[dict[str, Any], Callable[[Weights], torch.optim.Optimizer]]] = [
    ({"kind": "gradient_descent", "learning_rate": 0.2}, lambda w: torch.optim.SGD(w, lr=0.2)),
    (
        {"kind": "momentum", "learning_rate": 0.05, "momentum": 0.9},
        lambda w: torch.optim.SGD(w, lr=0.05, momentum=0.9),
    ),
    (
        {"kind": "nesterov", "learning_rate": 0.05, "momentum": 0.9},
        lambda w: torch.optim.SGD(w, lr=0.05, momentum=0.9, nesterov=True),
    ),
    (
        {"kind": "adagrad", "learning_rate": 0.05, "epsilon": 1e-4},
        lambda w: torch.optim.Adagrad(w, lr=0.05, initial_accumulator_value=1e-4, eps=0.0),
    ),
    (
        {"kind": "rmsprop", "learning_rate": 0.01, "rho": 0.95, "epsilon": 1e-6},
        lambda w: torch.optim.RMSprop(w, lr=0.01, alpha=0.95, eps=1e-6),
    ),
    (
        {"kind": "adam", "learning_rate": 0.02, "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-7},
        lambda w: torch.optim.Adam(w, lr=0.02, betas=(0.8, 0.99), eps=1e-7),
    ),
    (
        {"kind": "adamw", "learning_rate": 0.02, "weight_decay": 0.1},
        lambda w: torch.optim.AdamW(w, lr=0.02, weight_decay=0.1),
    ),
]
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "identity": nn.Identity,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.01),
    "elu": nn.ELU,
    "gelu": lambda: nn.GELU(approximate="tanh"),
    "silu": nn.SiLU,
    "softplus": nn.Softplus,
    "softmax": lambda: nn.Softmax(dim=1),
}


def twin(posed: Any, activations: tuple[str, str]) -> nn.Sequential:
    """PyTorch's network with the weights that ours starts from."""
    modules: list[nn.Module] = []
    for index, layer in enumerate(posed.problem.network.parameters.layers):
        linear = nn.Linear(*layer.W.shape, bias=layer.b is not None, dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(layer.W.T))
            if layer.b is not None:
                linear.bias.copy_(torch.tensor(layer.b))
        modules.append(linear)
        if index < len(activations):
            modules.append(ACTIVATIONS[activations[index]]())
    return nn.Sequential(*modules)


def follow(
    posed: Any, net: nn.Sequential, optimizer: torch.optim.Optimizer, loss: Any, clip: float | None = None
) -> list[float]:
    """Train the twin on the same batches; the mean loss of each epoch, as each row had it before its step."""
    X, Y = torch.tensor(posed.problem.train.X), torch.tensor(posed.problem.train.Y)
    course, shuffles, batch = [], Shuffles(SEED, len(X)), posed.problem.spec.batch_size
    for epoch in range(posed.problem.spec.epochs):
        order = shuffles.order(epoch)
        total = 0.0
        for start in range(0, len(X), batch):
            rows = torch.tensor(order[start : start + batch])
            optimizer.zero_grad()
            cost = loss(net(X[rows]), Y[rows])
            cost.backward()
            if clip is not None:  # not clip_grad_norm_, which adds 1e−6 to the norm that it divides by
                gradients = [parameter.grad for parameter in net.parameters()]
                norm = torch.sqrt(sum((gradient**2).sum() for gradient in gradients))
                for gradient in gradients:
                    gradient *= torch.clamp(clip / norm, max=1.0)
            optimizer.step()
            total += cost.item() * len(rows)
        course.append(total / len(X))
    return course


def posed_with(
    optimizer: dict[str, Any], way: str = "small", activations: tuple[str, str] = ("tanh", "relu"), **request: Any
) -> Any:
    size = WAYS[way]
    hidden = [
        {"units": units, "activation": activation, "dropout": size.get("dropout", 0.0)}
        for units, activation in zip(size["units"], activations, strict=True)
    ]
    model = {"kind": "mlp", "hidden": hidden, "bias": request.pop("bias", True)}
    settings: dict[str, Any] = {
        "target": "blob", "model": model, "optimizer": optimizer, "epochs": size["epochs"], "batch_size": size["batch"],
        "seed": SEED, "precision": "float64", "split": {"validation": 0.0},
    }  # fmt: skip
    posed = prepared(DATA, **settings | request)
    assert way_of(posed) == taken(way, activations)
    return posed


def taken(way: str, activations: tuple[str, str]) -> str:
    """The way that its steps take: where an activation has no kernel, by their definition."""
    return "definition" if "softmax" in activations else way


def check(run: Run, net: nn.Sequential, course: list[float]) -> None:
    assert run.state.step >= 50
    theirs = [parameter.detach().numpy() for parameter in net.parameters()]
    ours = [array for layer in run.layers for array in (layer.W.T, layer.b) if array is not None]
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-9)
    np.testing.assert_allclose(run.course("train_loss"), course, rtol=0, atol=1e-9)
    assert course[0] - course[-1] > 0.05, "nothing was learned, so nothing was compared"


@pytest.mark.parametrize(("ours", "theirs"), OPTIMIZERS, ids=[ours["kind"] for ours, _ in OPTIMIZERS])
@every_way
def test_every_optimizer(ours: dict[str, Any], theirs: Callable[[Weights], torch.optim.Optimizer], way: str) -> None:
    posed = posed_with(ours, way)
    net = twin(posed, ("tanh", "relu"))
    course = follow(posed, net, theirs(net.parameters()), nn.functional.cross_entropy)
    check(finish(posed), net, course)


@pytest.mark.parametrize("name", ACTIVATIONS)
@every_way
def test_every_activation(name: str, way: str) -> None:
    posed = posed_with({"kind": "adam", "learning_rate": 0.02}, way, (name, name))
    net = twin(posed, (name, name))
    course = follow(posed, net, torch.optim.Adam(net.parameters(), lr=0.02), nn.functional.cross_entropy)
    check(finish(posed), net, course)


REGRESSION_LOSSES: list[tuple[dict[str, Any], Any]] = [
    ({"kind": "mae"}, nn.functional.l1_loss),
    ({"kind": "mse"}, nn.functional.mse_loss),
    ({"kind": "half_mse"}, lambda Z, Y: nn.functional.mse_loss(Z, Y) / 2),
    ({"kind": "huber", "delta": 0.7}, lambda Z, Y: nn.functional.huber_loss(Z, Y, delta=0.7)),
]
CLASSIFICATION_LOSSES: list[tuple[dict[str, Any], Any]] = [
    (
        {"kind": "binary_cross_entropy"},
        lambda Z, Y: nn.functional.binary_cross_entropy_with_logits(Z, Y, reduction="none").sum(dim=1).mean(),
    ),
    (
        {"kind": "hinge", "margin": 1.0},  # PyTorch divides by the number of classes
        lambda Z, Y: Y.shape[1] * nn.functional.multi_margin_loss(Z, Y.argmax(dim=1)),
    ),
    (
        {"kind": "kullback_leibler"},
        lambda Z, Y: nn.functional.kl_div(nn.functional.log_softmax(Z, dim=1), Y, reduction="batchmean"),
    ),
    ({"kind": "likelihood"}, lambda Z, Y: -(nn.functional.softmax(Z, dim=1) * Y).sum(dim=1).mean()),
    ({"kind": "log_likelihood"}, lambda Z, Y: nn.functional.nll_loss(nn.functional.log_softmax(Z, dim=1), Y.argmax(dim=1))),
]


@pytest.mark.parametrize(("ours", "theirs"), REGRESSION_LOSSES, ids=[ours["kind"] for ours, _ in REGRESSION_LOSSES])
@every_way
def test_every_regression_loss(ours: dict[str, Any], theirs: Any, way: str) -> None:
    posed = posed_with(
        {"kind": "adam", "learning_rate": 0.05}, way, target="x1", task="regression", loss=ours,
        preprocessing={"scaling": "standard"},
    )  # fmt: skip
    net = twin(posed, ("tanh", "relu"))
    course = follow(posed, net, torch.optim.Adam(net.parameters(), lr=0.05), theirs)
    check(finish(posed), net, course)


@pytest.mark.parametrize(("ours", "theirs"), CLASSIFICATION_LOSSES, ids=[ours["kind"] for ours, _ in CLASSIFICATION_LOSSES])
@every_way
def test_every_classification_loss(ours: dict[str, Any], theirs: Any, way: str) -> None:
    posed = posed_with({"kind": "adam", "learning_rate": 0.02}, way, loss=ours)
    net = twin(posed, ("tanh", "relu"))
    course = follow(posed, net, torch.optim.Adam(net.parameters(), lr=0.02), theirs)
    check(finish(posed), net, course)


@every_way
def test_l2_without_biases(way: str) -> None:
    """PyTorch's weight decay is ½ l2 ‖w‖² of all parameters: of the weights, where there is no bias."""
    rule = {"kind": "momentum", "learning_rate": 0.1, "momentum": 0.5}
    posed = posed_with(rule, way, bias=False, regularization={"l2": 0.01})
    net = twin(posed, ("tanh", "relu"))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.5, weight_decay=0.01)
    course = follow(posed, net, optimizer, nn.functional.cross_entropy)
    check(finish(posed), net, course)


@every_way
def test_clipping(way: str) -> None:
    posed = posed_with({"kind": "momentum", "learning_rate": 0.1, "momentum": 0.5}, way, regularization={"clip_norm": 0.05})
    net = twin(posed, ("tanh", "relu"))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.5)
    course = follow(posed, net, optimizer, nn.functional.cross_entropy, clip=0.05)
    run = finish(posed)
    check(run, net, course)
    assert min(run.course("gradient_norm")) > 0.05  # as it was before it was clipped


@every_way
def test_one_row_a_step(way: str) -> None:
    posed = posed_with({"kind": "gradient_descent", "learning_rate": 0.02}, way, batch_size=1, epochs=10)
    net = twin(posed, ("tanh", "relu"))
    course = follow(posed, net, torch.optim.SGD(net.parameters(), lr=0.02), nn.functional.cross_entropy)
    check(finish(posed), net, course)
