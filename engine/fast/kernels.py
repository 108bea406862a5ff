# mypy: ignore-errors
# (Numba compiles this file and checks its types itself.)
"""The fused kernels, each beside the class whose definition it repeats. A class without one runs on its definition.

Arrays are C pointers. Activations: z, a, d hold n values in any order; d is ∂J/∂A on entry and ∂J/∂Z on return; p is the
class's own number, where it has one. Losses: z, y, d are (k, width), a row of the table in each column, so that the
columns can be worked on side by side; `losses` (width,) and `work` (2, width) are written. Optimizers: θ, g and two slots
(p,), of which a rule uses its own; `h` holds the rule's numbers. To lengthen a table, write one function under its class.
"""

import math
from collections.abc import Callable
from typing import TypeVar

from numba.extending import overload

from engine.fast.jit import EXACT, Kernel, exact, nearest, power_of_two, to
from engine.parts import activations, losses, optimizers

Function = TypeVar("Function", bound=Callable[..., None])

ACTIVATIONS: dict[type, Kernel] = {}
SLOPES: dict[type, Kernel] = {}
LOSSES: dict[type, Kernel] = {}
OPTIMIZERS: dict[type, Kernel] = {}

VALUES = ("reals", "reals", "int", "real")
GRADIENT = ("reals", "reals", "reals", "int", "real")
LOSS = ("reals", "reals", "reals", "reals", "reals", "int", "int", "real")
UPDATE = ("reals", "reals", "reals", "reals", "int", "doubles", "double", "int")


def kernel(table: dict[type, Kernel], signature: tuple[str, ...], *classes: type) -> Callable[[Function], Function]:
    def enter(function: Function) -> Function:
        table.update({cls: Kernel(function, signature) for cls in classes})
        return function

    return enter


def _series(x):
    """(e^r − 1, 2ⁿ) with x = n ln 2 + r, |r| ≤ ½ ln 2: Taylor's series (Cody & Waite 1980), short enough for vectors."""


@overload(_series, jit_options={"error_model": "numpy", "fastmath": EXACT, "forceinline": True})
def _series_of(x):
    single = x.bitwidth == 32
    low, high = (-87.0, 88.0) if single else (-708.0, 709.0)
    ln2_high, ln2_low = (0.693359375, -2.12194440e-4) if single else (6.93145751953125e-1, 1.42860682030941723212e-6)

    def series(x):
        x = to(x, low) if x < to(x, low) else x  # written so that NaN stays NaN
        x = to(x, high) if x > to(x, high) else x
        n = nearest(x * to(x, 1.4426950408889634))
        r = (x - n * to(x, ln2_high)) - n * to(x, ln2_low)
        return _taylor(r), power_of_two(n)

    return series


def _taylor(r):
    """e^r − 1 for |r| ≤ ½ ln 2, to the last digit but one."""


@overload(_taylor, jit_options={"error_model": "numpy", "fastmath": EXACT, "forceinline": True})
def _taylor_of(r):
    def single(r):
        s = to(r, 1 / 5040)
        s = s * r + to(r, 1 / 720)
        s = s * r + to(r, 1 / 120)
        s = s * r + to(r, 1 / 24)
        s = s * r + to(r, 1 / 6)
        s = s * r + to(r, 0.5)
        return s * r * r + r

    def double(r):
        s = to(r, 1 / 6227020800)
        s = s * r + to(r, 1 / 479001600)
        s = s * r + to(r, 1 / 39916800)
        s = s * r + to(r, 1 / 3628800)
        s = s * r + to(r, 1 / 362880)
        s = s * r + to(r, 1 / 40320)
        s = s * r + to(r, 1 / 5040)
        s = s * r + to(r, 1 / 720)
        s = s * r + to(r, 1 / 120)
        s = s * r + to(r, 1 / 24)
        s = s * r + to(r, 1 / 6)
        s = s * r + to(r, 0.5)
        return s * r * r + r

    return single if r.bitwidth == 32 else double


