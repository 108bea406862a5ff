"""JAX on LeNet-5: an epoch is one compiled function, a scan over its batches. Compiling is not measured."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from bench.peers import Case, jax_scan

VERSION = jax_scan.VERSION
LAYOUT = ("NHWC", "HWIO", "NHWC")


def pooled(A: Any) -> Any:
    """The mean of each 2 × 2 pixels."""
    n, height, width, channels = A.shape
    return A.reshape(n, height // 2, 2, width // 2, 2, channels).mean((2, 4))


def convolved(A: Any, W: Any, b: Any, padding: Any) -> Any:
    return jnp.tanh(jax.lax.conv_general_dilated(A, W, (1, 1), padding, dimension_numbers=LAYOUT) + b)


def outputs(parameters: Any, X: Any) -> Any:
    """The raw outputs of rows X (n, 784)."""
    C1, C3, C5, F6, last = parameters
    A = pooled(convolved(X.reshape(-1, 28, 28, 1), *C1, [(2, 2), (2, 2)]))
    A = pooled(convolved(A, *C3, "VALID")).reshape(len(X), -1)
    for W, b in (C5, F6):
        A = jnp.tanh(A @ W + b)
    return A @ last[0] + last[1]


def ready(case: Case) -> Callable[[], tuple[float, float]]:
    return jax_scan.ready(case, outputs)
