"""Solvers of linear models that are not gradient descent: least squares in closed form, and Newton's method."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from engine.descent import mean_loss, validate
from engine.errors import Diverged
from engine.scoring import score
from engine.train import Epoch, Problem, State

GRADIENT_TOLERANCE = 1e-9
"""Newton's method ends when no component of the mean gradient is larger."""
MAX_HALVINGS = 30


def least_squares(X: np.ndarray, y: np.ndarray, bias: bool = True) -> tuple[np.ndarray, np.ndarray, int, float]:
    """W (d, k) and b (k,) that minimise Σ(XW + b − y)², with the rank of X and its condition number.

    Through the singular values of the centred X, never an inverse; of several solutions the one of least norm
    (Golub & Van Loan, Matrix Computations, 5.5). The condition number is that of the columns scaled to one length,
    so that a change of unit does not change it; it is infinite where the columns depend on each other.
    """
    center, mean = (X.mean(axis=0), y.mean(axis=0)) if bias else (np.zeros(X.shape[1]), np.zeros(y.shape[1]))
    centred = X - center
    lengths = np.linalg.norm(centred, axis=0)
    # A column that centring leaves at rounding error is constant: the bias stands for it already.
    lengths[lengths <= np.finfo(X.dtype).eps * len(X) * np.abs(X).max(axis=0, initial=0)] = 0
    scale = np.where(lengths > 0, lengths, 1)
    scaled = np.where(lengths > 0, centred / scale, 0)
    solution, _, rank, singular = np.linalg.lstsq(scaled, y - mean, rcond=None)
    W = solution / scale[:, None]
    if rank < X.shape[1]:  # scaling changes which solution is shortest: take the shortest in X's own units
        W = np.linalg.lstsq(centred, y - mean, rcond=None)[0]
        condition = float("inf")
    else:
        condition = float(singular[0] / singular[-1])
    return W, mean - center @ W, int(rank), condition


def analytic(problem: Problem, state: State) -> Iterator[Epoch]:
    """Linear regression in closed form, as the one epoch there is."""
    if state.epoch:
        return
    started = time.perf_counter()
    layer = problem.network.parameters.layers[0]
    W, b, rank, condition = least_squares(problem.train.X, problem.train.Y)
    layer.W[...] = W
    assert layer.b is not None
    layer.b[...] = b
    state.epoch = state.step = 1
    values = evaluation(problem) | {
        "rank": float(rank),
        "condition": condition,
        "seconds": time.perf_counter() - started,
    }
    yield Epoch(1, values=values, converged=True, warnings=_rank_warnings(rank, problem.train.X.shape[1]))


def _rank_warnings(rank: int, columns: int) -> tuple[dict[str, Any], ...]:
    if rank == columns:
        return ()
    detail = (
        f"The {columns} features have rank {rank}: some are constant or sums of others, so many weights fit equally "
        "well. The shortest ones are given; drop the dependent features for weights that can be read."
    )
    return ({"code": "RANK_DEFICIENT", "detail": detail},)


def evaluation(problem: Problem) -> dict[str, float | None]:
    """Loss and score on the training and validation rows at the present weights."""
    outputs = problem.network.evaluate(problem.train.X)
    train = {"train_loss": mean_loss(problem, outputs, problem.train)}
    return train | score("train", problem, outputs, problem.train.Y) | validate(problem)


def newton(problem: Problem, state: State) -> Iterator[Epoch]:
    """Logistic regression by Newton's method with halved steps: an epoch an iteration, until the gradient vanishes.

    Two classes and one-vs-rest solve a (d+1, d+1) system a class; multinomial one (K(d+1), K(d+1)) system
    (Bishop, Pattern Recognition and Machine Learning, 4.3.3–4.3.4).
    """
    spec = problem.spec
    assert spec.epochs is not None
    objective = Objective(problem)
    theta = objective.gather()
    value, gradient = objective.value_and_gradient(theta)
    while state.epoch < spec.epochs:
        started = time.perf_counter()
        direction = objective.newton_direction(theta, gradient)
        step, slope = 1.0, float((gradient * direction).sum())
        for _ in range(MAX_HALVINGS):  # Armijo's rule: accept what lowers the objective in proportion to the slope
            candidate = theta - step * direction
            new_value, new_gradient = objective.value_and_gradient(candidate)
            if new_value <= value - 1e-4 * step * slope or slope < 1e-14 * max(1.0, abs(value)):
                break
            step /= 2
        if not np.isfinite(new_value):
            raise Diverged(epoch=state.epoch + 1, learning_rate=step)
        theta, value, gradient = candidate, new_value, new_gradient
        objective.scatter(theta)
        state.epoch += 1
        state.step += 1
        norm = float(np.linalg.norm(gradient))
        converged = bool(np.abs(gradient).max() <= GRADIENT_TOLERANCE)
        values = evaluation(problem) | {
            "learning_rate": step,
            "gradient_norm": norm,
            "seconds": time.perf_counter() - started,
        }
        warnings = () if converged or state.epoch < spec.epochs else (_not_converged(norm),)
        yield Epoch(state.epoch, values=values, converged=converged, warnings=warnings)
        if converged:
            return