@exact
def exp(x):
    rest, scale = _series(x)
    return rest * scale + scale


@exact
def expm1(x):
    rest, scale = _series(x)
    return rest * scale + (scale - to(x, 1.0))


@exact
def tanh(x):
    t = expm1(to(x, -2.0) * abs(x))
    t = -t / (to(x, 2.0) + t)
    return t if x >= to(x, 0.0) else -t


@exact
def sigmoid(x):
    return to(x, 1.0) / (to(x, 1.0) + exp(-x))


@exact
def log1p_of_exp(x):
    """ln(1 + e^x) for x ≤ 0 as 2 artanh s, of which the series is short once 1 + e^x > √2 has given up a factor 2."""
    u = exp(x)
    large = u > to(x, 0.41421356237309503)
    s = (u - to(x, 1.0)) / (u + to(x, 3.0)) if large else u / (u + to(x, 2.0))
    q = s * s
    t = to(x, 1 / 23) * q + to(x, 1 / 21)
    t = t * q + to(x, 1 / 19)
    t = t * q + to(x, 1 / 17)
    t = t * q + to(x, 1 / 15)
    t = t * q + to(x, 1 / 13)
    t = t * q + to(x, 1 / 11)
    t = t * q + to(x, 1 / 9)
    t = t * q + to(x, 1 / 7)
    t = t * q + to(x, 1 / 5)
    t = t * q + to(x, 1 / 3)
    t = s + s * q * t
    return to(x, 2.0) * t + (to(x, 0.6931471805599453) if large else to(x, 0.0))


@kernel(ACTIVATIONS, VALUES, activations.Identity)
def identity(z, a, n, p):
    for i in range(n):
        a[i] = z[i]


@kernel(SLOPES, GRADIENT, activations.Identity)
def identity_slope(z, a, d, n, p):
    pass


@kernel(ACTIVATIONS, VALUES, activations.Sigmoid)
def sigmoid_values(z, a, n, p):
    for i in range(n):
        a[i] = sigmoid(z[i])


@kernel(SLOPES, GRADIENT, activations.Sigmoid)
def sigmoid_slope(z, a, d, n, p):
    for i in range(n):
        d[i] *= a[i] * (to(p, 1.0) - a[i])


@kernel(ACTIVATIONS, VALUES, activations.Tanh)
def tanh_values(z, a, n, p):
    for i in range(n):
        a[i] = tanh(z[i])


@kernel(SLOPES, GRADIENT, activations.Tanh)
def tanh_slope(z, a, d, n, p):
    for i in range(n):
        d[i] *= to(p, 1.0) - a[i] * a[i]


@kernel(ACTIVATIONS, VALUES, activations.Relu)
def relu(z, a, n, p):
    for i in range(n):
        a[i] = to(p, 0.0) if z[i] <= to(p, 0.0) else z[i]


@kernel(SLOPES, GRADIENT, activations.Relu)
def relu_slope(z, a, d, n, p):
    for i in range(n):
        d[i] = d[i] if a[i] > to(p, 0.0) else to(p, 0.0)


@kernel(ACTIVATIONS, VALUES, activations.LeakyRelu)
def leaky_relu(z, a, n, p):
    for i in range(n):
        a[i] = p * z[i] if z[i] <= to(p, 0.0) else z[i]


@kernel(SLOPES, GRADIENT, activations.LeakyRelu)
def leaky_relu_slope(z, a, d, n, p):
    for i in range(n):
        d[i] *= to(p, 1.0) if z[i] > to(p, 0.0) else p


@kernel(ACTIVATIONS, VALUES, activations.Elu)
def elu(z, a, n, p):
    for i in range(n):
        bent = p * expm1(z[i])
        a[i] = bent if z[i] <= to(p, 0.0) else z[i]


@kernel(SLOPES, GRADIENT, activations.Elu)
def elu_slope(z, a, d, n, p):
    for i in range(n):
        d[i] *= to(p, 1.0) if z[i] > to(p, 0.0) else a[i] + p


