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
TALL = 1 << 17
TALL_RATIO = 4
"""So many values, and so many rows for each column, make a table tall: below, singular values are soon had."""
WELL_CONDITIONED = 1e4
"""The condition number up to which squaring it leaves eight digits for the corrections to start from."""
SINGLE_CONDITIONED = 1e4
"""The condition number of a Hessian up to which single precision leaves three digits of the direction."""
BLOCK = 1 << 16
"""Values of a table worked on at once: half a MiB."""


def least_squares(X: np.ndarray, y: np.ndarray, bias: bool = True) -> tuple[np.ndarray, np.ndarray, int, float]:
    """W (d, k) and b (k,) that minimise Σ(XW + b − y)², with the rank of X and its condition number.

    Through the singular values of the centred X, never an inverse; of several solutions the one of least norm
    (Golub & Van Loan, Matrix Computations, 5.5). The condition number is that of the columns scaled to one length,
    so that a change of unit does not change it; it is infinite where the columns depend on each other. A tall table
    whose columns are far from dependent takes a shorter way to the same digits (see `seminormal`); of any other tall one a
    triangle is left to find the singular values of (see `triangle`).
    """
    center, mean = (X.mean(axis=0), y.mean(axis=0)) if bias else (np.zeros(X.shape[1]), np.zeros(y.shape[1]))
    tall = X.size >= TALL and len(X) > TALL_RATIO * X.shape[1]
    if tall:
        found = seminormal(X, y, center, mean)
        if found is not None:
            W, condition = found
            return W, mean - center @ W, X.shape[1], condition
    centred, answers = triangle(X, y, center, mean) if tall else (X - center, y - mean)
    lengths = np.linalg.norm(centred, axis=0)
    # A column that centring leaves at rounding error is constant: the bias stands for it already.
    lengths[lengths <= np.finfo(X.dtype).eps * len(X) * np.abs(X).max(axis=0, initial=0)] = 0
    scale = np.where(lengths > 0, lengths, 1)
    scaled = np.where(lengths > 0, centred / scale, 0)
    precision = np.finfo(X.dtype).eps * max(X.shape)
    solution, _, rank, singular = np.linalg.lstsq(scaled, answers, rcond=precision)
    W = solution / scale[:, None]
    if rank < X.shape[1]:  # scaling changes which solution is shortest: take the shortest in X's own units
        W = np.linalg.lstsq(centred, answers, rcond=precision)[0]
        condition = float("inf")
    else:
        condition = float(singular[0] / singular[-1])
    return W, mean - center @ W, int(rank), condition


