"""Newton's method for logistic regression, by its definition. Tall tables are read by compiled code (see fast/newton.py)."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from engine.errors import Diverged
from engine.models.base import Problem, Solver
from engine.models.descent import validate
from engine.models.refinement import blocks
from engine.models.run_state import Epoch, State
from engine.models.scoring import score
from engine.models.separation import separable
from engine.wording import notice, say

GRADIENT_TOLERANCE = 1e-9
"""Newton's method ends when no component of the mean gradient is larger."""
MAX_HALVINGS = 30
SETTLED = 0.5
"""A step of Newton's method that moves an output by so much has not arrived."""
SINGLE_CONDITIONED = 1e4
"""The condition number of a Hessian up to which single precision leaves three digits of the direction."""


def newton(problem: Problem, state: State, objective_of: Callable[[Problem], "Objective"] | None = None) -> Iterator[Epoch]:
    """Logistic regression by Newton's method with halved steps: an epoch an iteration, until the gradient vanishes.

    Two classes and one-vs-rest solve a (d+1, d+1) system a class; multinomial one (K(d+1), K(d+1)) system
    (Bishop, Pattern Recognition and Machine Learning, 4.3.3–4.3.4).
    """
    spec = problem.spec
    assert spec.epochs is not None
    objective = (objective_of or Objective)(problem)
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
            detail = (
                f"The loss is no longer a finite number in iteration {state.epoch + 1}. Scale the features, or set penalty.l2."
            )
            raise Diverged(state.epoch + 1, step, detail, "/model/penalty/l2")
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
        is_last = converged or state.epoch == spec.epochs
        warnings: tuple[dict[str, Any], ...] = (_not_converged(norm),) if is_last and not converged else ()
        if is_last and not spec.penalties(problem.train.rows)[1] and _still_moves(problem, step * direction):
            warnings += (separable(problem.network),)
        yield Epoch(state.epoch, values=values, converged=converged, warnings=warnings)
        if converged:
            return


def _still_moves(problem: Problem, change: np.ndarray) -> bool:
    """Whether the last step (d+1, k) still moved some row's output by SETTLED or more. Near an optimum steps shrink with their
    square; towards one at infinity, as of classes that a line parts or nearly parts, each adds about 1, however small the
    gradient has become.
    """
    return bool(np.abs(problem.train.X @ change[:-1] + change[-1]).max() >= SETTLED)


def _not_converged(norm: float) -> dict[str, Any]:
    detail = say(
        "The optimum was not reached within the epochs given: the gradient is still {norm:.1e} long. Classes that a "
        "line separates have none without a penalty; set penalty.l2, or more epochs.",
        norm=norm,
    )
    return notice("NOT_CONVERGED", detail)


class Objective:
    """J(θ) = mean weighted row loss + λ/2n ‖w‖² for θ (d+1, k), the last row the intercepts, which are not penalised."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.rows = problem, problem.train.rows
        penalty = np.full((problem.train.X.shape[1] + 1, 1), problem.spec.penalties(self.rows)[1])
        penalty[-1] = 0
        self.penalty = penalty
        assert problem.spec.loss is not None
        self.loss = problem.spec.loss
        self.joint = self.loss.joint
        self.precise = True
        """Whether Hessians are taken in double precision."""
        self.prepare()

    def prepare(self) -> None:
        """Make what the reading of the rows needs."""
        train = self.problem.train
        self.X = np.hstack([train.X, np.ones((train.rows, 1))])
        self.Y, self.weights = train.Y, train.weights
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
        """J and ∇J at θ (d+1, k)."""
        loss, slope = self.read(theta)
        return loss + 0.5 * float((self.penalty * theta**2).sum()), slope + self.penalty * theta

    def read(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """The rows' mean loss at θ, and its gradient; Z and P = link(Z) (n, k) then stand there too."""
        np.matmul(self.X, theta, out=self.Z)
        self.loss.rows(np, self.Z, self.Y, self.losses, self.work)
        self.loss.link(np, self.Z, self.P)
        dZ = np.subtract(self.P, self.Y, out=self.work)  # so it is for every loss that Newton's method is given here
        if self.weights is not None:
            self.losses *= self.weights
            dZ *= self.weights[:, None]
        return float(self.losses.mean()), self.X.T @ dZ / len(dZ)

    def evaluation(self) -> dict[str, float | None]:
        """Loss and score where the value was last asked for, and on the validation rows."""
        train = {"train_loss": float(self.losses.mean())}
        return train | score("train", self.problem, self.Z, self.Y) | validate(self.problem)

    def hessian(self, a: int, b: int) -> np.ndarray:
        """∂²/∂θ_a∂θ_b of the mean loss, (d+1, d+1), where the value was last asked for."""
        curvature = self.P[:, a] * ((a == b) - self.P[:, b])  # of one sign: p (1 − p), or −p_a p_b
        if self.weights is not None:
            curvature *= self.weights
        root = np.sqrt(np.abs(curvature))[:, None]
        H = np.zeros((self.X.shape[1], self.X.shape[1]))
        for rows in blocks(*self.X.shape):
            block = self.X[rows] * root[rows]
            H += block.T @ block  # NumPy works out half of a product with itself
        return H * ((1 if a == b else -1) / self.rows)

    def newton_direction(self, gradient: np.ndarray) -> np.ndarray:
        """H⁻¹ ∇J where the value was last asked for, by Gauss's elimination or, where H is singular, by least squares."""
        if self.joint:
            return self._joint_direction(gradient)
        return np.stack([self._direction(k, gradient[:, k]) for k in range(gradient.shape[1])], axis=1)

    def _direction(self, k: int, gradient: np.ndarray) -> np.ndarray:
        """One class's direction.

        It need not be exact for the optimum to be: the gradient, in double precision, says where that is. So a Hessian may
        first be taken in single precision. Once that is seen to have so large a condition number that it could mislead,
        Hessians are taken in double.
        """
        penalty = np.diag(self.penalty[:, 0])
        if not self.precise:
            H = self.hessian(k, k) + penalty
            values = np.linalg.eigvalsh(H)
            if values[0] * SINGLE_CONDITIONED > values[-1]:
                return self._solve(H, gradient)
            self.precise = True
        return self._solve(self.hessian(k, k) + penalty, gradient)

    def _joint_direction(self, gradient: np.ndarray) -> np.ndarray:
        inputs, classes = gradient.shape
        H = np.empty((classes, inputs, classes, inputs))
        for a in range(classes):
            for b in range(a + 1):
                H[a, :, b, :] = H[b, :, a, :] = self.hessian(a, b) + (a == b) * np.diag(self.penalty[:, 0])
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


NEWTON = Solver(newton, Objective, copies_rows=True)