@kernel(ACTIVATIONS, VALUES, activations.Gelu)
def gelu(z, a, n, p):
    for i in range(n):
        x = z[i]
        u = to(x, math.sqrt(2 / math.pi)) * x * (to(x, 1.0) + to(x, 0.044715) * x * x)
        a[i] = to(x, 0.5) * x * (to(x, 1.0) + tanh(u))


@kernel(SLOPES, GRADIENT, activations.Gelu)
def gelu_slope(z, a, d, n, p):
    for i in range(n):
        x = z[i]
        t = tanh(to(x, math.sqrt(2 / math.pi)) * x * (to(x, 1.0) + to(x, 0.044715) * x * x))
        slope = to(x, math.sqrt(2 / math.pi)) * (to(x, 1.0) + to(x, 0.134145) * x * x)
        d[i] *= to(x, 0.5) * (to(x, 1.0) + t) * (to(x, 1.0) + x * (to(x, 1.0) - t) * slope)


@kernel(ACTIVATIONS, VALUES, activations.Silu)
def silu(z, a, n, p):
    for i in range(n):
        a[i] = z[i] * sigmoid(z[i])


@kernel(SLOPES, GRADIENT, activations.Silu)
def silu_slope(z, a, d, n, p):
    for i in range(n):
        d[i] *= sigmoid(z[i]) * (to(p, 1.0) + z[i] - a[i])


@kernel(ACTIVATIONS, VALUES, activations.Softplus)
def softplus(z, a, n, p):
    for i in range(n):
        rest = log1p_of_exp(-abs(z[i]))
        a[i] = rest + (to(p, 0.0) if z[i] <= to(p, 0.0) else z[i])


@kernel(SLOPES, GRADIENT, activations.Softplus)
def softplus_slope(z, a, d, n, p):
    for i in range(n):
        d[i] *= -expm1(-a[i])


@kernel(ACTIVATIONS, VALUES, activations.Sign)
def sign(z, a, n, p):
    for i in range(n):
        positive = to(p, 1.0) if z[i] > to(p, 0.0) else z[i]
        a[i] = to(p, -1.0) if z[i] < to(p, 0.0) else positive


@kernel(SLOPES, GRADIENT, activations.Sign)
def sign_slope(z, a, d, n, p):
    for i in range(n):
        d[i] = to(p, 0.0)


@exact
def normalize(z, y, losses, d, work, k, width):
    """d ← e^(z − max), losses ← −Σ y (z − max); work's rows ← the maxima, the sums Σ d."""
    peak, total = 0, width
    for i in range(width):
        work[peak + i] = z[i]
        work[total + i] = losses[i] = z[i] - z[i]  # 0, unless z is no number
    for j in range(1, k):
        for i in range(width):
            work[peak + i] = z[j * width + i] if z[j * width + i] > work[peak + i] else work[peak + i]
    for j in range(k):
        for i in range(width):
            s = z[j * width + i] - work[peak + i]
            losses[i] -= y[j * width + i] * s
            d[j * width + i] = exp(s)
            work[total + i] += d[j * width + i]


@kernel(LOSSES, LOSS, losses.CrossEntropy, losses.LogLikelihood)
def cross_entropy(z, y, losses, d, work, k, width, p):
    normalize(z, y, losses, d, work, k, width)
    for i in range(width):
        losses[i] += math.log(work[width + i])
        work[width + i] = to(p, 1.0) / work[width + i]
    for j in range(k):
        for i in range(width):
            d[j * width + i] = d[j * width + i] * work[width + i] - y[j * width + i]


@kernel(LOSSES, LOSS, losses.KullbackLeibler)
def kullback_leibler(z, y, losses, d, work, k, width, p):
    normalize(z, y, losses, d, work, k, width)
    for i in range(width):
        losses[i] += math.log(work[width + i])
        work[width + i] = to(p, 1.0) / work[width + i]
    for j in range(k):
        for i in range(width):
            label = y[j * width + i]
            if label > to(p, 0.0):
                losses[i] += label * math.log(label)
            d[j * width + i] = d[j * width + i] * work[width + i] - label