def triangle(X: np.ndarray, y: np.ndarray, center: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """R (d + k, d) and QᵀY (d + k, k) of the centred X (n, d) = QR: the same least squares, singular values and all.

    Householder's reflections, block after block of the rows (Golub & Van Loan, 5.2; Demmel et al. 2012): as good as of all
    the rows at once, and no copy of the table is made.
    """
    R = np.empty((0, X.shape[1] + y.shape[1]), X.dtype)
    for rows in blocks(len(X), X.shape[1], at_least=8 * X.shape[1]):
        more = np.hstack([X[rows] - center, y[rows] - mean])
        R = np.asarray(np.linalg.qr(np.vstack([R, more]), mode="r"))
    return R[:, : X.shape[1]], R[:, X.shape[1] :]


def seminormal(X: np.ndarray, y: np.ndarray, center: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, float] | None:
    """W (d, k) and the condition number, in three readings of X (n, d); None where the columns are near dependent.

    The corrected seminormal equations (Björck, Stability Analysis of the Method of Seminormal Equations for Linear Least
    Squares Problems, 1987): Cholesky's factor of XᵀX for centred columns of length 1, then twice the correction that the
    residuals of X itself ask for. XᵀX has the square of X's condition number κ; while κ² is far below 1/ε the
    corrections give back the digits that this costs, and the answer is as good as that of the singular values.
    """
    gram, moments = np.zeros((X.shape[1], X.shape[1])), np.zeros((X.shape[1], y.shape[1]))
    for rows in blocks(len(X), X.shape[1]):
        block = X[rows] - center
        gram += block.T @ block
        moments += block.T @ (y[rows] - mean)
    lengths = np.sqrt(gram.diagonal())
    if not np.all(lengths > 1e-6 * np.sqrt(len(X)) * np.abs(center)):  # nearly constant: centring has cost its digits
        return None
    gram /= np.outer(lengths, lengths)
    values = np.linalg.eigvalsh(gram)
    if not values[0] * WELL_CONDITIONED**2 > values[-1]:
        return None
    inverse = np.linalg.inv(np.linalg.cholesky(gram)) / lengths
    W = inverse.T @ (inverse @ moments)
    for _ in range(2):
        moments[...] = 0
        for rows in blocks(len(X), X.shape[1]):
            block = X[rows] - center
            moments += block.T @ (y[rows] - mean - block @ W)
        W += inverse.T @ (inverse @ moments)
    return W, float(np.sqrt(values[-1] / values[0]))


def blocks(rows: int, columns: int, at_least: int = 64) -> Iterator[slice]:
    """Slices of the rows that stay in the cache while they are worked on."""
    size = max(at_least, BLOCK // max(1, columns))
    return (slice(start, min(start + size, rows)) for start in range(0, rows, size))


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
        direction = objective.newton_direction(gradient)
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
        values = objective.evaluation() | {
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
        self.single = self.X.astype(np.float32) if self.X.size >= TALL and not self.joint else None
        self.Z, self.P, self.work = (np.empty_like(self.Y) for _ in range(3))
        self.losses = np.empty(train.rows)

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
        """J and ∇J at θ (d+1, k), where Z and P = link(Z) (n, k) then stand too."""
        np.matmul(self.X, theta, out=self.Z)
        self.loss.rows(np, self.Z, self.Y, self.losses, self.work)
        self.loss.link(np, self.Z, self.P)
        dZ = np.subtract(self.P, self.Y, out=self.work)  # so it is for every loss that Newton's method is given here
        if self.weights is not None:
            self.losses *= self.weights
            dZ *= self.weights[:, None]
        value = self.losses.mean() + 0.5 * float((self.penalty * theta**2).sum())
        return value, self.X.T @ dZ / len(dZ) + self.penalty * theta

    def evaluation(self) -> dict[str, float | None]:
        """Loss and score where the value was last asked for, and on the validation rows."""
        train = {"train_loss": float(self.losses.mean())}
        return train | score("train", self.problem, self.Z, self.Y) | validate(self.problem)

    def newton_direction(self, gradient: np.ndarray) -> np.ndarray:
        """H⁻¹ ∇J where the value was last asked for, by Cholesky's factors or, where H is singular, by least squares."""
        P = self.P
        if self.joint:
            return self._joint_direction(P, gradient)
        columns = [self._direction(P[:, k] * (1 - P[:, k]), gradient[:, k]) for k in range(P.shape[1])]
        return np.stack(columns, axis=1)

    def _direction(self, curvature: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """One class's direction. Of a tall table the Hessian is first taken in single precision, which halves its cost.

        A direction need not be exact for the optimum to be: the gradient, in double precision, says where that is. Where
        the columns are so near dependent that single precision could mislead, the Hessian is taken again in double.
        """
        if self.single is not None:
            H = self._hessian(curvature, self.single)
            values = np.linalg.eigvalsh(H)
            if values[0] * SINGLE_CONDITIONED > values[-1]:
                return self._solve(H, gradient)
        return self._solve(self._hessian(curvature, self.X), gradient)

    def _hessian(self, curvature: np.ndarray, X: np.ndarray) -> np.ndarray:
        """Xᵀ diag(curvature) X / n with the penalty on its diagonal, (d+1, d+1), of X as it is or in single precision.

        The curvature (n,) is of one sign.
        """
        weighted = curvature if self.weights is None else curvature * self.weights
        H = np.diag(self.penalty[:, 0] * len(self.X))
        root = np.sqrt(np.abs(weighted))[:, None].astype(X.dtype)
        sign = np.sign(weighted.sum())  # −p_a p_b for two classes, p (1 − p) for one
        for rows in blocks(*X.shape):
            block = X[rows] * root[rows]
            H += sign * (block.T @ block)  # NumPy works out half of a product with itself
        return H / len(self.X)

    def _joint_direction(self, P: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        inputs, classes = gradient.shape
        H = np.empty((classes, inputs, classes, inputs))
        penalty = np.diag(self.penalty[:, 0])
        for a in range(classes):
            for b in range(a + 1):
                block = self._hessian(P[:, a] * ((a == b) - P[:, b]), self.X) - (a != b) * penalty
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
