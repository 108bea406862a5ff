"""JAX: an epoch is one compiled function, a scan over its batches. Compiling is not measured."""

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from bench.peers import LEARNING_RATE, Case

VERSION = f"JAX {jax.__version__}"


def dense(parameters: Any, A: Any) -> Any:
    """The raw outputs of a network of dense layers."""
    for W, b in parameters[:-1]:
        A = jax.nn.relu(A @ W + b)
    W, b = parameters[-1]
    return A @ W + b


def ready(case: Case, outputs: Callable[[Any, Any], Any] = dense) -> Callable[[], tuple[float, float]]:
    data, labels, weights = case.data()
    X, y = jnp.asarray(data), jnp.asarray(labels)
    steps = -(-case.rows // case.batch)
    spare = steps * case.batch - case.rows  # the last batch is filled up with rows that count nothing
    counts = jnp.ones(case.rows).at[case.rows :].set(0)
    counts = jnp.concatenate([counts, jnp.zeros(spare)]).reshape(steps, case.batch)

    def loss_of(parameters: Any, rows: Any, count: Any) -> Any:
        log_p = jax.nn.log_softmax(outputs(parameters, X[rows]))
        losses = -jnp.take_along_axis(log_p, y[rows][:, None], axis=1)[:, 0]
        return (losses * count).sum() / count.sum()

    def step(carry: Any, batch: Any) -> Any:
        parameters, mean, squares, t = carry
        rows, count = batch
        loss, gradient = jax.value_and_grad(loss_of)(parameters, rows, count)
        t = t + 1
        mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, gradient)
        squares = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, squares, gradient)
        scale = jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        parameters = jax.tree.map(
            lambda p, m, v: p - LEARNING_RATE * scale * m / (jnp.sqrt(v) + 1e-8), parameters, mean, squares
        )
        return (parameters, mean, squares, t), loss * count.sum()

    @jax.jit
    def epoch(carry: Any, key: Any) -> Any:
        order = jnp.concatenate([jax.random.permutation(key, case.rows), jnp.zeros(spare, jnp.int32)])
        carry, losses = jax.lax.scan(step, carry, (order.reshape(steps, case.batch), counts))
        return carry, losses.sum() / case.rows

    keys = jax.random.split(jax.random.key(0), case.epochs)

    def run() -> tuple[float, float]:
        parameters = [(jnp.asarray(W), jnp.zeros(W.shape[-1])) for W in weights]
        zeros = jax.tree.map(jnp.zeros_like, parameters)
        carry = jax.block_until_ready((parameters, zeros, zeros, jnp.zeros(())))
        started = time.perf_counter()
        for key in keys:
            carry, loss = epoch(carry, key)
        jax.block_until_ready((carry, loss))
        return time.perf_counter() - started, float(loss)

    return run