@kernel(LOSSES, LOSS, losses.Likelihood)
def likelihood(z, y, losses, d, work, k, width, p):
    normalize(z, y, losses, d, work, k, width)
    for i in range(width):
        losses[i] = losses[i] - losses[i]
    for j in range(k):
        for i in range(width):
            d[j * width + i] /= work[width + i]
            losses[i] -= y[j * width + i] * d[j * width + i]
    for j in range(k):
        for i in range(width):
            d[j * width + i] = -losses[i] * (d[j * width + i] - y[j * width + i])


@kernel(LOSSES, LOSS, losses.BinaryCrossEntropy)
def binary_cross_entropy(z, y, losses, d, work, k, width, p):
    for i in range(width):
        losses[i] = to(p, 0.0)
    for j in range(k):
        for i in range(width):
            x, label = z[j * width + i], y[j * width + i]
            above = to(p, 1.0) if x > to(p, 0.0) else to(p, 0.0)
            losses[i] += log1p_of_exp(-abs(x)) + x * (above - label)
            d[j * width + i] = sigmoid(x) - label


@kernel(LOSSES, LOSS, losses.MulticlassHinge)
def hinge(z, y, losses, d, work, k, width, p):
    true, highest = 0, width
    for i in range(width):
        losses[i] = work[true + i] = to(p, 0.0)
        work[highest + i] = y[i]
    for j in range(1, k):
        for i in range(width):
            if y[j * width + i] > work[highest + i]:
                work[highest + i], work[true + i] = y[j * width + i], to(p, j)
    for i in range(width):
        work[highest + i] = z[int(work[true + i]) * width + i]
        d[int(work[true + i]) * width + i] = to(p, 0.0)
    for j in range(k):
        for i in range(width):
            if to(p, j) != work[true + i]:
                short = z[j * width + i] - work[highest + i] + p
                losses[i] += to(p, 0.0) if short <= to(p, 0.0) else short
                d[j * width + i] = to(p, 1.0) if short > to(p, 0.0) else to(p, 0.0)
                d[int(work[true + i]) * width + i] -= d[j * width + i]


@kernel(LOSSES, LOSS, losses.MeanAbsoluteError)
def mae(z, y, losses, d, work, k, width, p):
    share = to(p, 1.0 / k)
    for i in range(width):
        losses[i] = to(p, 0.0)
    for j in range(k):
        for i in range(width):
            e = z[j * width + i] - y[j * width + i]
            losses[i] += abs(e) * share
            slope = share if e > to(p, 0.0) else e  # 0 stays 0, and NaN NaN
            d[j * width + i] = -share if e < to(p, 0.0) else slope


@kernel(LOSSES, LOSS, losses.MeanSquaredError)
def mse(z, y, losses, d, work, k, width, p):
    share = to(p, 1.0 / k)
    for i in range(width):
        losses[i] = to(p, 0.0)
    for j in range(k):
        for i in range(width):
            e = z[j * width + i] - y[j * width + i]
            losses[i] += e * e * share
            d[j * width + i] = to(p, 2.0) * e * share


@kernel(LOSSES, LOSS, losses.HalfMeanSquaredError)
def half_mse(z, y, losses, d, work, k, width, p):
    share = to(p, 1.0 / k)
    for i in range(width):
        losses[i] = to(p, 0.0)
    for j in range(k):
        for i in range(width):
            e = z[j * width + i] - y[j * width + i]
            losses[i] += to(p, 0.5) * e * e * share
            d[j * width + i] = e * share