def _not_converged(norm: float) -> dict[str, Any]:
    detail = (
        f"The optimum was not reached within the epochs given: the gradient is still {norm:.1e} long. Classes that a "
        "line separates have none without a penalty; set penalty.l2, or more epochs."
    )
    return {"code": "NOT_CONVERGED", "detail": detail}


class Objective:
    """J(θ) = mean weighted row loss + λ/2n ‖w‖² for θ (d+1, k), the last row the intercepts, which are not penalised."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        train = problem.train
        self.X = np.hstack([train.X, np.ones((train.rows, 1))])
        self.Y, self.weights = train.Y, train.weights
        penalty = np.full((self.X.shape[1], 1), problem.spec.penalties(train.rows)[1])
        penalty[-1] = 0
        self.penalty = penalty
        assert problem.spec.loss is not None
        self.loss = problem.spec.loss
        self.joint = self.loss.outputs(3) == 3 and self.loss.outputs(2) == 2  # softmax couples the classes

    def gather(self) -> np.ndarray:
        layer = self.problem.network.parameters.layers[0]
        assert layer.b is not None
        return np.vstack([layer.W, layer.b])

    def scatter(self, theta: np.ndarray) -> None:
        layer = self.problem.network.parameters.layers[0]
        layer.W[...] = theta[:-1]
        assert layer.b is not None
        layer.b[...] = theta[-1]

    def value_and_gradient(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        Z = self.X @ theta
        losses, dZ = np.empty(len(Z)), np.empty_like(Z)
        self.loss.rows(np, Z, self.Y, losses, np.empty_like(Z))
        self.loss.gradient(np, Z, self.Y, dZ)
        if self.weights is not None:
            losses *= self.weights
            dZ *= self.weights[:, None]
        value = losses.mean() + 0.5 * float((self.penalty * theta**2).sum())
        return value, self.X.T @ dZ / len(Z) + self.penalty * theta

    def newton_direction(self, theta: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """H⁻¹ ∇J, by Cholesky's factors or, where H is singular, by least squares."""
        P = np.empty((len(self.X), theta.shape[1]))
        self.loss.link(np, self.X @ theta, P)
        if self.joint:
            return self._joint_direction(P, gradient)
        columns = [self._solve(self._hessian(P[:, k] * (1 - P[:, k])), gradient[:, k]) for k in range(theta.shape[1])]
        return np.stack(columns, axis=1)

    def _hessian(self, curvature: np.ndarray) -> np.ndarray:
        """Xᵀ diag(curvature) X / n with the penalty on its diagonal, (d+1, d+1)."""
        weighted = curvature if self.weights is None else curvature * self.weights
        return self.X.T @ (self.X * weighted[:, None]) / len(self.X) + np.diag(self.penalty[:, 0])

    def _joint_direction(self, P: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        inputs, classes = gradient.shape
        H = np.empty((classes, inputs, classes, inputs))
        penalty = np.diag(self.penalty[:, 0])
        for a in range(classes):
            for b in range(a + 1):
                block = self._hessian(P[:, a] * ((a == b) - P[:, b])) - (a != b) * penalty
                H[a, :, b, :] = H[b, :, a, :] = block
        # Adding one vector to every class changes no probability: H is singular along it, the gradient has no part
        # in it (but for the penalty's), so a term that stiffens just these directions leaves the solution as it is.
        H += np.where(self.penalty[:, 0] > 0, 0, 1.0 / classes)[:, None, None] * np.eye(inputs)[None, :, None, :]
        solution = self._solve(H.reshape(classes * inputs, -1), gradient.T.ravel())
        return solution.reshape(classes, inputs).T

    @staticmethod
    def _solve(H: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        try:
            np.linalg.cholesky(H)
            return np.linalg.solve(H, gradient)
        except np.linalg.LinAlgError:
            return np.linalg.lstsq(H, gradient, rcond=None)[0]