@kernel(LOSSES, LOSS, losses.Huber)
def huber(z, y, losses, d, work, k, width, p):
    share = to(p, 1.0 / k)
    for i in range(width):
        losses[i] = to(p, 0.0)
    for j in range(k):
        for i in range(width):
            e = z[j * width + i] - y[j * width + i]
            held = p if e > p else e
            held = -p if held < -p else held
            losses[i] += (to(p, 0.5) * held * held + p * (abs(e) - abs(held))) * share
            d[j * width + i] = held * share


@kernel(OPTIMIZERS, UPDATE, optimizers.GradientDescent)
def gradient_descent(theta, g, s1, s2, n, h, rate, step):
    eta = to(theta[0], rate)
    for i in range(n):
        theta[i] -= eta * g[i]


@kernel(OPTIMIZERS, UPDATE, optimizers.Momentum)
def momentum(theta, g, velocity, s2, n, h, rate, step):
    eta, keep = to(theta[0], rate), to(theta[0], h[0])
    for i in range(n):
        velocity[i] = velocity[i] * keep + eta * g[i]
        theta[i] -= velocity[i]


@kernel(OPTIMIZERS, UPDATE, optimizers.Nesterov)
def nesterov(theta, g, velocity, s2, n, h, rate, step):
    eta, keep = to(theta[0], rate), to(theta[0], h[0])
    for i in range(n):
        push = eta * g[i]
        velocity[i] = velocity[i] * keep + push
        theta[i] -= velocity[i] * keep + push


@kernel(OPTIMIZERS, UPDATE, optimizers.Adagrad)
def adagrad(theta, g, squares, s2, n, h, rate, step):
    eta, epsilon = to(theta[0], rate), to(theta[0], h[0])
    for i in range(n):
        squares[i] += g[i] * g[i]
        theta[i] -= eta * (g[i] / math.sqrt(squares[i] + epsilon))


@kernel(OPTIMIZERS, UPDATE, optimizers.RMSProp)
def rmsprop(theta, g, squares, s2, n, h, rate, step):
    eta, epsilon = to(theta[0], rate), to(theta[0], h[1])
    keep, take = to(theta[0], h[0]), to(theta[0], 1 - h[0])
    for i in range(n):
        squares[i] = squares[i] * keep + g[i] * g[i] * take
        theta[i] -= eta * (g[i] / (math.sqrt(squares[i]) + epsilon))


@kernel(OPTIMIZERS, UPDATE, optimizers.Adam)
def adam(theta, g, mean, squares, n, h, rate, step):
    keep_1, take_1 = to(theta[0], h[0]), to(theta[0], 1 - h[0])
    keep_2, take_2 = to(theta[0], h[1]), to(theta[0], 1 - h[1])
    eta, root = to(theta[0], rate / (1 - h[0] ** step)), to(theta[0], 1 / math.sqrt(1 - h[1] ** step))
    epsilon = to(theta[0], h[2])
    for i in range(n):
        mean[i] = mean[i] * keep_1 + g[i] * take_1
        squares[i] = squares[i] * keep_2 + g[i] * g[i] * take_2
        theta[i] -= eta * (mean[i] / (math.sqrt(squares[i]) * root + epsilon))


@kernel(OPTIMIZERS, UPDATE, optimizers.AdamW)
def adamw(theta, g, mean, squares, n, h, rate, step):
    keep_1, take_1 = to(theta[0], h[0]), to(theta[0], 1 - h[0])
    keep_2, take_2 = to(theta[0], h[1]), to(theta[0], 1 - h[1])
    eta, root = to(theta[0], rate / (1 - h[0] ** step)), to(theta[0], 1 / math.sqrt(1 - h[1] ** step))
    epsilon, shrink = to(theta[0], h[2]), to(theta[0], 1 - rate * h[3])
    for i in range(n):
        mean[i] = mean[i] * keep_1 + g[i] * take_1
        squares[i] = squares[i] * keep_2 + g[i] * g[i] * take_2
        theta[i] = theta[i] * shrink - eta * (mean[i] / (math.sqrt(squares[i]) * root + epsilon))
